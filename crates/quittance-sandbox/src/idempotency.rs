//! Owns: Stripe's v1 idempotency keys. Does not own: which requests come this far; the rate
//! limiter, authentication and validation run before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::answer::Answer;

/// What is known of each key. One account, so the key alone is the scope.
#[derive(Debug)]
pub(crate) struct Keys {
    entries: BTreeMap<String, Entry>,
    retention: Duration,
}

#[derive(Debug)]
enum Entry {
    /// The first request has arrived and is not carried out yet.
    Reserved {
        fingerprint: [u8; 16],
    },
    Answered(Slot),
}

/// The first answer to a key: whatever it was, a 500 included.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) fingerprint: [u8; 16],
    pub(crate) answer: Answer,
    pub(crate) request_id: String,
    pub(crate) executed_at: Instant,
    /// Until then the first request is still being answered.
    pub(crate) in_use_until: Instant,
    /// How often the key was executed before: more than 0 only after it was forgotten.
    pub(crate) incarnation: u64,
}

/// What a key says about a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Execute, and store the answer.
    Run { incarnation: u64 },
    /// Give the stored answer.
    Replay { answer: Answer, original_request: String },
    /// Another request with this key is under way.
    InUse,
    /// The key was used for another request.
    Mismatch,
}

impl Keys {
    pub(crate) fn new(retention: Duration) -> Self {
        Self { entries: BTreeMap::new(), retention }
    }

    pub(crate) fn claim(&self, key: &str, fingerprint: [u8; 16], now: Instant) -> Claim {
        let slot = match self.entries.get(key) {
            None => return Claim::Run { incarnation: 0 },
            // Nothing is forgotten before it has happened.
            Some(Entry::Reserved { fingerprint: first }) if *first == fingerprint => return Claim::InUse,
            Some(Entry::Reserved { .. }) => return Claim::Mismatch,
            Some(Entry::Answered(slot)) => slot,
        };
        if now.saturating_duration_since(slot.executed_at) >= self.retention {
            return Claim::Run { incarnation: slot.incarnation + 1 };
        }
        if slot.fingerprint != fingerprint {
            return Claim::Mismatch;
        }
        if now < slot.in_use_until {
            return Claim::InUse;
        }
        Claim::Replay { answer: slot.answer.clone(), original_request: slot.request_id.clone() }
    }

    /// Keeps the key in use until an answer is stored.
    pub(crate) fn reserve(&mut self, key: &str, fingerprint: [u8; 16]) {
        self.entries.insert(key.to_owned(), Entry::Reserved { fingerprint });
    }

    pub(crate) fn store(&mut self, key: String, slot: Slot) {
        self.entries.insert(key, Entry::Answered(slot));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Bytes;

    use super::{Claim, Keys, Slot};
    use crate::answer::Answer;

    #[test]
    fn a_key_is_in_use_then_replays_then_is_forgotten() {
        let start = crate::clock::monotonic();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut keys = Keys::new(Duration::from_secs(100));
        assert_eq!(keys.claim("k", [1; 16], start), Claim::Run { incarnation: 0 });
        keys.reserve("k", [1; 16]);
        assert_eq!(keys.claim("k", [1; 16], after(1_000)), Claim::InUse);
        assert_eq!(keys.claim("k", [2; 16], after(1_000)), Claim::Mismatch);
        let answer = Answer { status: 500, body: Bytes::from_static(b"{}") };
        keys.store(
            "k".to_owned(),
            Slot {
                fingerprint: [1; 16],
                answer: answer.clone(),
                request_id: "req_1".to_owned(),
                executed_at: start,
                in_use_until: after(5),
                incarnation: 0,
            },
        );
        assert_eq!(keys.claim("k", [1; 16], after(4)), Claim::InUse);
        assert_eq!(keys.claim("k", [2; 16], after(4)), Claim::Mismatch);
        let replay = Claim::Replay { answer, original_request: "req_1".to_owned() };
        assert_eq!(keys.claim("k", [1; 16], after(5)), replay);
        assert_eq!(keys.claim("k", [1; 16], after(100)), Claim::Run { incarnation: 1 });
    }
}
