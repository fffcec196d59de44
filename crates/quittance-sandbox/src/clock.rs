//! Owns: the only readings of real time in this crate. Does not own: timers, which are tokio's.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, as every `created` and every webhook signature carries.
#[expect(clippy::disallowed_methods, reason = "the one place where this crate reads the clock")]
pub(crate) fn unix_seconds() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

/// A reading that never runs backwards, for ages and deadlines.
#[expect(clippy::disallowed_methods, reason = "the one place where this crate reads the clock")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}

/// The `Date` header (RFC 9110, section 5.6.7) of a time between 1970 and 9999.
pub(crate) fn http_date(unix_seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, seconds) = (unix_seconds.div_euclid(DAY), unix_seconds.rem_euclid(DAY));
    let weekday = DAYS[usize::try_from(days.rem_euclid(7)).unwrap_or(0)];
    let (year, month, day) = date(days);
    let month = MONTHS[usize::try_from(month).unwrap_or(0)];
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// The same day and time so many months later; a day that the month does not have becomes its last.
pub(crate) fn months_later(unix_seconds: i64, months: i64) -> i64 {
    let (year, month, day) = date(unix_seconds.div_euclid(DAY));
    let month = year * 12 + month + months;
    let (first, next) = (first_day(month), first_day(month + 1));
    (first + day - 1).min(next - 1) * DAY + unix_seconds.rem_euclid(DAY)
}

pub(crate) const DAY: i64 = 86_400;

/// Year, month (0 is January) and day of the month, of a day since 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is the last: eras of 400 years from 0000-03-01 on.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    (era * 400 + year_of_era + i64::from(month >= 10), (month + 2) % 12, day)
}

/// The first day of a month, counted from January of the year 0, in days since 1970-01-01.
fn first_day(month: i64) -> i64 {
    // As above, from March.
    let (year, month) = ((month - 2).div_euclid(12), (month - 2).rem_euclid(12));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 - 719_468
}

#[cfg(test)]
mod tests {
    use super::{http_date, months_later};

    #[test]
    fn dates_are_written_as_http_wants_them() {
        for (unix_seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            // The example of RFC 9110.
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_827_696, "Tue, 29 Feb 2000 12:34:56 GMT"),
            (1_795_253_176, "Sat, 21 Nov 2026 09:26:16 GMT"),
        ] {
            assert_eq!(http_date(unix_seconds), text);
        }
    }

    #[test]
    fn months_end_where_the_calendar_says() {
        for (from, months, to) in [
            // 2026-11-21 to 2026-12-21.
            (1_795_253_176, 1, 1_797_845_176),
            // 2024-01-31 to the leap day, and to 2025-01-31.
            (1_706_659_200, 1, 1_709_164_800),
            (1_706_659_200, 12, 1_738_281_600),
            // 2023-11-30 to 2024-02-29, and from 1970-01-01 to 1970-02-01.
            (1_701_302_400, 3, 1_709_164_800),
            (0, 1, 2_678_400),
        ] {
            assert_eq!(months_later(from, months), to, "{from} {months}");
        }
    }
}
