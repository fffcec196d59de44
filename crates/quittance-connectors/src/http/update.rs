//! Changing records of a JSON API: which fields may be changed, the body that changes them, and the request around it.
//!
//! A `PATCH` and a `POST` bear a merge patch (RFC 7386) with what changes, a `PUT` the whole record as it was just read. **No field
//! that is not named as writable gets another value.** The same arguments give the same bytes. Does not own when a record is
//! changed, nor what an answer makes of a repair.

use serde_json::{Map, Value as Json};

use super::{Failure, Shape, decode_record};
use crate::message::Response;
use crate::record::{json_as, places};
use quittance_core::record::value::Value;

mod exact;
#[cfg(test)]
mod tests;

/// Longest entity tag that is sent back, in bytes.
const ETAG_BYTES_MAX: usize = 1_024;

/// How a record is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// What changes, as a merge patch.
    Patch,
    /// All of the record.
    Put,
    /// What changes, as for [`Verb::Patch`].
    Post,
}

impl Verb {
    /// The method's name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Post => "POST",
        }
    }
}

/// What the API itself holds a change against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    None,
    /// The entity tag of the record as it was read right before (`If-Match`, RFC 9110, section 13.1.1).
    Etag,
}

/// How records of one kind are changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// Path of one record, where `{key}` stands for its identity.
    pub path: String,
    /// How it is sent.
    pub verb: Verb,
    /// Pointer to where the body has the record; empty where the body is the record.
    pub record: String,
    /// The media type of the body.
    pub content_type: String,
    /// What the API holds a change against.
    pub precondition: Precondition,
    /// The header that carries a key under which a change is made once; none where the API knows no such keys.
    pub key_header: Option<String>,
    /// The fields that may be changed: names of members, or pointers.
    pub fields: Vec<String>,
}

/// A field that may be changed: the members on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field(Vec<String>);

/// A field that may not be changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is not among its writable_fields")]
pub struct Unwritable {
    /// The field.
    pub field: String,
    /// Those that may be.
    pub known: Vec<String>,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The record.
    pub record: Json,
    /// Its entity tag, where the answer has one.
    pub etag: Option<String>,
    /// A number of the answer that sending it back would change, where all of it is to be sent.
    pub inexact: Option<String>,
}

/// A request that changes a record, exactly as it is to be sent, without credentials. It is kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub verb: Verb,
    /// Path and query, percent-encoded; never a scheme or a host.
    pub target: String,
    /// Names and values, in lower case.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: Vec<u8>,
}

impl Update {
    /// The field that a column is.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] when it is not among those that may be changed.
    pub fn field(&self, column: &str) -> Result<Field, Unwritable> {
        let wanted =
            places(column).filter(|wanted| self.fields.iter().any(|known| places(known).as_ref() == Some(wanted)));
        wanted.map(Field).ok_or_else(|| Unwritable { field: column.to_owned(), known: self.fields.clone() })
    }

    /// Whether a change of which it is not known whether it was made may be sent again, where the record holds what it held:
    /// it sets what it sets, or is made once. Of a `POST` nobody knows what else it does.
    #[must_use]
    pub fn may_repeat(&self) -> bool {
        self.verb != Verb::Post || self.precondition == Precondition::Etag || self.key_header.is_some()
    }

    /// The same of one that is decided anew, and goes out under another key.
    #[must_use]
    pub fn may_decide_anew(&self) -> bool {
        self.verb != Verb::Post || self.precondition == Precondition::Etag
    }

    /// Reads a record that is to be changed; none where there is none.
    ///
    /// # Errors
    ///
    /// As [`decode_record`].
    pub fn decode_read(&self, shape: &Shape, response: &Response) -> Result<Option<Read>, Failure> {
        let Some(record) = decode_record(shape, response)? else { return Ok(None) };
        let inexact = if self.verb == Verb::Put { exact::first_inexact(&response.body) } else { None };
        Ok(Some(Read { record, etag: response.header("ETag").map(str::to_owned), inexact }))
    }

