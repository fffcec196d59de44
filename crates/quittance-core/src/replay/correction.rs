//! Corrections: money that came or went back after its story was over, booked by itself and once.

use super::rules::{debits, has_shape, is_part, turned_round};
use super::{Replay, ReplayError, ReplayedEffect};
use crate::effect::{Source, State, Subject};
use crate::id::RefundId;
use crate::journal::{Closing, Corrected, Correction};
use crate::payment::Status;
use crate::refund::RefundStatus;

impl Replay {
    pub(super) fn correct(&mut self, corrected: &Corrected) -> Result<(), ReplayError> {
        let effect = self.effect(corrected.effect)?.clone();
        if effect.payment != corrected.payment {
            return Err(ReplayError::Foreign(corrected.payment.to_string()));
        }
        match (corrected.correction, effect.subject) {
            (Correction::PaymentReturned, Subject::Payment) => self.return_payment(corrected, &effect)?,
            (Correction::PaymentReceived, Subject::Payment) => self.receive_payment(corrected, &effect)?,
            (Correction::RefundReturned, Subject::Refund(refund)) => self.return_refund(corrected, refund)?,
            (Correction::RefundPaid, Subject::Refund(refund)) => self.pay_refund(corrected, &effect, refund)?,
            (Correction::PaymentReturned | Correction::PaymentReceived, _)
            | (Correction::RefundReturned | Correction::RefundPaid, _) => return Err(out_of_place(corrected)),
        }
        let gateway = self.payment(corrected.payment)?.gateway.clone();
        self.book(&gateway, &corrected.movement, &corrected.postings)
    }

    /// What came went back: only money that came can, and how much of it the gateway says.
    fn return_payment(&mut self, corrected: &Corrected, effect: &ReplayedEffect) -> Result<(), ReplayError> {
        if effect.state != State::Succeeded {
            return Err(out_of_place(corrected));
        }
        let payment = self.payment(corrected.payment)?;
        if !has_shape(&corrected.postings, &turned_round(&payment.held)) {
            return Err(ReplayError::OtherCorrection(corrected.effect));
        }
        payment.returned_amount += amount_of(corrected)?;
        Ok(())
    }

    /// Money came although its hold was let go: a person found it, once.
    fn receive_payment(&mut self, corrected: &Corrected, effect: &ReplayedEffect) -> Result<(), ReplayError> {
        let is_persons = matches!(corrected.source, Source::Person(_));
        let payment = self.payment(corrected.payment)?;
        let is_missing = payment.closing == Some(Closing::Voided) && !payment.is_received;
        let is_open = effect.state == State::Review && payment.status == Status::Review;
        if !is_persons || !is_missing || !is_open {
            return Err(out_of_place(corrected));
        }
        if !is_part(&corrected.postings, &payment.held) {
            return Err(ReplayError::OtherCorrection(corrected.effect));
        }
        payment.captured_amount = amount_of(corrected)?;
        payment.is_received = true;
        Ok(())
    }

    /// What was given back came again, all of it: the refund has failed after all.
    fn return_refund(&mut self, corrected: &Corrected, id: RefundId) -> Result<(), ReplayError> {
        let refund = self.refunds.get_mut(&id).ok_or_else(|| ReplayError::Unheard(id.to_string()))?;
        if refund.status != RefundStatus::Succeeded {
            return Err(out_of_place(corrected));
        }
        if corrected.postings != turned_round(&refund.held) {
            return Err(ReplayError::OtherCorrection(corrected.effect));
        }
        refund.status = RefundStatus::Failed;
        refund.is_returned = true;
        refund.failure_code.get_or_insert_with(|| "returned".into());
        let amount = refund.money.amount;
        self.payment(corrected.payment)?.refunded_amount -= amount;
        Ok(())
    }

    /// Money was given back although its hold was let go, once, and all of it: the gateway showed it, or a person found it.
    fn pay_refund(&mut self, corrected: &Corrected, effect: &ReplayedEffect, id: RefundId) -> Result<(), ReplayError> {
        let is_persons = matches!(corrected.source, Source::Person(_));
        let refund = self.refunds.get_mut(&id).ok_or_else(|| ReplayError::Unheard(id.to_string()))?;
        let is_missing = refund.closing == Some(Closing::Voided) && !refund.is_paid;
        let is_open = match effect.state {
            State::Review => is_persons && refund.status == RefundStatus::Review,
            State::Failed | State::Canceled => !is_persons && refund.status.is_void(),
            _ => false,
        };
        if !is_missing || !is_open {
            return Err(out_of_place(corrected));
        }
        if corrected.postings != refund.held {
            return Err(ReplayError::OtherCorrection(corrected.effect));
        }
        refund.status = RefundStatus::Succeeded;
        refund.is_paid = true;
        refund.failure_code = None;
        let (amount, reference) = (refund.money.amount, refund.reference.clone());
        // Its reference was free meanwhile, and is not any more.
        self.references.extend(reference.map(|reference| ((corrected.payment, reference), id)));
        self.payment(corrected.payment)?.refunded_amount += amount;
        Ok(())
    }
}

fn out_of_place(corrected: &Corrected) -> ReplayError {
    ReplayError::NotCorrectable { effect: corrected.effect, correction: corrected.correction }
}

fn amount_of(corrected: &Corrected) -> Result<i64, ReplayError> {
    i64::try_from(debits(&corrected.postings)).map_err(|_| ReplayError::OtherCorrection(corrected.effect))
}
