//! Acting on an object that is known by its id: canceling it, and taking what it authorises. Either can be done once
//! only, so an ambiguous answer is resolved by reading the object, whatever the gateway's class.

use super::Advance;
use super::ends::unexplained;
use super::machine::Machine;
use super::two_phase::is_confirmable;
use crate::effect::judge::Verdict;
use crate::effect::{AfterCancel, Class, State, Step};
use crate::fact::{ObjectStatus, Sighting};

impl Machine<'_> {
    pub(super) fn act_decided(&mut self, verdict: Verdict) -> Advance {
        match verdict {
            Verdict::Executed(sighting) if self.is_ours(&sighting) => match self.effect.step {
                Step::Capture => self.capture_answered(&sighting),
                _ => self.cancel_answered(&sighting),
            },
            // Refused because it was done, or because it cannot be any more: the object itself knows which.
            Verdict::Refused { code, .. } => self.act_refused(code),
            Verdict::Declined { decline, .. } => self.act_refused(decline.code),
            // Another object, say the refund that releases a charge.
            _ => {
                self.effect.state = State::Unknown;
                self.look_at_once()
            }
        }
    }

    fn act_refused(&mut self, code: String) -> Advance {
        if self.effect.step == Step::Capture {
            self.effect.refusal = Some(code);
        }
        self.effect.state = State::Unknown;
        self.look_at_once()
    }

    /// The answer to a cancel: an object that could still be canceled is no answer to it.
    fn cancel_answered(&mut self, sighting: &Sighting) -> Advance {
        if is_cancelable(sighting) { self.puzzled() } else { self.canceling(sighting) }
    }

    pub(super) fn canceling(&mut self, sighting: &Sighting) -> Advance {
        self.effect.is_fenced = sighting.status == ObjectStatus::Canceled;
        match sighting.status {
            ObjectStatus::Canceled => match self.effect.after_cancel.take() {
                Some(AfterCancel::Fail(decline)) => self.fail(decline),
                Some(AfterCancel::GiveUp | AfterCancel::Expire) => self.cancel(),
                Some(AfterCancel::Replace) | None => self.replace_object(),
            },
            ObjectStatus::Succeeded => self.cancel_too_late(sighting),
            // It cannot be canceled while money is on its way, and is read until that has come to an end.
            ObjectStatus::Processing => self.pend(sighting),
            ObjectStatus::RequiresPaymentMethod
            | ObjectStatus::RequiresConfirmation
            | ObjectStatus::RequiresAction
            | ObjectStatus::RequiresCapture => {
                self.next_generation();
                self.wait(None)
            }
            ObjectStatus::Failed => match self.effect.after_cancel.take() {
                Some(AfterCancel::GiveUp | AfterCancel::Expire) if self.effect.class != Class::P => self.cancel(),
                after_cancel => {
                    self.effect.after_cancel = after_cancel;
                    self.puzzled()
                }
            },
            ObjectStatus::Unrecognised(_) => self.puzzled(),
        }
    }

    /// The object succeeded before it could be canceled: that is the attempt's outcome, if the attempt was ours.
    fn cancel_too_late(&mut self, sighting: &Sighting) -> Advance {
        let is_ours = match self.effect.after_cancel {
            Some(AfterCancel::Fail(_)) => true,
            // An object taken over from an earlier attempt may have succeeded in that one.
            Some(AfterCancel::GiveUp | AfterCancel::Expire) => {
                self.effect.class != Class::P || self.effect.fence.is_some()
            }
            Some(AfterCancel::Replace) | None => false,
        };
        if !is_ours {
            return self.review("the object of a failed attempt turns out to have succeeded");
        }
        match self.check_money(sighting) {
            Some(review) => review,
            None => self.succeed(sighting.received_amount),
        }
    }

    /// The answer to a capture: an object that could still be captured is no answer to it.
    fn capture_answered(&mut self, sighting: &Sighting) -> Advance {
        if sighting.status == ObjectStatus::RequiresCapture { self.puzzled() } else { self.capturing(sighting) }
    }

    pub(super) fn capturing(&mut self, sighting: &Sighting) -> Advance {
        if let Some(review) = self.check_money(sighting) {
            return review;
        }
        match sighting.status {
            ObjectStatus::Succeeded => self.succeed(sighting.received_amount),
            // The authorisation ended before it was taken.
            ObjectStatus::Canceled => self.cancel(),
            ObjectStatus::Processing => self.pend(sighting),
            ObjectStatus::RequiresCapture => match self.effect.refusal.take() {
                Some(code) if self.effect.lost_confirms == 0 => self.step_back(sighting, code),
                Some(code) => self.await_late_arrivals(&code).unwrap_or_else(|| self.step_back(sighting, code)),
                None => {
                    self.next_generation();
                    self.wait(None)
                }
            },
            // What was being captured did not come, and what was authorised is gone.
            ObjectStatus::RequiresPaymentMethod => self.abandon(sighting.decline.clone().unwrap_or_else(unexplained)),
            ObjectStatus::Failed if self.effect.class != Class::P => {
                self.fail(sighting.decline.clone().unwrap_or_else(unexplained))
            }
            ObjectStatus::RequiresConfirmation
            | ObjectStatus::RequiresAction
            | ObjectStatus::Failed
            | ObjectStatus::Unrecognised(_) => self.puzzled(),
        }
    }

    /// The capture was refused and the authorisation is still there: it waits as before.
    fn step_back(&mut self, sighting: &Sighting, code: String) -> Advance {
        let home = if self.effect.class == Class::P { Step::Confirm } else { Step::Execute };
        self.effect.capture_amount = None;
        // The authorisation ends when it always did: asking does not prolong it.
        let expiry = self.effect.expiry;
        self.begin(home);
        self.effect.expiry = expiry;
        self.effect.state = State::Unknown;
        self.pend(sighting);
        Advance::StepRefused { code }
    }

    /// Nobody acted in time.
    pub(super) fn expire(&mut self) {
        self.effect.after_cancel = Some(AfterCancel::Expire);
        self.begin(Step::Cancel);
    }

    /// Acts on the client's wish to give up, as soon as nothing is under way.
    pub(super) fn give_up_if_wanted(&mut self) -> Option<Advance> {
        let is_busy = self.effect.state.is_terminal() || self.effect.state == State::Sending;
        if !self.effect.wants_cancel || is_busy || self.effect.step == Step::Cancel {
            return None;
        }
        if self.effect.last_sent_at.is_none() && self.effect.object_id.is_none() {
            return Some(self.cancel());
        }
        // Until the object is known there is nothing to cancel; it is canceled instead of confirmed then.
        self.effect.object_id.as_ref()?;
        self.effect.after_cancel = Some(AfterCancel::GiveUp);
        self.begin(Step::Cancel);
        Some(Advance::Moved)
    }
}

fn is_cancelable(sighting: &Sighting) -> bool {
    is_confirmable(sighting) || matches!(sighting.status, ObjectStatus::RequiresAction | ObjectStatus::RequiresCapture)
}
