//! Moments as PostgreSQL writes them (`2026-01-31 12:00:00.5+00`), of all the years it knows.

use quittance_core::time::Timestamp;

const DAY_US: i64 = 86_400_000_000;

/// Reads a moment in UTC, as it is printed under `DateStyle = ISO` and `TimeZone = UTC`. None for what is not one, and
/// for the last years PostgreSQL knows, from 294247 on, which 64 bits of microseconds since 1970 do not hold.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    match text {
        "infinity" => return Some(Timestamp(i64::MAX)),
        "-infinity" => return Some(Timestamp(i64::MIN)),
        _ => {}
    }
    let (text, is_before_christ) = text.strip_suffix(" BC").map_or((text, false), |text| (text, true));
    let text = text.strip_suffix("+00").unwrap_or(text);
    let (date, time) = text.split_once(' ')?;
    let mut date = date.splitn(3, '-');
    let year = number(date.next()?)?;
    let (month, day) = (number(date.next()?)?, number(date.next()?)?);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.splitn(3, ':');
    let (hour, minute, second) = (number(clock.next()?)?, number(clock.next()?)?, number(clock.next()?)?);
    let year = if is_before_christ { 1 - year } else { year };
    let seconds = (hour * 60 + minute) * 60 + second;
    let of_day = seconds * 1_000_000 + fraction_us(fraction)?;
    days(year, month, day).checked_mul(DAY_US)?.checked_add(of_day).map(Timestamp)
}

/// Writes a moment in UTC, so that PostgreSQL reads it back.
pub(in crate::sql) fn write(at: Timestamp) -> String {
    match at.0 {
        i64::MAX => return "infinity".to_owned(),
        i64::MIN => return "-infinity".to_owned(),
        _ => {}
    }
    let (day, of_day) = (at.0.div_euclid(DAY_US), at.0.rem_euclid(DAY_US));
    let (year, month, day) = date(day);
    let (seconds, micros) = (of_day / 1_000_000, of_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}+00{era}")
}

fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.bytes().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

fn fraction_us(digits: &str) -> Option<i64> {
    if digits.is_empty() {
        return Some(0);
    }
    let missing = 6_u32.checked_sub(u32::try_from(digits.len()).ok()?)?;
    Some(number(digits)? * 10_i64.pow(missing))
}

/// Days since 1970 of a date of the Gregorian calendar, in which the year 0 is 1 BC. (Howard Hinnant,
/// `days_from_civil`, <https://howardhinnant.github.io/date_algorithms.html>.)
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of so many days since 1970; the inverse of [`days`].
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}
