//! Waiting for what gives no sign, with a limit; the clock of histories; numbers from the environment. Does not own what is
//! waited for.

use quittance_server::clock::{Stopwatch, monotonic};
use std::sync::LazyLock;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// It did not come about in this time.
#[derive(Debug)]
pub(crate) struct Waited(pub(crate) Duration);

/// Looks again and again until there is something.
pub(crate) fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Result<T, Waited> {
    let since = Stopwatch::start();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if since.elapsed() > limit {
            return Err(Waited(limit));
        }
        rest(LOOK);
    }
}

/// Lets time pass: between two looks, or where the passing of time itself is the condition, as the end of a lease.
pub(crate) fn rest(duration: Duration) {
    let (_open, closed) = sync_channel::<()>(0);
    let _ = closed.recv_timeout(duration);
}

/// Nanoseconds on the one clock of all histories, which only goes forward.
pub(crate) fn time() -> u64 {
    static BEGAN: LazyLock<Instant> = LazyLock::new(monotonic);
    let since = monotonic().saturating_duration_since(*BEGAN);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A span as long as this machine needs it: `QUITTANCE_CHAOS_SLOWNESS` says how many times as long as where nothing else runs.
pub(crate) fn span(seconds: u64) -> Duration {
    static SLOWNESS: LazyLock<u64> = LazyLock::new(|| number("QUITTANCE_CHAOS_SLOWNESS").unwrap_or(1));
    Duration::from_secs(seconds * *SLOWNESS)
}

/// A number that the environment says.
#[expect(clippy::disallowed_methods, reason = "the tests are told what is around them by the environment alone")]
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
