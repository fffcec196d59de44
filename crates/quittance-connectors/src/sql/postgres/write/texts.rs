//! Values of a record as the texts that stand for them in a statement.

use crate::sql::postgres::lookup::typed;
use crate::sql::postgres::quote::literal;
use crate::sql::postgres::{Kind, time};
use quittance_core::record::value::Value;

/// What a statement says of one record.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Texts {
    /// What it is found by.
    pub keys: Vec<String>,
    /// What it has to hold; none for NULL.
    pub expected: Vec<Option<String>>,
    /// What it is to hold; none for NULL.
    pub set: Vec<Option<String>>,
}

impl Texts {
    /// How many bytes they are.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let values = self.expected.iter().chain(&self.set).flatten();
        self.keys.iter().chain(values).map(String::len).sum()
    }
}

impl Kind {
    /// What a column of this kind has to hold, for a comparison: none for NULL. No text at all where no column of this
    /// kind holds such a value.
    #[must_use]
    pub fn expected_text(self, value: &Value<'static>) -> Option<Option<String>> {
        if value.is_nothing() {
            return matches!(value, Value::Null).then_some(None);
        }
        if self == Self::Json { self.json_text(value) } else { self.literal(&typed(self, value)?) }.map(Some)
    }

    /// What is put into a column of this kind: none for NULL. No text at all for what cannot be said: what is absent,
    /// bytes in JSON, a text that contains a NUL.
    #[must_use]
    pub fn assigned_text(self, value: &Value<'static>) -> Option<Option<String>> {
        let text = match (self, value) {
            (_, Value::Absent) => return None,
            (_, Value::Null) => return Some(None),
            (Self::Json, _) => self.json_text(value)?,
            (_, Value::Bytes(_)) => format!("\\x{value}"),
            (Self::Timestamptz | Self::Timestamp | Self::Date, Value::Timestamp(at)) => time::write(*at),
            _ => value.to_string(),
        };
        (!text.contains('\0')).then_some(Some(text))
    }

    /// Texts are quoted; what is no text is JSON already.
    fn json_text(self, value: &Value<'static>) -> Option<String> {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        Some(match value {
            Value::Absent | Value::Null | Value::Bytes(_) => return None,
            Value::Boolean(_) | Value::Number(_) | Value::Json(_) => value.to_string(),
            Value::Untyped(text) if serde_json::from_str::<serde_json::Value>(text).is_ok() => text.to_string(),
            Value::Text(text) | Value::Untyped(text) | Value::Date(text) => quoted(text),
            Value::Timestamp(_) => quoted(&value.to_string()),
        })
    }
}

/// A literal array of texts, some of which are NULL.
pub(super) fn column(texts: impl Iterator<Item = Option<String>>) -> String {
    let mut array = String::from("{");
    for text in texts {
        if array.len() > 1 {
            array.push(',');
        }
        let Some(text) = text else {
            array.push_str("NULL");
            continue;
        };
        array.push('"');
        for letter in text.chars() {
            if matches!(letter, '"' | '\\') {
                array.push('\\');
            }
            array.push(letter);
        }
        array.push('"');
    }
    array.push('}');
    format!("{}::pg_catalog._text", literal(&array))
}
