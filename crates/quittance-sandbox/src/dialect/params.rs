//! Owns: taking typed values out of a form, and refusing what is left. Does not own: which
//! endpoint takes what.

use std::collections::BTreeMap;

use super::form::{self, Node};
use crate::answer::ApiError;
use crate::signature::fingerprint;

/// The parameters of one request. Each `take` removes; `finish` refuses the rest.
#[derive(Debug, Clone)]
pub(crate) struct Params(Vec<(String, Node)>);

impl Params {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        form::parse(text).map(Self)
    }

    /// The parameters inside one that has members.
    pub(crate) fn of(children: Vec<(String, Node)>) -> Self {
        Self(children)
    }

    /// Tells whether two requests carry the same parameters, in whatever order.
    pub(crate) fn fingerprint(&self, method: &str, path: &str) -> [u8; 16] {
        let mut words = Vec::new();
        flatten(&self.0, "", &mut words);
        words.sort();
        let words = words.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        fingerprint([method, path].into_iter().chain(words))
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Node> {
        let position = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(position).1)
    }

    /// Accepts parameters that change nothing here.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    /// `Some("")` asks to unset the value.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            // Stripe refuses longer strings too; the exact limit matters to nobody here.
            Some(Node::Leaf(value)) if value.chars().count() > 5_000 => {
                Err(ApiError::bad_request(format!("Invalid {name}: too long")).param(name))
            }
            Some(Node::Leaf(value)) => Ok(Some(value)),
            Some(Node::Branch(_)) => Err(ApiError::bad_request("Invalid string").param(name)),
        }
    }

    /// A text that may not be empty.
    pub(crate) fn word(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let word = self.text(name)?;
        if word.as_deref() == Some("") {
            let message = format!("You passed an empty string for '{name}'.");
            return Err(ApiError::invalid("parameter_invalid_empty", message).param(name));
        }
        Ok(word)
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(word) = self.word(name)? else {
            return Ok(None);
        };
        word.parse()
            .map(Some)
            .map_err(|_| ApiError::invalid("parameter_invalid_integer", format!("Invalid integer: {word}")).param(name))
    }

    pub(crate) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.word(name)?.as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => {
                let message = format!("Invalid boolean: {other}");
                Err(ApiError::bad_request(message).param(name))
            }
        }
    }

    /// One word out of `allowed`.
    pub(crate) fn choice(&mut self, name: &str, allowed: &[&'static str]) -> Result<Option<&'static str>, ApiError> {
        let Some(word) = self.word(name)? else {
            return Ok(None);
        };
        let known = allowed.iter().copied().find(|candidate| *candidate == word);
        known.map(Some).ok_or_else(|| {
            let message = format!("Invalid {name}: must be one of {}", allowed.join(", "));
            ApiError::bad_request(message).param(name)
        })
    }

    /// A list of at most 100 words.
    pub(crate) fn words(&mut self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        let invalid = || ApiError::bad_request("Invalid array").param(name);
        match self.take(name) {
            None => Ok(None),
            Some(Node::Branch(children)) if form::is_list(&children) && children.len() <= 100 => {
                let words = children.into_iter().map(|(_, child)| match child {
                    Node::Leaf(word) => Ok(word),
                    Node::Branch(_) => Err(invalid()),
                });
                words.collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(invalid()),
        }
    }

    /// A list of at most 100 objects, each with parameters of its own.
    pub(crate) fn objects(&mut self, name: &str) -> Result<Option<Vec<Self>>, ApiError> {
        let invalid = || ApiError::bad_request("Invalid array").param(name);
        match self.take(name) {
            None => Ok(None),
            Some(Node::Branch(children)) if form::is_list(&children) && children.len() <= 100 => {
                let objects = children.into_iter().map(|(_, child)| match child {
                    Node::Branch(children) => Ok(Self(children)),
                    Node::Leaf(_) => Err(invalid()),
                });
                objects.collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(invalid()),
        }
    }

    /// The parameters inside `name`, which may be absent.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Node::Branch(children)) => Ok(Some(Self(children))),
            Some(Node::Leaf(_)) => Err(ApiError::bad_request("Invalid object").param(name)),
        }
    }

    /// A number of things: 0 or more.
    pub(crate) fn quantity(&mut self) -> Result<Option<u32>, ApiError> {
        let Some(number) = self.integer("quantity")? else {
            return Ok(None);
        };
        u32::try_from(number).map(Some).map_err(|_| {
            let message = "This value must be greater than or equal to 0.";
            ApiError::invalid("parameter_invalid_integer", message).param("quantity")
        })
    }

    /// Metadata, where an empty value deletes its key and an empty parameter deletes all.
    pub(crate) fn metadata(&mut self) -> Result<Option<MetadataPatch>, ApiError> {
        let children = match self.take("metadata") {
            None => return Ok(None),
            Some(Node::Leaf(value)) if value.is_empty() => return Ok(Some(MetadataPatch::Clear)),
            Some(Node::Leaf(_)) => return Err(invalid_metadata("Invalid object")),
            Some(Node::Branch(children)) => children,
        };
        let mut entries = BTreeMap::new();
        for (name, value) in children {
            let Node::Leaf(value) = value else {
                return Err(invalid_metadata("Metadata values must be strings"));
            };
            // Stripe, API reference, "Metadata": names up to 40, values up to 500 characters.
            if name.chars().count() > 40 || value.chars().count() > 500 {
                return Err(invalid_metadata("Metadata keys take 40 characters, values 500"));
            }
            entries.insert(name, value);
        }
        Ok(Some(MetadataPatch::Merge(entries)))
    }

    pub(crate) fn finish(self) -> Result<(), ApiError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(ApiError::unknown_parameter(name)),
        }
    }
}

fn invalid_metadata(message: &str) -> ApiError {
    ApiError::bad_request(message).param("metadata")
}

fn flatten(children: &[(String, Node)], prefix: &str, words: &mut Vec<(String, String)>) {
    for (name, child) in children {
        let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}[{name}]") };
        match child {
            Node::Leaf(value) => words.push((name, value.clone())),
            Node::Branch(children) => flatten(children, &name, words),
        }
    }
}

/// A change of metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MetadataPatch {
    Clear,
    Merge(BTreeMap<String, String>),
}

impl MetadataPatch {
    pub(crate) fn apply(self, metadata: &mut BTreeMap<String, String>) -> Result<(), ApiError> {
        match self {
            Self::Clear => metadata.clear(),
            Self::Merge(entries) => {
                for (name, value) in entries {
                    if value.is_empty() {
                        metadata.remove(&name);
                    } else {
                        metadata.insert(name, value);
                    }
                }
            }
        }
        // Stripe, API reference, "Metadata": up to 50 keys.
        if metadata.len() > 50 {
            return Err(invalid_metadata("Metadata can have at most 50 keys"));
        }
        Ok(())
    }
}
