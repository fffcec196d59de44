//! What a worker that holds the lease does next.

use super::{Effect, Policy, State, Step};
use crate::time::Timestamp;

/// The next thing to do about an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Commit a ticket and send this step.
    Send(Step),
    /// Read the object by its id.
    Read,
    /// Look for an object that a lost create may have made.
    Find,
    /// A lease was lost while sending: treat the send as lost, first.
    Recover,
    /// Nothing.
    Rest,
}

/// Says what to do about an effect now.
#[must_use]
pub fn next_move(effect: &Effect, policy: &Policy, now: Timestamp) -> Move {
    match (effect.state, effect.step) {
        (State::Intended, Step::Create) => Move::Send(Step::Create),
        // A confirm is sent only against a known look of the object, or its decline could not be told from an older one.
        (State::Intended, Step::Confirm) if effect.fence.is_none() => Move::Read,
        (State::Intended, Step::Confirm) => Move::Send(Step::Confirm),
        (State::Intended, Step::Cancel) => Move::Send(Step::Cancel),
        (State::Sending, _) => Move::Recover,
        (State::Unknown, Step::Create) if effect.needs_find || is_key_forgotten(effect, policy, now) => Move::Find,
        (State::Unknown, Step::Create) => Move::Send(Step::Create),
        (State::Unknown, Step::Confirm | Step::Cancel) | (State::Pending, _) => Move::Read,
        (State::Succeeded | State::Failed | State::Canceled | State::Review, _) => Move::Rest,
    }
}

/// Whether the gateway may have forgotten the key of this generation, so that a replay could run afresh.
fn is_key_forgotten(effect: &Effect, policy: &Policy, now: Timestamp) -> bool {
    effect.first_sent_at.is_some_and(|first| now.ms_since(first) >= policy.key_window_ms)
}
