//! What every step has in common: who answers what, waiting, and the ends.

use super::ends::unexplained;
use super::{Advance, lose, note_received};
use crate::effect::judge::{Sending, Verdict, judge};
use crate::effect::{AfterCancel, Class, Effect, Policy, State, Step};
use crate::fact::{Fact, Loss, ObjectStatus, Sighting};
use crate::mutation::{self, Mutation};
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
                // An event may have shown meanwhile that it was carried out, whatever the answer says.
                let is_there = self.effect.step == Step::Execute && self.effect.object_id.is_some();
                self.effect.state = if is_there { State::Unknown } else { State::Intended };
                self.wait(retry_after_ms)
            }
            Verdict::NoInformation { retry_after_ms } => {
                self.effect.state = State::Unknown;
                let makes_object = matches!(self.effect.step, Step::Create | Step::Execute);
                self.effect.needs_find |= makes_object && is_refusal;
                self.wait(retry_after_ms)
            }
            Verdict::InProgress => self.lost(Loss::Unclear),
            Verdict::Ambiguous(Loss::Timeout) if mutation::is(Mutation::TimeoutIsFailure) => self.fail(unexplained()),
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
        if mutation::is(Mutation::WebhookByArrival) && self.is_ours(sighting) {
            return self.read(Fact::Seen(sighting.clone()));
        }
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
            ObjectStatus::Canceled | ObjectStatus::Failed if !self.is_readable() && self.waits() => {
                self.read(Fact::Seen(sighting.clone()))
            }
            _ => self.look_again(),
        }
    }

    /// Has an effect that waits read again. Where a worker is at it already, waking another would only fence the first.
    /// Where nothing is known and nothing can be found there is nothing to look at.
    pub(super) fn look_again(&mut self) -> Advance {
        let can_look = self.effect.object_id.is_some() || self.is_readable();
        if !self.waits() || self.effect.lease_owner != 0 || !can_look {
            return Advance::Unchanged;
        }
        self.effect.due_at = Some(self.now);
        Advance::Moved
    }

    fn waits(&self) -> bool {
        matches!(self.effect.state, State::Unknown | State::Pending)
    }

    /// Whether the gateway is relied on for reading back; where it is not, its events are believed as well.
    pub(super) fn is_readable(&self) -> bool {
        matches!(self.effect.class, Class::P | Class::A | Class::B)
    }

    pub(super) fn is_ours(&self, sighting: &Sighting) -> bool {
        self.effect.object_id.as_deref() == Some(sighting.object_id.as_str())
    }

    pub(super) fn check_money(&mut self, sighting: &Sighting) -> Option<Advance> {
        note_received(self.effect, sighting);
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
        self.effect.had_server_error = false;
        self.effect.refusal = None;
        self.effect.tries = 0;
        self.effect.puzzles = 0;
        self.effect.expiry = None;
        self.effect.due_at = Some(self.now);
    }

    pub(super) fn next_generation(&mut self) {
        next_generation(self.effect);
    }

    /// Looks now and then until that time, and then once more.
    pub(super) fn poll_until(&mut self, at: Timestamp) -> Advance {
        let poll = self.now.plus_ms(self.policy.pending_ms(self.effect.tries));
        self.effect.tries = self.effect.tries.saturating_add(1);
        self.effect.due_at = Some(at.min(poll));
        Advance::Moved
    }

    /// A refusal is the last word once nothing that was sent before it can still arrive; until then it is kept.
    pub(super) fn await_late_arrivals(&mut self, refusal: &str) -> Option<Advance> {
        let settled_at = self.settled_at();
        if self.now >= settled_at {
            return None;
        }
        self.effect.refusal = Some(refusal.to_owned());
        Some(self.poll_until(settled_at))
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
        if self.effect.state == State::Pending && !self.is_readable() {
            // It may tell by its events alone, days later; a person has to look when it never does.
            return self.poll_until(self.effect.expiry.map_or(Timestamp(i64::MAX), |expiry| expiry.at));
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
}
