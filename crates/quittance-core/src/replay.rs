//! Folding a book's journal again, from nothing: what `verify` compares every projection with.
//!
//! Written apart from the code that made the records, so that a mistake there is not repeated here.

mod error;
mod rules;
#[cfg(test)]
mod tests;

pub use error::ReplayError;

use crate::effect::{State, Step};
use crate::fact::Decline;
use crate::id::{EffectId, HoldId, PaymentId};
use crate::journal::{Advanced, Closing, Record};
use crate::ledger::{Balances, Movement, Posting};
use crate::money::Money;
use crate::payment::Status;
use rules::{check_money, end_of, fits, may_become};
use std::collections::BTreeMap;

/// What a book's journal amounts to.
#[derive(Debug, Default)]
pub struct Replay {
    /// Balances.
    pub balances: Balances,
    /// Payments.
    pub payments: BTreeMap<PaymentId, ReplayedPayment>,
    /// Effects.
    pub effects: BTreeMap<EffectId, ReplayedEffect>,
    /// Holds that are open.
    holds: BTreeMap<HoldId, Vec<Posting>>,
    is_open: bool,
}

/// A payment, as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedPayment {
    /// Its effect.
    pub effect: EffectId,
    /// How much of what.
    pub money: Money,
    /// The client's reference.
    pub reference: String,
    /// Status.
    pub status: Status,
    /// Amount that moved to us.
    pub captured_amount: i64,
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
}

/// An effect, as the journal has it. The last ticket is what its state cannot contradict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedEffect {
    /// The payment it carries out.
    pub payment: PaymentId,
    /// State.
    pub state: State,
    /// Step.
    pub step: Step,
    /// Generation.
    pub generation: u32,
    /// Tickets issued.
    pub tickets: u64,
    /// Whether it was advanced: before that the journal does not say which object it may have taken over.
    pub is_advanced: bool,
    /// Whether its very first send was the create of an object of its own, so that it took over none.
    pub is_fresh: bool,
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
            Record::PaymentAccepted { payment, effect, hold, money, reference, postings, .. } => {
                check_money(*hold, *money, postings)?;
                self.hold(*hold, postings)?;
                let accepted = ReplayedPayment::new(*effect, *money, reference.clone(), *hold);
                let begun = ReplayedEffect::new(*payment);
                if self.payments.insert(*payment, accepted).is_some() || self.effects.insert(*effect, begun).is_some() {
                    return Err(ReplayError::Twice(payment.to_string()));
                }
                Ok(())
            }
            Record::TicketIssued { effect, step, generation, .. } => self.ticket(*effect, *step, *generation),
            Record::EffectAdvanced(advanced) => self.advance(advanced),
            Record::ObservationKept { effect, .. } => self.effect(*effect).map(|_| ()),
        }
    }

    fn effect(&mut self, id: EffectId) -> Result<&mut ReplayedEffect, ReplayError> {
        self.effects.get_mut(&id).ok_or_else(|| ReplayError::Unheard(id.to_string()))
    }

    fn hold(&mut self, hold: HoldId, postings: &[Posting]) -> Result<(), ReplayError> {
        self.balances.apply(Movement::Hold, postings)?;
        match self.holds.insert(hold, postings.to_vec()) {
            None => Ok(()),
            Some(_) => Err(ReplayError::Twice(hold.to_string())),
        }
    }

    fn ticket(&mut self, id: EffectId, step: Step, generation: u32) -> Result<(), ReplayError> {
        let effect = self.effect(id)?;
        if effect.state.is_terminal() {
            return Err(ReplayError::SentAfterwards(id));
        }
        effect.is_fresh |= effect.tickets == 0 && !effect.is_advanced && (step, generation) == (Step::Create, 0);
        (effect.state, effect.step, effect.generation) = (State::Sending, step, generation);
        effect.tickets += 1;
        Ok(())
    }

    fn advance(&mut self, advanced: &Advanced) -> Result<(), ReplayError> {
        self.move_effect(advanced)?;
        if let Some((hold, closing)) = advanced.closing {
            self.close(hold, closing, &advanced.postings)?;
        }
        let unheard = || ReplayError::Unheard(advanced.payment.to_string());
        let payment = self.payments.get_mut(&advanced.payment).ok_or_else(unheard)?;
        payment.follow(advanced)
    }

    fn move_effect(&mut self, advanced: &Advanced) -> Result<(), ReplayError> {
        let effect = self.effect(advanced.effect)?;
        if effect.payment != advanced.payment {
            return Err(ReplayError::Foreign(advanced.payment));
        }
        if !may_become(effect.state, advanced.state) {
            let (from, to) = (effect.state, advanced.state);
            return Err(ReplayError::Undecided { effect: advanced.effect, from, to });
        }
        (effect.state, effect.step, effect.generation) = (advanced.state, advanced.step, advanced.generation);
        effect.is_advanced = true;
        Ok(())
    }

    fn close(&mut self, hold: HoldId, closing: Closing, postings: &[Posting]) -> Result<(), ReplayError> {
        let held = self.holds.remove(&hold).ok_or(ReplayError::NotOpen(hold))?;
        if held != postings {
            return Err(ReplayError::OtherPostings(hold));
        }
        let movement = match closing {
            Closing::Posted => Movement::PostHeld,
            Closing::Voided => Movement::Void,
        };
        Ok(self.balances.apply(movement, postings)?)
    }
}

impl ReplayedPayment {
    const fn new(effect: EffectId, money: Money, reference: String, hold: HoldId) -> Self {
        Self {
            effect,
            money,
            reference,
            status: Status::Processing,
            captured_amount: 0,
            object: None,
            decline: None,
            answer: None,
            hold,
            closing: None,
        }
    }

    /// Moves after its effect, if what the record says of both and of the hold goes together.
    fn follow(&mut self, advanced: &Advanced) -> Result<(), ReplayError> {
        let (payment, status, state) = (advanced.payment, advanced.status, advanced.state);
        if let Some((hold, closing)) = advanced.closing {
            if hold != self.hold {
                return Err(ReplayError::Foreign(payment));
            }
            self.closing = Some(closing);
        }
        if end_of(state) != Some(status).filter(|status| status.is_terminal() || *status == Status::Review) {
            return Err(ReplayError::Disagreement { payment, status, state });
        }
        if !fits(status, self.closing) {
            return Err(ReplayError::HoldDisagrees { payment, status, closing: self.closing });
        }
        self.status = status;
        self.object.clone_from(&advanced.object);
        self.decline.clone_from(&advanced.decline);
        self.answer = self.answer.or(Some(status).filter(|status| status.is_answerable()));
        if let Some((_, Closing::Posted)) = advanced.closing {
            self.captured_amount = self.money.amount;
        }
        Ok(())
    }
}

impl ReplayedEffect {
    const fn new(payment: PaymentId) -> Self {
        Self {
            payment,
            state: State::Intended,
            step: Step::Create,
            generation: 0,
            tickets: 0,
            is_advanced: false,
            is_fresh: false,
        }
    }
}
