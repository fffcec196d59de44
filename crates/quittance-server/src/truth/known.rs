//! What is known of one record: an answer, made once, and told with its age as often as it is asked for.

use bytes::Bytes;
use quittance_core::time::Timestamp;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// Longest answer that is kept, in bytes.
pub(super) const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What was found under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// One record.
    One,
    /// No record.
    None,
    /// Several: nobody can say which is meant.
    Several(u64),
}

/// An answer of a believed system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// What was found.
    pub(crate) found: Found,
    /// When the question was sent, by the clock on the wall: told.
    pub(crate) as_of: Timestamp,
    /// The same, by the clock that nobody sets: ages are counted by it.
    pub(crate) read_at: Instant,
    /// What tells the record apart in its system, where that is not its key.
    pub(super) identity: Option<String>,
    /// The answer, but for its last two members: begins with a brace and ends with a comma.
    head: Bytes,
}

/// A record as it was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Each mapped field as it is compared.
    pub(super) fields: Map<String, Value>,
    /// Words that a map does not know, by field.
    pub(super) unmapped: Map<String, Value>,
    /// When it was last modified, where its system tells.
    pub(super) modified_at: Option<String>,
    /// What tells it apart.
    pub(super) identity: String,
}

/// When something was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) as_of: Timestamp,
    pub(super) read_at: Instant,
}

impl Known {
    /// An answer about a key. None where it would be too long.
    pub(super) fn new(
        pair: &str,
        system: &str,
        key: &str,
        found: Found,
        read: Option<Read>,
        at: Moment,
    ) -> Option<Self> {
        let identity = read.as_ref().map(|read| read.identity.clone()).filter(|identity| identity != key);
        let (fields, unmapped, modified_at) = match read {
            Some(read) => (Value::Object(read.fields), Value::Object(read.unmapped), read.modified_at),
            None => (Value::Null, json!({}), None),
        };
        let mut head = json!({
            "object": "truth",
            "pair": pair,
            "key": key,
            "system": system,
            "found": found == Found::One,
            "fields": fields,
            "unmapped": unmapped,
            "modified_at": modified_at,
            "as_of": crate::render::time(at.as_of),
        })
        .to_string();
        head.pop();
        head.push(',');
        if head.len() > ANSWER_BYTES_MAX {
            return None;
        }
        Some(Self { found, as_of: at.as_of, read_at: at.read_at, identity, head: head.into() })
    }

    /// One that was told elsewhere, of then: when its question was sent is said by both clocks.
    pub(super) fn again(
        found: Found,
        (as_of, read_at): (Timestamp, Instant),
        identity: Option<String>,
        head: Vec<u8>,
    ) -> Self {
        Self { found, as_of, read_at, identity, head: head.into() }
    }

    /// The answer, but for its last two members.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// How old it is.
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.read_at)
    }

    /// The answer, as it is told now.
    pub(crate) fn body(&self, source: Source, age: Duration) -> Vec<u8> {
        use std::io::Write as _;
        let mut body = Vec::with_capacity(self.head.len() + 64);
        body.extend_from_slice(&self.head);
        // Writing to memory does not fail.
        let _ = write!(body, "\"source\":\"{}\",\"age_ms\":{}}}", source.name(), age.as_millis());
        body
    }

    /// How much room it takes, in KiB that were begun.
    pub(super) fn weight(&self) -> u32 {
        u32::try_from(self.head.len() / 1_024 + 1).unwrap_or(u32::MAX)
    }
}

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It was known, and fresh enough.
    Cache,
    /// The believed system was asked.
    Provider,
    /// The believed system could not be asked: it is older than what was asked for.
    Stale,
}

impl Source {
    /// The word in answers and numbers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Provider => "provider",
            Self::Stale => "stale",
        }
    }
}
