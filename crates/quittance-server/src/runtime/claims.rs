//! Idempotency keys whose first request is on its way into the engine: asked for, and not decided yet.
//!
//! A retry that comes meanwhile cannot be told anything that is durable. It waits a moment, and is then told to come back.
//! Does not own what a key means: only the store knows that. What another process has under way is its own; there, the
//! database makes the second one wait.

use quittance_core::id::TenantId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a retry waits until the first request is decided.
const PATIENCE: Duration = Duration::from_secs(2);

/// A tenant, and the digest of a key.
type Place = (TenantId, [u8; 16]);

/// The claims of this process; as many as requests in the queue and in a step, at most.
#[derive(Default)]
pub(crate) struct Claims(Mutex<HashMap<Place, watch::Receiver<()>>>);

/// A claim under way. It ends when it is dropped.
pub(crate) struct Claim {
    claims: Arc<Claims>,
    place: Place,
    /// Whoever waits hears of its end.
    _end: watch::Sender<()>,
}

/// The first request under a key is not decided yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InProgress;

impl Claims {
    fn lock(&self) -> MutexGuard<'_, HashMap<Place, watch::Receiver<()>>> {
        // No code that can panic runs under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a claim. Where one of the same key is under way, waits until it is decided: what is asked then needs none,
    /// for the key is known, or free again.
    pub(super) async fn begin(self: &Arc<Self>, tenant: TenantId, key: [u8; 16]) -> Result<Option<Claim>, InProgress> {
        let place = (tenant, key);
        let mut under_way = {
            let mut claims = self.lock();
            if let Some(end) = claims.get(&place) {
                end.clone()
            } else {
                let (end, ends) = watch::channel(());
                claims.insert(place, ends);
                return Ok(Some(Claim { claims: Arc::clone(self), place, _end: end }));
            }
        };
        // Nothing is ever sent: what comes is the end.
        match tokio::time::timeout(PATIENCE, under_way.changed()).await {
            Ok(_) => Ok(None),
            Err(_) => Err(InProgress),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.place);
    }
}
