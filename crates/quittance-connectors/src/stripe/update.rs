//! Changing fields of Stripe's objects: which may be changed by a repair, under what names, and the requests that do it.
//!
//! **Nothing that moves money at once is on the list**, nor what Stripe computes: what is not on it is refused by name. Two of its
//! fields decide about money later ([`decides_about_money`]). The same arguments give the same bytes. Does not own when a field is changed, nor the idempotency key, which the caller adds.

use super::listing::Kind;
use super::request::OWN_METADATA;
use crate::form::{Form, encoded};
use crate::message::{Method, Request};
use crate::record::places;
use quittance_core::record::value::{Type, Value};

#[cfg(test)]
mod tests;

/// Longest key of metadata, in characters, as Stripe documents it.
const METADATA_KEY_CHARS_MAX: usize = 40;

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// A text; the empty one unsets it.
    Text,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text under a key of metadata; the empty one removes the key.
    Metadata,
}

/// What a kind of object takes beside metadata, under the names of its fields.
type Fields = &'static [(&'static str, Takes)];

/// Every kind of which something may be changed; each takes keys of metadata. Names are those of the parameters of API version
/// 2025-03-31.basil, which are those of the fields. Disputes are not here: changing one submits its evidence.
const UPDATABLE: [(&str, Fields); 10] = [
    (
        "customer",
        &[
            ("description", Takes::Text),
            ("email", Takes::Text),
            ("name", Takes::Text),
            ("phone", Takes::Text),
            ("tax_exempt", Takes::Word(&["none", "exempt", "reverse"])),
        ],
    ),
    ("subscription", &[("cancel_at_period_end", Takes::Flag), ("description", Takes::Text)]),
    (
        "product",
        &[
            ("active", Takes::Flag),
            ("description", Takes::Text),
            ("name", Takes::Text),
            ("statement_descriptor", Takes::Text),
            ("unit_label", Takes::Text),
            ("url", Takes::Text),
        ],
    ),
    ("price", &[("active", Takes::Flag), ("nickname", Takes::Text)]),
    ("invoice", &[("description", Takes::Text), ("footer", Takes::Text)]),
    ("payment_intent", &[("description", Takes::Text)]),
    ("charge", &[("description", Takes::Text)]),
    ("refund", &[]),
    ("payout", &[]),
    ("credit_note", &[("memo", Takes::Text)]),
];

/// Kinds that carry metadata by which Quittance knows its own.
const OURS: [&str; 3] = ["payment_intent", "charge", "refund"];

/// A field that may be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// As it stands in a form.
    name: String,
    takes: Takes,
}

/// Why a field may not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// Nothing of such objects may be.
    #[error("a repair changes nothing of a `{0}`")]
    Kind(&'static str),
    /// Stripe computes it, it moves money, or has no parameter of its own.
    #[error("`{field}` of a `{kind}` is not what a repair changes at Stripe: Stripe computes it, or it moves money")]
    Field {
        /// The kind.
        kind: &'static str,
        /// The field.
        field: String,
    },
    /// Quittance finds its own objects by it.
    #[error("`{0}` in the metadata of payments is how Quittance knows its own, and stays")]
    Ours(String),
    /// Stripe takes no such key.
    #[error("`{0}` cannot be a key of metadata: 1 to 40 characters without square brackets")]
    Key(String),
}

impl Unwritable {
    /// What would be right.
    #[must_use]
    pub fn remedy(&self) -> String {
        const OTHERWISE: &str = "believe Stripe for it (`authority`), or leave it to a person (\"manual\")";
        match self {
            Self::Field { kind, .. } => {
                let mut names: Vec<&str> = fields(kind).unwrap_or_default().iter().map(|(name, _)| *name).collect();
                names.push("/metadata/KEY");
                format!("{OTHERWISE}; of a `{kind}` may be changed: {}", names.join(", "))
            }
            Self::Kind(_) | Self::Ours(_) => OTHERWISE.to_owned(),
            Self::Key(_) => "name another key, as /metadata/plan".to_owned(),
        }
    }
}

/// Whether a change decides what a customer is charged later: a cancelation that is taken back is charged at the next renewal,
/// and who is exempt from tax pays less. A person is to be asked about it.
#[must_use]
pub fn decides_about_money(column: &str, value: &Value<'_>) -> bool {
    match column.trim_start_matches('/') {
        "cancel_at_period_end" => value.read_as(Type::Boolean) != Some(Value::Boolean(true)),
        "tax_exempt" => true,
        _ => false,
    }
}

