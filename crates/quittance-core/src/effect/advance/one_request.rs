//! Gateways that do it all in one request: what an ambiguous answer allows depends on what they offer.
//!
//! Class A replays inside the key's window and reads back after it; B reads back only; C replays only; D has one ticket
//! whose bytes may have left. What was looked for and is not there is not yet proof of absence: a request may still be on
//! its way.

use super::Advance;
use super::ends::{refused, unexplained};
use super::machine::Machine;
use crate::effect::judge::Verdict;
use crate::effect::{State, Subject, Waiting, safe_wait_ms};
use crate::fact::{Loss, ObjectStatus, Sighting};
use crate::mutation::{self, Mutation};
use crate::time::Timestamp;

impl Machine<'_> {
    pub(super) fn execute_decided(&mut self, verdict: Verdict) -> Advance {
        match verdict {
            Verdict::Executed(sighting) if sighting.kind == self.effect.object_kind() => {
                self.execute_answered(&sighting)
            }
            // An event has shown the object meanwhile: whatever this is about, that is there.
            Verdict::Declined { .. } | Verdict::Refused { .. } if self.effect.object_id.is_some() => {
                self.lost(Loss::Unclear)
            }
            Verdict::Declined { decline, .. } => self.fail(decline),
            Verdict::Refused { code, .. } if self.effect.generation > 0 => self.execution_refused(code),
            Verdict::Refused { code, .. } => self.fail(refused(code)),
            _ => self.lost(Loss::Unreadable),
        }
    }

    /// An earlier generation was proven absent. Refused now, it may be so because that one came after all and did what
    /// this one was to do: it is looked for once more, and the refusal believed when it is still not there.
    fn execution_refused(&mut self, code: String) -> Advance {
        self.effect.refusal = Some(code);
        self.effect.needs_find = true;
        self.effect.state = State::Unknown;
        self.look_at_once()
    }

    /// The answer to a replay may be the stored one of the first send: what the object was then, and not what became of it
    /// while nobody knew whose it was. Where it can be read, it is.
    fn execute_answered(&mut self, sighting: &Sighting) -> Advance {
        if !self.effect.is_unresolved || !self.is_readable() {
            return self.executed(sighting);
        }
        self.claim(sighting).unwrap_or_else(|| {
            self.effect.state = State::Unknown;
            self.at_once()
        })
    }

    /// Takes the object as the effect's own, unless it cannot be.
    fn claim(&mut self, sighting: &Sighting) -> Option<Advance> {
        // One that is known to be its own may carry the id of an effect whose records were lost.
        if !self.is_ours(sighting) && sighting.effect_id.is_some_and(|id| id != self.effect.id) {
            return Some(self.review("the gateway answered with an object of another effect"));
        }
        if self.effect.object_id.as_deref().is_some_and(|id| id != sighting.object_id) {
            return Some(self.review("the gateway has two objects of one effect"));
        }
        self.effect.object_id = Some(sighting.object_id.clone());
        None
    }

    /// The object exists: it was carried out, and its status says how it ended.
    pub(super) fn executed(&mut self, sighting: &Sighting) -> Advance {
        if let Some(review) = self.claim(sighting) {
            return review;
        }
        if let Some(review) = self.check_money(sighting) {
            return review;
        }
        match sighting.status {
            ObjectStatus::Succeeded => self.succeed(sighting.received_amount),
            ObjectStatus::Processing | ObjectStatus::RequiresAction | ObjectStatus::RequiresCapture => {
                self.pend(sighting)
            }
            ObjectStatus::Failed => self.fail(sighting.decline.clone().unwrap_or_else(unexplained)),
            ObjectStatus::Canceled => self.cancel(),
            ObjectStatus::RequiresPaymentMethod
            | ObjectStatus::RequiresConfirmation
            | ObjectStatus::Unrecognised(_) => self.puzzled(),
        }
    }

    /// A complete search found nothing. That is proof of absence only when whatever was sent would have arrived, and no
    /// replay could still carry it out.
    pub(super) fn absent(&mut self) -> Advance {
        let searched_at = self.effect.searched_at.unwrap_or(self.now);
        let settled_at = self.settled_at();
        if mutation::is(Mutation::AbsentAtOnce) {
            return self.proven_absent();
        }
        if searched_at < settled_at {
            return self.poll_until(settled_at);
        }
        let quiescence_ms = safe_wait_ms(self.policy.capability(self.effect.subject).quiescence_ms);
        let needs_second_look = matches!(self.effect.subject, Subject::Refund(_));
        match self.effect.absent_at {
            // Money that leaves is looked for twice, by two runs.
            None if needs_second_look => {
                self.effect.absent_at = Some(searched_at);
                self.effect.due_at = Some(searched_at.plus_ms(quiescence_ms));
            }
            Some(first) if needs_second_look && searched_at < first.plus_ms(quiescence_ms) => {
                self.effect.due_at = Some(first.plus_ms(quiescence_ms));
            }
            _ => return self.proven_absent(),
        }
        Advance::Moved
    }

    fn proven_absent(&mut self) -> Advance {
        if let Some(code) = self.effect.refusal.take() {
            return self.fail(refused(code));
        }
        self.effect.state = State::NotExecuted;
        self.effect.tries = 0;
        self.at_once()
    }

    /// When nothing that was sent can take effect any more. Where we know of no send, its answer may have been the worst.
    pub(super) fn settled_at(&self) -> Timestamp {
        let capability = self.policy.capability(self.effect.subject);
        let quiescence_ms = match self.effect.had_server_error || self.effect.sends == 0 {
            true => capability.quiescence_after_error_ms.max(capability.quiescence_ms),
            false => capability.quiescence_ms,
        };
        let last_sent_at = self.effect.last_sent_at.unwrap_or(self.effect.created_at);
        let since = self.effect.doubted_at.map_or(last_sent_at, |at| at.max(last_sent_at));
        since.plus_ms(safe_wait_ms(quiescence_ms))
    }

    /// Where an event carries our id, it also tells which object is ours.
    pub(super) fn execution_observed(&mut self, sighting: &Sighting) -> Advance {
        let is_named = sighting.effect_id == Some(self.effect.id);
        let is_ours = match &self.effect.object_id {
            Some(id) => *id == sighting.object_id,
            None => is_named,
        };
        if !is_ours || sighting.kind != self.effect.object_kind() {
            return Advance::Unchanged;
        }
        if !self.is_readable() {
            return self.execution_told(sighting);
        }
        if sighting.status == ObjectStatus::Succeeded {
            return self.executed(sighting);
        }
        if self.effect.object_id.is_none() {
            return self.adopt(sighting);
        }
        self.look_again()
    }

    /// From here on it can be read by its id, and what was thought not to have been carried out was.
    fn adopt(&mut self, sighting: &Sighting) -> Advance {
        self.effect.object_id = Some(sighting.object_id.clone());
        if matches!(self.effect.state, State::Intended | State::NotExecuted) {
            self.effect.state = State::Unknown;
            return self.at_once();
        }
        self.look_again();
        Advance::Moved
    }

    /// Reading is not relied on: what events tell is believed. They come in any order.
    fn execution_told(&mut self, sighting: &Sighting) -> Advance {
        match sighting.status {
            ObjectStatus::Succeeded | ObjectStatus::Failed | ObjectStatus::Canceled => self.executed(sighting),
            ObjectStatus::RequiresAction | ObjectStatus::Processing | ObjectStatus::RequiresCapture
                if self.effect.state == State::Sending =>
            {
                self.adopt(sighting)
            }
            ObjectStatus::RequiresAction if self.is_past(Waiting::Action) => Advance::Unchanged,
            ObjectStatus::Processing if self.is_past(Waiting::Capture) => Advance::Unchanged,
            ObjectStatus::RequiresAction | ObjectStatus::Processing | ObjectStatus::RequiresCapture => {
                self.executed(sighting)
            }
            ObjectStatus::RequiresPaymentMethod
            | ObjectStatus::RequiresConfirmation
            | ObjectStatus::Unrecognised(_) => self.look_again(),
        }
    }

    /// Whether it is known to be at, or beyond, what comes after that wait began: such a wait never comes again.
    fn is_past(&self, waiting: Waiting) -> bool {
        let known = self.effect.expiry.map(|expiry| expiry.waiting);
        self.effect.state == State::Pending
            && match waiting {
                Waiting::Action => known != Some(Waiting::Action),
                Waiting::Capture => known == Some(Waiting::Capture),
            }
    }
}
