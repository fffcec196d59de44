//! Stopping work on a pair from outside of it, before its next step.

use crate::reconcile::lock;
use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Why work on a pair is to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody paused the pair.
    Paused(String),
    /// Its lease is not ours any more.
    Lost(String),
    /// This process ends.
    Ending,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused(why) | Self::Lost(why) => f.write_str(why),
            Self::Ending => f.write_str("this process ends"),
        }
    }
}

/// A word to whoever works on a pair. The first one counts.
#[derive(Debug, Default)]
pub struct Halt {
    why: Mutex<Option<Why>>,
    said: Condvar,
}

impl Halt {
    /// Says that work is to stop.
    pub fn stop(&self, why: Why) {
        lock(&self.why).get_or_insert(why);
        self.said.notify_all();
    }

    /// Why it is to, if it is.
    #[must_use]
    pub fn why(&self) -> Option<Why> {
        lock(&self.why).clone()
    }

    /// Waits so long, or until it is to stop.
    pub fn wait(&self, span: Duration) {
        let why = lock(&self.why);
        drop(self.said.wait_timeout_while(why, span, |why| why.is_none()).unwrap_or_else(PoisonError::into_inner));
    }
}
