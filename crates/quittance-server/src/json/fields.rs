//! Members of an object, read with their types; every mistake is collected, with its place and what would be right.

use super::{ERRORS_MAX, Json, Wrong, joined};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Whether a member has to be there. `null` counts as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// It has to be.
    Required,
    /// It may be left out.
    Optional,
}

/// Which characters a text may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alphabet {
    /// Visible ASCII, without spaces: tokens and ids of others.
    Token,
    /// Any characters that are no controls, without white space at the ends: names that people read.
    Line,
    /// As [`Alphabet::Line`], without `[` and `]`: names that stand between brackets in a gateway's forms.
    Field,
    /// Anything that can be kept.
    Any,
}

/// What a text has to look like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    /// Bytes at most; at least one.
    pub(crate) bytes_max: usize,
    /// Its characters.
    pub(crate) alphabet: Alphabet,
}

impl Text {
    /// What is wrong with a text, if anything.
    pub(crate) fn complaint(self, text: &str) -> Option<String> {
        if text.is_empty() {
            return Some("is empty; leave it out or give it a value".to_owned());
        }
        if text.len() > self.bytes_max {
            return Some(format!("has {} bytes; at most {} are kept", text.len(), self.bytes_max));
        }
        let (is_good, wanted) = match self.alphabet {
            Alphabet::Token => (text.bytes().all(|byte| byte.is_ascii_graphic()), "visible ASCII without spaces"),
            Alphabet::Line => {
                (is_line(text), "one line without control characters and without white space at its ends")
            }
            Alphabet::Field => (
                is_line(text) && !text.contains(['[', ']']),
                "one line without brackets and control characters and without white space at its ends",
            ),
            Alphabet::Any => (true, ""),
        };
        (!is_good).then(|| format!("must be {wanted}"))
    }
}

fn is_line(text: &str) -> bool {
    text.trim() == text && !text.chars().any(char::is_control)
}

/// Limits of a map of texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MapLimits {
    /// Entries at most.
    pub(crate) entries_max: usize,
    /// What a name has to look like.
    pub(crate) name: Text,
    /// Names that are ours.
    pub(crate) reserved_names: &'static [&'static str],
    /// Bytes of a value at most.
    pub(crate) value_bytes_max: usize,
}

/// An object whose members are being read.
pub(crate) struct Fields<'a> {
    members: &'a [(String, Json)],
    known: Vec<&'static str>,
    wrongs: Vec<Wrong>,
}

impl<'a> Fields<'a> {
    /// Begins to read a body.
    ///
    /// # Errors
    ///
    /// One [`Wrong`] when the body is no object.
    pub(crate) fn of(body: &'a Json) -> Result<Self, Vec<Wrong>> {
        match body {
            Json::Object(members) => Ok(Self { members, known: Vec::new(), wrongs: Vec::new() }),
            other => Err(vec![Wrong::new("", format!("is {}; an object is expected", other.kind()))]),
        }
    }

    /// Ends the reading: nothing may be left over, and nothing may have been wrong.
    ///
    /// # Errors
    ///
    /// Everything that was wrong, in the order of reading.
    pub(crate) fn finish(mut self) -> Result<(), Vec<Wrong>> {
        let known = self.known.join(", ");
        for (name, _) in self.members {
            if !self.known.contains(&name.as_str()) {
                self.wrong(name, format!("is not known here; known are: {known}"));
            }
        }
        if self.wrongs.is_empty() { Ok(()) } else { Err(self.wrongs) }
    }

    /// Notes a mistake in a member.
    pub(crate) fn wrong(&mut self, name: &str, detail: impl Into<String>) {
        self.wrong_at(joined("", name), detail);
    }

    fn wrong_at(&mut self, pointer: String, detail: impl Into<String>) {
        if self.wrongs.len() < ERRORS_MAX {
            self.wrongs.push(Wrong::new(pointer, detail));
        }
    }

