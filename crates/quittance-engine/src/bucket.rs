//! Token buckets: how many requests may leave in a second. A pure machine over the time it is told.
//!
//! Counted in millionths of a request, so that a rate in requests per second refills a whole number each microsecond and
//! nothing is rounded. Does not own who may take a token first.

use quittance_core::time::Timestamp;

/// One request, in what a bucket counts.
const REQUEST: i64 = 1_000_000;

/// A token bucket. Full, it holds a tenth of a second's requests, and at least two where the rate allows it; it refills
/// with what is left of the rate, so that in no second more leave than the rate says.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Requests it holds when full.
    capacity: i64,
    /// Requests it regains in a second.
    refill: i64,
    /// What it held `at` that time, in millionths; below zero after requests that did not ask first.
    level: i64,
    at: Timestamp,
}

impl Bucket {
    /// A full bucket for a rate of at least 1 request per second.
    #[must_use]
    pub fn new(per_second: u32, now: Timestamp) -> Self {
        let rate = i64::from(per_second.max(1));
        let capacity = (rate / 10).max(2).min(rate);
        // In the second after it was full it gives what it held and, just before the end, all but one of what it regains.
        Self { capacity, refill: rate - capacity + 1, level: capacity * REQUEST, at: now }
    }

    /// How many requests may leave now.
    #[must_use]
    pub fn left(&mut self, now: Timestamp) -> usize {
        self.settle(now);
        usize::try_from(self.level / REQUEST).unwrap_or(0)
    }

    /// Takes a token for a request that leaves now, whether there is one or not: one that is missing is waited for by
    /// whoever asks next.
    pub fn take(&mut self, now: Timestamp) {
        self.settle(now);
        self.level = self.level.saturating_sub(REQUEST);
    }

    /// Empties it: the gateway said that it had enough.
    pub fn drain(&mut self, now: Timestamp) {
        self.settle(now);
        self.level = self.level.min(0);
    }

    fn settle(&mut self, now: Timestamp) {
        // A clock that was set back refills nothing, and counts from there.
        let elapsed_us = now.0.saturating_sub(self.at.0).max(0);
        self.level = self.level.saturating_add(elapsed_us.saturating_mul(self.refill)).min(self.capacity * REQUEST);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(us: i64) -> Timestamp {
        Timestamp(us)
    }

    /// Requests that leave of a flood that asks every `step_us`, for `span_us`, at these times.
    fn flood(rate: u32, step_us: i64, span_us: i64) -> Vec<i64> {
        let mut bucket = Bucket::new(rate, at(0));
        let mut left = Vec::new();
        for now in (0..span_us).step_by(usize::try_from(step_us).expect("positive")) {
            while bucket.left(at(now)) > 0 {
                bucket.take(at(now));
                left.push(now);
            }
        }
        left
    }

    fn most_in_a_second(times: &[i64]) -> usize {
        let within = |from: &i64| times.iter().filter(|time| (*from..from + 1_000_000).contains(*time)).count();
        times.iter().map(within).max().unwrap_or(0)
    }

    #[test]
    fn a_flood_leaves_at_the_rate_and_never_faster() {
        for (rate, step_us, in_ten_seconds) in [
            (1, 1_000, 10),
            (2, 1_000, 11),
            (25, 1_000, 241),
            (25, 50_000, 240),
            (100, 50_000, 915),
            (1_000, 5_000, 9_105),
        ] {
            let times = flood(rate, step_us, 10_000_000);
            assert_eq!(times.len(), in_ten_seconds, "{rate} per second, asked for every {step_us} µs");
            assert!(most_in_a_second(&times) <= rate as usize, "{rate}: {}", most_in_a_second(&times));
        }
    }

    #[test]
    fn a_debt_is_waited_for() {
        let mut bucket = Bucket::new(25, at(0));
        (0..10).for_each(|_| bucket.take(at(0)));
        // Eight more than it held, at 24 in a second.
        assert_eq!([333_333, 375_000, 416_667].map(|us| bucket.left(at(us))), [0, 1, 2]);
    }

    #[test]
    fn a_gateway_that_has_enough_empties_it() {
        let mut bucket = Bucket::new(100, at(0));
        bucket.drain(at(0));
        assert_eq!((bucket.left(at(0)), bucket.left(at(1_000_000))), (0, 10));
        (0..30).for_each(|_| bucket.take(at(1_000_000)));
        bucket.drain(at(1_000_000));
        assert_eq!([1_200_000, 1_300_000].map(|us| bucket.left(at(us))), [0, 7], "and forgives no debt");
    }

    #[test]
    fn a_clock_that_was_set_back_stops_nothing() {
        let mut bucket = Bucket::new(2, at(3_600_000_000));
        (0..2).for_each(|_| bucket.take(at(3_600_000_000)));
        assert_eq!([0, 999_999, 1_000_000, 9_000_000].map(|us| bucket.left(at(us))), [0, 0, 1, 2]);
    }

    proptest! {
        #[test]
        fn no_second_sees_more_than_the_rate(rate in 1_u32..300, gaps in prop::collection::vec(0_i64..80_000, 1..400)) {
            let mut bucket = Bucket::new(rate, at(0));
            let (mut now, mut times) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                if bucket.left(at(now)) > 0 {
                    bucket.take(at(now));
                    times.push(now);
                }
            }
            prop_assert!(most_in_a_second(&times) <= rate as usize);
        }
    }
}
