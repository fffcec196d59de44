//! Whether the wall clock is to be believed: two readings of it, compared with a clock that nobody sets.
//!
//! Pure: readings come in, verdicts and the era that follows come out. Does not own the clocks, nor what an era means for
//! an effect.

use quittance_core::effect::Era;
use quittance_core::time::Timestamp;
use quittance_store::records::ClockMark;

/// How far the clocks may part in an hour, in milliseconds. What stays below it within a key's window is less than the
/// margin that every window has.
pub const TOLERANCE_MS: u64 = 60_000;

/// How far they may part however long it is, in milliseconds: half of that margin.
const TOLERANCE_MS_MAX: u64 = 30 * TOLERANCE_MS;

/// How long a reading is compared with, in milliseconds, before a newer one takes its place.
const BASELINE_MS: i64 = HOUR_MS;

/// How long nobody may have been here at a start without more being doubted, in milliseconds. Whoever is back so soon was
/// not restored from a backup either, or from one that lacks no more than this.
const AWAY_MS: i64 = 60_000;

const HOUR_MS: i64 = 3_600_000;

/// How old what a gateway made may be, in seconds, to tell of our clock: as old as a webhook may be.
const HEARD_S: i64 = 300;

/// How far ahead of ours a gateway's clock is believed to be, in seconds.
const TRUSTED_AHEAD_S: i64 = 2 * 3_600;

/// How far ahead our clock may still be once it was told of, in milliseconds: by that, and by the hour that the clock of
/// the gateway which told may be ahead of another's.
pub(crate) const AHEAD_MS_HEARD: u64 = 3_600_000 + 300_000;

/// What the clocks of this machine say at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock, which can be set.
    pub wall: Timestamp,
    /// Which start of which machine the steady clock counts from.
    pub boot: String,
    /// The steady clock, in milliseconds: it is never set, and does not stand still while the machine is suspended.
    pub steady_ms: i64,
}

/// What the wall clock did since an earlier reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It advanced as time did.
    Right {
        /// How far, in milliseconds.
        elapsed_ms: i64,
    },
    /// It was set back, or stood still, by so many milliseconds.
    Back(u64),
    /// It was set ahead by so many milliseconds.
    Ahead(u64),
    /// Nobody can tell: the machine was started anew, or it is another one.
    Untold,
}

/// Why a new era begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The clock was set back by so many milliseconds.
    Back(u64),
    /// The clock was set ahead by so many milliseconds.
    Ahead(u64),
    /// The machine was started anew, or it is another one.
    Machine,
    /// Nobody was here for so many milliseconds.
    Away(u64),
}

impl Reading {
    /// What the wall clock did since that mark was written.
    #[must_use]
    pub fn since(&self, mark: &ClockMark) -> Verdict {
        let by_wall_ms = (self.wall.0 - mark.wall.0) / 1_000;
        let elapsed_ms = self.steady_ms - mark.steady_ms;
        if self.boot != mark.boot || elapsed_ms < 0 {
            let back_ms = by_wall_ms.min(0).unsigned_abs();
            return if back_ms > TOLERANCE_MS { Verdict::Back(back_ms) } else { Verdict::Untold };
        }
        let hours = elapsed_ms.unsigned_abs() / HOUR_MS.unsigned_abs();
        let tolerance_ms = (hours * TOLERANCE_MS).clamp(TOLERANCE_MS, TOLERANCE_MS_MAX);
        let parted_ms = by_wall_ms - elapsed_ms;
        match (parted_ms.unsigned_abs() > tolerance_ms, parted_ms < 0) {
            (false, _) => Verdict::Right { elapsed_ms },
            (true, true) => Verdict::Back(parted_ms.unsigned_abs()),
            (true, false) => Verdict::Ahead(parted_ms.unsigned_abs()),
        }
    }

    /// The same, written down.
    #[must_use]
    pub fn mark(&self, era: Era) -> ClockMark {
        let name = ClockMark::ERA.to_owned();
        ClockMark { name, wall: self.wall, boot: self.boot.clone(), steady_ms: self.steady_ms, era }
    }
}

/// Why an era ends at a start, if it does. The first start of all begins the first era.
#[must_use]
pub fn at_start(mark: &ClockMark, reading: &Reading) -> Option<Change> {
    match reading.since(mark) {
        Verdict::Right { elapsed_ms } => (elapsed_ms > AWAY_MS).then(|| Change::Away(elapsed_ms.unsigned_abs())),
        Verdict::Back(by_ms) => Some(Change::Back(by_ms)),
        Verdict::Ahead(by_ms) => Some(Change::Ahead(by_ms)),
        Verdict::Untold => Some(Change::Machine),
    }
}

/// The era that follows. Only where the clock went forward is it still known how long ago anything at least was.
#[must_use]
pub fn next_era(era: &Era, change: Change, reading: &Reading) -> Era {
    let number = era.number.saturating_add(1);
    let dated_since = match change {
        Change::Back(_) | Change::Machine => number,
        Change::Ahead(_) | Change::Away(_) => era.dated_since,
    };
    let ahead_ms = match change {
        Change::Ahead(by_ms) => era.ahead_ms.saturating_add(by_ms),
        Change::Back(by_ms) => era.ahead_ms.saturating_sub(by_ms),
        Change::Machine | Change::Away(_) => era.ahead_ms,
    };
    Era { number, began_at: reading.wall, dated_since, ahead_ms }
}

