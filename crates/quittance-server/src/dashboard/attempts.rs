//! How often somebody may try to log in with keys that are not good: so many attempts in a minute from one address.
//!
//! A key has 256 random bits, so that nobody guesses one; this keeps whoever tries from making work. Time is passed in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Attempts from one address before each waits for its turn.
pub(super) const ATTEMPTS_MAX: u32 = 20;

/// In how much time as many attempts come back.
const SPAN: Duration = Duration::from_secs(60);

/// Addresses that are remembered before those that have all their attempts again are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// Who tried, and when what they tried will be forgotten. None is whoever came without an address.
#[derive(Default)]
pub(super) struct Attempts {
    free_at: Mutex<HashMap<Option<IpAddr>, Instant>>,
}

impl Attempts {
    /// Counts an attempt; refused where too many came, with the seconds until the next.
    pub(super) fn begin(&self, from: Option<IpAddr>, now: Instant) -> Result<(), u64> {
        let each = SPAN / ATTEMPTS_MAX;
        let mut known = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ADDRESSES_MAX {
            known.retain(|_, free_at| *free_at > now);
        }
        let is_full = known.len() >= ADDRESSES_MAX && !known.contains_key(&from);
        let free_at = known.get(&from).copied().unwrap_or(now).max(now) + each;
        let wait = free_at.saturating_duration_since(now + SPAN);
        if is_full || wait > Duration::ZERO {
            return Err(wait.max(each).as_secs().max(1));
        }
        known.insert(from, free_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_attempts_come_from_each_address_in_a_minute() {
        let (attempts, now) = (Attempts::default(), crate::clock::monotonic());
        let (one, other) = (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        assert!((0..ATTEMPTS_MAX).all(|_| attempts.begin(one, now).is_ok()));
        assert_eq!(attempts.begin(one, now), Err(3));
        assert_eq!((attempts.begin(other, now), attempts.begin(None, now)), (Ok(()), Ok(())));
        let later = now + SPAN / ATTEMPTS_MAX;
        assert_eq!((attempts.begin(one, later), attempts.begin(one, later)), (Ok(()), Err(3)));
        assert!((0..ATTEMPTS_MAX).all(|_| attempts.begin(one, now + SPAN * 3).is_ok()), "all of them came back");
    }
}
