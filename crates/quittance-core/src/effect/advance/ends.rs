//! How an effect waits for somebody else, and how it ends.

use super::Advance;
use super::machine::Machine;
use crate::effect::{Expiry, State, Subject, Waiting};
use crate::fact::{Decline, ObjectStatus, Sighting};

impl Machine<'_> {
    /// The gateway has it, and somebody else has the next word.
    pub(super) fn pend(&mut self, sighting: &Sighting) -> Advance {
        if self.effect.state != State::Pending {
            self.effect.state = State::Pending;
            self.effect.tries = 0;
        }
        // What the gateway refused before, it has got past.
        self.effect.refusal = None;
        // A refund is owed: it waits for its customer as long as the gateway lets it.
        let waiting = match (self.effect.subject, &sighting.status) {
            (Subject::Payment, ObjectStatus::RequiresAction) => Some((Waiting::Action, self.policy.action_expiry_ms)),
            (Subject::Payment, ObjectStatus::RequiresCapture) => {
                Some((Waiting::Capture, self.policy.capture_expiry_ms))
            }
            _ => None,
        };
        // The span begins with the wait, and whoever acted in time gives the next one a whole span.
        self.effect.expiry = waiting.map(|(waiting, span_ms)| match self.effect.expiry {
            Some(expiry) if expiry.waiting == waiting => expiry,
            _ => Expiry { waiting, at: self.now.plus_ms(span_ms) },
        });
        let expires_at = self.effect.expiry.map(|expiry| expiry.at);
        let poll = self.now.plus_ms(self.policy.pending_ms(self.effect.tries));
        self.effect.due_at = Some(expires_at.map_or(poll, |at| at.min(poll)));
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

    /// Ends what is proven not to have been carried out, since it must not be any more.
    pub(super) fn give_up_uncovered(&mut self) -> Advance {
        let state = self.effect.state;
        let is_unexecuted = matches!(state, State::Intended | State::NotExecuted);
        assert!(is_unexecuted, "an effect that is {} may have been carried out", state.name());
        self.fail(refused("too_little_left".into()))
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
