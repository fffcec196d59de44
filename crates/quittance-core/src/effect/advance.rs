//! Moves an effect: each state and step against each thing that can be learned.

use super::judge::{Sending, Verdict, judge};
use super::{AfterCancel, Effect, Fence, Policy, State, Step};
use crate::fact::{Decline, Fact, Loss, ObjectStatus, Sighting};
use crate::time::Timestamp;

/// How something was learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The answer to a write.
    Send,
    /// A read of the object.
    Read,
    /// A search for an object we may have made.
    Find,
    /// A verified webhook event, by its id.
    Webhook(String),
    /// A lease that ended while bytes may have been out.
    Recovery,
    /// A person decided.
    Person(PersonsWord),
}

/// What a person says of an effect in review, and on what ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonsWord {
    /// Who: the credential.
    pub by: String,
    /// What proves it: a statement line, a screenshot's name, the gateway's support case.
    pub evidence: String,
    /// Why it was decided so.
    pub reason: String,
}

impl Source {
    /// Stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Read => "read",
            Self::Find => "find",
            Self::Webhook(_) => "webhook",
            Self::Recovery => "recovery",
            Self::Person(_) => "person",
        }
    }
}

/// Something learned about an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stimulus {
    /// The answer to the send under way.
    Answered(Fact),
    /// The answer to a read by id.
    Read(Fact),
    /// A complete search found this, or nothing.
    Found(Option<Sighting>),
    /// A search failed on the way.
    FindFailed(Fact),
    /// A verified event showed the object.
    Observed(Sighting),
}

/// What became of the effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advance {
    /// It moved on, or waits; nothing final.
    Moved,
    /// The gateway has it, and it is not finished: the status and what the customer has to do.
    Pending {
        /// The object's own word.
        status: ObjectStatus,
        /// What the customer has to do next.
        next_action: Option<String>,
    },
    /// Money moved.
    Succeeded,
    /// No money moved, and none can.
    Failed(Decline),
    /// A person has to decide, for this reason.
    Review(&'static str),
    /// Nothing new: recorded, no change.
    Unchanged,
    /// The gateway contradicts what was proven before.
    Contradicted,
}

/// Commits the effect to a send: from here on bytes may leave.
pub fn ticket(effect: &mut Effect, now: Timestamp) {
    assert!(
        matches!(effect.state, State::Intended | State::Unknown),
        "a ticket needs a sendable effect, not one that is {}",
        effect.state.name()
    );
    effect.state = State::Sending;
    effect.sends += 1;
    effect.first_sent_at.get_or_insert(now);
    effect.last_sent_at = Some(now);
}

/// Treats the send under way as lost: its lease ended, and nobody knows whether its bytes left.
pub fn recover(effect: &mut Effect, now: Timestamp) {
    assert!(effect.state == State::Sending, "only a sending effect is recovered, not a {} one", effect.state.name());
    lose(effect, Loss::Reset);
    effect.due_at = Some(now);
}

/// Applies what was learned. `dice` is a random number for jitter.
pub fn advance(effect: &mut Effect, stimulus: Stimulus, policy: &Policy, now: Timestamp, dice: u64) -> Advance {
    if effect.state.is_terminal() {
        return judge_afterwards(effect, &stimulus);
    }
    let mut machine = Machine { effect, policy, now, dice };
    match stimulus {
        Stimulus::Answered(fact) => machine.answered(fact),
        Stimulus::Read(fact) => machine.read(fact),
        Stimulus::Found(Some(sighting)) => machine.created(&sighting),
        Stimulus::Found(None) => machine.create_again(),
        // A search that cannot be completed is no reason to wait for ever: whatever the lost create made is inert.
        Stimulus::FindFailed(Fact::Lost(Loss::Unclear)) => machine.create_again(),
        Stimulus::FindFailed(fact) => machine.unlearned(&fact),
        Stimulus::Observed(sighting) => machine.observed(&sighting),
    }
}

/// A terminal effect never moves by a plain status; what contradicts it is reported.
fn judge_afterwards(effect: &Effect, stimulus: &Stimulus) -> Advance {
    let sighting = match stimulus {
        Stimulus::Answered(Fact::Seen(sighting))
        | Stimulus::Read(Fact::Seen(sighting))
        | Stimulus::Found(Some(sighting))
        | Stimulus::Observed(sighting) => sighting,
        _ => return Advance::Unchanged,
    };
    if effect.object_id.as_deref().is_some_and(|id| id != sighting.object_id) {
        return Advance::Unchanged;
    }
    match (effect.state, &sighting.status) {
        (State::Failed | State::Canceled | State::Review, ObjectStatus::Succeeded)
        | (State::Succeeded, ObjectStatus::Canceled) => Advance::Contradicted,
        _ => Advance::Unchanged,
    }
}

