//! The clocks of this machine: the only place that reads them.
//!
//! Wall time goes into records and comes out of the engine as deadlines; monotonic time measures how long something has
//! taken. Neither alone is safe for a deadline: the wall clock can be set back, and the monotonic one stands still while
//! the machine is suspended. [`Stopwatch`] uses both.

use quittance_core::time::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock, in microseconds since 1970. A clock set before that reads as 1970.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the named place that reads the wall clock")]
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// A reading that never runs backwards.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the named place that reads the monotonic clock")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Measures how long ago something began, and errs towards longer.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    wall: Timestamp,
    monotonic: Instant,
}

impl Stopwatch {
    /// Begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { wall: now(), monotonic: monotonic() }
    }

    /// The longer of what the two clocks say has passed: a clock set back hides nothing, a suspended machine neither.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let by_wall = Duration::from_millis(now().ms_since(self.wall));
        monotonic().saturating_duration_since(self.monotonic).max(by_wall)
    }

    /// What is left until a deadline in wall time, judged from when the watch was started.
    #[must_use]
    pub fn remaining_until(&self, deadline: Timestamp) -> Duration {
        Duration::from_millis(deadline.ms_since(self.wall)).saturating_sub(self.elapsed())
    }
}
