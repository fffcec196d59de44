//! Events of gateways, as they came.

use super::pruned;
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::INBOX;
use crate::value::Row;
use quittance_core::id::CustomerId;
use quittance_core::time::Timestamp;

/// An event, stored once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEntry {
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's id of the event, or one of ours for what an operator did.
    pub event: String,
    /// Its type (`payment_intent.succeeded`).
    pub kind: String,
    /// The gateway's object it is about.
    pub object: Option<String>,
    /// The book it was applied to.
    pub book: Option<CustomerId>,
    /// What was done with it.
    pub disposition: Disposition,
    /// How it came to us.
    pub source: EventSource,
    /// The endpoint it came in at, if it was sent to us.
    pub endpoint: Option<String>,
    /// Name of the secret that verified it, never its value.
    pub secret: Option<String>,
    /// When its signature was verified.
    pub verified_at: Option<Timestamp>,
    /// When it came.
    pub received_at: Timestamp,
    /// The bytes as they came, or their digest.
    pub body: Vec<u8>,
}

impl InboxEntry {
    /// Whether only the digest of its bytes is kept.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        pruned::is_pruned(&self.body)
    }

    /// Keeps no more of its bytes than their SHA-256, and says how many bytes less that is.
    pub fn prune(&mut self) -> usize {
        pruned::prune(&mut self.body)
    }
}

/// How an event came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventSource {
    /// The gateway sent it.
    Webhook,
    /// We found it in the gateway's log.
    Sweep,
    /// An operator did something to an object or an event; the body says who and why.
    Operator,
}

impl EventSource {
    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Sweep => "sweep",
            Self::Operator => "operator",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Webhook, Self::Sweep, Self::Operator].into_iter().find(|source| source.name() == name)
    }
}

/// What was done with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Applied to one of our effects as an observation.
    Applied,
    /// Its object is looked at: what the event says of it is no more than a hint.
    Fetch,
    /// Its object waits for another one.
    Parked,
    /// About an object that somebody else made.
    External,
    /// Of a type that says nothing about our objects.
    Ignored,
}

impl Disposition {
    /// Every disposition, in order.
    pub const ALL: [Self; 5] = [Self::Applied, Self::Fetch, Self::Parked, Self::External, Self::Ignored];

    /// Stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Fetch => "fetch",
            Self::Parked => "parked",
            Self::External => "external",
            Self::Ignored => "ignored",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|disposition| disposition.name() == name)
    }
}

impl Entity for InboxEntry {
    fn table() -> &'static Table {
        &INBOX
    }

    fn to_row(&self) -> Row {
        vec![
            self.gateway.as_str().into(),
            self.event.as_str().into(),
            self.kind.as_str().into(),
            self.object.as_deref().into(),
            self.book.map(CustomerId::bytes).into(),
            self.disposition.name().into(),
            self.source.name().into(),
            self.endpoint.as_deref().into(),
            self.secret.as_deref().into(),
            self.verified_at.map(|at| at.0).into(),
            self.received_at.0.into(),
            self.body.clone().into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&INBOX, row)?;
        Ok(Self {
            gateway: columns.text()?,
            event: columns.text()?,
            kind: columns.text()?,
            object: columns.maybe_text()?,
            book: columns.maybe_fixed()?.map(CustomerId::from_bytes),
            disposition: columns.word(Disposition::from_name)?,
            source: columns.word(EventSource::from_name)?,
            endpoint: columns.maybe_text()?,
            secret: columns.maybe_text()?,
            verified_at: columns.maybe_time()?,
            received_at: columns.time()?,
            body: columns.bytes()?.to_vec(),
        })
    }
}
