//! Bodies as strict I-JSON (RFC 7493): what is ambiguous elsewhere is refused here.
//!
//! Owns the parsing of a bounded body, the search for card numbers in it, and its canonical bytes (RFC 8785). Reading
//! members with their types is [`fields`]. Knows nothing about HTTP, and never repeats a value in an error: only where
//! it stands.

mod fields;
mod parse;
#[cfg(test)]
mod tests;

pub(crate) use fields::{Alphabet, Fields, MapLimits, Need, Text};

use quittance_core::money::AMOUNT_MAX;
use quittance_core::pan::contains_card_number;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::collections::BTreeSet;
use std::fmt;

/// How deep arrays and objects may nest; no request of this API needs more than three levels.
const DEPTH_MAX: usize = 16;

/// Errors reported of one body; who makes more learns nothing from the rest.
const ERRORS_MAX: usize = 50;

/// How secrets begin that somebody might put in the place of a name.
const SECRETS: [&str; 7] = ["qk_test_", "qk_live_", "sk_test_", "sk_live_", "rk_test_", "rk_live_", "whsec_"];

/// Bytes of a member's name that a pointer repeats.
const NAME_BYTES_SHOWN: usize = 64;

/// One value of a body. Objects keep their members as they came, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// An integer, written without fraction or exponent, of at most 2^53 − 1 either way.
    Integer(i64),
    /// Any other number, as text; nothing in this API takes one.
    Inexact(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

/// What is wrong at one place of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where: a JSON pointer (RFC 6901); empty for the whole body.
    pub(crate) pointer: String,
    /// What is wrong, and what would be right.
    pub(crate) detail: String,
}

/// Why a body is refused before its members are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Something in it looks like a card number; the places, never the values.
    CardNumber(Vec<Wrong>),
    /// It is no I-JSON.
    Malformed(Vec<Wrong>),
}

impl Wrong {
    pub(crate) fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

impl Json {
    /// Reads a body and looks through all of it.
    ///
    /// # Errors
    ///
    /// [`Refused`]; a card number anywhere outweighs every other mistake.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refused> {
        let json = parse::parse(body).map_err(|wrong| Refused::Malformed(vec![wrong]))?;
        let mut findings = Findings::default();
        findings.look_at(&json, &mut String::new(), 0);
        if !findings.card_numbers.is_empty() {
            return Err(Refused::CardNumber(findings.card_numbers));
        }
        if !findings.wrongs.is_empty() {
            return Err(Refused::Malformed(findings.wrongs));
        }
        Ok(json)
    }

    /// The canonical bytes (RFC 8785) of a body that was read: members sorted, no white space, one spelling of each
    /// string. Two bodies with the same meaning have the same bytes.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        serde_json_canonicalizer::to_vec(self).expect("texts, integers, lists and objects have a canonical form")
    }

    /// What kind of value this is, for a message.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Inexact(_) => "a number that is no integer within ±(2^53 − 1)",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            // Every reader of members refuses these, so none gets as far as a fingerprint.
            Self::Inexact(text) | Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

/// What a walk through a body finds.
#[derive(Default)]
struct Findings {
    card_numbers: Vec<Wrong>,
    wrongs: Vec<Wrong>,
}

impl Findings {
    fn look_at(&mut self, json: &Json, pointer: &mut String, depth: usize) {
        if depth > DEPTH_MAX {
            self.wrong(pointer, format_args!("nested deeper than {DEPTH_MAX} levels"));
            return;
        }
        match json {
            Json::Null | Json::Flag(_) => {}
            Json::Integer(integer) => self.look_for_card(&integer.to_string(), pointer),
            Json::Inexact(text) => self.look_for_card(text, pointer),
            Json::Text(text) => self.look_at_text(text, pointer),
            Json::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.descend(&index.to_string(), item, pointer, depth);
                }
            }
            Json::Object(members) => self.look_at_members(members, pointer, depth),
        }
    }

    fn look_at_members(&mut self, members: &[(String, Json)], pointer: &mut String, depth: usize) {
        let mut seen = BTreeSet::new();
        for (name, value) in members {
            // The name is not repeated when it is what looks like a card number: the object is pointed at instead.
            if contains_card_number(name) {
                self.card(pointer);
                continue;
            }
            if !seen.insert(name) {
                let place = joined(pointer, name);
                self.wrong(&place, format_args!("given twice; every member may stand once"));
            }
            self.look_at_text(name, pointer);
            self.descend(name, value, pointer, depth);
        }
    }

    fn descend(&mut self, name: &str, value: &Json, pointer: &mut String, depth: usize) {
        let length = pointer.len();
        push(pointer, name);
        self.look_at(value, pointer, depth + 1);
        pointer.truncate(length);
    }

    fn look_at_text(&mut self, text: &str, pointer: &str) {
        self.look_for_card(text, pointer);
        if text.chars().any(is_unusable) {
            self.wrong(pointer, format_args!("holds U+0000 or a noncharacter, which cannot be kept"));
        }
    }

    fn look_for_card(&mut self, text: &str, pointer: &str) {
        if contains_card_number(text) {
            self.card(pointer);
        }
    }

    fn card(&mut self, pointer: &str) {
        if self.card_numbers.len() < ERRORS_MAX {
            self.card_numbers.push(Wrong::new(pointer, "looks like a payment card number; send the gateway's token"));
        }
    }

    fn wrong(&mut self, pointer: &str, detail: fmt::Arguments<'_>) {
        if self.wrongs.len() < ERRORS_MAX {
            self.wrongs.push(Wrong::new(pointer, detail.to_string()));
        }
    }
}

/// Code points that RFC 7493 (section 2.1) refuses, and the one that databases do.
const fn is_unusable(character: char) -> bool {
    let point = character as u32;
    point == 0 || matches!(point, 0xFDD0..=0xFDEF) || point & 0xFFFE == 0xFFFE
}

/// A pointer to a member.
pub(crate) fn joined(pointer: &str, name: &str) -> String {
    let mut pointer = pointer.to_owned();
    push(&mut pointer, name);
    pointer
}

/// Appends a member to a pointer (RFC 6901, section 3), shortened where it is long, and without what looks like a secret.
fn push(pointer: &mut String, name: &str) {
    pointer.push('/');
    // Answers are logged by those who get them.
    if SECRETS.iter().any(|begin| name.starts_with(begin)) {
        pointer.push('…');
        return;
    }
    for (at, character) in name.char_indices() {
        if at >= NAME_BYTES_SHOWN {
            pointer.push('…');
            break;
        }
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            _ => pointer.push(character),
        }
    }
}

/// Whether an integer survives every JSON reader (RFC 7493, section 2.2).
const fn is_exact(integer: i64) -> bool {
    -AMOUNT_MAX <= integer && integer <= AMOUNT_MAX
}