fn lose(effect: &mut Effect, loss: Loss) {
    effect.state = State::Unknown;
    effect.is_unresolved = true;
    match effect.step {
        Step::Create => effect.needs_find |= loss == Loss::ServerError,
        Step::Confirm => effect.lost_confirms += 1,
        Step::Cancel => {}
    }
}

fn retry_after(fact: &Fact) -> Option<u64> {
    match fact {
        Fact::Throttled { retry_after_ms } => *retry_after_ms,
        _ => None,
    }
}

struct Machine<'a> {
    effect: &'a mut Effect,
    policy: &'a Policy,
    now: Timestamp,
    dice: u64,
}

impl Machine<'_> {
    fn answered(&mut self, fact: Fact) -> Advance {
        assert!(
            self.effect.state == State::Sending,
            "an answer belongs to a send, not to {}",
            self.effect.state.name()
        );
        let sending = if self.effect.is_unresolved { Sending::Replay } else { Sending::First };
        let is_refusal = matches!(fact, Fact::Refused { .. } | Fact::Absent);
        match (self.effect.step, judge(fact, sending)) {
            (_, Verdict::Bug) => self.review("the gateway says its key was used with other parameters"),
            (_, Verdict::NotExecuted { retry_after_ms }) => {
                self.effect.state = State::Intended;
                self.wait(retry_after_ms)
            }
            (step, Verdict::NoInformation { retry_after_ms }) => {
                self.effect.state = State::Unknown;
                self.effect.needs_find |= step == Step::Create && is_refusal;
                self.wait(retry_after_ms)
            }
            (_, Verdict::InProgress) => self.lost(Loss::Unclear),
            (_, Verdict::Ambiguous(loss)) => self.lost(loss),
            (Step::Create, Verdict::Executed(sighting)) => self.created(&sighting),
            // Nothing was ever confirmed, so whatever the lost sends made is inert.
            (Step::Create, Verdict::Declined { decline, .. }) => self.fail(decline),
            (Step::Create, Verdict::Refused { code, .. }) => self.fail(refused(code)),
            (Step::Confirm | Step::Cancel, Verdict::Executed(sighting)) if !self.is_ours(&sighting) => {
                self.lost(Loss::Unreadable)
            }
            (Step::Confirm, Verdict::Executed(sighting)) => self.confirm_answered(&sighting),
            (Step::Confirm, Verdict::Declined { decline, sighting }) => {
                self.confirm_declined(decline, sighting.as_ref())
            }
            (Step::Confirm, Verdict::Refused { code, sighting }) => self.confirm_refused(code, sighting.as_ref()),
            (Step::Cancel, Verdict::Executed(sighting)) => self.cancel_answered(&sighting),
            // Refused because it already succeeded, or already is canceled: the object itself knows.
            (Step::Cancel, Verdict::Declined { .. } | Verdict::Refused { .. }) => {
                self.effect.state = State::Unknown;
                self.look_at_once()
            }
        }
    }

    fn read(&mut self, fact: Fact) -> Advance {
        match fact {
            Fact::Seen(sighting) if self.is_ours(&sighting) => match self.effect.step {
                Step::Create => self.created(&sighting),
                Step::Confirm => self.confirmed(&sighting),
                Step::Cancel => self.canceling(&sighting),
            },
            Fact::Seen(_) => self.unlearned(&Fact::Lost(Loss::Unreadable)),
            fact => self.unlearned(&fact),
        }
    }

    /// The object exists: its id is to be committed before anything is confirmed.
    fn created(&mut self, sighting: &Sighting) -> Advance {
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

    fn create_again(&mut self) -> Advance {
        self.next_generation();
        self.wait(None)
    }

    /// The answer to a confirm: an object that could be confirmed again is no answer to it, unless it was declined.
    fn confirm_answered(&mut self, sighting: &Sighting) -> Advance {
        let was_tried = self.effect.fence.as_ref().is_some_and(|fence| fence.is_passed_by(sighting));
        match sighting.status {
            ObjectStatus::RequiresConfirmation => self.puzzled(),
            ObjectStatus::RequiresPaymentMethod if !was_tried => self.puzzled(),
            _ => self.confirmed(sighting),
        }
    }

    /// The object after a confirm, or as a read of it shows.
    fn confirmed(&mut self, sighting: &Sighting) -> Advance {
        if let Some(review) = self.check_money(sighting) {
            return review;
        }
        match sighting.status {
            ObjectStatus::Succeeded if self.effect.fence.is_none() => {
                self.review("the object of a failed attempt turns out to have succeeded")
            }
            ObjectStatus::Succeeded => self.succeed(),
            ObjectStatus::Canceled if self.effect.fence.is_none() => self.replace_object(),
            ObjectStatus::Canceled => self.fail(canceled()),
            ObjectStatus::Processing | ObjectStatus::RequiresAction | ObjectStatus::RequiresCapture => {
                self.pend(sighting)
            }
            ObjectStatus::RequiresConfirmation => self.confirmable(sighting),
            ObjectStatus::RequiresPaymentMethod => self.attempt_over(sighting),
            ObjectStatus::Unrecognised(_) => self.puzzled(),
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
        if shows_another_state || !is_alone {
            self.effect.refusal = Some(code);
            self.effect.state = State::Unknown;
            return self.look_at_once();
        }
        self.fail(refused(code))
    }

    /// The answer to a cancel: an object that could still be canceled is no answer to it.
    fn cancel_answered(&mut self, sighting: &Sighting) -> Advance {
        if is_cancelable(sighting) { self.puzzled() } else { self.canceling(sighting) }
    }

    fn canceling(&mut self, sighting: &Sighting) -> Advance {
        match sighting.status {
            ObjectStatus::Canceled => match self.effect.after_cancel.take() {
                Some(AfterCancel::Fail(decline)) => self.fail(decline),
                Some(AfterCancel::Replace) | None => self.replace_object(),
            },
            ObjectStatus::Succeeded => match self.effect.after_cancel {
                Some(AfterCancel::Fail(_)) => match self.check_money(sighting) {
                    Some(review) => review,
                    None => self.succeed(),
                },
                Some(AfterCancel::Replace) | None => {
                    self.review("the object of a failed attempt turns out to have succeeded")
                }
            },
            // It cannot be canceled while money is on its way, and is read until that has come to an end.
            ObjectStatus::Processing => self.pend(sighting),
            ObjectStatus::RequiresPaymentMethod
            | ObjectStatus::RequiresConfirmation
            | ObjectStatus::RequiresAction
            | ObjectStatus::RequiresCapture => {
                self.next_generation();
                self.wait(None)
            }
            ObjectStatus::Unrecognised(_) => self.puzzled(),
        }
    }

    /// An event is a hint, except where the gateway's own rules make it final.
    fn observed(&mut self, sighting: &Sighting) -> Advance {
        if !self.is_ours(sighting) || self.effect.fence.is_none() {
            return Advance::Unchanged;
        }
        let is_replacing = self.effect.after_cancel == Some(AfterCancel::Replace);
        match sighting.status {
            ObjectStatus::Succeeded if !is_replacing => match self.check_money(sighting) {
                Some(review) => review,
                None => self.succeed(),
            },
            // Where a worker is at it already, waking another would only fence the first.
            _ if matches!(self.effect.state, State::Unknown | State::Pending) && self.effect.lease_owner == 0 => {
                self.effect.due_at = Some(self.now);
                Advance::Moved
            }
            _ => Advance::Unchanged,
        }
    }

    fn is_ours(&self, sighting: &Sighting) -> bool {
        self.effect.object_id.as_deref() == Some(sighting.object_id.as_str())
    }

    fn check_money(&mut self, sighting: &Sighting) -> Option<Advance> {
        if sighting.money != self.effect.money {
            return Some(self.review("the gateway's object is for another amount or currency"));
        }
        if sighting.status == ObjectStatus::Succeeded && sighting.received_amount != self.effect.money.amount {
            return Some(self.review("the gateway received another amount than was asked"));
        }
        None
    }

    fn begin(&mut self, step: Step) {
        self.effect.step = step;
        // Never back to a number that was used: a step may be entered twice, and each entry needs a key of its own.
        self.next_generation();
        self.effect.refusal = None;
        self.effect.tries = 0;
        self.effect.puzzles = 0;
        self.effect.due_at = Some(self.now);
    }

    fn next_generation(&mut self) {
        self.effect.generation += 1;
        self.restart();
    }

    fn restart(&mut self) {
        self.effect.state = State::Intended;
        self.effect.sends = 0;
        self.effect.is_unresolved = false;
        self.effect.needs_find = false;
        self.effect.first_sent_at = None;
    }

    /// The object is fenced and was not ours to use: make our own. Its key is new because the step's generation rises.
    fn replace_object(&mut self) -> Advance {
        self.effect.object_id = None;
        self.effect.fence = None;
        self.effect.names_method = false;
        self.begin(Step::Create);
        Advance::Moved
    }

    /// A failure is final only when no send of the attempt is unaccounted for; else the object is fenced first.
    fn abandon(&mut self, decline: Decline) -> Advance {
        if self.effect.lost_confirms == 0 {
            return self.fail(decline);
        }
        self.effect.after_cancel = Some(AfterCancel::Fail(decline));
        self.begin(Step::Cancel);
        Advance::Moved
    }

    fn lost(&mut self, loss: Loss) -> Advance {
        lose(self.effect, loss);
        self.look_at_once()
    }

    fn at_once(&mut self) -> Advance {
        self.effect.due_at = Some(self.now);
        Advance::Moved
    }

    /// The first look after a loss is cheap and usually enough, so it is not delayed.
    fn look_at_once(&mut self) -> Advance {
        if self.effect.tries == 0 {
            self.effect.tries = 1;
            return self.at_once();
        }
        self.wait(None)
    }

    /// A read that taught nothing. An outage, a limit or a bad credential is nobody's evidence and may last for ever.
    fn unlearned(&mut self, fact: &Fact) -> Advance {
        match fact {
            Fact::Unauthorised
            | Fact::Throttled { .. }
            | Fact::NotSent
            | Fact::Lost(Loss::Timeout | Loss::Reset | Loss::ServerError | Loss::Unavailable | Loss::Unclear) => {
                self.wait(retry_after(fact))
            }
            Fact::Seen(_)
            | Fact::Absent
            | Fact::Declined { .. }
            | Fact::Refused { .. }
            | Fact::InUse
            | Fact::KeyMismatch
            | Fact::Lost(Loss::Unreadable) => self.count_puzzle(),
        }
    }

    /// The gateway said something that cannot be the answer: the object is read, and nothing taken for granted.
    fn puzzled(&mut self) -> Advance {
        self.effect.state = State::Unknown;
        self.count_puzzle()
    }

    fn count_puzzle(&mut self) -> Advance {
        self.effect.puzzles = self.effect.puzzles.saturating_add(1);
        if self.effect.puzzles > self.policy.tries_max {
            return self.review("the gateway keeps answering what makes no sense");
        }
        self.wait(None)
    }

    fn wait(&mut self, retry_after_ms: Option<u64>) -> Advance {
        self.effect.tries = self.effect.tries.saturating_add(1);
        let backoff = self.policy.backoff_ms(self.effect.tries, self.dice);
        let wait = retry_after_ms.map_or(backoff, |wish| wish.min(self.policy.backoff_max_ms).max(backoff));
        self.effect.due_at = Some(self.now.plus_ms(wait));
        Advance::Moved
    }

    fn pend(&mut self, sighting: &Sighting) -> Advance {
        if self.effect.state != State::Pending {
            self.effect.state = State::Pending;
            self.effect.tries = 0;
        }
        self.effect.due_at = Some(self.now.plus_ms(self.policy.pending_ms(self.effect.tries)));
        self.effect.tries = self.effect.tries.saturating_add(1);
        Advance::Pending { status: sighting.status.clone(), next_action: sighting.next_action.clone() }
    }

    fn succeed(&mut self) -> Advance {
        self.end(State::Succeeded);
        Advance::Succeeded
    }

    fn fail(&mut self, decline: Decline) -> Advance {
        self.end(State::Failed);
        Advance::Failed(decline)
    }

    fn review(&mut self, reason: &'static str) -> Advance {
        self.end(State::Review);
        Advance::Review(reason)
    }

    fn end(&mut self, state: State) {
        self.effect.state = state;
        self.effect.due_at = None;
        self.effect.lease_owner = 0;
    }
}

fn is_confirmable(sighting: &Sighting) -> bool {
    matches!(sighting.status, ObjectStatus::RequiresConfirmation | ObjectStatus::RequiresPaymentMethod)
}

fn is_cancelable(sighting: &Sighting) -> bool {
    is_confirmable(sighting) || matches!(sighting.status, ObjectStatus::RequiresAction | ObjectStatus::RequiresCapture)
}

fn refused(code: String) -> Decline {
    Decline { code, is_retryable: false }
}

fn canceled() -> Decline {
    Decline { code: "payment_intent_canceled".into(), is_retryable: true }
}

fn unexplained() -> Decline {
    Decline { code: "payment_failed".into(), is_retryable: true }
}
