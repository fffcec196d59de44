//! Moves an effect: each state and step against each thing that can be learned.
//!
//! What is common to all steps is in `machine`, waiting for others and the ends in `ends`; `two_phase` makes and confirms an
//! inert object, `known_object` cancels or captures one, `one_request` is for gateways that do it all at once, `evidence`
//! for the answer to a dispute, `orphans` for what somebody may have done whose records were lost.

mod ends;
mod evidence;
mod known_object;
mod machine;
mod one_request;
mod orphans;
mod two_phase;

use super::{Class, Effect, Policy, State, Step, Subject};
use crate::brake::Limit;
use crate::dispute::DisputeSighting;
use crate::fact::{Decline, Fact, Loss, ObjectKind, ObjectStatus, Returned, Sighting};
use crate::mutation::{self, Mutation};
use crate::time::Timestamp;
use machine::Machine;
pub use orphans::{Orphan, Orphans, is_before_charge};

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
    /// A client asked for it.
    Client,
    /// A look at the gateway that nobody asked for: a sweep.
    Sweep,
    /// A brake that held it back before anything was sent.
    Brake(Limit),
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
            Self::Client => "client",
            Self::Sweep => "sweep",
            Self::Brake(_) => "brake",
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
    /// A verified event, or a look at the gateway that nobody asked for, showed the object.
    Observed(Sighting),
    /// The same, for the dispute that is being answered.
    ObservedDispute(Box<DisputeSighting>),
    /// Nothing that the gateway offers can tell what became of it.
    OutOfMeans,
    /// Its money was withdrawn before anything of it was carried out: it is not begun any more.
    TooLittleLeft,
    /// Nothing of it was sent, and the gateway has what a lost record of this very payment may have made.
    Orphaned(Orphans),
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
    /// Money moved: so much, in minor units.
    Succeeded {
        /// How much: less than was authorised after a partial capture.
        amount: i64,
    },
    /// No money moved, and none can.
    Failed(Decline),
    /// Given up: no money moved, and none can.
    Canceled,
    /// The step that a client asked for was refused, with this code; the effect is back where it was.
    StepRefused {
        /// The gateway's code.
        code: String,
    },
    /// A person has to decide, for this reason.
    Review(&'static str),
    /// Nothing new: recorded, no change.
    Unchanged,
    /// The gateway contradicts what was proven before.
    Contradicted,
    /// What had moved went back: to be booked by itself, while what was proven stands.
    Returned(Returned),
    /// A refund that counted as failed gave the money back after all: to be booked by itself.
    Paid,
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
    if mutation::is(Mutation::LostLeaseUnsent) {
        effect.state = State::Intended;
        effect.due_at = Some(now);
        return;
    }
    lose(effect, Loss::Reset);
    // Its answer may have come and gone with whoever held the lease; the worst it can have said counts.
    effect.had_server_error = true;
    effect.due_at = Some(now);
}

/// Opens the next generation of an effect that was proven not to be carried out: what is sent next has a new key.
pub fn renew(effect: &mut Effect) {
    assert!(effect.state == State::NotExecuted, "only what was not executed is renewed, not {}", effect.state.name());
    machine::next_generation(effect);
    effect.had_server_error = false;
}

/// Applies what was learned. `dice` is a random number for jitter.
pub fn advance(effect: &mut Effect, stimulus: Stimulus, policy: &Policy, now: Timestamp, dice: u64) -> Advance {
    if effect.state.is_terminal() && !mutation::is(Mutation::HoldClosedTwice) {
        return judge_afterwards(effect, &stimulus);
    }
    let mut machine = Machine { effect, policy, now, dice };
    let outcome = match stimulus {
        Stimulus::Answered(fact) => machine.answered(fact),
        Stimulus::Read(fact) => machine.read(fact),
        Stimulus::Found(Some(sighting)) => machine.found(&sighting),
        Stimulus::Found(None) => machine.found_nothing(),
        Stimulus::FindFailed(fact) => machine.find_failed(&fact),
        Stimulus::Observed(sighting) => machine.observed(&sighting),
        Stimulus::ObservedDispute(dispute) => machine.observed_dispute(&dispute),
        Stimulus::OutOfMeans => machine.review("nothing that the gateway offers can tell what became of it"),
        Stimulus::TooLittleLeft => machine.give_up_uncovered(),
        Stimulus::Orphaned(orphans) => machine.orphaned(orphans),
    };
    machine.give_up_if_wanted().unwrap_or(outcome)
}

/// Gives up an effect that waits for somebody, as far as that can be done now; else as soon as nothing is under way.
/// Says whether it has come to its end, since nothing was ever sent.
pub fn give_up(effect: &mut Effect, policy: &Policy, now: Timestamp) -> bool {
    effect.wants_cancel = true;
    let mut machine = Machine { effect, policy, now, dice: 0 };
    machine.give_up_if_wanted() == Some(Advance::Canceled)
}

/// Begins to take what is authorised.
pub fn capture(effect: &mut Effect, amount: i64, policy: &Policy, now: Timestamp) {
    assert!(effect.state == State::Pending, "only what is authorised is captured, not {}", effect.state.name());
    effect.capture_amount = Some(amount);
    let expiry = effect.expiry;
    Machine { effect, policy, now, dice: 0 }.begin(Step::Capture);
    effect.expiry = expiry;
}

