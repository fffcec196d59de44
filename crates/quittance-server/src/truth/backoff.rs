//! Leaving a system alone that fails, for a little while. Time is passed in.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row that are taken for bad luck.
const LUCK: u32 = 2;
/// How long it is left alone at first; twice as long after each further failure.
const FIRST: Duration = Duration::from_millis(250);
/// How long at most.
const LONGEST: Duration = Duration::from_secs(15);

/// How a system did last.
#[derive(Debug, Default)]
pub(super) struct Backoff(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    until: Option<Instant>,
    /// Whether somebody is trying whether it is well again.
    is_tried: bool,
}

impl Backoff {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it may be asked now. Once it has failed too often, one question at a time finds out whether it is well.
    pub(super) fn may_ask(&self, now: Instant) -> bool {
        self.with(|state| {
            let is_over = state.until.is_none_or(|until| now >= until);
            let may = state.failures <= LUCK || is_over && !state.is_tried;
            state.is_tried |= may && state.failures > LUCK;
            may
        })
    }

    /// It answered.
    pub(super) fn is_well(&self) {
        self.with(|state| *state = State::default());
    }

    /// It did not.
    pub(super) fn failed(&self, now: Instant) {
        self.with(|state| {
            state.failures = state.failures.saturating_add(1);
            state.is_tried = false;
            let doubled = state.failures.saturating_sub(LUCK + 1).min(16);
            state.until = (state.failures > LUCK).then(|| now + FIRST.saturating_mul(1 << doubled).min(LONGEST));
        });
    }

    /// A question that was allowed was not asked after all.
    pub(super) fn not_asked(&self) {
        self.with(|state| state.is_tried = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_and_again_is_left_alone_for_longer_and_longer() {
        let (backoff, start) = (Backoff::default(), crate::clock::monotonic());
        let at = |ms| start + Duration::from_millis(ms);
        for _ in 0..3 {
            assert!(backoff.may_ask(start));
            backoff.failed(start);
        }
        assert!(!backoff.may_ask(at(249)));
        assert!(backoff.may_ask(at(250)), "one finds out");
        assert!(!backoff.may_ask(at(250)), "and nobody beside it");
        backoff.failed(at(250));
        assert!(!backoff.may_ask(at(749)) && backoff.may_ask(at(750)));
        backoff.not_asked();
        assert!(backoff.may_ask(at(750)));
        for _ in 0..40 {
            backoff.failed(at(750));
        }
        assert!(!backoff.may_ask(at(15_749)) && backoff.may_ask(at(15_750)));
        backoff.is_well();
        assert!(backoff.may_ask(at(15_750)) && backoff.may_ask(at(15_750)));
    }
}
