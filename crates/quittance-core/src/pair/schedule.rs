//! When a pair is compared by itself: a schedule, spread over pairs, that neither storms nor stops when a clock is set.
//!
//! Pure: times are passed in, and are UTC. Does not own who compares, nor what that costs.

use crate::time::Timestamp;

/// Shortest interval, in milliseconds.
pub const EVERY_MS_MIN: u64 = 1_000;

/// Longest interval, in milliseconds: 31 days.
pub const EVERY_MS_MAX: u64 = 31 * DAY_MS;

/// First wait after a run that failed, in milliseconds; each further failure doubles it.
pub const RETRY_MS: u64 = 5_000;

/// Longest wait after a run that failed, in milliseconds.
pub const RETRY_MS_MAX: u64 = 3_600_000;

const DAY_MS: u64 = 86_400_000;
const MINUTE_MS: u64 = 60_000;

/// Millionths in a whole.
const PPM: u64 = 1_000_000;

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// So long after the run before it ended, in milliseconds.
    Every(u64),
    /// Each day at so many minutes after midnight, UTC.
    Daily(u64),
}

/// What is no schedule, and what would be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write \"every 1h\" (s, m, h or d; from 1s to 31d) or \"daily 03:30\" (UTC)")]
pub struct NoSchedule;

impl std::str::FromStr for Schedule {
    type Err = NoSchedule;

    fn from_str(text: &str) -> Result<Self, NoSchedule> {
        let (word, rest) = text.split_once(' ').ok_or(NoSchedule)?;
        match word {
            "every" => {
                let ms = span_ms(rest).ok_or(NoSchedule)?;
                (EVERY_MS_MIN..=EVERY_MS_MAX).contains(&ms).then_some(Self::Every(ms)).ok_or(NoSchedule)
            }
            "daily" => {
                let (hours, minutes) = rest.split_once(':').ok_or(NoSchedule)?;
                let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
                (hours < 24 && minutes < 60).then_some(Self::Daily(hours * 60 + minutes)).ok_or(NoSchedule)
            }
            _ => Err(NoSchedule),
        }
    }
}

/// A whole number and its unit, in milliseconds.
#[must_use]
pub fn span_ms(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let ms_each = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => MINUTE_MS,
        "h" => 60 * MINUTE_MS,
        "d" => DAY_MS,
        _ => return None,
    };
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| digits.parse::<u64>().ok()?.checked_mul(ms_each)).flatten()
}

fn two_digits(text: &str) -> Result<u64, NoSchedule> {
    let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().map_err(|_| NoSchedule) } else { Err(NoSchedule) }
}

impl Schedule {
    /// How far apart runs are, in milliseconds.
    #[must_use]
    pub const fn interval_ms(self) -> u64 {
        match self {
            Self::Every(ms) => ms,
            Self::Daily(_) => DAY_MS,
        }
    }

    /// When the next run is due after one that ended `now`: later by a part of the interval, at most `jitter_ppm` millionths of it,
    /// that depends on the name of the pair alone.
    #[must_use]
    pub fn next_due(self, pair: &str, jitter_ppm: u64, now: Timestamp) -> Timestamp {
        let jitter_ms = self.jitter_ms(pair, jitter_ppm);
        match self {
            Self::Every(ms) => now.plus_ms(ms + jitter_ms),
            Self::Daily(minutes) => {
                let midnight = now.seconds().div_euclid(86_400) * 86_400;
                let at = Timestamp::from_seconds(midnight).plus_ms(minutes * MINUTE_MS + jitter_ms);
                // The jitter of the day before may reach into this one.
                let before = Timestamp(at.0.saturating_sub_unsigned(DAY_MS * 1_000));
                [before, at].into_iter().find(|at| *at > now).unwrap_or_else(|| at.plus_ms(DAY_MS))
            }
        }
    }

    fn jitter_ms(self, pair: &str, jitter_ppm: u64) -> u64 {
        let most = u128::from(self.interval_ms()) * u128::from(jitter_ppm.min(PPM)) / u128::from(PPM);
        let hash = blake3::hash(pair.as_bytes());
        let drawn = u64::from_be_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default());
        // Below an interval, which is far below 64 bits.
        u64::try_from((u128::from(drawn) * most) >> 64).unwrap_or(0)
    }

    /// Whether a run is due that was put down for `due`; none was yet where that is none. However often it was missed, it is due
    /// once. What lies further away than this schedule puts anything was put there by a clock that was ahead, and is due.
    #[must_use]
    pub fn is_due(self, pair: &str, jitter_ppm: u64, due: Option<Timestamp>, now: Timestamp) -> bool {
        let furthest = self.next_due(pair, jitter_ppm, now).plus_ms(self.interval_ms().max(RETRY_MS_MAX));
        due.is_none_or(|due| due <= now || due > furthest)
    }
}

