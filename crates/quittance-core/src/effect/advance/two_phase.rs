//! Class P: an inert object is made, its id committed, and only then is it confirmed.

use super::Advance;
use super::ends::{canceled, refused, unexplained};
use super::machine::Machine;
use crate::effect::judge::Verdict;
use crate::effect::{AfterCancel, Fence, State, Step};
use crate::fact::{Decline, Loss, ObjectStatus, Sighting};
use crate::mutation::{self, Mutation};

impl Machine<'_> {
    pub(super) fn create_decided(&mut self, verdict: Verdict) -> Advance {
        match verdict {
            Verdict::Executed(sighting) => self.created(&sighting),
            // Nothing was ever confirmed, so whatever the lost sends made is inert.
            Verdict::Declined { decline, .. } => self.fail(decline),
            Verdict::Refused { code, .. } => self.fail(refused(code)),
            _ => self.lost(Loss::Unreadable),
        }
    }

    /// The object exists: its id is to be committed before anything is confirmed.
    pub(super) fn created(&mut self, sighting: &Sighting) -> Advance {
        if sighting.effect_id.is_some_and(|id| id != self.effect.id) {
            return self.review("the gateway answered with an object of another effect");
        }
        if let Some(review) = self.check_money(sighting) {
            return review;
        }
        self.effect.object_id = Some(sighting.object_id.clone());
        self.effect.fence = Some(Fence::of(sighting));
        self.effect.names_method = sighting.payment_method.is_none();
        self.begin(Step::Confirm);
        Advance::Moved
    }

    pub(super) fn create_again(&mut self) -> Advance {
        self.next_generation();
        self.wait(None)
    }

    pub(super) fn confirm_decided(&mut self, verdict: Verdict) -> Advance {
        match verdict {
            Verdict::Executed(sighting) if self.is_ours(&sighting) => self.confirm_answered(&sighting),
            Verdict::Declined { decline, sighting } => self.confirm_declined(decline, sighting.as_ref()),
            Verdict::Refused { code, sighting } => self.confirm_refused(code, sighting.as_ref()),
            _ => self.lost(Loss::Unreadable),
        }
    }

    /// The answer to a confirm: an object that could be confirmed again is no answer to it, unless it was declined.
    fn confirm_answered(&mut self, sighting: &Sighting) -> Advance {
        let was_tried = self.effect.fence.as_ref().is_some_and(|fence| fence.is_passed_by(sighting));
        match sighting.status {
            ObjectStatus::RequiresConfirmation => self.confirm_puzzled(),
            ObjectStatus::RequiresPaymentMethod if !was_tried => self.confirm_puzzled(),
            ObjectStatus::Failed | ObjectStatus::Unrecognised(_) => self.confirm_puzzled(),
            _ => self.confirmed(sighting),
        }
    }

    /// Nobody has said what became of the confirm: it counts as lost.
    fn confirm_puzzled(&mut self) -> Advance {
        self.effect.lost_confirms += 1;
        self.puzzled()
    }

    /// The object after a confirm, or as a read of it shows.
    pub(super) fn confirmed(&mut self, sighting: &Sighting) -> Advance {
        if let Some(review) = self.check_money(sighting) {
            return review;
        }
        match sighting.status {
            ObjectStatus::Succeeded if self.effect.fence.is_none() => {
                self.review("the object of a failed attempt turns out to have succeeded")
            }
            ObjectStatus::Succeeded => self.succeed(sighting.received_amount),
            ObjectStatus::Canceled if self.effect.fence.is_none() => self.replace_object(),
            // Canceled while it waited for somebody: by the gateway, because nobody came, or by a person there.
            ObjectStatus::Canceled if self.effect.state == State::Pending => self.cancel(),
            ObjectStatus::Canceled => self.fail(canceled()),
            ObjectStatus::Processing | ObjectStatus::RequiresAction | ObjectStatus::RequiresCapture => {
                self.pend(sighting)
            }
            ObjectStatus::RequiresConfirmation => self.confirmable(sighting),
            ObjectStatus::RequiresPaymentMethod => self.attempt_over(sighting),
            ObjectStatus::Failed | ObjectStatus::Unrecognised(_) => self.puzzled(),
        }
    }

    /// Ready to be confirmed: either it never was, or the confirm that was lost did not run.
    fn confirmable(&mut self, sighting: &Sighting) -> Advance {
        if let Some(code) = self.effect.refusal.take() {
            return self.abandon(refused(code));
        }
        self.effect.names_method |= sighting.payment_method.is_none();
        let fence = self.effect.fence.replace(Fence::of(sighting));
        if fence.is_none() {
            self.effect.state = State::Intended;
            return self.at_once();
        }
        self.next_generation();
        self.wait(None)
    }

    /// No method is attached: declined if an attempt was made since the fence was taken, else not executed.
    fn attempt_over(&mut self, sighting: &Sighting) -> Advance {
        let was_tried = self.effect.fence.as_ref().is_some_and(|fence| fence.is_passed_by(sighting));
        if was_tried || self.effect.state == State::Pending {
            return self.abandon(sighting.decline.clone().unwrap_or_else(unexplained));
        }
        self.confirmable(sighting)
    }

    /// A decline is believed unless the object it carries says otherwise.
    fn confirm_declined(&mut self, decline: Decline, sighting: Option<&Sighting>) -> Advance {
        let is_contradicted = sighting.is_some_and(|seen| !self.is_ours(seen) || !is_confirmable(seen));
        if is_contradicted {
            return self.lost(Loss::Unclear);
        }
        self.abandon(decline)
    }

    /// A refusal is believed only where nothing sent before can be what it is about.
    fn confirm_refused(&mut self, code: String, sighting: Option<&Sighting>) -> Advance {
        let shows_another_state = sighting.is_some_and(|seen| !is_confirmable(seen));
        let is_alone = self.effect.lost_confirms == 0 && (self.effect.sends <= 1 || sighting.is_some());
        if (shows_another_state || !is_alone) && !mutation::is(Mutation::StaleRefusalBelieved) {
            self.effect.refusal = Some(code);
            self.effect.state = State::Unknown;
            return self.look_at_once();
        }
        self.fail(refused(code))
    }

    /// The object is fenced and was not ours to use: make our own. Its key is new because the step's generation rises.
    pub(super) fn replace_object(&mut self) -> Advance {
        self.effect.object_id = None;
        self.effect.fence = None;
        self.effect.names_method = false;
        self.effect.is_fenced = false;
        self.begin(Step::Create);
        Advance::Moved
    }

    /// A failure is final only when no send of the attempt is unaccounted for; else the object is fenced first.
    pub(super) fn abandon(&mut self, decline: Decline) -> Advance {
        if self.effect.lost_confirms == 0 || mutation::is(Mutation::UnfencedDecline) {
            return self.fail(decline);
        }
        self.effect.after_cancel = Some(AfterCancel::Fail(decline));
        self.begin(Step::Cancel);
        Advance::Moved
    }
}

pub(super) fn is_confirmable(sighting: &Sighting) -> bool {
    matches!(sighting.status, ObjectStatus::RequiresConfirmation | ObjectStatus::RequiresPaymentMethod)
}
