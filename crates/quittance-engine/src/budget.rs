//! The retry budget of a gateway: how much of what is sent may be sent again. A pure machine over the time it is told.
//!
//! First sends are as many as there is work; retries are at most a share of what succeeds, so that a gateway in trouble
//! is not sent its own failures many times over. Nothing else in the process retries a request. Reading back is no retry.

use quittance_core::time::Timestamp;

/// Limits of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Retries for a hundred successes.
    pub percent: u32,
    /// Retries in a second that are always allowed, at least 1: with none, nothing would ever succeed again.
    pub per_second_min: u32,
}

impl Default for Limits {
    /// A tenth of the successes, and ten in a second.
    fn default() -> Self {
        Self { percent: 10, per_second_min: 10 }
    }
}

/// One retry, in what the budget counts: millionths, as in a token bucket.
const RETRY: i64 = 1_000_000;

/// Seconds of the minimum that are saved up at most.
const SAVED_SECONDS: i64 = 10;

/// A retry budget.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    limits: Limits,
    level: i64,
    at: Timestamp,
}

impl RetryBudget {
    /// A full budget.
    #[must_use]
    pub fn new(limits: Limits, now: Timestamp) -> Self {
        let limits = Limits { per_second_min: limits.per_second_min.max(1), ..limits };
        Self { level: saved_max(limits), limits, at: now }
    }

    /// How many retries may be sent now.
    #[must_use]
    pub fn left(&mut self, now: Timestamp) -> usize {
        self.settle(now);
        usize::try_from(self.level / RETRY).unwrap_or(0)
    }

    /// A retry is sent.
    pub fn take(&mut self, now: Timestamp) {
        self.settle(now);
        self.level = self.level.saturating_sub(RETRY);
    }

    /// A send was answered with sense: yes or no.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.settle(now);
        self.earn(i64::from(self.limits.percent) * (RETRY / 100));
    }

    /// A send was not looked at, or never left: that it is sent again costs nothing, whatever was saved up.
    pub fn forgive(&mut self, now: Timestamp) {
        self.settle(now);
        self.level = self.level.saturating_add(RETRY);
    }

    fn settle(&mut self, now: Timestamp) {
        let elapsed_us = now.0.saturating_sub(self.at.0).max(0);
        self.earn(elapsed_us.saturating_mul(i64::from(self.limits.per_second_min)));
        self.at = now;
    }

    /// Adds as much as may be saved up; what was forgiven comes on top.
    fn earn(&mut self, earned: i64) {
        self.level = self.level.max(self.level.saturating_add(earned).min(saved_max(self.limits)));
    }
}

fn saved_max(limits: Limits) -> i64 {
    SAVED_SECONDS * i64::from(limits.per_second_min) * RETRY
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::default().plus_ms(ms)
    }

    /// An empty budget.
    fn spent(percent: u32, per_second_min: u32) -> RetryBudget {
        let mut budget = RetryBudget::new(Limits { percent, per_second_min }, at(0));
        while budget.left(at(0)) > 0 {
            budget.take(at(0));
        }
        budget
    }

    #[test]
    fn retries_are_a_share_of_successes() {
        for (percent, successes, expected) in
            [(10, 9, 0), (10, 10, 1), (10, 57, 5), (100, 3, 3), (0, 1_000, 0), (250, 2, 5)]
        {
            let mut budget = spent(percent, 1);
            (0..successes).for_each(|_| budget.succeeded(at(0)));
            assert_eq!(budget.left(at(0)), expected, "{percent} % of {successes}");
        }
    }

    #[test]
    fn some_are_always_allowed_and_few_are_saved_up() {
        let mut budget = spent(10, 3);
        assert_eq!([333, 334, 1_000, 9_999, 3_600_000].map(|ms| budget.left(at(ms))), [0, 1, 3, 29, 30]);
        let mut rich = RetryBudget::new(Limits { percent: 10, per_second_min: 3 }, at(0));
        (0..10_000).for_each(|_| rich.succeeded(at(0)));
        assert_eq!(rich.left(at(0)), 30);
        assert_eq!(spent(10, 0).left(at(1_000)), 1, "none would be a deadlock");
    }

    #[test]
    fn what_was_not_looked_at_burns_nothing() {
        let mut budget = RetryBudget::new(Limits::default(), at(0));
        let full = budget.left(at(0));
        (0..500).for_each(|_| budget.forgive(at(0)));
        assert_eq!(budget.left(at(0)), full + 500);
        budget.succeeded(at(5_000));
        assert_eq!(budget.left(at(60_000)), full + 500, "and is not lost while it waits");
        (0..500).for_each(|_| budget.take(at(60_000)));
        assert_eq!(budget.left(at(60_000)), full);
    }
}
