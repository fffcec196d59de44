//! Events, as they were made.

use super::pruned;
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::EVENTS;
use crate::value::{Key, Row};
use quittance_core::event::Kind;
use quittance_core::id::{CustomerId, EventId, TenantId};
use quittance_core::time::Timestamp;

/// An event, with the bytes that are sent of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Whose.
    pub tenant: TenantId,
    /// Its id, the same with every delivery.
    pub id: EventId,
    /// What happened.
    pub kind: Kind,
    /// The resource it is about (`pay_…`).
    pub subject: String,
    /// The book of the resource, within which events have an order.
    pub book: CustomerId,
    /// How many records the book's journal had then.
    pub seq: i64,
    /// When it happened.
    pub at: Timestamp,
    /// The bytes that are sent, or their digest.
    pub body: Vec<u8>,
}

impl EventRow {
    /// Place of an event.
    #[must_use]
    pub fn place(tenant: TenantId, id: EventId) -> Key {
        vec![tenant.bytes().into(), id.bytes().into()]
    }

    /// Whether only the digest of its bytes is kept: it cannot be sent any more.
    #[must_use]
    pub fn is_pruned(&self) -> bool {
        pruned::is_pruned(&self.body)
    }

    /// Keeps no more of its bytes than their SHA-256, and says how many bytes less that is.
    pub fn prune(&mut self) -> usize {
        pruned::prune(&mut self.body)
    }
}

impl Entity for EventRow {
    fn table() -> &'static Table {
        &EVENTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.tenant.bytes().into(),
            self.id.bytes().into(),
            self.kind.name().into(),
            self.subject.as_str().into(),
            self.book.bytes().into(),
            self.seq.into(),
            self.at.0.into(),
            self.body.as_slice().into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&EVENTS, row)?;
        Ok(Self {
            tenant: TenantId::from_bytes(columns.fixed()?),
            id: EventId::from_bytes(columns.fixed()?),
            kind: columns.word(Kind::from_name)?,
            subject: columns.text()?,
            book: CustomerId::from_bytes(columns.fixed()?),
            seq: columns.integer()?,
            at: columns.time()?,
            body: columns.bytes()?.to_vec(),
        })
    }
}
