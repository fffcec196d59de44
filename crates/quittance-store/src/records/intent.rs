//! Billing intents: what a client means to do once, and who holds it.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::INTENTS;
use crate::value::{Row, Value};
use quittance_core::dispute::Stage;
use quittance_core::id::{CustomerId, DisputeId, EffectId, PaymentId, RefundId};
use std::fmt;

/// What holds an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A payment of the client's reference.
    Payment(PaymentId),
    /// A refund of a payment.
    Refund(RefundId),
    /// The effect that answers a dispute.
    Evidence(EffectId),
}

impl Holder {
    /// The payment, where it is one.
    #[must_use]
    pub const fn payment(self) -> Option<PaymentId> {
        match self {
            Self::Payment(payment) => Some(payment),
            Self::Refund(_) | Self::Evidence(_) => None,
        }
    }

    /// The refund, where it is one.
    #[must_use]
    pub const fn refund(self) -> Option<RefundId> {
        match self {
            Self::Refund(refund) => Some(refund),
            Self::Payment(_) | Self::Evidence(_) => None,
        }
    }

    /// The effect that answers a dispute, where it is one.
    #[must_use]
    pub const fn evidence(self) -> Option<EffectId> {
        match self {
            Self::Evidence(effect) => Some(effect),
            Self::Payment(_) | Self::Refund(_) => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let payment = text.parse().ok().map(Self::Payment);
        let refund = || text.parse().ok().map(Self::Refund);
        payment.or_else(refund).or_else(|| text.parse().ok().map(Self::Evidence))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment(payment) => payment.fmt(f),
            Self::Refund(refund) => refund.fmt(f),
            Self::Evidence(effect) => effect.fmt(f),
        }
    }
}

/// Which payment holds a reference, which refund one of its payment's, or which effect answers a stage of a dispute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentEntry {
    /// The book.
    pub book: CustomerId,
    /// The intent ([`Self::of_reference`], [`Self::of_refund`], [`Self::of_evidence`]).
    pub intent: String,
    /// The newest under it.
    pub holder: Holder,
}

impl IntentEntry {
    /// The intent of a payment without an invoice.
    #[must_use]
    pub fn of_reference(reference: &str) -> String {
        format!("payment:1:{reference}")
    }

    /// The intent of a refund that the client named.
    #[must_use]
    pub fn of_refund(payment: PaymentId, reference: &str) -> String {
        format!("refund:1:{payment}:{reference}")
    }

    /// The intent of the answer to a stage of a dispute.
    #[must_use]
    pub fn of_evidence(dispute: DisputeId, stage: Stage) -> String {
        format!("evidence:1:{dispute}:{}", stage.name())
    }
}

impl Entity for IntentEntry {
    fn table() -> &'static Table {
        &INTENTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.intent.as_str().into(),
            self.holder.to_string().as_str().into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&INTENTS, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            intent: columns.text()?,
            holder: columns.word(Holder::parse)?,
        })
    }
}
