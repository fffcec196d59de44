//! Which of two times is later, as far as their precision and their clocks let anybody say.

use crate::pair::Which;
use crate::time::Timestamp;

/// How far ahead of ours the clock of a system may be and still be believed, in microseconds.
const AHEAD_MAX_US: i64 = 60_000_000;

/// Units that times are commonly kept in, in microseconds: days, seconds, milliseconds.
const UNITS_US: [i64; 3] = [86_400_000_000, 1_000_000, 1_000];

/// The side whose record was modified later. None where that cannot be told: a time is a moment somewhere within its unit, so
/// that 12:00:07 is neither before nor after 12:00:07.3; and a clock that is ahead of ours would win for ever.
pub(super) fn newer(left: Timestamp, right: Timestamp, now: Timestamp) -> Option<Which> {
    let latest = now.0.saturating_add(AHEAD_MAX_US);
    if left.0 > latest || right.0 > latest {
        return None;
    }
    if left.0 >= end(right) {
        Some(Which::Left)
    } else if right.0 >= end(left) {
        Some(Which::Right)
    } else {
        None
    }
}

/// The first moment that is certainly after a time.
fn end(at: Timestamp) -> i64 {
    let unit = UNITS_US.into_iter().find(|unit| at.0 % unit == 0).unwrap_or(1);
    at.0.saturating_add(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_800_014_400_000_000;

    fn judged(left: i64, right: i64) -> Option<Which> {
        let now = Timestamp(NOON + 3_600_000_000);
        let judged = newer(Timestamp(left), Timestamp(right), now);
        let other = newer(Timestamp(right), Timestamp(left), now);
        let turned = other.map(|which| if which == Which::Left { Which::Right } else { Which::Left });
        assert_eq!(judged, turned, "whoever stands on the left does not matter");
        judged
    }

    #[test]
    fn b59_times_of_one_tick_are_unordered() {
        let second = 1_000_000;
        for (left, right, expected) in [
            (NOON + second, NOON + second, None),
            (NOON + second, NOON + second + 300_017, None),
            (NOON + second, NOON + 2 * second, Some(Which::Right)),
            (NOON + second + 300_017, NOON + 2 * second, Some(Which::Right)),
            (NOON + 2 * second + 1, NOON + second, Some(Which::Left)),
            (NOON + 300_000, NOON + 300_999, None),
            (NOON + 300_000, NOON + 301_001, Some(Which::Right)),
            (NOON + 300_001, NOON + 300_002, Some(Which::Right)),
            (NOON + 300_001, NOON + 300_001, None),
        ] {
            assert_eq!(judged(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn a_day_is_not_before_an_hour_of_it() {
        let day = 86_400_000_000;
        let midnight = NOON - NOON % day;
        assert_eq!(judged(midnight, midnight + 7 * 3_600_000_000 + 1), None);
        assert_eq!(judged(midnight, midnight - 1), Some(Which::Left));
        assert_eq!(judged(midnight - day, midnight + 1), Some(Which::Right));
    }

    #[test]
    fn b58_a_time_from_the_future_is_believed_by_nobody() {
        let now = Timestamp(NOON);
        let (ahead, before) = (Timestamp(NOON + AHEAD_MAX_US + 1), Timestamp(NOON - 1));
        assert_eq!(newer(ahead, before, now), None);
        assert_eq!(newer(before, ahead, now), None);
        assert_eq!(newer(Timestamp(NOON + AHEAD_MAX_US), before, now), Some(Which::Left));
        assert_eq!(newer(Timestamp(i64::MAX), Timestamp(i64::MIN), Timestamp(i64::MAX)), Some(Which::Left));
    }
}
