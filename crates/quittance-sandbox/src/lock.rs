//! Owns: how this crate takes a lock. Does not own: anything that is locked.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes the lock even after a panic elsewhere.
///
/// A panic in one request must not turn every later answer into another panic: the sandbox's own
/// audit (`GET /_sandbox/books`) tells whether the state is still sound.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