/// Gives up what nobody acted on in time. Says whether it did.
pub fn expire(effect: &mut Effect, policy: &Policy, now: Timestamp) -> bool {
    let is_over = effect.state == State::Pending && effect.expiry.is_some_and(|expiry| expiry.at <= now);
    if is_over && effect.step != Step::Cancel {
        Machine { effect, policy, now, dice: 0 }.expire();
    }
    is_over
}

/// The sighting that a stimulus brings, if it does.
#[must_use]
pub fn sighting_of(stimulus: &Stimulus) -> Option<&Sighting> {
    match stimulus {
        Stimulus::Answered(Fact::Seen(sighting))
        | Stimulus::Read(Fact::Seen(sighting))
        | Stimulus::Found(Some(sighting))
        | Stimulus::Observed(sighting) => Some(sighting),
        _ => None,
    }
}

/// A terminal effect never moves by a plain status; what contradicts it is reported, what went back, or was given back after
/// all, is booked by itself.
pub fn judge_afterwards(effect: &mut Effect, stimulus: &Stimulus) -> Advance {
    let Some(sighting) = sighting_of(stimulus) else { return Advance::Unchanged };
    if !is_about(effect, sighting) {
        return Advance::Unchanged;
    }
    note_received(effect, sighting);
    if (effect.state == State::Succeeded || effect.is_paid)
        && let Some(returned) = newly_returned(effect, sighting)
    {
        effect.returned = Some(returned.movement.clone());
        return Advance::Returned(returned);
    }
    if effect.is_paid {
        return Advance::Unchanged;
    }
    if is_paid_after_all(effect, stimulus, sighting) {
        effect.object_id.get_or_insert_with(|| sighting.object_id.clone());
        effect.is_paid = true;
        return Advance::Paid;
    }
    match (effect.state, &sighting.status) {
        (State::Failed | State::Canceled | State::Review, ObjectStatus::Succeeded) => Advance::Contradicted,
        (State::Succeeded, ObjectStatus::Canceled) if effect.class == Class::P => Advance::Contradicted,
        _ => Advance::Unchanged,
    }
}

/// Whether a sighting shows the effect's object, or the charge behind it.
fn is_about(effect: &Effect, sighting: &Sighting) -> bool {
    let Some(object) = effect.object_id.as_deref() else { return true };
    let is_charge_of_it = sighting.kind == ObjectKind::Charge && sighting.parent.as_deref() == Some(object);
    sighting.object_id == object || is_charge_of_it
}

/// Whether a refund that had failed shows that it gave the money back: all of it, by an object that is its own. The answer to
/// a send shows what its object was when the send was carried out, which may have been before it failed.
fn is_paid_after_all(effect: &Effect, stimulus: &Stimulus, sighting: &Sighting) -> bool {
    let is_known = effect.object_id.as_deref() == Some(sighting.object_id.as_str());
    let is_ours = is_known || effect.object_id.is_none() && sighting.effect_id == Some(effect.id);
    matches!(effect.subject, Subject::Refund(_))
        && matches!(effect.state, State::Failed | State::Canceled)
        && !matches!(stimulus, Stimulus::Answered(_))
        && (is_ours && sighting.kind == ObjectKind::Refund)
        && (sighting.status == ObjectStatus::Succeeded && sighting.returned.is_none())
        && (sighting.money == effect.money && sighting.received_amount == effect.money.amount)
}

/// Keeps how much the object itself says has come: a person who decides is held to it.
fn note_received(effect: &mut Effect, sighting: &Sighting) {
    let is_in_its_money = sighting.money.currency == effect.money.currency;
    if sighting.kind == effect.object_kind() && sighting.status == ObjectStatus::Succeeded && is_in_its_money {
        effect.received_amount = Some(sighting.received_amount);
    }
}

/// What a sighting says went back, if that is news. Where the gateway names no movement, the object stands for it: the
/// next look may name one, so that whatever is said of it after the first time is the same return.
fn newly_returned(effect: &Effect, sighting: &Sighting) -> Option<Returned> {
    if effect.returned.is_some() {
        return None;
    }
    let is_undone = sighting.kind == effect.object_kind()
        && effect.class != Class::P
        && matches!(sighting.status, ObjectStatus::Failed | ObjectStatus::Canceled);
    // Only what was taken can go back, which may be a part of what was authorised.
    let amount = effect.capture_amount.unwrap_or(effect.money.amount);
    let whole = || Returned { movement: sighting.object_id.clone(), amount };
    sighting.returned.clone().or_else(|| is_undone.then(whole))
}

fn lose(effect: &mut Effect, loss: Loss) {
    effect.state = State::Unknown;
    effect.is_unresolved = true;
    effect.had_server_error |= loss == Loss::ServerError;
    match effect.step {
        Step::Create | Step::Execute => effect.needs_find |= loss == Loss::ServerError,
        Step::Confirm | Step::Capture => effect.lost_confirms += 1,
        Step::Cancel | Step::Submit => {}
    }
}