/// Whether what a gateway made at a second of its own clock tells that ours is right. It made it before it was heard of, so
/// that our clock is ahead of the gateway's by no more than the time between, whatever was feared when it was set: one that
/// had been behind was set right. What seems to come from hours ahead was made under a clock that somebody plays with, the
/// gateway's or ours, and tells nothing.
#[must_use]
pub fn is_of_now(created_seconds: i64, now: Timestamp) -> bool {
    (-TRUSTED_AHEAD_S..=HEARD_S).contains(&now.seconds().saturating_sub(created_seconds))
}

/// The clocks of this machine while the engine runs.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// What readings are compared with.
    pub(crate) baseline: ClockMark,
    /// When a mark was written last, by the steady clock.
    pub(crate) written_ms: i64,
}

impl Watched {
    pub(crate) fn new(mark: ClockMark) -> Self {
        Self { written_ms: mark.steady_ms, baseline: mark }
    }

    /// Why the era ends here, if it does.
    pub(crate) fn look(&mut self, reading: &Reading) -> Option<Change> {
        match reading.since(&self.baseline) {
            Verdict::Right { elapsed_ms } => {
                if elapsed_ms >= BASELINE_MS {
                    self.baseline = reading.mark(self.baseline.era);
                }
                None
            }
            Verdict::Back(by_ms) => Some(Change::Back(by_ms)),
            Verdict::Ahead(by_ms) => Some(Change::Ahead(by_ms)),
            Verdict::Untold => Some(Change::Machine),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn reading(boot: &str, wall_ms: i64, steady_ms: i64) -> Reading {
        Reading { wall: Timestamp(1_800_000_000_000_000 + wall_ms * 1_000), boot: boot.into(), steady_ms }
    }

    fn mark() -> ClockMark {
        reading("a", 0, 0).mark(Era { number: 4, began_at: Timestamp(0), dated_since: 2, ahead_ms: 7 })
    }

    #[test]
    fn a_clock_is_right_as_long_as_it_advances_with_time() {
        let right = |elapsed_ms| Verdict::Right { elapsed_ms };
        for (wall, steady, expected) in [
            (MINUTE_MS, 0, right(0)),
            (MINUTE_MS + 1, 0, Verdict::Ahead(60_001)),
            (0, MINUTE_MS, right(MINUTE_MS)),
            (0, MINUTE_MS + 1, Verdict::Back(60_001)),
            (-MINUTE_MS - 1, 0, Verdict::Back(60_001)),
            // A clock that drifts by a second in a minute is a bad one, and a key's window has an hour to spare.
            (23 * HOUR_MS - 23 * MINUTE_MS, 23 * HOUR_MS, right(23 * HOUR_MS)),
            (23 * HOUR_MS - 24 * MINUTE_MS, 23 * HOUR_MS, Verdict::Back(24 * 60_000)),
            (1_000 * HOUR_MS - 31 * MINUTE_MS, 1_000 * HOUR_MS, Verdict::Back(31 * 60_000)),
        ] {
            assert_eq!(reading("a", wall, steady).since(&mark()), expected, "{wall} {steady}");
        }
    }

    #[test]
    fn of_another_machine_only_a_clock_that_runs_backwards_is_seen() {
        for (other, steady) in [("b", 10), ("a", -1)] {
            assert_eq!(reading(other, 13 * HOUR_MS, steady).since(&mark()), Verdict::Untold);
            assert_eq!(reading(other, -MINUTE_MS, steady).since(&mark()), Verdict::Untold);
            assert_eq!(reading(other, -HOUR_MS, steady).since(&mark()), Verdict::Back(3_600_000));
        }
    }

    #[test]
    fn whoever_is_back_within_a_minute_goes_on_in_the_same_era() {
        assert_eq!(at_start(&mark(), &reading("a", MINUTE_MS, MINUTE_MS)), None);
        let late = at_start(&mark(), &reading("a", HOUR_MS, HOUR_MS));
        assert_eq!(late, Some(Change::Away(3_600_000)));
        assert_eq!(at_start(&mark(), &reading("b", 1, 1)), Some(Change::Machine));
    }

    #[test]
    fn only_a_clock_that_may_have_gone_back_takes_the_dates_away() {
        let now = reading("a", 5, 5);
        for (change, dated_since, ahead_ms) in
            [(Change::Back(9), 5, 0), (Change::Machine, 5, 7), (Change::Ahead(9), 2, 16), (Change::Away(9), 2, 7)]
        {
            let expected = Era { number: 5, began_at: now.wall, dated_since, ahead_ms };
            assert_eq!(next_era(&mark().era, change, &now), expected, "{change:?}");
        }
    }

    #[test]
    fn what_a_gateway_made_just_now_tells_that_the_clock_is_not_ahead() {
        let now = Timestamp::from_seconds(1_800_000_000);
        for (what, age_s, expected) in [
            ("our clock is right", 4, true),
            ("the gateway's clock is an hour ahead, and ours is right", -3_596, true),
            ("our clock is a day behind, or the gateway plays with its own", -86_396, false),
            ("our clock is a day ahead", 86_404, false),
            ("our clock is ten minutes ahead, or the event is old", 604, false),
        ] {
            assert_eq!(is_of_now(now.seconds() - age_s, now), expected, "{what}");
        }
    }

    #[test]
    fn what_slews_for_days_is_compared_hour_by_hour() {
        let mut watched = Watched::new(mark());
        for hour in 1..=48 {
            assert_eq!(watched.look(&reading("a", hour * (HOUR_MS + 59_000), hour * HOUR_MS)), None, "{hour}");
        }
        let jump = reading("a", 48 * (HOUR_MS + 59_000) - 2 * MINUTE_MS, 48 * HOUR_MS);
        assert_eq!(watched.look(&jump), Some(Change::Back(120_000)));
    }
}
