//! Webhook events, as they came.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::INBOX;
use crate::value::Row;
use quittance_core::id::CustomerId;
use quittance_core::time::Timestamp;

/// A verified event, stored once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEntry {
    /// Where it came in.
    pub endpoint: String,
    /// The gateway's id of the event.
    pub event: String,
    /// Its type (`payment_intent.succeeded`).
    pub kind: String,
    /// The gateway's object it is about.
    pub object: Option<String>,
    /// The book it was applied to.
    pub book: Option<CustomerId>,
    /// What was done with it.
    pub disposition: Disposition,
    /// Which of the configured secrets verified it.
    pub secret_index: i64,
    /// When it came.
    pub received_at: Timestamp,
    /// The bytes as they came.
    pub body: Vec<u8>,
}

/// What was done with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Applied to one of our effects as an observation.
    Applied,
    /// About an object that is not ours, or not yet known to be.
    Unmatched,
    /// Of a type that says nothing about our objects.
    Ignored,
}

impl Disposition {
    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unmatched => "unmatched",
            Self::Ignored => "ignored",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Applied, Self::Unmatched, Self::Ignored].into_iter().find(|disposition| disposition.name() == name)
    }
}

impl Entity for InboxEntry {
    fn table() -> &'static Table {
        &INBOX
    }

    fn to_row(&self) -> Row {
        vec![
            self.endpoint.as_str().into(),
            self.event.as_str().into(),
            self.kind.as_str().into(),
            self.object.as_deref().into(),
            self.book.map(CustomerId::bytes).into(),
            self.disposition.name().into(),
            self.secret_index.into(),
            self.received_at.0.into(),
            self.body.clone().into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&INBOX, row)?;
        Ok(Self {
            endpoint: columns.text()?,
            event: columns.text()?,
            kind: columns.text()?,
            object: columns.maybe_text()?,
            book: columns.maybe_fixed()?.map(CustomerId::from_bytes),
            disposition: columns.word(Disposition::from_name)?,
            secret_index: columns.integer()?,
            received_at: columns.time()?,
            body: columns.bytes()?.to_vec(),
        })
    }
}