fn fields(kind: &str) -> Option<Fields> {
    UPDATABLE.iter().find(|(name, _)| *name == kind).map(|(_, fields)| *fields)
}

/// Every field that may be changed, with a value that it takes: kind, field, and value.
#[must_use]
pub fn examples() -> Vec<(&'static str, &'static str, &'static str)> {
    let example = |(name, takes): &(&'static str, Takes)| match takes {
        Takes::Text if *name == "email" => (*name, "a@shop.example"),
        Takes::Text if *name == "url" => (*name, "https://shop.example"),
        Takes::Flag => (*name, "true"),
        Takes::Word(words) => (*name, words[0]),
        Takes::Text | Takes::Metadata => (*name, "text"),
    };
    let of_kind = |(kind, fields): &(&'static str, Fields)| {
        let named = fields.iter().map(example).chain([("/metadata/plan", "team")]);
        named.map(|(name, value)| (*kind, name, value)).collect::<Vec<_>>()
    };
    UPDATABLE.iter().flat_map(of_kind).collect()
}

/// The parameter that changes a column of objects of a kind.
///
/// ```
/// use quittance_connectors::stripe::{listing::Kind, update::parameter};
/// let subscription = Kind::named("subscription").unwrap();
/// assert!(parameter(subscription, "/metadata/plan").is_ok());
/// assert!(parameter(subscription, "status").unwrap_err().remedy().contains("cancel_at_period_end"));
/// ```
///
/// # Errors
///
/// [`Unwritable`] when it is not on the list.
pub fn parameter(kind: &Kind, column: &str) -> Result<Parameter, Unwritable> {
    let known = fields(kind.name).ok_or(Unwritable::Kind(kind.name))?;
    let refused = || Unwritable::Field { kind: kind.name, field: column.to_owned() };
    let steps = places(column).ok_or_else(refused)?;
    match steps.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["metadata", key] => metadata(kind, key),
        [name] => {
            let found = known.iter().find(|(known, _)| known == name).ok_or_else(refused)?;
            Ok(Parameter { name: found.0.to_owned(), takes: found.1 })
        }
        _ => Err(refused()),
    }
}

fn metadata(kind: &Kind, key: &str) -> Result<Parameter, Unwritable> {
    if OURS.contains(&kind.name) && OWN_METADATA.contains(&key) {
        return Err(Unwritable::Ours(key.to_owned()));
    }
    let is_key = (1..=METADATA_KEY_CHARS_MAX).contains(&key.chars().count()) && !key.contains(['[', ']']);
    if !is_key {
        return Err(Unwritable::Key(key.to_owned()));
    }
    Ok(Parameter { name: format!("metadata[{}]", encoded(key)), takes: Takes::Metadata })
}

impl Parameter {
    /// A value as Stripe takes it; nothing unsets the field, or removes the key.
    ///
    /// # Errors
    ///
    /// Why Stripe would not hold the value as it is, for people.
    pub fn value(&self, value: &Value<'_>) -> Result<String, String> {
        let name = &self.name;
        match (self.takes, value) {
            (Takes::Text | Takes::Metadata, Value::Null | Value::Absent) => Ok(String::new()),
            (Takes::Flag | Takes::Word(_), Value::Null | Value::Absent) => Err(format!("`{name}` cannot be unset")),
            (Takes::Flag, value) => match value.read_as(Type::Boolean) {
                Some(Value::Boolean(flag)) => Ok(flag.to_string()),
                _ => Err(format!("`{name}` is true or false, and not {value}")),
            },
            (Takes::Word(words), value) => {
                let word = value.to_string();
                let is_known = words.contains(&word.as_str());
                is_known.then_some(word).ok_or_else(|| format!("`{name}` is one of {}", words.join(", ")))
            }
            (Takes::Text | Takes::Metadata, value) => match value.to_string() {
                text if text.is_empty() => Err(format!("`{name}` cannot hold an empty text: Stripe would unset it")),
                text => Ok(text),
            },
        }
    }
}

/// The request that changes an object, without its idempotency key; none for what cannot be an id.
#[must_use]
pub fn update_request(kind: &Kind, api_version: &str, id: &str, changes: &[(&Parameter, String)]) -> Option<Request> {
    let target = super::listing::one_request(kind, api_version, id)?.target;
    let mut form = Form::default();
    changes.iter().for_each(|(parameter, value)| form.add(&parameter.name, value));
    let (body, api_version) = (form.into_text().into_bytes(), api_version.to_owned());
    Some(Request { method: Method::Post, target, body, idempotency_key: None, api_version })
}
