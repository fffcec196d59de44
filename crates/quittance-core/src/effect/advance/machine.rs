//! What every step has in common: who answers what, waiting, and the ends.

use super::{Advance, lose};
use crate::effect::judge::{Sending, Verdict, judge};
use crate::effect::{AfterCancel, Class, Effect, Expiry, Policy, State, Step, Waiting};
use crate::fact::{Decline, Fact, Loss, ObjectStatus, Sighting};
use crate::time::Timestamp;

pub(super) struct Machine<'a> {
    pub(super) effect: &'a mut Effect,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    pub(super) dice: u64,
}

/// Opens the step's next generation: nothing of it was sent.
pub(super) fn next_generation(effect: &mut Effect) {
    effect.generation += 1;
    effect.state = State::Intended;
    effect.sends = 0;
    effect.is_unresolved = false;
    effect.needs_find = false;
    effect.had_server_error = false;
    effect.first_sent_at = None;
    effect.absent_at = None;
}

impl Machine<'_> {
    pub(super) fn answered(&mut self, fact: Fact) -> Advance {
        assert!(
            self.effect.state == State::Sending,
            "an answer belongs to a send, not to {}",
            self.effect.state.name()
        );
        let sending = if self.effect.is_unresolved { Sending::Replay } else { Sending::First };
        let is_refusal = matches!(fact, Fact::Refused { .. } | Fact::Absent);
        match judge(fact, sending) {
            Verdict::Bug => self.review("the gateway says its key was used with other parameters"),
            Verdict::NotExecuted { retry_after_ms } => {
                self.effect.state = State::Intended;
                self.wait(retry_after_ms)
            }
            Verdict::NoInformation { retry_after_ms } => {
                self.effect.state = State::Unknown;
                let makes_object = matches!(self.effect.step, Step::Create | Step::Execute);
                self.effect.needs_find |= makes_object && is_refusal;
                self.wait(retry_after_ms)
            }
            Verdict::InProgress => self.lost(Loss::Unclear),
            Verdict::Ambiguous(loss) => self.lost(loss),
            verdict => self.decided(verdict),
        }
    }

    /// The gateway has decided: what that means depends on the step.
    fn decided(&mut self, verdict: Verdict) -> Advance {
        match self.effect.step {
            Step::Create => self.create_decided(verdict),
            Step::Confirm => self.confirm_decided(verdict),
            Step::Cancel | Step::Capture => self.act_decided(verdict),
            Step::Execute => self.execute_decided(verdict),
            Step::Submit => self.submit_decided(verdict),
        }
    }

    pub(super) fn read(&mut self, fact: Fact) -> Advance {
        match fact {
            Fact::SeenDispute(dispute) if self.effect.step == Step::Submit => self.submission_read(&dispute),
            Fact::Seen(sighting) if self.is_ours(&sighting) => match self.effect.step {
                Step::Create => self.created(&sighting),
                Step::Confirm => self.confirmed(&sighting),
                Step::Cancel => self.canceling(&sighting),
                Step::Capture => self.capturing(&sighting),
                Step::Execute => self.executed(&sighting),
                Step::Submit => self.unlearned(&Fact::Lost(Loss::Unreadable)),
            },
            Fact::Seen(_) | Fact::SeenDispute(_) => self.unlearned(&Fact::Lost(Loss::Unreadable)),
            fact => self.unlearned(&fact),
        }
    }

    pub(super) fn found(&mut self, sighting: &Sighting) -> Advance {
        if self.effect.step == Step::Execute { self.executed(sighting) } else { self.created(sighting) }
    }

    pub(super) fn found_nothing(&mut self) -> Advance {
        if self.effect.step == Step::Execute { self.absent() } else { self.create_again() }
    }

    pub(super) fn find_failed(&mut self, fact: &Fact) -> Advance {
        match (self.effect.step, fact) {
            // A search that cannot be completed proves nothing about money that may have moved.
            (Step::Execute, Fact::Lost(Loss::Unclear)) => self.count_puzzle(),
            // Whatever the lost create made is inert, so that it need not be waited for.
            (_, Fact::Lost(Loss::Unclear)) => self.create_again(),
            (_, fact) => self.unlearned(fact),
        }
    }

    /// An event is a hint, except where the gateway's own rules make it final.
    pub(super) fn observed(&mut self, sighting: &Sighting) -> Advance {
        if self.effect.step == Step::Execute {
            return self.execution_observed(sighting);
        }
        // The object of an earlier attempt is looked at first: what an event says of it may be about that one.
        let is_unknown_look = self.effect.class == Class::P && self.effect.fence.is_none();
        if !self.is_ours(sighting) || is_unknown_look {
            return Advance::Unchanged;
        }
        let is_replacing = self.effect.after_cancel == Some(AfterCancel::Replace);
        match sighting.status {
            ObjectStatus::Succeeded if !is_replacing => match self.check_money(sighting) {
                Some(review) => review,
                None => self.succeed(sighting.received_amount),
            },
            _ => self.look_again(),
        }
    }

    /// Has an effect that waits read again. Where a worker is at it already, waking another would only fence the first.
    pub(super) fn look_again(&mut self) -> Advance {
        let waits = matches!(self.effect.state, State::Unknown | State::Pending) && self.effect.lease_owner == 0;
        if !waits {
            return Advance::Unchanged;
        }
        self.effect.due_at = Some(self.now);
        Advance::Moved
    }

    pub(super) fn is_ours(&self, sighting: &Sighting) -> bool {
        self.effect.object_id.as_deref() == Some(sighting.object_id.as_str())
    }

    pub(super) fn check_money(&mut self, sighting: &Sighting) -> Option<Advance> {
        if sighting.money != self.effect.money {
            return Some(self.review("the gateway's object is for another amount or currency"));
        }
        let expected = self.effect.capture_amount.unwrap_or(self.effect.money.amount);
        if sighting.status == ObjectStatus::Succeeded && sighting.received_amount != expected {
            return Some(self.review("the gateway received another amount than was asked"));
        }
        None
    }

    /// Enters a step. Never back to a number that was used: a step may be entered twice, and each entry needs a key of
    /// its own.
    pub(super) fn begin(&mut self, step: Step) {
        self.effect.step = step;
        next_generation(self.effect);
        self.effect.refusal = None;
        self.effect.tries = 0;
        self.effect.puzzles = 0;
        self.effect.expiry = None;
        self.effect.due_at = Some(self.now);
    }

    pub(super) fn next_generation(&mut self) {
        next_generation(self.effect);
    }

    pub(super) fn lost(&mut self, loss: Loss) -> Advance {
        lose(self.effect, loss);
        self.look_at_once()
    }

    pub(super) fn at_once(&mut self) -> Advance {
        self.effect.due_at = Some(self.now);
        Advance::Moved
    }

    /// The first look after a loss is cheap and usually enough, so it is not delayed.
    pub(super) fn look_at_once(&mut self) -> Advance {
        if self.effect.tries == 0 {
            self.effect.tries = 1;
            return self.at_once();
        }
        self.wait(None)
    }

    /// A read that taught nothing. An outage, a limit or a bad credential is nobody's evidence and may last for ever.
    pub(super) fn unlearned(&mut self, fact: &Fact) -> Advance {
        match fact {
            Fact::Throttled { retry_after_ms } => self.wait(*retry_after_ms),
            Fact::Unauthorised
            | Fact::NotSent
            | Fact::Lost(Loss::Timeout | Loss::Reset | Loss::ServerError | Loss::Unavailable | Loss::Unclear) => {
                self.wait(None)
            }
            Fact::Seen(_)
            | Fact::SeenDispute(_)
            | Fact::Absent
            | Fact::Declined { .. }
            | Fact::Refused { .. }
            | Fact::InUse
            | Fact::KeyMismatch
            | Fact::Lost(Loss::Unreadable) => self.count_puzzle(),
        }
    }

    /// The gateway said something that cannot be the answer: the object is read, and nothing taken for granted.
    pub(super) fn puzzled(&mut self) -> Advance {
        self.effect.state = State::Unknown;
        self.count_puzzle()
    }

    pub(super) fn count_puzzle(&mut self) -> Advance {
        self.effect.puzzles = self.effect.puzzles.saturating_add(1);
        if self.effect.puzzles > self.policy.tries_max {
            return self.review("the gateway keeps answering what makes no sense");
        }
        self.wait(None)
    }

    pub(super) fn wait(&mut self, retry_after_ms: Option<u64>) -> Advance {
        self.effect.tries = self.effect.tries.saturating_add(1);
        let backoff = self.policy.backoff_ms(self.effect.tries, self.dice);
        let wait = retry_after_ms.map_or(backoff, |wish| wish.min(self.policy.backoff_max_ms).max(backoff));
        self.effect.due_at = Some(self.now.plus_ms(wait));
        Advance::Moved
    }

    /// The gateway has it, and somebody else has the next word.
    pub(super) fn pend(&mut self, sighting: &Sighting) -> Advance {
        if self.effect.state != State::Pending {
            self.effect.state = State::Pending;
            self.effect.tries = 0;
        }
        let waiting = match sighting.status {
            ObjectStatus::RequiresAction => Some((Waiting::Action, self.policy.action_expiry_ms)),
            ObjectStatus::RequiresCapture => Some((Waiting::Capture, self.policy.capture_expiry_ms)),
            _ => None,
        };
        // The span begins with the wait, and whoever acted in time gives the next one a whole span.
        self.effect.expiry = waiting.map(|(waiting, span_ms)| match self.effect.expiry {
            Some(expiry) if expiry.waiting == waiting => expiry,
            _ => Expiry { waiting, at: self.now.plus_ms(span_ms) },
        });
        let expires_at = self.effect.expiry.map(|expiry| expiry.at);
        let poll = self.now.plus_ms(self.policy.pending_ms(self.effect.tries));
        self.effect.due_at = match self.effect.class {
            Class::P | Class::A | Class::B => Some(expires_at.map_or(poll, |at| at.min(poll))),
            // It cannot be read: its events tell, or its time is up.
            Class::C | Class::D => expires_at,
        };
        self.effect.tries = self.effect.tries.saturating_add(1);
        Advance::Pending { status: sighting.status.clone(), next_action: sighting.next_action.clone() }
    }

    pub(super) fn succeed(&mut self, amount: i64) -> Advance {
        self.end(State::Succeeded);
        Advance::Succeeded { amount }
    }

    pub(super) fn fail(&mut self, decline: Decline) -> Advance {
        self.end(State::Failed);
        Advance::Failed(decline)
    }

    pub(super) fn cancel(&mut self) -> Advance {
        self.end(State::Canceled);
        Advance::Canceled
    }

    pub(super) fn review(&mut self, reason: &'static str) -> Advance {
        self.end(State::Review);
        Advance::Review(reason)
    }

    fn end(&mut self, state: State) {
        self.effect.state = state;
        self.effect.due_at = None;
        self.effect.expiry = None;
        self.effect.lease_owner = 0;
    }
}

pub(super) fn refused(code: String) -> Decline {
    Decline { code, is_retryable: false }
}

pub(super) fn canceled() -> Decline {
    Decline { code: "payment_intent_canceled".into(), is_retryable: true }
}

pub(super) fn unexplained() -> Decline {
    Decline { code: "payment_failed".into(), is_retryable: true }
}
