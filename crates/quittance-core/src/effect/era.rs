//! Eras of the clock: what the times of an effect are worth after the clock was set, or nobody watched it.
//!
//! Within an era, times may be subtracted. Across eras they may not, and every doubt is decided for the safe side: what
//! was sent counts as sent when the era began, and where the clock may have been set back, every key counts as
//! forgotten. Does not own how an era is noticed to end.

use super::{Effect, State, Step};
use crate::mutation::{self, Mutation};
use crate::time::Timestamp;

/// A span in which the wall clock advanced as time did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era {
    /// Rises with each. 0 is none: whoever is in it begins nothing and doubts nothing.
    pub number: u32,
    /// When it began, by the clock as it is in it. Whatever another era sent, it sent before that.
    pub began_at: Timestamp,
    /// The oldest era since which the clock was not set back: of what was sent before, nobody knows how long ago it was.
    pub dated_since: u32,
    /// By how much the clock was set ahead and not back again, in milliseconds: whoever else's clock is right may be so far
    /// behind it.
    pub ahead_ms: u64,
}

/// Brings an effect of an earlier era into this one.
pub fn enter(effect: &mut Effect, era: &Era) {
    let is_ignored = era.number == 0 || mutation::is(Mutation::ErasIgnored);
    if is_ignored || effect.era == era.number || effect.state.is_terminal() {
        return;
    }
    let is_dated = effect.era >= era.dated_since;
    effect.era = era.number;
    effect.doubted_at = Some(era.began_at);
    // A search that began in another era, or that found nothing then, was early.
    effect.absent_at = None;
    effect.searched_at = effect.searched_at.map(|at| at.min(era.began_at));
    effect.last_sent_at = effect.last_sent_at.map(|at| at.min(era.began_at));
    if !is_dated {
        forget_key(effect);
    }
}

/// How long to wait by a clock, in milliseconds, so that so many have passed in truth: a clock may be set ahead by a minute, or a
/// minute in each hour up to half an hour, and nobody notices (`TOLERANCE_MS` of `engine/clocks.rs`). To a wait that is
/// shorter than ten minutes a tenth is added: whoever configures that trusts the clock.
#[must_use]
pub fn safe_wait_ms(wait_ms: u64) -> u64 {
    const MINUTE_MS: u64 = 60_000;
    let unseen_ms = (wait_ms / 60).clamp(MINUTE_MS, 30 * MINUTE_MS).min(wait_ms / 10);
    wait_ms.saturating_add(unseen_ms)
}

/// Nobody knows when this generation was first sent. Of what is known not to have been carried out the gateway
/// remembers no key, so that its window begins with the next send.
fn forget_key(effect: &mut Effect) {
    let makes_object = matches!(effect.step, Step::Create | Step::Execute);
    let may_be_out = matches!(effect.state, State::Sending | State::Unknown);
    effect.needs_find |= makes_object && may_be_out;
    effect.first_sent_at = None;
}

#[cfg(test)]
mod tests {
    use super::safe_wait_ms;

    #[test]
    fn a_wait_allows_for_what_a_clock_may_do_unseen() {
        const MINUTE_MS: u64 = 60_000;
        for (wait_ms, expected) in [
            (0, 0),
            (6_000, 600),
            (10 * MINUTE_MS, MINUTE_MS),
            (60 * MINUTE_MS, MINUTE_MS),
            (24 * 60 * MINUTE_MS, 24 * MINUTE_MS),
            (100 * 60 * MINUTE_MS, 30 * MINUTE_MS),
        ] {
            assert_eq!(safe_wait_ms(wait_ms), wait_ms + expected, "{wait_ms} ms");
        }
    }
}
