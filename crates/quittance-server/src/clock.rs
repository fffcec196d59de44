//! The clocks of this machine: the only place that reads them.
//!
//! Wall time goes into records and comes out of the engine as deadlines; monotonic time measures how long something has
//! taken. Neither alone is safe for a deadline: the wall clock can be set back, and the monotonic one stands still while
//! the machine is suspended. [`Stopwatch`] uses both. [`reading`] is for the engine, which compares the wall clock with
//! one that nobody sets.

use quittance_core::time::Timestamp;
use quittance_engine::clocks::Reading;
use std::sync::OnceLock;
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

/// What the clocks say now.
#[must_use]
pub fn reading() -> Reading {
    let (boot, steady) = steady();
    Reading { wall: now(), boot, steady_ms: i64::try_from(steady.as_millis()).unwrap_or(i64::MAX) }
}

/// The time since the machine was started, suspended or not, and which start that was: the next process of this start
/// can compare it.
#[cfg(target_os = "linux")]
fn steady() -> (String, Duration) {
    static BOOT: OnceLock<String> = OnceLock::new();
    let boot = BOOT.get_or_init(|| {
        let read = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
        read.map_or_else(|_| this_process(), |id| id.trim().to_owned())
    });
    let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    (boot.clone(), Duration::try_from(since_boot).unwrap_or(Duration::ZERO))
}

/// The time since this process asked first: to the next one it says nothing.
#[cfg(not(target_os = "linux"))]
fn steady() -> (String, Duration) {
    static BEGAN: OnceLock<(String, Instant)> = OnceLock::new();
    let (boot, began) = BEGAN.get_or_init(|| (this_process(), monotonic()));
    (boot.clone(), monotonic().saturating_duration_since(*began))
}

/// A name for clocks that are read by this process alone.
fn this_process() -> String {
    format!("process {} since {}", std::process::id(), now().0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_of_one_start_and_never_run_backwards() {
        let (first, second) = (reading(), reading());
        assert!(!first.boot.is_empty() && first.boot == second.boot, "{first:?} {second:?}");
        assert!(first.steady_ms <= second.steady_ms, "{first:?} {second:?}");
    }
}
