//! How much one credential may ask of this process at once, so that the others get their share.
//!
//! Owns the counts. Time is passed in. Does not own who a credential is, nor what is refused for the load of all.

use quittance_core::id::ApiKeyId;
use quittance_core::tenant::LAST_USE_MS;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Credentials that are remembered before those that are idle are forgotten.
const IDLE_MAX: usize = 10_000;

/// In how much time the requests of a second may come at once.
const SECOND: Duration = Duration::from_secs(1);

/// Limits of each credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests under way at once.
    pub in_flight_max: usize,
    /// Requests in any second; none for as many as there are.
    pub per_second_max: Option<u32>,
}

/// What each credential has under way.
pub(crate) struct Caps {
    limits: Limits,
    uses: Mutex<HashMap<ApiKeyId, Use>>,
    /// Credentials whose use is to be written down; each once in a while.
    noted: Mutex<Vec<ApiKeyId>>,
}

struct Use {
    in_flight: usize,
    /// When what was asked so far would be through, evenly spread.
    through_at: Instant,
    /// When its last use was handed over to be written down.
    noted_at: Option<Instant>,
}

/// A request under way; it is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    caps: Arc<Caps>,
    key: ApiKeyId,
}

impl std::fmt::Debug for Caps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.limits.fmt(f)
    }
}

/// Which limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Met {
    InFlight(usize),
    PerSecond(u32),
}

impl Caps {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, uses: Mutex::default(), noted: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Use>> {
        // No code that can panic runs under the lock.
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a request.
    pub(crate) fn begin(self: &Arc<Self>, key: ApiKeyId, now: Instant) -> Result<Permit, Met> {
        let mut uses = self.lock();
        if uses.len() >= IDLE_MAX {
            uses.retain(|_, known| known.in_flight > 0 || known.through_at > now);
        }
        let known = uses.entry(key).or_insert(Use { in_flight: 0, through_at: now, noted_at: None });
        if known.in_flight >= self.limits.in_flight_max {
            return Err(Met::InFlight(self.limits.in_flight_max));
        }
        if let Some(rate) = self.limits.per_second_max {
            let through_at = known.through_at.max(now) + SECOND / rate;
            if through_at > now + SECOND {
                return Err(Met::PerSecond(rate));
            }
            known.through_at = through_at;
        }
        known.in_flight += 1;
        Ok(Permit { caps: Arc::clone(self), key })
    }

    /// Has the use of a credential written down, once in a while, for there is no more to know. Nobody waits for it.
    pub(crate) fn note(&self, key: ApiKeyId, now: Instant) {
        let mut uses = self.lock();
        let Some(known) = uses.get_mut(&key) else { return };
        let is_due = known
            .noted_at
            .is_none_or(|noted_at| now.saturating_duration_since(noted_at) >= Duration::from_millis(LAST_USE_MS));
        if is_due {
            known.noted_at = Some(now);
            self.noted.lock().unwrap_or_else(PoisonError::into_inner).push(key);
        }
    }

    /// Takes so many of those whose use is to be written down.
    pub(crate) fn take_noted(&self, max: usize) -> Vec<ApiKeyId> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let count = noted.len().min(max);
        noted.drain(..count).collect()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(known) = self.caps.lock().get_mut(&self.key) {
            known.in_flight = known.in_flight.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> ApiKeyId {
        ApiKeyId::from_bytes([number; 16])
    }

    fn caps(in_flight_max: usize, per_second_max: Option<u32>) -> Arc<Caps> {
        Arc::new(Caps::new(Limits { in_flight_max, per_second_max }))
    }

    #[test]
    fn so_many_are_under_way_at_once_for_each() {
        let (caps, now) = (caps(2, None), crate::clock::monotonic());
        let first = caps.begin(key(1), now).expect("room");
        let _second = caps.begin(key(1), now).expect("room");
        assert_eq!(caps.begin(key(1), now).err(), Some(Met::InFlight(2)));
        let _other = caps.begin(key(2), now).expect("the other has room of its own");
        drop(first);
        let _third = caps.begin(key(1), now).expect("room again");
    }

    #[test]
    fn so_many_come_in_any_second_for_each() {
        let (caps, now) = (caps(100, Some(4)), crate::clock::monotonic());
        let ask = |number, ms| caps.begin(key(number), now + Duration::from_millis(ms)).map(drop);
        for _ in 0..4 {
            ask(1, 0).expect("as many as a second has, at once");
        }
        assert_eq!((ask(1, 0), ask(1, 249)), (Err(Met::PerSecond(4)), Err(Met::PerSecond(4))));
        assert_eq!((ask(2, 0), ask(1, 250), ask(1, 250)), (Ok(()), Ok(()), Err(Met::PerSecond(4))));
        // What was not asked for is not saved up beyond a second.
        for _ in 0..4 {
            ask(1, 60_000).expect("room again");
        }
        assert_eq!(ask(1, 60_000), Err(Met::PerSecond(4)));
    }

    #[test]
    fn a_use_is_noted_once_in_a_while() {
        let (caps, now) = (caps(1, None), crate::clock::monotonic());
        drop(caps.begin(key(1), now));
        let noted = |ms| {
            caps.note(key(1), now + Duration::from_millis(ms));
            caps.take_noted(10).len()
        };
        assert_eq!([noted(0), noted(0), noted(LAST_USE_MS - 1), noted(LAST_USE_MS)], [1, 0, 0, 1]);
    }

    #[test]
    fn credentials_that_are_idle_are_forgotten() {
        let (caps, now) = (caps(1, Some(1)), crate::clock::monotonic());
        let busy = caps.begin(key(0), now).expect("room");
        for number in 1..=u16::try_from(IDLE_MAX).expect("it fits") {
            let mut bytes = [9; 16];
            bytes[..2].copy_from_slice(&number.to_be_bytes());
            drop(caps.begin(ApiKeyId::from_bytes(bytes), now));
        }
        drop(caps.begin(key(1), now + Duration::from_secs(5)));
        assert_eq!(caps.lock().len(), 2, "the busy one, and the one that came last");
        drop(busy);
    }
}
