//! Effects: where each stands, and what may be sent of it.

use super::rules::{has_step, may_become};
use super::{Replay, ReplayError};
use crate::effect::{Source, State, Step, Subject};
use crate::id::{EffectId, PaymentId};

/// An effect, as the journal has it. The last ticket is what its state cannot contradict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedEffect {
    /// The payment it carries out, gives back or defends.
    pub payment: PaymentId,
    /// What it does about the payment.
    pub subject: Subject,
    /// State.
    pub state: State,
    /// Step; before the first ticket and the first advance the one that such an effect usually begins with.
    pub step: Step,
    /// Generation.
    pub generation: u32,
    /// Tickets issued.
    pub tickets: u64,
    /// The gateway's object, as the last record that advanced it says; the record of an evidence says nothing of it.
    pub object: Option<String>,
    /// Whether it was advanced: before that the journal does not say which object it may have taken over.
    pub is_advanced: bool,
    /// Whether its very first send made an object of its own, so that it took over none.
    pub is_fresh: bool,
}

/// What a record says of an effect after it.
pub(super) struct After {
    pub(super) state: State,
    /// The step; none where the record does not say.
    pub(super) step: Option<Step>,
    pub(super) generation: u32,
    pub(super) object: Option<String>,
}

impl Replay {
    pub(super) fn effect(&mut self, id: EffectId) -> Result<&mut ReplayedEffect, ReplayError> {
        self.effects.get_mut(&id).ok_or_else(|| ReplayError::Unheard(id.to_string()))
    }

    pub(super) fn begin_effect(
        &mut self,
        id: EffectId,
        payment: PaymentId,
        subject: Subject,
    ) -> Result<(), ReplayError> {
        match self.effects.insert(id, ReplayedEffect::new(payment, subject)) {
            None => Ok(()),
            Some(_) => Err(ReplayError::Twice(id.to_string())),
        }
    }

    pub(super) fn ticket(&mut self, id: EffectId, step: Step, generation: u32) -> Result<(), ReplayError> {
        let effect = self.effect(id)?;
        if effect.state.is_terminal() {
            return Err(ReplayError::SentAfterwards(id));
        }
        if !has_step(effect.subject, step) {
            return Err(ReplayError::NoSuchStep { effect: id, step });
        }
        if effect.state == State::NotExecuted && generation <= effect.generation {
            return Err(ReplayError::SentAgain(id));
        }
        if step == Step::Execute && generation != effect.next_execution() {
            return Err(ReplayError::SentUnproven(id));
        }
        if step == Step::Capture {
            self.check_captured_by_wish(id)?;
        }
        self.check_covered(id)?;
        self.effect(id)?.send(step, generation);
        Ok(())
    }

    /// Money that is authorised is taken only when somebody asked for it.
    fn check_captured_by_wish(&mut self, id: EffectId) -> Result<(), ReplayError> {
        let payment = self.effect(id)?.payment;
        match self.payment(payment)?.asked_amount {
            Some(_) => Ok(()),
            None => Err(ReplayError::NotAsked(id)),
        }
    }

    /// A refund is begun only while its money is there. One that may have been carried out is sent again all the same.
    fn check_covered(&mut self, id: EffectId) -> Result<(), ReplayError> {
        let ReplayedEffect { subject, state, payment, .. } = *self.effect(id)?;
        let begins = matches!(state, State::Intended | State::NotExecuted);
        match subject {
            Subject::Refund(refund) if begins && self.payment(payment)?.left_amount() < 0 => {
                Err(ReplayError::TooMuch(refund))
            }
            Subject::Payment | Subject::Refund(_) | Subject::Dispute(_) => Ok(()),
        }
    }
}

impl ReplayedEffect {
    fn new(payment: PaymentId, subject: Subject) -> Self {
        let step = match subject {
            Subject::Payment => Step::Create,
            Subject::Refund(_) => Step::Execute,
            Subject::Dispute(_) => Step::Submit,
        };
        Self {
            payment,
            subject,
            state: State::Intended,
            step,
            generation: 0,
            tickets: 0,
            object: None,
            is_advanced: false,
            is_fresh: false,
        }
    }

    /// The generation in which one request may do it all next: another one only once the last was proven not to be
    /// carried out.
    const fn next_execution(&self) -> u32 {
        match self.state {
            State::NotExecuted => self.generation.saturating_add(1),
            _ => self.generation,
        }
    }

    fn send(&mut self, step: Step, generation: u32) {
        let makes_object = matches!(step, Step::Create | Step::Execute) && generation == 0;
        self.is_fresh |= self.tickets == 0 && !self.is_advanced && makes_object;
        (self.state, self.step, self.generation) = (State::Sending, step, generation);
        self.tickets += 1;
    }

    /// Moves as a record says, if it may.
    pub(super) fn follow(&mut self, id: EffectId, source: &Source, after: After) -> Result<(), ReplayError> {
        if !may_become(self.state, after.state, source, self.tickets > 0) {
            return Err(ReplayError::Undecided { effect: id, from: self.state, to: after.state });
        }
        (self.state, self.generation, self.object) = (after.state, after.generation, after.object);
        self.step = after.step.unwrap_or(self.step);
        self.is_advanced = true;
        Ok(())
    }
}
