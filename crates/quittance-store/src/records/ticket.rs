//! Rows whose keys are promises inside a book: tickets and closed holds.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{CLOSED_HOLDS, TICKETS};
use crate::value::Row;
use quittance_core::effect::Step;
use quittance_core::id::{CustomerId, EffectId, HoldId};
use quittance_core::journal::Closing;
use quittance_core::time::Timestamp;

/// One send, committed to before its first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The book.
    pub book: CustomerId,
    /// The effect.
    pub effect: EffectId,
    /// The step.
    pub step: Step,
    /// Which try of it.
    pub generation: u32,
    /// Which send of that try.
    pub send_no: u32,
    /// The key the gateway sees.
    pub gateway_key: String,
    /// The same, where the object that the send makes carries nothing else of ours; on the first send alone.
    pub reference: Option<String>,
    /// SHA-256 of the exact request.
    pub request_digest: [u8; 32],
    /// The exact request, so that a replay sends the same bytes after a deploy.
    pub request: Vec<u8>,
    /// The lease it was issued under.
    pub lease_epoch: i64,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When its send has to be over.
    pub deadline: Timestamp,
}

impl Entity for Ticket {
    fn table() -> &'static Table {
        &TICKETS
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.effect.bytes().into(),
            self.step.name().into(),
            i64::from(self.generation).into(),
            i64::from(self.send_no).into(),
            self.gateway_key.as_str().into(),
            self.reference.as_deref().into(),
            self.request_digest.into(),
            self.request.clone().into(),
            self.lease_epoch.into(),
            self.issued_at.0.into(),
            self.deadline.0.into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&TICKETS, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            effect: EffectId::from_bytes(columns.fixed()?),
            step: columns.word(Step::from_name)?,
            generation: columns.count()?,
            send_no: columns.count()?,
            gateway_key: columns.text()?,
            reference: columns.maybe_text()?,
            request_digest: columns.fixed()?,
            request: columns.bytes()?.to_vec(),
            lease_epoch: columns.integer()?,
            issued_at: columns.time()?,
            deadline: columns.time()?,
        })
    }
}

/// A hold that was closed, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosedHold {
    /// The book.
    pub book: CustomerId,
    /// The hold.
    pub hold: HoldId,
    /// How.
    pub closing: Closing,
    /// Number of the journal record that closed it.
    pub seq: i64,
}

impl Entity for ClosedHold {
    fn table() -> &'static Table {
        &CLOSED_HOLDS
    }

    fn to_row(&self) -> Row {
        vec![self.book.bytes().into(), self.hold.bytes().into(), self.closing.name().into(), self.seq.into()]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&CLOSED_HOLDS, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            hold: HoldId::from_bytes(columns.fixed()?),
            closing: columns.word(Closing::from_name)?,
            seq: columns.integer()?,
        })
    }
}
