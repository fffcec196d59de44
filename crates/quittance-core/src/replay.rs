//! Folding a book's journal again, from nothing: what `verify` compares every projection with.
//!
//! Written apart from the code that made the records, so that a mistake there is not repeated here.

use crate::effect::{State, Step};
use crate::fact::Decline;
use crate::id::{EffectId, HoldId, PaymentId};
use crate::journal::{Advanced, Closing, Record};
use crate::ledger::{Balances, LedgerError, Movement, Posting};
use crate::money::Money;
use crate::payment::Status;
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
}

/// An effect, as the journal has it. The last ticket is what its state cannot contradict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedEffect {
    /// State.
    pub state: State,
    /// Step.
    pub step: Step,
    /// Generation.
    pub generation: u32,
    /// Tickets issued.
    pub tickets: u64,
}

/// Why a journal cannot be what happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Something before the book was opened, or a second opening.
    #[error("the book is not opened exactly once, first")]
    Opening,
    /// The same payment, effect or hold twice.
    #[error("{0} is accepted twice")]
    Twice(String),
    /// A record about something that was never accepted.
    #[error("{0} was never accepted")]
    Unheard(String),
    /// A hold that is not open is closed.
    #[error("{0} is closed, but is not open")]
    NotOpen(HoldId),
    /// What is posted is not what was held.
    #[error("{0} is closed with other postings than it held")]
    OtherPostings(HoldId),
    /// A ticket for an effect that was already decided.
    #[error("{0} was sent after it was decided")]
    SentAfterwards(EffectId),
    /// The postings do not add up.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
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
                self.hold(*hold, postings)?;
                let accepted = ReplayedPayment {
                    effect: *effect,
                    money: *money,
                    reference: reference.clone(),
                    status: Status::Processing,
                    captured_amount: 0,
                    object: None,
                    decline: None,
                };
                let begun = ReplayedEffect { state: State::Intended, step: Step::Create, generation: 0, tickets: 0 };
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
        *effect = ReplayedEffect { state: State::Sending, step, generation, tickets: effect.tickets + 1 };
        Ok(())
    }

    fn advance(&mut self, advanced: &Advanced) -> Result<(), ReplayError> {
        let effect = self.effect(advanced.effect)?;
        effect.state = advanced.state;
        effect.step = advanced.step;
        effect.generation = advanced.generation;
        if let Some((hold, closing)) = advanced.closing {
            self.close(hold, closing, &advanced.postings)?;
        }
        let payment = self
            .payments
            .get_mut(&advanced.payment)
            .ok_or_else(|| ReplayError::Unheard(advanced.payment.to_string()))?;
        payment.status = advanced.status;
        payment.object.clone_from(&advanced.object);
        payment.decline.clone_from(&advanced.decline);
        if let Some((_, Closing::Posted)) = advanced.closing {
            payment.captured_amount = payment.money.amount;
        }
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