    /// A member, where it is there and not `null`.
    fn take(&mut self, name: &'static str, need: Need, wanted: &str) -> Option<&'a Json> {
        self.known.push(name);
        let found = self.members.iter().find(|(member, _)| member == name).map(|(_, value)| value);
        let found = found.filter(|value| **value != Json::Null);
        if found.is_none() && need == Need::Required {
            self.wrong(name, format!("is required: {wanted}"));
        }
        found
    }

    fn wrong_kind(&mut self, name: &str, found: &Json, wanted: &str) {
        self.wrong(name, format!("is {}; expected {wanted}", found.kind()));
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &'static str, need: Need, rule: Text) -> Option<String> {
        match self.take(name, need, "a string")? {
            Json::Text(text) => match rule.complaint(text) {
                None => Some(text.clone()),
                Some(complaint) => {
                    self.wrong(name, complaint);
                    None
                }
            },
            other => {
                self.wrong_kind(name, other, "a string");
                None
            }
        }
    }

    /// A text that means something, as `read` says.
    pub(crate) fn parsed<T>(
        &mut self,
        name: &'static str,
        need: Need,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match self.take(name, need, "a string")? {
            Json::Text(text) => read(text).map_err(|complaint| self.wrong(name, complaint)).ok(),
            other => {
                self.wrong_kind(name, other, "a string");
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, name: &'static str, need: Need, words: &[(&str, T)]) -> Option<T> {
        self.parsed(name, need, |text| {
            let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            found.ok_or_else(|| format!("must be one of: {}", known.join(", ")))
        })
    }

    /// An amount of money: minor units from 1 to `max`.
    pub(crate) fn amount(&mut self, name: &'static str, need: Need, max: i64) -> Option<i64> {
        self.amount_within(name, need, 1..=max)
    }

    /// An amount of money that may be nothing.
    pub(crate) fn amount_or_zero(&mut self, name: &'static str, need: Need, max: i64) -> Option<i64> {
        self.amount_within(name, need, 0..=max)
    }

    fn amount_within(&mut self, name: &'static str, need: Need, range: RangeInclusive<i64>) -> Option<i64> {
        const WANTED: &str = "an integer in minor units (1999 is 19.99 USD), without fraction, exponent or quotes";
        match self.take(name, need, WANTED)? {
            Json::Integer(amount) if range.contains(amount) => Some(*amount),
            Json::Integer(_) => {
                self.wrong(name, format!("must be between {} and {} minor units", range.start(), range.end()));
                None
            }
            other => {
                self.wrong_kind(name, other, WANTED);
                None
            }
        }
    }

    /// A list of texts, each of which means something, as `read` says.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        entries_max: usize,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        const WANTED: &str = "an array of strings";
        let items = match self.take(name, Need::Optional, WANTED)? {
            Json::List(items) if (1..=entries_max).contains(&items.len()) => items,
            Json::List(_) => {
                self.wrong(name, format!("must have 1 to {entries_max} entries"));
                return None;
            }
            other => {
                self.wrong_kind(name, other, WANTED);
                return None;
            }
        };
        let mut entries = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let entry = match item {
                Json::Text(text) => read(text),
                other => Err(format!("is {}; expected a string", other.kind())),
            };
            match entry {
                Ok(entry) => entries.push(entry),
                Err(complaint) => self.wrong_at(joined(&joined("", name), &at.to_string()), complaint),
            }
        }
        Some(entries)
    }

    /// An object whose values are texts; empty where it is absent.
    pub(crate) fn map(&mut self, name: &'static str, limits: MapLimits) -> BTreeMap<String, String> {
        const WANTED: &str = "an object whose values are strings";
        let members = match self.take(name, Need::Optional, WANTED) {
            None => return BTreeMap::new(),
            Some(Json::Object(members)) => members,
            Some(other) => {
                self.wrong_kind(name, other, WANTED);
                return BTreeMap::new();
            }
        };
        if members.len() > limits.entries_max {
            self.wrong(name, format!("has {} entries; at most {} are kept", members.len(), limits.entries_max));
            return BTreeMap::new();
        }
        members.iter().filter_map(|(key, value)| self.map_entry(name, limits, key, value)).collect()
    }

    /// An object of values that stand alone: texts, integers, booleans and nulls; none where it is absent.
    pub(crate) fn scalars(&mut self, name: &'static str, entries_max: usize) -> Option<Vec<(String, Json)>> {
        const WANTED: &str = "an object whose values are strings, integers, booleans or null";
        let members = match self.take(name, Need::Optional, WANTED)? {
            Json::Object(members) if (1..=entries_max).contains(&members.len()) => members,
            Json::Object(_) => {
                self.wrong(name, format!("must have 1 to {entries_max} entries"));
                return None;
            }
            other => {
                self.wrong_kind(name, other, WANTED);
                return None;
            }
        };
        for (key, value) in members {
            if matches!(value, Json::List(_) | Json::Object(_) | Json::Inexact(_)) {
                let pointer = joined(&joined("", name), key);
                self.wrong_at(pointer, format!("is {}; write a number with a fraction as a string", value.kind()));
            }
        }
        Some(members.clone())
    }

    fn map_entry(&mut self, name: &str, limits: MapLimits, key: &str, value: &Json) -> Option<(String, String)> {
        let pointer = joined(&joined("", name), key);
        if let Some(complaint) = limits.name.complaint(key) {
            self.wrong_at(pointer, format!("the name {complaint}"));
            return None;
        }
        if limits.reserved_names.contains(&key) {
            self.wrong_at(pointer, "the name is one that the server writes itself; use another");
            return None;
        }
        match value {
            Json::Text(text) if text.len() <= limits.value_bytes_max => Some((key.to_owned(), text.clone())),
            Json::Text(text) => {
                let limit = limits.value_bytes_max;
                self.wrong_at(pointer, format!("has {} bytes; at most {limit} are kept", text.len()));
                None
            }
            other => {
                self.wrong_at(pointer, format!("is {}; expected a string", other.kind()));
                None
            }
        }
    }
}
