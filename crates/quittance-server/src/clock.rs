//! The clocks of this machine: the only place that reads them.
//!
//! Wall time goes into records and comes out of the engine as deadlines; monotonic time measures how long something has
//! taken. Neither alone is safe for a deadline: the wall clock can be set back, and the monotonic one stands still while
//! the machine is suspended. [`Stopwatch`] uses both. [`reading`] is for the engine, which compares the wall clock with
//! one that nobody sets. Processes that share a database go by its clock, which [`follow`] tells.

use quittance_core::time::Timestamp;
use quittance_engine::clocks::Reading;
use quittance_engine::ports::Clock;
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What the database's clock said, and what the steady clock of this machine said then; once for the process.
static FOLLOWED: RwLock<Option<(Timestamp, Duration)>> = RwLock::new(None);

/// What time it is, in microseconds since 1970: by the wall clock of this machine, or by that of the database where
/// several processes share one, as far as this process has heard.
#[must_use]
pub fn now() -> Timestamp {
    let followed = *FOLLOWED.read().unwrap_or_else(PoisonError::into_inner);
    followed.map_or_else(of_this_machine, |(time, heard)| {
        let since = since_boot().saturating_sub(heard);
        Timestamp(time.0.saturating_add(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
    })
}

/// The wall clock of this machine. A clock set before 1970 reads as 1970.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the named place that reads the wall clock")]
pub fn of_this_machine() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// From now on, time goes by the database's clock, which says this. Between two such words the steady clock tells how much
/// has passed: the wall clock of this machine counts no more.
pub fn follow(time: Timestamp) {
    *FOLLOWED.write().unwrap_or_else(PoisonError::into_inner) = Some((time, since_boot()));
}

/// The clocks, for the engine.
pub struct SystemClock;

impl Clock for SystemClock {
    fn reading(&mut self) -> Reading {
        reading()
    }

    fn follow(&mut self, time: Timestamp) {
        follow(time);
    }
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
    let steady_ms = i64::try_from(since_boot().as_millis()).unwrap_or(i64::MAX);
    Reading { wall: now(), boot: boot().to_owned(), steady_ms }
}

/// The time since the machine was started, suspended or not: the next process of this start can compare it.
#[cfg(target_os = "linux")]
fn since_boot() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::Boottime)).unwrap_or(Duration::ZERO)
}

/// The time since this process asked first: to the next one it says nothing.
#[cfg(not(target_os = "linux"))]
fn since_boot() -> Duration {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    monotonic().saturating_duration_since(*BEGAN.get_or_init(monotonic))
}

/// Which start of which machine it is, or else of which process.
fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    let this_process = || format!("process {} since {}", std::process::id(), of_this_machine().0);
    BOOT.get_or_init(|| match cfg!(target_os = "linux") {
        true => std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_or_else(|_| this_process(), |id| id.trim().to_owned()),
        false => this_process(),
    })
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
