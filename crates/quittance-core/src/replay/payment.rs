//! Payments: accepted with a hold, asked for steps, moved with their effects.

use super::effect::After;
use super::rules::{check_money, debits, end_of, fits, parked_by};
use super::{Replay, ReplayError};
use crate::brake::Limit;
use crate::effect::{Source, Step, Subject};
use crate::fact::Decline;
use crate::id::{EffectId, HoldId, PaymentId};
use crate::journal::{Advanced, Closing, StepAsked};
use crate::ledger::Posting;
use crate::money::Money;
use crate::payment::Status;

/// A payment, as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedPayment {
    /// Its effect.
    pub effect: EffectId,
    /// How much of what.
    pub money: Money,
    /// At which gateway.
    pub gateway: String,
    /// The client's reference.
    pub reference: String,
    /// Status.
    pub status: Status,
    /// Amount that moved to us, minor units.
    pub captured_amount: i64,
    /// Amount given back, minor units.
    pub refunded_amount: i64,
    /// Amount of refunds under way, minor units.
    pub refunding_amount: i64,
    /// Amount that the gateway has withdrawn because of disputes, minor units.
    pub disputed_amount: i64,
    /// Amount that went back by itself after it had come, minor units.
    pub returned_amount: i64,
    /// How much a client asked to capture, while that is under way or done; minor units.
    pub asked_amount: Option<i64>,
    /// The brake that holds it back.
    pub parked_by: Option<Limit>,
    /// The gateway's object.
    pub object: Option<String>,
    /// Why it failed.
    pub decline: Option<Decline>,
    /// The first status that answered the client's question, once one did: its answer is frozen with that record.
    pub answer: Option<Status>,
    /// Its hold.
    pub hold: HoldId,
    /// How its hold was closed.
    pub closing: Option<Closing>,
    /// What its hold held.
    pub(super) held: Vec<Posting>,
    /// Whether its money came although its hold was let go.
    pub(super) is_received: bool,
}

impl Replay {
    pub(super) fn accept_payment(&mut self, id: PaymentId, accepted: ReplayedPayment) -> Result<(), ReplayError> {
        check_money(accepted.hold, accepted.money, &accepted.held)?;
        self.hold(accepted.hold, &accepted.held)?;
        self.begin_effect(accepted.effect, id, Subject::Payment)?;
        match self.payments.insert(id, accepted) {
            None => Ok(()),
            Some(_) => Err(ReplayError::Twice(id.to_string())),
        }
    }

    pub(super) fn advance_payment(&mut self, advanced: &Advanced) -> Result<(), ReplayError> {
        self.move_effect_of_payment(advanced)?;
        let payment = self.payment(advanced.payment)?;
        if let Some((hold, closing)) = advanced.closing {
            if hold != payment.hold {
                return Err(ReplayError::Foreign(advanced.payment.to_string()));
            }
            let may_be_part = payment.may_capture_part(advanced)?;
            self.close(hold, closing, &advanced.postings, may_be_part)?;
        }
        self.payment(advanced.payment)?.follow(advanced)
    }

    fn move_effect_of_payment(&mut self, advanced: &Advanced) -> Result<(), ReplayError> {
        let effect = self.effect(advanced.effect)?;
        if effect.subject != Subject::Payment || effect.payment != advanced.payment {
            return Err(ReplayError::Foreign(advanced.payment.to_string()));
        }
        let after = After {
            state: advanced.state,
            step: Some(advanced.step),
            generation: advanced.generation,
            object: advanced.object.clone(),
        };
        effect.follow(advanced.effect, &advanced.source, after)
    }

    /// A client asks for a step: money is taken only where it is authorised, and nothing is asked of what is over.
    pub(super) fn ask_step(&mut self, effect: EffectId, id: PaymentId, asked: &StepAsked) -> Result<(), ReplayError> {
        let payment = self.payment(id)?;
        if payment.effect != effect {
            return Err(ReplayError::Foreign(id.to_string()));
        }
        let status = payment.status;
        match asked {
            StepAsked::Capture { .. } if status != Status::RequiresCapture => {
                Err(ReplayError::NotCapturable { payment: id, status })
            }
            StepAsked::Capture { amount } if !(1..=payment.money.amount).contains(amount) => {
                Err(ReplayError::CaptureOutOfRange { payment: id, amount: *amount })
            }
            StepAsked::Capture { amount } => {
                payment.asked_amount = Some(*amount);
                Ok(())
            }
            StepAsked::Cancel { .. } if status.is_terminal() => Err(ReplayError::NotCancelable { payment: id, status }),
            StepAsked::Cancel { .. } => Ok(()),
        }
    }
}

impl ReplayedPayment {
    pub(super) fn new(
        effect: EffectId,
        money: Money,
        (gateway, reference): (String, String),
        hold: HoldId,
        held: Vec<Posting>,
    ) -> Self {
        Self {
            effect,
            money,
            gateway,
            reference,
            status: Status::Processing,
            captured_amount: 0,
            refunded_amount: 0,
            refunding_amount: 0,
            disputed_amount: 0,
            returned_amount: 0,
            asked_amount: None,
            parked_by: None,
            object: None,
            decline: None,
            answer: None,
            hold,
            closing: None,
            held,
            is_received: false,
        }
    }

    /// What came, less what went back, goes back or was withdrawn; below zero where more left than came.
    pub(super) fn left_amount(&self) -> i128 {
        let gone = [self.refunded_amount, self.refunding_amount, self.disputed_amount, self.returned_amount];
        i128::from(self.captured_amount) - gone.map(i128::from).iter().sum::<i128>()
    }

    /// Whether less than was held may be posted: as much as a client asked for, or as a person says.
    fn may_capture_part(&self, advanced: &Advanced) -> Result<bool, ReplayError> {
        let is_persons = matches!(advanced.source, Source::Person(_));
        let is_posted = advanced.closing.is_some_and(|(_, closing)| closing == Closing::Posted);
        match self.asked_amount {
            Some(asked) if is_posted && !is_persons && debits(&advanced.postings) != i128::from(asked) => {
                Err(ReplayError::OtherCapture(self.hold))
            }
            asked => Ok(is_persons || asked.is_some()),
        }
    }

    /// Moves after its effect, if what the record says of both and of the hold goes together.
    fn follow(&mut self, advanced: &Advanced) -> Result<(), ReplayError> {
        let (payment, status, state) = (advanced.payment, advanced.status, advanced.state);
        if let Some((_, closing)) = advanced.closing {
            self.closing = Some(closing);
        }
        if end_of(state) != Some(status).filter(|status| status.is_terminal() || *status == Status::Review) {
            return Err(ReplayError::Disagreement { payment, status, state });
        }
        if !fits(status, self.closing, self.is_received) {
            return Err(ReplayError::HoldDisagrees { payment, status, closing: self.closing });
        }
        self.status = status;
        self.parked_by = parked_by(&advanced.source);
        self.object.clone_from(&advanced.object);
        self.decline.clone_from(&advanced.decline);
        self.answer = self.answer.or(Some(status).filter(|status| status.is_answerable()));
        // A capture that was sent may come about although the payment is being given up since.
        if !matches!(advanced.step, Step::Capture | Step::Cancel) {
            self.asked_amount = None;
        }
        if let Some((_, Closing::Posted)) = advanced.closing {
            let posted = debits(&advanced.postings);
            self.captured_amount = i64::try_from(posted).map_err(|_| ReplayError::OtherMoney(self.hold))?;
        }
        Ok(())
    }
}
