//! What was heard of an object: the events that Quittance received about it, where it receives any.

use crate::api::rows;
use crate::data::Data;
use quittance_core::record::value::Value as Canonical;
use quittance_core::time::Timestamp;
use quittance_store::records::{EventSource, InboxEntry};
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::INBOX;
use serde_json::{Value, json};

/// Events of one object that are looked at, at most; the newest of them is told.
const EVENTS_MAX: usize = 100;

/// The events that were received.
pub struct EventLog {
    reader: Option<Box<dyn Reader>>,
}

/// What was heard of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSeen {
    /// Quittance receives no events here.
    NotReceived,
    /// It does, and none was about this object.
    None,
    /// The last one that came.
    Last {
        /// Its id.
        id: String,
        /// Its type.
        kind: String,
        /// When it came.
        received_at: Timestamp,
        /// How it came: sent to us, or found in the gateway's log because nobody had sent it.
        source: &'static str,
    },
}

impl EventSeen {
    /// When it came, if any did.
    #[must_use]
    pub const fn received_at(&self) -> Option<Timestamp> {
        match self {
            Self::Last { received_at, .. } => Some(*received_at),
            Self::NotReceived | Self::None => None,
        }
    }

    /// As it is told: null, false, or the event.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::NotReceived => Value::Null,
            Self::None => Value::Bool(false),
            Self::Last { id, kind, received_at, source } => {
                let received_at = Canonical::Timestamp(*received_at).to_string();
                json!({"id": id, "type": kind, "received_at": received_at, "source": source})
            }
        }
    }
}

impl EventLog {
    /// The events of a data directory, if it has any.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when there is a ledger and it cannot be read.
    pub fn open(data: &Data) -> Result<Self, StoreError> {
        let mut reader = match data.open_reader() {
            Err(StoreError::Missing { .. }) => return Ok(Self { reader: None }),
            opened => opened?,
        };
        let is_empty = rows::page::<InboxEntry>(reader.as_mut(), &Scan::forward(&INBOX, Vec::new(), 1))?.is_empty();
        Ok(Self { reader: (!is_empty).then_some(reader) })
    }

    /// What was heard of an object.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the ledger cannot be read.
    pub fn seen(&mut self, object: &str) -> Result<EventSeen, StoreError> {
        let Some(reader) = &mut self.reader else { return Ok(EventSeen::NotReceived) };
        let scan = Scan {
            table: &INBOX,
            index: INBOX.indexes.iter().find(|index| index.name == "inbox_by_object"),
            prefix: vec![object.into()],
            after: None,
            until: None,
            direction: Direction::Backward,
            limit: EVENTS_MAX,
        };
        let entries = rows::page::<InboxEntry>(reader.as_mut(), &scan)?;
        let heard = entries.into_iter().filter(|entry| entry.source != EventSource::Operator);
        Ok(heard.max_by_key(|entry| entry.received_at).map_or(EventSeen::None, |entry| EventSeen::Last {
            id: entry.event,
            kind: entry.kind,
            received_at: entry.received_at,
            source: entry.source.name(),
        }))
    }
}
