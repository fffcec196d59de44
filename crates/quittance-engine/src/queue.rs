//! The bounded queue before the engines of a process: full, or too old, it refuses before anything is stored.

use quittance_core::time::Timestamp;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Limits of the queue.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries at most.
    pub entries_max: usize,
    /// Age of the oldest entry at which new ones are refused.
    pub age_max_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries_max: 10_000, age_max_ms: 2_000 }
    }
}

/// Why an entry was not taken. The entry comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many wait, or the oldest has waited too long.
    Overloaded,
    /// Nobody takes entries any more.
    Closed,
}

/// Whether an entry may be refused for load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// New work: refused under load.
    Front,
    /// What was learned about work already begun, and brakes: always taken, for losing a lesson would cost a read-back.
    Inner,
}

struct Inner<T> {
    entries: VecDeque<(Timestamp, T)>,
    is_closed: bool,
}

/// A queue of many senders and few takers.
pub struct Queue<T> {
    inner: Mutex<Inner<T>>,
    wakes: Condvar,
    limits: Limits,
}

impl<T> Queue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { inner: Mutex::new(Inner { entries: VecDeque::new(), is_closed: false }), wakes: Condvar::new(), limits }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        // No code that can panic runs under the lock, so its contents are sound whatever happened to a holder.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with the entry.
    pub fn push(&self, lane: Lane, entry: T, now: Timestamp) -> Result<(), (Refusal, T)> {
        let mut inner = self.lock();
        if inner.is_closed {
            return Err((Refusal::Closed, entry));
        }
        let is_old = inner.entries.front().is_some_and(|(since, _)| now.ms_since(*since) > self.limits.age_max_ms);
        if lane == Lane::Front && (inner.entries.len() >= self.limits.entries_max || is_old) {
            return Err((Refusal::Overloaded, entry));
        }
        inner.entries.push_back((now, entry));
        // Not every taker takes everything.
        self.wakes.notify_all();
        Ok(())
    }

    /// Takes up to `limit` entries, waiting at most `patience` for the first; none when none came.
    pub fn take(&self, limit: usize, patience: Duration) -> Vec<T> {
        let inner = self.lock();
        let (mut inner, _) = self
            .wakes
            .wait_timeout_while(inner, patience, |inner| inner.entries.is_empty() && !inner.is_closed)
            .unwrap_or_else(PoisonError::into_inner);
        let count = inner.entries.len().min(limit);
        inner.entries.drain(..count).map(|(_, entry)| entry).collect()
    }

    /// As [`Queue::take`], for a taker beside the one that takes everything: only entries that `is_wanted` accepts, as far
    /// as no other comes before them.
    pub fn take_only(&self, limit: usize, patience: Duration, is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
        let first_is_wanted = |inner: &Inner<T>| inner.entries.front().is_some_and(|(_, entry)| is_wanted(entry));
        let (mut inner, _) = self
            .wakes
            .wait_timeout_while(self.lock(), patience, |inner| !first_is_wanted(inner) && !inner.is_closed)
            .unwrap_or_else(PoisonError::into_inner);
        let count = inner.entries.iter().take(limit).take_while(|(_, entry)| is_wanted(entry)).count();
        inner.entries.drain(..count).map(|(_, entry)| entry).collect()
    }

    /// Stops new entries; what is inside can still be taken.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.wakes.notify_all();
    }

    /// Whether it takes nothing any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Whether it is closed and empty.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        let inner = self.lock();
        inner.is_closed && inner.entries.is_empty()
    }

    /// How many entries wait, and how long the oldest has.
    #[must_use]
    pub fn backlog(&self, now: Timestamp) -> (usize, u64) {
        let inner = self.lock();
        (inner.entries.len(), inner.entries.front().map_or(0, |(since, _)| now.ms_since(*since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_refuses_new_work_when_full_or_old_and_never_what_was_learned() {
        let queue = Queue::new(Limits { entries_max: 2, age_max_ms: 10 });
        let now = Timestamp::default();
        assert!(queue.push(Lane::Front, 1, now).is_ok());
        assert_eq!(queue.push(Lane::Front, 2, now.plus_ms(11)), Err((Refusal::Overloaded, 2)));
        assert!(queue.push(Lane::Front, 3, now).is_ok());
        assert_eq!(queue.push(Lane::Front, 4, now), Err((Refusal::Overloaded, 4)));
        assert!(queue.push(Lane::Inner, 5, now.plus_ms(11)).is_ok());
        assert_eq!(queue.backlog(now.plus_ms(3)), (3, 3));
        assert_eq!(queue.take(2, Duration::ZERO), vec![1, 3]);
        queue.close();
        assert_eq!(queue.push(Lane::Inner, 6, now), Err((Refusal::Closed, 6)));
        assert!(!queue.is_drained());
        assert_eq!(queue.take(9, Duration::ZERO), vec![5]);
        assert!(queue.is_drained());
    }

    #[test]
    fn a_taker_that_does_not_take_everything_leaves_the_rest_in_order() {
        let queue = Queue::new(Limits::default());
        for entry in [2, 4, 5, 6] {
            assert!(queue.push(Lane::Front, entry, Timestamp::default()).is_ok());
        }
        let is_even = |entry: &i32| entry % 2 == 0;
        assert_eq!(queue.take_only(1, Duration::ZERO, is_even), vec![2]);
        assert_eq!(queue.take_only(9, Duration::ZERO, is_even), vec![4]);
        assert_eq!(queue.take_only(9, Duration::ZERO, is_even), Vec::<i32>::new(), "5 comes before 6");
        assert_eq!(queue.take(9, Duration::ZERO), vec![5, 6]);
        queue.close();
        assert_eq!(
            queue.take_only(9, Duration::MAX, is_even),
            Vec::<i32>::new(),
            "it does not wait for what cannot come"
        );
    }
}
