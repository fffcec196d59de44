//! What a command asked for, as far as it is stored: the payment or refund that it made, the step that it wanted.

use crate::api::payment_steps;
use crate::api::rows;
use quittance_core::idempotency::Command;
use quittance_core::journal::{Record, StepAsked};
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_store::records::{JournalEntry, journal};
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::JOURNAL;
use serde::Serialize;

/// Records that are looked at, at most, for what a step asked for; a customer's book rarely has as many.
const RECORDS_MAX: usize = 10_000;
/// Records read at a time.
const CHUNK: usize = 500;

/// What was asked, as clients see it.
#[derive(Serialize)]
pub(super) struct IntentView<'a> {
    kind: &'static str,
    customer: String,
    /// None where a capture was refused before it was recorded.
    amount: Option<i64>,
    currency: &'static str,
    gateway: &'a str,
    reference: Option<&'a str>,
    payment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// What a command did, by its operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Payment,
    Refund,
    Capture,
    Cancel,
    /// A person's decision.
    Resolution,
}

impl Kind {
    pub(super) fn of(command: &Command) -> Self {
        match command.operation.as_str() {
            payment_steps::CAPTURE => Self::Capture,
            payment_steps::CANCEL => Self::Cancel,
            crate::api::effects::RESOLVE => Self::Resolution,
            crate::api::refunds::CREATE => Self::Refund,
            _ => Self::Payment,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Capture => "capture",
            Self::Cancel => "cancel",
            Self::Resolution => "resolution",
        }
    }
}

/// The intent of a command about a payment.
pub(super) fn of_payment<'a>(kind: Kind, payment: &'a Payment, asked: Option<&'a StepAsked>) -> IntentView<'a> {
    let (amount, reason) = match (kind, asked) {
        (_, Some(StepAsked::Capture { amount })) => (Some(*amount), None),
        (_, Some(StepAsked::Cancel { reason })) => (Some(payment.money.amount), reason.as_deref()),
        (Kind::Capture, None) => (None, None),
        (Kind::Payment | Kind::Refund | Kind::Cancel | Kind::Resolution, None) => (Some(payment.money.amount), None),
    };
    IntentView {
        kind: kind.name(),
        customer: payment.book.to_string(),
        amount,
        currency: payment.money.currency.code(),
        gateway: &payment.gateway,
        reference: Some(&payment.reference),
        payment: payment.id.to_string(),
        payment_status: Some(payment.status.name()),
        refund: None,
        refund_status: None,
        reason,
    }
}

/// The intent of a command about a refund.
pub(super) fn of_refund(kind: Kind, refund: &Refund) -> IntentView<'_> {
    IntentView {
        kind: kind.name(),
        customer: refund.book.to_string(),
        amount: Some(refund.money.amount),
        currency: refund.money.currency.code(),
        gateway: &refund.gateway,
        reference: refund.reference.as_deref(),
        payment: refund.payment.to_string(),
        payment_status: None,
        refund: Some(refund.id.to_string()),
        refund_status: Some(refund.status.name()),
        reason: refund.reason.as_deref(),
    }
}

/// The step that a command asked for: it is recorded at the moment the command came, so that the search goes back to that
/// moment and no further.
pub(super) fn asked(
    reader: &mut dyn Reader,
    payment: &Payment,
    command: &Command,
) -> Result<Option<StepAsked>, StoreError> {
    let mut scan =
        Scan { direction: Direction::Backward, ..Scan::forward(&JOURNAL, vec![payment.book.bytes().into()], CHUNK) };
    for _ in 0..RECORDS_MAX / CHUNK {
        let entries: Vec<JournalEntry> = rows::page(reader, &scan)?;
        for entry in entries.iter().take_while(|entry| entry.at >= command.received_at) {
            match journal::decode(entry.kind, &entry.body) {
                Ok(Record::StepAsked { command: of, asked, .. }) if of == command.id => return Ok(Some(asked)),
                // What cannot be read is for verification to name.
                _ => {}
            }
        }
        match entries.last() {
            Some(last) if entries.len() == CHUNK && last.at >= command.received_at => {
                scan.after = Some(vec![last.seq.into()]);
            }
            _ => break,
        }
    }
    Ok(None)
}
