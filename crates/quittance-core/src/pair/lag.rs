//! Lag: how far the times of last modification of matched records are apart.

use crate::time::Timestamp;

/// Upper ends of the buckets of a distribution, in seconds; what is more is in the last one.
pub const BUCKETS_S: [u64; 8] = [1, 60, 600, 3_600, 21_600, 86_400, 604_800, 2_592_000];

/// How far one side is behind the other, over all matched records of which both sides tell a time.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Lag {
    /// Records modified later on the right: the left is older, as it is when it is fed from the right and behind.
    pub left_older: Spread,
    /// Records modified later on the left.
    pub right_older: Spread,
    /// Records with one and the same time.
    pub same: u64,
    /// Matched records of which a side tells no time.
    pub unknown: u64,
}

/// A distribution.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Spread {
    /// Records by the end of their bucket in [`BUCKETS_S`], and those beyond.
    pub buckets: [u64; BUCKETS_S.len() + 1],
    /// The most, in microseconds.
    pub max_us: u64,
}

impl Spread {
    /// Records in it.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    fn add(&mut self, distance_us: u64) {
        let seconds = distance_us.div_ceil(1_000_000);
        let at = BUCKETS_S.iter().position(|end| seconds <= *end).unwrap_or(BUCKETS_S.len());
        self.buckets[at] += 1;
        self.max_us = self.max_us.max(distance_us);
    }
}

impl Lag {
    /// Adds a matched record.
    pub fn add(&mut self, left: Option<Timestamp>, right: Option<Timestamp>) {
        let (Some(left), Some(right)) = (left, right) else {
            self.unknown += 1;
            return;
        };
        match left.0.cmp(&right.0) {
            std::cmp::Ordering::Equal => self.same += 1,
            std::cmp::Ordering::Less => self.left_older.add(left.0.abs_diff(right.0)),
            std::cmp::Ordering::Greater => self.right_older.add(left.0.abs_diff(right.0)),
        }
    }
}
