//! Virtual time, and what the machine's clocks make of it. Does not own when anything happens: that is the agenda's.

use quittance_core::time::Timestamp;
use quittance_engine::clocks::Reading;

/// The true time at which every world begins, in seconds since the epoch.
pub const BEGIN_S: i64 = 1_800_000_000;

/// True time, and the clocks of the machine on which the engine runs.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// True milliseconds since the world began.
    pub now_ms: u64,
    /// By how much the wall clock of the machine is ahead of the truth, in milliseconds.
    pub ahead_ms: i64,
    boot: u32,
    booted_at_ms: u64,
}

impl Clock {
    /// True seconds since the epoch, as gateways have them.
    #[must_use]
    pub const fn seconds(&self) -> i64 {
        BEGIN_S + (self.now_ms / 1_000) as i64
    }

    /// The wall clock of the machine.
    #[must_use]
    pub const fn wall(&self) -> Timestamp {
        Timestamp((BEGIN_S * 1_000 + self.now_ms as i64 + self.ahead_ms) * 1_000)
    }

    /// What the machine's clocks say.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let steady_ms = (self.now_ms - self.booted_at_ms) as i64;
        Reading { wall: self.wall(), boot: format!("boot-{}", self.boot), steady_ms }
    }

    /// The machine is started anew: its steady clock counts from here.
    pub const fn reboot(&mut self) {
        self.boot += 1;
        self.booted_at_ms = self.now_ms;
    }

    /// The true time at which the wall clock shows `wall`, if nobody sets it before; now, where that has passed.
    #[must_use]
    pub fn true_ms(&self, wall: i64) -> u64 {
        let wait_ms = (wall - self.wall().0 + 999).div_euclid(1_000);
        self.now_ms + u64::try_from(wait_ms).unwrap_or(0)
    }
}
