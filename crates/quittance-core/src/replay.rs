//! Folding a book's journal again, from nothing: what `verify` compares every projection with.
//!
//! Written apart from the code that made the records, so that a mistake there is not repeated here.

mod correction;
mod dispute;
mod effect;
mod error;
mod payment;
mod refund;
mod rules;
#[cfg(test)]
mod tests;

pub use dispute::ReplayedDispute;
pub use effect::ReplayedEffect;
pub use error::ReplayError;
pub use payment::ReplayedPayment;
pub use refund::ReplayedRefund;

use crate::id::{DisputeId, EffectId, HoldId, PaymentId, RefundId};
use crate::journal::{Closing, Record};
use crate::ledger::{Balances, Movement, Posting};
use rules::is_part;
use std::collections::{BTreeMap, BTreeSet};

/// What a book's journal amounts to.
#[derive(Debug, Default)]
pub struct Replay {
    /// Balances.
    pub balances: Balances,
    /// Payments.
    pub payments: BTreeMap<PaymentId, ReplayedPayment>,
    /// Refunds.
    pub refunds: BTreeMap<RefundId, ReplayedRefund>,
    /// Disputes.
    pub disputes: BTreeMap<DisputeId, ReplayedDispute>,
    /// Effects.
    pub effects: BTreeMap<EffectId, ReplayedEffect>,
    /// Movements that were booked: the gateway, and its id of the movement.
    pub movements: BTreeSet<(String, String)>,
    /// Holds that are open.
    holds: BTreeMap<HoldId, Vec<Posting>>,
    /// The newest refund of each reference of a payment.
    references: BTreeMap<(PaymentId, String), RefundId>,
    /// Whose a gateway's dispute is.
    disputed: BTreeMap<(String, String), DisputeId>,
    is_open: bool,
}

impl Replay {
    /// Applies the next record.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] when the record cannot follow what came before.
    pub fn apply(&mut self, record: &Record) -> Result<(), ReplayError> {
        if self.is_open == matches!(record, Record::BookOpened { .. }) {
            return Err(ReplayError::Opening);
        }
        match record {
            Record::BookOpened { .. } => {
                self.is_open = true;
                Ok(())
            }
            Record::PaymentAccepted { payment, effect, hold, money, gateway, reference, postings, .. } => {
                let names = (gateway.clone(), reference.clone());
                let accepted = ReplayedPayment::new(*effect, *money, names, *hold, postings.clone());
                self.accept_payment(*payment, accepted)
            }
            Record::TicketIssued { effect, step, generation, .. } => self.ticket(*effect, *step, *generation),
            Record::EffectAdvanced(advanced) => self.advance_payment(advanced),
            Record::RefundAccepted(accepted) => self.accept_refund(accepted),
            Record::RefundAdvanced(advanced) => self.advance_refund(advanced),
            Record::Corrected(corrected) => self.correct(corrected),
            Record::StepAsked { effect, payment, asked, .. } => self.ask_step(*effect, *payment, asked),
            Record::DisputeSeen(seen) => self.see_dispute(seen),
            Record::EvidenceAccepted { effect, dispute, .. } => self.accept_evidence(*effect, *dispute),
            Record::EvidenceAdvanced(advanced) => self.advance_evidence(advanced),
            Record::ObservationKept { effect, .. } => self.effect(*effect).map(|_| ()),
        }
    }

    fn payment(&mut self, id: PaymentId) -> Result<&mut ReplayedPayment, ReplayError> {
        self.payments.get_mut(&id).ok_or_else(|| ReplayError::Unheard(id.to_string()))
    }

    fn hold(&mut self, hold: HoldId, postings: &[Posting]) -> Result<(), ReplayError> {
        self.balances.apply(Movement::Hold, postings)?;
        match self.holds.insert(hold, postings.to_vec()) {
            None => Ok(()),
            Some(_) => Err(ReplayError::Twice(hold.to_string())),
        }
    }

    /// Closes a hold by what was made or let go. Where `may_be_part`, a part is made and the rest let go.
    fn close(
        &mut self,
        hold: HoldId,
        closing: Closing,
        postings: &[Posting],
        may_be_part: bool,
    ) -> Result<(), ReplayError> {
        let held = self.holds.remove(&hold).ok_or(ReplayError::NotOpen(hold))?;
        match closing {
            Closing::Voided if held == postings => self.balances.apply(Movement::Void, postings)?,
            Closing::Posted if held == postings => self.balances.apply(Movement::PostHeld, postings)?,
            Closing::Posted if may_be_part && is_part(postings, &held) => {
                self.balances.apply(Movement::Void, &held)?;
                self.balances.apply(Movement::Post, postings)?;
            }
            Closing::Posted | Closing::Voided => return Err(ReplayError::OtherPostings(hold)),
        }
        Ok(())
    }

    /// Books a movement at a gateway, which happens once.
    fn book(&mut self, gateway: &str, movement: &str, postings: &[Posting]) -> Result<(), ReplayError> {
        if !self.movements.insert((gateway.to_owned(), movement.to_owned())) {
            return Err(ReplayError::BookedTwice(movement.to_owned()));
        }
        Ok(self.balances.apply(Movement::Post, postings)?)
    }
}
