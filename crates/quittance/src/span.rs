//! Spans of time as they are written on the command line: `500ms`, `5s`, `30m`, `24h`, `3d`.

use std::time::Duration;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A span of a day at most; a number alone is seconds.
pub(crate) fn of_a_day(text: &str) -> Result<Duration, String> {
    let is_bare = text.ends_with(|last: char| last.is_ascii_digit());
    let span = if is_bare { parse(&format!("{text}s")) } else { parse(text) };
    span?.filter(|ms| *ms <= DAY_MS).map(Duration::from_millis).ok_or_else(|| "write a day at most".to_owned())
}

/// A span of ten years at most, in milliseconds.
pub(crate) fn of_years(text: &str) -> Result<u64, String> {
    parse(text)?.filter(|ms| *ms <= 3_660 * DAY_MS).ok_or_else(|| "write ten years at most".to_owned())
}

/// Milliseconds; none where there are too many of them.
fn parse(text: &str) -> Result<Option<u64>, String> {
    let unwritten = || "write a whole number and a unit: 500ms, 5s, 30m, 24h or 3d".to_owned();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let ms_each = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY_MS,
        _ => return Err(unwritten()),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(unwritten());
    }
    Ok(digits.parse::<u64>().ok().and_then(|number| number.checked_mul(ms_each)))
}

#[cfg(test)]
mod tests {
    use super::{of_a_day, of_years};
    use std::time::Duration;

    #[test]
    fn spans_have_a_number_and_a_unit() {
        for (text, ms) in
            [("500ms", 500), ("90s", 90_000), ("30m", 1_800_000), ("24h", 86_400_000), ("0s", 0), ("1d", 86_400_000)]
        {
            assert_eq!(of_a_day(text), Ok(Duration::from_millis(ms)), "{text}");
            assert_eq!(of_years(text), Ok(ms), "{text}");
        }
        assert_eq!((of_a_day("5"), of_years("3d")), (Ok(Duration::from_secs(5)), Ok(259_200_000)));
    }

    #[test]
    fn what_is_no_span_or_too_long_is_refused() {
        for text in ["", "s", "-1s", "+1s", "5 s", "1.5s", "1w", "4000d", "99999999999999999999d"] {
            assert!(of_a_day(text).is_err() && of_years(text).is_err(), "{text}");
        }
        for text in ["25h", "9999m", "86400001ms", "2d"] {
            assert!(of_a_day(text).is_err(), "{text}");
        }
        assert!(of_years("24").is_err());
    }
}
