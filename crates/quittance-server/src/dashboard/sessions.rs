//! Who is logged in: sessions in the memory of this process, each for a key that somebody has shown.
//!
//! Owns how long they live and how many there are. Time is passed in. Of a session's id only the digest is kept, and of the
//! key too: what stands in this memory opens no door. Whether the key is still good is asked of the store with every request.

use crate::ids;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a session lives, however much it is used.
pub(super) const LIFETIME: Duration = Duration::from_secs(12 * 3_600);

/// How long one lives that is not used.
const IDLE: Duration = Duration::from_secs(3_600);

/// Sessions at once; one more ends the one that was not used for the longest time.
const SESSIONS_MAX: usize = 10_000;

/// The sessions there are, by the digests of their ids.
#[derive(Default)]
pub(super) struct Sessions {
    known: Mutex<HashMap<[u8; 32], Known>>,
}

struct Known {
    key: [u8; 32],
    form_token: String,
    begun: Instant,
    used: Instant,
}

/// A session that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// Digest of its id.
    pub(super) id: [u8; 32],
    /// Digest of the secret of the key that it was begun with.
    pub(super) key: [u8; 32],
    /// What each of its forms carries, so that no other site can send one.
    pub(super) form_token: String,
}

/// Whether a request counts as use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Somebody asked for it.
    Person,
    /// A page did, by itself.
    Page,
}

impl Sessions {
    /// Begins a session for the key of this digest, and gives its id.
    pub(super) fn begin(&self, key: [u8; 32], now: Instant) -> String {
        let id = token();
        let mut known = self.lock();
        if known.len() >= SESSIONS_MAX {
            known.retain(|_, session| session.is_alive(now));
        }
        if known.len() >= SESSIONS_MAX
            && let Some(idlest) = known.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| *id)
        {
            known.remove(&idlest);
        }
        known.insert(digest(&id), Known { key, form_token: token(), begun: now, used: now });
        id
    }

    /// The session of an id, if it goes on.
    pub(super) fn find(&self, id: &str, how: Use, now: Instant) -> Option<Session> {
        let (id, mut known) = (digest(id), self.lock());
        let session = known.get_mut(&id)?;
        if !session.is_alive(now) {
            known.remove(&id);
            return None;
        }
        if how == Use::Person {
            session.used = now;
        }
        Some(Session { id, key: session.key, form_token: session.form_token.clone() })
    }

    /// Ends a session.
    pub(super) fn end(&self, id: &[u8; 32]) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Known>> {
        // No code that can panic half-way runs under the lock.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn is_alive(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) < LIFETIME && now.saturating_duration_since(self.used) < IDLE
    }
}

/// 256 bits that nobody guesses, in letters that stand in cookies and forms as they are.
pub(super) fn token() -> String {
    URL_SAFE_NO_PAD.encode(ids::random::<32>())
}

/// Whether two texts are the same, in a time that tells nothing of what they are: their digests are compared.
pub(super) fn is_same(left: &str, right: &str) -> bool {
    digest(left) == digest(right)
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn a_session_ends_when_it_is_idle_and_a_page_that_looks_by_itself_is_no_use() {
        let (sessions, now) = (Sessions::default(), crate::clock::monotonic());
        let id = sessions.begin(KEY, now);
        let at = |minutes: u64, how| sessions.find(&id, how, now + Duration::from_secs(60 * minutes)).is_some();
        assert!(at(59, Use::Person) && at(100, Use::Page) && at(118, Use::Person));
        assert!(at(170, Use::Page) && !at(178, Use::Page), "an hour after somebody used it");
        assert!(!at(118, Use::Person), "what has ended does not begin again");
    }

    #[test]
    fn a_session_ends_after_half_a_day_however_much_it_is_used() {
        let (sessions, now) = (Sessions::default(), crate::clock::monotonic());
        let id = sessions.begin(KEY, now);
        let at = |seconds: u64| sessions.find(&id, Use::Person, now + Duration::from_secs(seconds)).is_some();
        assert!((0..12 * 3_600).step_by(1_800).all(at) && at(LIFETIME.as_secs() - 1) && !at(LIFETIME.as_secs()));
    }

    #[test]
    fn ids_and_tokens_are_drawn_for_each_and_only_their_own_session_is_found() {
        let (sessions, now) = (Sessions::default(), crate::clock::monotonic());
        let (one, other) = (sessions.begin(KEY, now), sessions.begin(KEY, now));
        let find = |id: &str| sessions.find(id, Use::Person, now);
        let (first, second) = (find(&one).expect("begun"), find(&other).expect("begun"));
        assert!(one.len() == 43 && one != other && first.form_token != second.form_token && first.key == KEY);
        assert_eq!([find(""), find(&first.form_token)], [None, None]);
        sessions.end(&first.id);
        assert_eq!((find(&one), find(&other)), (None, Some(second)));
        assert!(is_same("a", "a") && !is_same("a", "b") && !is_same("a", ""));
    }

    #[test]
    fn there_are_so_many_at_once_and_the_idlest_makes_room() {
        let (sessions, now) = (Sessions::default(), crate::clock::monotonic());
        let all: Vec<String> =
            (0..=SESSIONS_MAX as u64).map(|at| sessions.begin(KEY, now + Duration::from_millis(at))).collect();
        let later = now + Duration::from_secs(60);
        assert_eq!(sessions.find(&all[0], Use::Person, later), None);
        assert!(sessions.find(&all[1], Use::Person, later).is_some());
        assert_eq!(sessions.lock().len(), SESSIONS_MAX);
    }
}