    /// The request that gives fields of a record these values, under a key where the API knows any.
    ///
    /// # Errors
    ///
    /// Why the API could not be told so, for people.
    pub fn change(
        &self,
        target: String,
        key: &str,
        read: &Read,
        changes: &[(&Field, &Value<'_>)],
    ) -> Result<Change, String> {
        let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
        headers.push(("content-type".to_owned(), self.content_type.clone()));
        if let Some(name) = &self.key_header {
            headers.push((name.to_ascii_lowercase(), key.to_owned()));
        }
        if self.precondition == Precondition::Etag {
            headers.push(("if-match".to_owned(), etag(read)?.to_owned()));
        }
        let body = wrapped(&self.record, self.body(read, changes)?);
        Ok(Change { verb: self.verb, target, headers, body: body.to_string().into_bytes() })
    }

    fn body(&self, read: &Read, changes: &[(&Field, &Value<'_>)]) -> Result<Json, String> {
        let mut wanted = read.record.clone();
        for (field, value) in changes {
            field.set(&mut wanted, value)?;
            if self.verb != Verb::Put && field.find(&wanted).is_some_and(has_null_inside) {
                let why = "holds an object with null inside, which a merge patch cannot say: write method = \"PUT\"";
                return Err(format!("`{field}` {why}"));
            }
        }
        match (self.verb, &read.inexact) {
            (Verb::Put, Some(number)) => {
                Err(format!("the record holds {number}, which no double does: all of it sent back would change it"))
            }
            (Verb::Put, None) => Ok(wanted),
            (Verb::Patch | Verb::Post, _) => Ok(merge_patch(&read.record, &wanted)),
        }
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.as_slice() {
            [name] => f.write_str(name),
            steps => steps.iter().try_for_each(|step| write!(f, "/{step}")),
        }
    }
}

impl Field {
    fn find<'j>(&self, record: &'j Json) -> Option<&'j Json> {
        self.0.iter().try_fold(record, |at, step| at.as_object()?.get(step))
    }

    fn set(&self, record: &mut Json, value: &Value<'_>) -> Result<(), String> {
        let inside = || format!("`{self}` is inside of what is no object");
        let Some((last, way)) = self.0.split_last() else { return Err(inside()) };
        let mut at = record;
        for step in way {
            let Json::Object(members) = at else { return Err(inside()) };
            let next = members.get(step).unwrap_or(&Json::Null);
            if next.is_null() && value.is_nothing() {
                // What is inside of nothing is nothing already.
                return Ok(());
            }
            let is_null = next.is_null();
            at = members.entry(step.clone()).or_insert(Json::Null);
            if is_null {
                *at = Json::Object(Map::new());
            }
        }
        let Json::Object(members) = at else { return Err(inside()) };
        if *value == Value::Absent {
            members.remove(last);
            return Ok(());
        }
        let written = json_as(value, members.get(last).unwrap_or(&Json::Null));
        members.insert(last.clone(), written.map_err(|why| format!("`{self}`: {why}"))?);
        Ok(())
    }
}

/// The tag that the API is to hold its record against.
fn etag(read: &Read) -> Result<&str, String> {
    let Some(etag) = &read.etag else {
        return Err("what `get` answers has no ETag, and nothing else can be a precondition: write \
                    precondition = \"none\""
            .to_owned());
    };
    let is_sendable = etag.len() <= ETAG_BYTES_MAX && etag.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if is_sendable { Ok(etag) } else { Err("its ETag is none that can be sent back".to_owned()) }
}

/// What makes one document of another (RFC 7386, section 2): null for what is to go, or to be null.
fn merge_patch(from: &Json, to: &Json) -> Json {
    let (Json::Object(from), Json::Object(to)) = (from, to) else { return to.clone() };
    let gone = from.keys().filter(|name| !to.contains_key(*name)).map(|name| (name.clone(), Json::Null));
    let changed = to.iter().filter(|(name, wanted)| from.get(*name) != Some(*wanted));
    let patch = |(name, wanted): (&String, &Json)| {
        (name.clone(), from.get(name).map_or_else(|| wanted.clone(), |there| merge_patch(there, wanted)))
    };
    Json::Object(changed.map(patch).chain(gone).collect())
}

/// Whether an object has a member, at any depth of objects, that is null: merged, it would be left out.
fn has_null_inside(json: &Json) -> bool {
    let Json::Object(members) = json else { return false };
    members.values().any(|member| member.is_null() || has_null_inside(member))
}

/// A body that has the record at a pointer.
fn wrapped(pointer: &str, record: Json) -> Json {
    let steps = if pointer.is_empty() { Vec::new() } else { places(pointer).unwrap_or_default() };
    steps.into_iter().rev().fold(record, |inner, step| Json::Object(Map::from_iter([(step, inner)])))
}
