//! Refunds: never more than is left, never twice for one reference, moved with their effects.

use super::effect::After;
use super::rules::{check_money, end_of_refund, fits_refund, parked_by};
use super::{Replay, ReplayError};
use crate::brake::Limit;
use crate::effect::Subject;
use crate::id::{CommandId, EffectId, HoldId, PaymentId};
use crate::journal::{Closing, RefundAccepted, RefundAdvanced};
use crate::ledger::Posting;
use crate::money::Money;
use crate::payment::Status;
use crate::refund::RefundStatus;

/// A refund, as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedRefund {
    /// The payment it gives back.
    pub payment: PaymentId,
    /// The command that asked for it.
    pub command: CommandId,
    /// Its effect.
    pub effect: EffectId,
    /// How much of what.
    pub money: Money,
    /// At which gateway.
    pub gateway: String,
    /// The client's reference.
    pub reference: Option<String>,
    /// Status.
    pub status: RefundStatus,
    /// The brake that holds it back.
    pub parked_by: Option<Limit>,
    /// The gateway's object.
    pub object: Option<String>,
    /// Why it failed.
    pub failure_code: Option<String>,
    /// The first status that answered the client's question, once one did: its answer is frozen with that record.
    pub answer: Option<RefundStatus>,
    /// Its hold.
    pub hold: HoldId,
    /// How its hold was closed.
    pub closing: Option<Closing>,
    /// Whether its money came back after it had gone.
    pub is_returned: bool,
    /// Whether its money went although its hold was let go.
    pub is_paid: bool,
    /// What its hold held.
    pub(super) held: Vec<Posting>,
}

impl Replay {
    pub(super) fn accept_refund(&mut self, accepted: &RefundAccepted) -> Result<(), ReplayError> {
        let RefundAccepted { refund, payment, money, hold, postings, .. } = accepted;
        check_money(*hold, *money, postings)?;
        self.check_refundable(accepted)?;
        self.take_reference(accepted)?;
        self.hold(*hold, postings)?;
        self.begin_effect(accepted.effect, *payment, Subject::Refund(*refund))?;
        self.payment(*payment)?.refunding_amount += money.amount;
        match self.refunds.insert(*refund, ReplayedRefund::new(accepted)) {
            None => Ok(()),
            Some(_) => Err(ReplayError::Twice(refund.to_string())),
        }
    }

    fn check_refundable(&mut self, accepted: &RefundAccepted) -> Result<(), ReplayError> {
        let payment = self.payment(accepted.payment)?;
        if payment.status != Status::Succeeded {
            return Err(ReplayError::NotRefundable { payment: accepted.payment, status: payment.status });
        }
        if payment.gateway != accepted.gateway {
            return Err(ReplayError::Foreign(accepted.refund.to_string()));
        }
        if payment.money.currency != accepted.money.currency {
            return Err(ReplayError::OtherMoney(accepted.hold));
        }
        if i128::from(accepted.money.amount) > payment.left_amount() {
            return Err(ReplayError::TooMuch(accepted.refund));
        }
        Ok(())
    }

    /// A reference names one refund of the payment that is not void.
    fn take_reference(&mut self, accepted: &RefundAccepted) -> Result<(), ReplayError> {
        let Some(reference) = accepted.reference.clone() else { return Ok(()) };
        let holder = self.references.insert((accepted.payment, reference), accepted.refund);
        let Some(holder) = holder else { return Ok(()) };
        match self.refunds.get(&holder) {
            Some(refund) if !refund.status.is_void() => {
                Err(ReplayError::ReferenceHeld { refund: accepted.refund, holder })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn advance_refund(&mut self, advanced: &RefundAdvanced) -> Result<(), ReplayError> {
        let id = advanced.refund;
        self.move_effect_of_refund(advanced)?;
        let refund = self.refunds.get_mut(&id).ok_or_else(|| ReplayError::Unheard(id.to_string()))?;
        if advanced.closing.is_some_and(|(hold, _)| hold != refund.hold) {
            return Err(ReplayError::Foreign(id.to_string()));
        }
        refund.follow(advanced)?;
        let (payment, amount) = (refund.payment, refund.money.amount);
        let Some((hold, closing)) = advanced.closing else { return Ok(()) };
        self.close(hold, closing, &advanced.postings, false)?;
        let payment = self.payment(payment)?;
        payment.refunding_amount -= amount;
        if closing == Closing::Posted {
            payment.refunded_amount += amount;
        }
        Ok(())
    }

    fn move_effect_of_refund(&mut self, advanced: &RefundAdvanced) -> Result<(), ReplayError> {
        let effect = self.effect(advanced.effect)?;
        if effect.subject != Subject::Refund(advanced.refund) {
            return Err(ReplayError::Foreign(advanced.refund.to_string()));
        }
        let (state, generation, object) = (advanced.state, advanced.generation, advanced.object.clone());
        effect.follow(advanced.effect, &advanced.source, After { state, step: None, generation, object })
    }
}

impl ReplayedRefund {
    fn new(accepted: &RefundAccepted) -> Self {
        Self {
            payment: accepted.payment,
            command: accepted.command,
            effect: accepted.effect,
            money: accepted.money,
            gateway: accepted.gateway.clone(),
            reference: accepted.reference.clone(),
            status: RefundStatus::Pending,
            parked_by: None,
            object: None,
            failure_code: None,
            answer: None,
            hold: accepted.hold,
            closing: None,
            is_returned: false,
            is_paid: false,
            held: accepted.postings.clone(),
        }
    }

    /// Moves after its effect, if what the record says of both and of the hold goes together.
    fn follow(&mut self, advanced: &RefundAdvanced) -> Result<(), ReplayError> {
        let (refund, status, state) = (advanced.refund, advanced.status, advanced.state);
        let is_open = matches!(status, RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Unknown);
        if self.is_returned || end_of_refund(state) != Some(status).filter(|_| !is_open) {
            return Err(ReplayError::RefundDisagrees { refund, status, state });
        }
        self.closing = advanced.closing.map(|(_, closing)| closing).or(self.closing);
        if !fits_refund(status, self.closing, self.is_paid) {
            return Err(ReplayError::RefundHoldDisagrees { refund, status, closing: self.closing });
        }
        self.status = status;
        self.parked_by = parked_by(&advanced.source);
        self.object.clone_from(&advanced.object);
        self.failure_code.clone_from(&advanced.failure_code);
        self.answer = self.answer.or(Some(status).filter(|status| status.is_answerable(state)));
        Ok(())
    }
}