/// How long to wait after so many failures in a row, in milliseconds.
#[must_use]
pub fn retry_ms(failures: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(20);
    (RETRY_MS << doublings).min(RETRY_MS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    #[test]
    fn schedules_are_read_and_what_is_none_is_refused() {
        for (text, schedule) in [
            ("every 1h", Schedule::Every(HOUR)),
            ("every 90s", Schedule::Every(90_000)),
            ("every 31d", Schedule::Every(EVERY_MS_MAX)),
            ("daily 00:00", Schedule::Daily(0)),
            ("daily 23:59", Schedule::Daily(1_439)),
        ] {
            assert_eq!(text.parse(), Ok(schedule), "{text}");
        }
        for text in [
            "",
            "hourly",
            "every",
            "every h",
            "every 0s",
            "every 999ms",
            "every 32d",
            "every -1h",
            "every 1 h",
            "daily",
            "daily 24:00",
            "daily 3:00",
            "daily 03:60",
            "daily +3:00",
            "every 99999999999999999999d",
            "0 3 * * *",
        ] {
            assert_eq!(text.parse::<Schedule>(), Err(NoSchedule), "{text}");
        }
    }

    #[test]
    fn runs_are_due_once_however_often_they_were_missed() {
        let schedule = Schedule::Every(HOUR);
        let start = Timestamp::from_seconds(1_000_000_000);
        assert!(schedule.is_due("a", 100_000, None, start), "one that was never run is due");
        let due = schedule.next_due("a", 100_000, start);
        assert!((HOUR..=HOUR + HOUR / 10).contains(&due.ms_since(start)));
        assert!(!schedule.is_due("a", 100_000, Some(due), Timestamp(due.0 - 1)));
        // Two days later it is due; and after that run not before an hour has passed.
        let later = due.plus_ms(48 * HOUR);
        assert!(schedule.is_due("a", 100_000, Some(due), later));
        let due = schedule.next_due("a", 100_000, later);
        assert!(!schedule.is_due("a", 100_000, Some(due), later.plus_ms(HOUR - 1)));
    }

    #[test]
    fn a_clock_that_is_set_neither_stops_runs_nor_repeats_them() {
        let schedule = Schedule::Every(HOUR);
        let now = Timestamp::from_seconds(1_000_000_000);
        // The clock was a year ahead when the run was put down: it is due, once.
        let due = schedule.next_due("a", 0, now.plus_ms(365 * 24 * HOUR));
        assert!(schedule.is_due("a", 0, Some(due), now));
        let due = schedule.next_due("a", 0, now);
        assert!(!schedule.is_due("a", 0, Some(due), now));
        // Set back by some seconds: nothing is due for that.
        assert!(!schedule.is_due("a", 0, Some(due), Timestamp(now.0 - 5_000_000)));
    }

    #[test]
    fn a_day_has_one_run_whatever_the_jitter() {
        let schedule = Schedule::Daily(3 * 60 + 30);
        let midnight = Timestamp::from_seconds(10 * 86_400);
        for pair in ["a", "b", "subscriptions"] {
            let first = schedule.next_due(pair, 500_000, midnight);
            let second = schedule.next_due(pair, 500_000, first);
            assert_eq!(second.ms_since(first), DAY_MS, "{pair}");
            let by = first.ms_since(midnight) % DAY_MS;
            assert!(by < DAY_MS, "{pair}: {by}");
        }
        assert_eq!(schedule.next_due("a", 0, midnight).ms_since(midnight), 3 * HOUR + HOUR / 2);
        assert_eq!(schedule.next_due("a", 0, midnight.plus_ms(4 * HOUR)).ms_since(midnight), 27 * HOUR + HOUR / 2);
    }

    #[test]
    fn pairs_are_spread_and_failures_wait_longer_up_to_an_hour() {
        let now = Timestamp(0);
        let dues: std::collections::BTreeSet<_> =
            (0..50).map(|at| Schedule::Every(HOUR).next_due(&format!("pair {at}"), 100_000, now)).collect();
        assert!(dues.len() > 45, "{dues:?}");
        assert_eq!([1, 2, 3, 40].map(retry_ms), [5_000, 10_000, 20_000, RETRY_MS_MAX]);
    }
}
