//! Rows whose keys are promises: tickets, intents, closed holds, and whose object is whose.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{CLOSED_HOLDS, GATEWAY_OBJECTS, INTENTS, TICKETS};
use crate::value::{Row, Value};
use quittance_core::effect::Step;
use quittance_core::id::{CustomerId, EffectId, HoldId, PaymentId};
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
            generation: number(columns.integer()?)?,
            send_no: number(columns.integer()?)?,
            gateway_key: columns.text()?,
            request_digest: columns.fixed()?,
            request: columns.bytes()?.to_vec(),
            lease_epoch: columns.integer()?,
            issued_at: columns.time()?,
            deadline: columns.time()?,
        })
    }
}

fn number(value: i64) -> Result<u32, Corrupt> {
    u32::try_from(value).map_err(|_| Corrupt {
        table: TICKETS.name,
        column: "generation or send_no",
        what: "not a count".into(),
    })
}

/// Which payment holds a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentEntry {
    /// The book.
    pub book: CustomerId,
    /// The intent (`payment:1:` and the client's reference).
    pub intent: String,
    /// The newest payment under it.
    pub payment: PaymentId,
}

impl IntentEntry {
    /// The intent of a payment without an invoice.
    #[must_use]
    pub fn of_reference(reference: &str) -> String {
        format!("payment:1:{reference}")
    }
}

impl Entity for IntentEntry {
    fn table() -> &'static Table {
        &INTENTS
    }

    fn to_row(&self) -> Row {
        vec![self.book.bytes().into(), self.intent.as_str().into(), self.payment.bytes().into(), Value::Integer(0)]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&INTENTS, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            intent: columns.text()?,
            payment: PaymentId::from_bytes(columns.fixed()?),
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

/// Which effect a gateway's object belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayObject {
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's id of the object.
    pub object: String,
    /// The book.
    pub book: CustomerId,
    /// The newest effect that used it.
    pub effect: EffectId,
    /// That effect's payment.
    pub payment: PaymentId,
}

impl Entity for GatewayObject {
    fn table() -> &'static Table {
        &GATEWAY_OBJECTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.gateway.as_str().into(),
            self.object.as_str().into(),
            self.book.bytes().into(),
            self.effect.bytes().into(),
            self.payment.bytes().into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&GATEWAY_OBJECTS, row)?;
        Ok(Self {
            gateway: columns.text()?,
            object: columns.text()?,
            book: CustomerId::from_bytes(columns.fixed()?),
            effect: EffectId::from_bytes(columns.fixed()?),
            payment: PaymentId::from_bytes(columns.fixed()?),
        })
    }
}
