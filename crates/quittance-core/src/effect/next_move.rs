//! What a worker that holds the lease does next.

use super::{Class, Effect, Policy, State, Step};
use crate::mutation::{self, Mutation};
use crate::time::Timestamp;

/// The next thing to do about an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Commit a ticket and send this step.
    Send(Step),
    /// Open the next generation, then commit a ticket and send this step: nothing of the last one was carried out.
    SendAfresh(Step),
    /// Read the object by its id.
    Read,
    /// Look for an object that a lost request may have made.
    Find,
    /// A lease was lost while sending: treat the send as lost, first.
    Recover,
    /// Nothing that the gateway offers can tell: a person has to.
    AskPerson,
    /// Nothing.
    Rest,
}

/// Says what to do about an effect now.
#[must_use]
pub fn next_move(effect: &Effect, policy: &Policy, now: Timestamp) -> Move {
    match (effect.state, effect.step) {
        // A confirm is sent only against a known look of the object, or its decline could not be told from an older one.
        (State::Intended, Step::Confirm) if effect.fence.is_none() => Move::Read,
        // As is evidence, or whether it arrived could not be told.
        (State::Intended, Step::Submit) if effect.submissions_before.is_none() => Move::Read,
        (State::Intended, Step::Create | Step::Execute) if may_have_been_sent(effect, policy, now) => Move::Find,
        (State::Intended, step) => Move::Send(step),
        (State::NotExecuted, step) => Move::SendAfresh(step),
        (State::Sending, _) => Move::Recover,
        (State::Unknown, Step::Create) if effect.needs_find || is_key_forgotten(effect, policy, now) => Move::Find,
        (State::Unknown, Step::Create) => Move::Send(Step::Create),
        (State::Unknown, Step::Execute) => resolve_execution(effect, policy, now),
        (State::Unknown, Step::Confirm | Step::Cancel | Step::Capture | Step::Submit) | (State::Pending, _) => {
            read_if_known(effect)
        }
        (State::Succeeded | State::Failed | State::Canceled | State::Review, _) => Move::Rest,
    }
}

/// A request that did it all, or did not: what its gateway offers decides what may be done about it.
fn resolve_execution(effect: &Effect, policy: &Policy, now: Timestamp) -> Move {
    let may_replay = !effect.needs_find && !is_key_forgotten(effect, policy, now);
    match effect.class {
        _ if effect.object_id.is_some() => Move::Read,
        Class::B if mutation::is(Mutation::BlindResend) => Move::Send(Step::Execute),
        Class::P | Class::A if may_replay => Move::Send(Step::Execute),
        Class::P | Class::A | Class::B => Move::Find,
        // Where an error is stored under the key, the same answer again would teach nothing.
        Class::C if may_replay => Move::Send(Step::Execute),
        Class::C | Class::D => Move::AskPerson,
    }
}

/// What is known by its id can be read, whatever else the gateway offers for finding out.
const fn read_if_known(effect: &Effect) -> Move {
    if effect.object_id.is_some() { Move::Read } else { Move::AskPerson }
}

/// Whether an effect of which we know no send may have been sent all the same, under a key that its gateway may have
/// forgotten: by whoever went on after the backup that we were restored from was taken. Whether we were is not known, only
/// that nobody was here for a while. Where nothing can be looked for, the loss of what followed the backup has to be
/// repaired by a person.
fn may_have_been_sent(effect: &Effect, policy: &Policy, now: Timestamp) -> bool {
    let can_look = matches!(effect.class, Class::P | Class::A | Class::B);
    let is_first = effect.sends == 0 && effect.generation == 0;
    let window_ms = policy.capability(effect.subject).key_window_ms();
    can_look && is_first && effect.doubted_at.is_some() && now.ms_since(effect.created_at) >= window_ms
}

/// Whether the gateway may have forgotten the key of this generation, so that a replay could run afresh.
fn is_key_forgotten(effect: &Effect, policy: &Policy, now: Timestamp) -> bool {
    let window_ms = policy.capability(effect.subject).key_window_ms();
    if mutation::is(Mutation::KeyRemembered) {
        return false;
    }
    effect.first_sent_at.is_some_and(|first| now.ms_since(first) >= window_ms)
}
