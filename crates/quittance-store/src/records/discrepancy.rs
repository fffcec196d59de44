//! Discrepancies: what a gateway shows and our books do not, or the other way round.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::DISCREPANCIES;
use crate::value::{Row, Value};
use quittance_core::id::{DiscrepancyId, PaymentId, TenantId};
use quittance_core::time::Timestamp;

/// Something that does not agree. One row for each kind at an object, opened again where it comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy {
    /// Its id.
    pub id: DiscrepancyId,
    /// Whose it is; none where that is not known.
    pub tenant: Option<TenantId>,
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's object, or [`Discrepancy::EVENTS`].
    pub object: String,
    /// What does not agree.
    pub kind: DiscrepancyKind,
    /// The payment it is about, if one is known.
    pub payment: Option<PaymentId>,
    /// What was seen, for people.
    pub detail: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last seen to hold.
    pub last_seen_at: Timestamp,
    /// When a later look contradicted it.
    pub closed_at: Option<Timestamp>,
}

impl Discrepancy {
    /// Stands for the object where the gateway's log of events is meant.
    pub const EVENTS: &'static str = "events";
}

/// What does not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiscrepancyKind {
    /// A proven success whose object the gateway does not have.
    MissingAtGateway,
    /// An object of a lost request moved money, beside the one that counts.
    DuplicateCharge,
    /// An object carries the id of an effect that we do not know.
    OrphanedObject,
    /// Money of a payment of ours was given back by somebody else.
    RefundMadeElsewhere,
    /// A refund went through after it had failed, and with others more was given back than came.
    RefundedTooMuch,
    /// A refund shows as succeeded and counts as failed: its money came back before, or a person said that it had failed.
    RefundNotBooked,
    /// An object could not be read or placed for too long.
    Quarantined,
    /// The gateway's log of events does not reach back to where we last looked.
    EventRetentionGap,
    /// Events of the gateway's log, or pages of it, cannot be read.
    EventsUnreadable,
}

impl DiscrepancyKind {
    /// Every kind, in order.
    pub const ALL: [Self; 9] = [
        Self::MissingAtGateway,
        Self::DuplicateCharge,
        Self::OrphanedObject,
        Self::RefundMadeElsewhere,
        Self::RefundedTooMuch,
        Self::RefundNotBooked,
        Self::Quarantined,
        Self::EventRetentionGap,
        Self::EventsUnreadable,
    ];

    /// The kinds that a look at an object opens and closes.
    pub const OF_OBJECTS: [Self; 7] = [
        Self::MissingAtGateway,
        Self::DuplicateCharge,
        Self::OrphanedObject,
        Self::RefundMadeElsewhere,
        Self::RefundedTooMuch,
        Self::RefundNotBooked,
        Self::Quarantined,
    ];

    /// Stable name, stored and shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingAtGateway => "missing_at_gateway",
            Self::DuplicateCharge => "duplicate_charge",
            Self::OrphanedObject => "orphaned_object",
            Self::RefundMadeElsewhere => "refund_made_elsewhere",
            Self::RefundedTooMuch => "refunded_too_much",
            Self::RefundNotBooked => "refund_not_booked",
            Self::Quarantined => "quarantined",
            Self::EventRetentionGap => "event_retention_gap",
            Self::EventsUnreadable => "events_unreadable",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Entity for Discrepancy {
    fn table() -> &'static Table {
        &DISCREPANCIES
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.bytes().into(),
            self.tenant.map(TenantId::bytes).into(),
            self.gateway.as_str().into(),
            self.object.as_str().into(),
            self.kind.name().into(),
            self.payment.map(PaymentId::bytes).into(),
            self.detail.as_str().into(),
            self.opened_at.0.into(),
            self.last_seen_at.0.into(),
            self.closed_at.map(|at| at.0).into(),
            // What is closed is in no index of what is open.
            self.closed_at.is_none().then_some(self.opened_at.0).into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&DISCREPANCIES, row)?;
        Ok(Self {
            id: DiscrepancyId::from_bytes(columns.fixed()?),
            tenant: columns.maybe_fixed()?.map(TenantId::from_bytes),
            gateway: columns.text()?,
            object: columns.text()?,
            kind: columns.word(DiscrepancyKind::from_name)?,
            payment: columns.maybe_fixed()?.map(PaymentId::from_bytes),
            detail: columns.text()?,
            opened_at: columns.time()?,
            last_seen_at: columns.time()?,
            closed_at: columns.maybe_time()?,
        })
    }
}
