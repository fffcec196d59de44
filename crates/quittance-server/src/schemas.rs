//! JSON Schemas (2020-12) of what is sent: the envelope of events, and one for each resource that they carry.
//!
//! Their members are those of the API's contract. Members may be added within a version, so receivers have to ignore those
//! they do not know; nothing is taken away or changes its meaning.

use crate::openapi;
use crate::render::schema_urn;
use quittance_core::event::Object;
use serde_json::{Value, json};

/// A published schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// The envelope of every event.
    Event,
    /// What events about an object carry.
    Data(Object),
}

impl Schema {
    /// Every schema.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Event].into_iter().chain(Object::ALL.map(Self::Data))
    }

    /// Its name, which events give as `dataschema`.
    #[must_use]
    pub fn urn(self) -> String {
        match self {
            Self::Event => "urn:quittance:schema:event:v1".to_owned(),
            Self::Data(object) => schema_urn(object),
        }
    }

    /// Its file under `/schemas`.
    #[must_use]
    pub fn file(self) -> String {
        match self {
            Self::Event => "event.v1.json".to_owned(),
            Self::Data(object) => format!("{}.v1.json", object.name()),
        }
    }

    /// The schema.
    #[must_use]
    pub fn document(self) -> Value {
        let (title, mut schema) = match self {
            Self::Event => ("An event of Quittance".to_owned(), openapi::event()),
            Self::Data(object) => (format!("A {} of Quittance", object.name()), openapi::carried(object)),
        };
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        schema["$id"] = json!(self.urn());
        schema["title"] = json!(title);
        schema
    }

    /// Its text, as it is published.
    #[must_use]
    pub fn text(self) -> String {
        format!("{:#}\n", self.document())
    }
}
