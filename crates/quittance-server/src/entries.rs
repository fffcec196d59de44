//! Movements of money, as the journal has them: what was held, posted and let go, and what for.
//!
//! The API lists them and the export writes them. Decides nothing: a record says what moved.

use crate::api::rows;
use crate::render::time;
use quittance_core::account::Side;
use quittance_core::effect::{Effect, Subject};
use quittance_core::id::{CustomerId, DisputeId, EffectId, HoldId, PaymentId, RefundId};
use quittance_core::journal::{Closing, Record};
use quittance_core::ledger::Posting;
use quittance_store::records::JournalEntry;
use quittance_store::records::journal::decode;
use quittance_store::store::{Reader, StoreError};
use serde::Serialize;

/// A movement, as clients see it.
#[derive(Serialize)]
pub(crate) struct EntryView {
    object: &'static str,
    customer: String,
    seq: i64,
    at: String,
    movement: &'static str,
    hold: Option<String>,
    payment: Option<String>,
    refund: Option<String>,
    dispute: Option<String>,
    postings: Vec<PostingView>,
    record_hash: String,
}

/// One side of it.
#[derive(Serialize)]
struct PostingView {
    account: String,
    side: &'static str,
    amount: i64,
    currency: &'static str,
}

/// The record's movement of money, if it has one.
pub(crate) fn movement_of(entry: &JournalEntry) -> Result<Option<Movement>, StoreError> {
    let record = decode(entry.kind, &entry.body).map_err(|error| StoreError::Corrupt {
        place: format!("journal of {}, record {}", entry.book, entry.seq),
        what: error.to_string(),
    })?;
    Ok(movement(record))
}

impl EntryView {
    /// The view of a record and its movement.
    pub(crate) fn of(entry: &JournalEntry, movement: &Movement) -> Self {
        Self {
            object: "ledger_entry",
            customer: entry.book.to_string(),
            seq: entry.seq,
            at: time(entry.at),
            movement: movement.word,
            hold: movement.hold.map(|hold| hold.to_string()),
            payment: movement.payment.map(|payment| payment.to_string()),
            refund: movement.refund.map(|refund| refund.to_string()),
            dispute: movement.dispute.map(|dispute| dispute.to_string()),
            postings: movement.postings.iter().map(posting).collect(),
            record_hash: entry.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// Money held, posted or let go, and what for.
#[derive(Default)]
pub(crate) struct Movement {
    /// What became of it: `held`, `posted`, `voided` or `corrected`.
    pub(crate) word: &'static str,
    hold: Option<HoldId>,
    pub(crate) payment: Option<PaymentId>,
    pub(crate) refund: Option<RefundId>,
    pub(crate) dispute: Option<DisputeId>,
    /// The effect, where the record does not name both payment and refund and it has to tell.
    effect: Option<EffectId>,
    pub(crate) postings: Vec<Posting>,
}

impl Movement {
    /// Whether it is part of what is posted.
    pub(crate) fn is_posted(&self) -> bool {
        matches!(self.word, "posted" | "corrected")
    }

    /// With the payment and the refund that its effect is about.
    pub(crate) fn completed(mut self, reader: &mut dyn Reader, book: CustomerId) -> Result<Self, StoreError> {
        let Some(effect) = self.effect else { return Ok(self) };
        if let Some(effect) = rows::get::<Effect>(reader, vec![book.bytes().into(), effect.bytes().into()])? {
            self.payment = Some(effect.payment);
            if let Subject::Refund(refund) = effect.subject {
                self.refund = Some(refund);
            }
        }
        Ok(self)
    }
}

const fn closing_word(closing: Closing) -> &'static str {
    match closing {
        Closing::Posted => "posted",
        Closing::Voided => "voided",
    }
}

fn movement(record: Record) -> Option<Movement> {
    let nothing = Movement::default();
    match record {
        Record::PaymentAccepted { hold, payment, postings, .. } => {
            Some(Movement { word: "held", hold: Some(hold), payment: Some(payment), postings, ..nothing })
        }
        Record::EffectAdvanced(advanced) => {
            let (hold, closing) = advanced.closing?;
            let (word, postings) = (closing_word(closing), advanced.postings);
            Some(Movement { word, hold: Some(hold), payment: Some(advanced.payment), postings, ..nothing })
        }
        Record::RefundAccepted(accepted) => {
            let (payment, refund) = (Some(accepted.payment), Some(accepted.refund));
            let (hold, postings) = (Some(accepted.hold), accepted.postings);
            Some(Movement { word: "held", hold, payment, refund, postings, ..nothing })
        }
        Record::RefundAdvanced(advanced) => {
            let (hold, closing) = advanced.closing?;
            let (word, postings) = (closing_word(closing), advanced.postings);
            let (refund, effect) = (Some(advanced.refund), Some(advanced.effect));
            Some(Movement { word, hold: Some(hold), refund, effect, postings, ..nothing })
        }
        Record::Corrected(corrected) => {
            let (payment, effect, postings) = (Some(corrected.payment), Some(corrected.effect), corrected.postings);
            Some(Movement { word: "corrected", payment, effect, postings, ..nothing })
        }
        Record::DisputeSeen(seen) => {
            let (payment, dispute) = (Some(seen.payment), Some(seen.dispute));
            let moved = Movement { word: "posted", payment, dispute, postings: seen.postings, ..nothing };
            (!moved.postings.is_empty()).then_some(moved)
        }
        Record::BookOpened { .. }
        | Record::TicketIssued { .. }
        | Record::StepAsked { .. }
        | Record::EvidenceAccepted { .. }
        | Record::EvidenceAdvanced(_)
        | Record::ObservationKept { .. } => None,
    }
}

fn posting(posting: &Posting) -> PostingView {
    PostingView {
        account: posting.account.to_string(),
        side: side(posting.side),
        amount: posting.amount,
        currency: posting.currency.code(),
    }
}

/// Name of a side.
pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Debit => "debit",
        Side::Credit => "credit",
    }
}
