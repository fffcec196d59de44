//! Moments in the form in which a column holds them: text with its separator, fraction and zone, or a count since 1970.

use super::{Bound, Declared, Put, Stored, decode};
use crate::sql::postgres::time;
use quittance_core::record::number::Number;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;

/// How moments are written.
enum Form<'a> {
    /// Only the day.
    Day,
    /// What stands between day and time, how many digits of a second there are, and what stands behind.
    Text { separator: char, digits: usize, zone: &'a str },
    /// So many microseconds are counted as one; whether a fraction of that is held.
    Count { unit_us: i64, has_fraction: bool },
}

/// As SQLite's own `datetime()` writes, where a column holds nothing that says more.
const USUAL: Form<'static> = Form::Text { separator: ' ', digits: 0, zone: "" };

/// A moment where `was` stands now.
pub(super) fn put(at: Timestamp, declared: Declared, was: Stored<'_>) -> Option<Put> {
    let form = match Form::of(was) {
        Some(form) => form,
        None if declared == Declared::Text => Form::Text { separator: 'T', digits: 0, zone: "Z" },
        None => USUAL,
    };
    form.write(at)
}

/// Now, in the form and as exactly as `was` tells a time; none where it tells none.
#[must_use]
pub fn touched(now: Timestamp, was: Stored<'_>) -> Option<Put> {
    let form = Form::of(was)?;
    let exact_us = match &form {
        Form::Day => 86_400_000_000,
        Form::Text { digits, .. } => 10_i64.pow(6_u32.saturating_sub(u32::try_from(*digits).unwrap_or(6))),
        Form::Count { has_fraction: true, .. } => 1,
        Form::Count { unit_us, .. } => (*unit_us).max(1),
    };
    form.write(Timestamp(now.0 - now.0.rem_euclid(exact_us)))
}

impl<'a> Form<'a> {
    fn of(was: Stored<'a>) -> Option<Self> {
        match was {
            Stored::Null | Stored::Blob(_) => None,
            Stored::Text(text) => Self::of_text(text.trim()),
            Stored::Integer(count) => Some(Self::of_count(count.checked_abs()?, false)),
            Stored::Real(real) => {
                let text = real.abs().to_string();
                let whole = text.split('.').next()?;
                Some(Self::of_count(whole.parse().ok()?, true))
            }
        }
    }

    /// As it is read: the size of a number tells its unit. Nanoseconds are counted in thousands of them.
    fn of_count(count: i64, has_fraction: bool) -> Self {
        let unit_us = match count.checked_ilog10().unwrap_or(0) {
            0..=10 => 1_000_000,
            11..=13 => 1_000,
            14..=16 => 1,
            _ => 0,
        };
        Self::Count { unit_us, has_fraction }
    }

    fn of_text(text: &'a str) -> Option<Self> {
        if !matches!(decode(Stored::Text(text), Declared::Timestamp), Value::Timestamp(_)) {
            return None;
        }
        let Some(time) = text.get(11..) else { return (text.len() == 10).then_some(Self::Day) };
        let separator = text[10..].chars().next()?;
        let end =
            time.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.')).unwrap_or(time.len());
        let (clock, zone) = time.split_at(end);
        let digits = clock.split_once('.').map_or(0, |(_, digits)| digits.len().min(6));
        // Of another zone the same moment is written in UTC.
        let zone = match zone.trim_start() {
            offset if offset.starts_with(['+', '-']) && zone.starts_with(' ') => " +00:00",
            offset if offset.starts_with(['+', '-']) => "+00:00",
            _ => zone,
        };
        Some(Self::Text { separator, digits, zone })
    }

    fn write(&self, at: Timestamp) -> Option<Put> {
        match self {
            Self::Count { unit_us: 0, .. } => at.0.checked_mul(1_000).map(|count| Bound::Integer(count).into()),
            Self::Count { unit_us, has_fraction: false } => {
                (at.0 % unit_us == 0).then(|| Bound::Integer(at.0 / unit_us).into())
            }
            Self::Count { unit_us, has_fraction: true } => {
                let places = u8::try_from(unit_us.checked_ilog10()?).ok()?;
                let count = Number::from_integer(at.0).scaled_down(places)?;
                Some(Bound::Real(count.as_str().parse().ok()?).into())
            }
            Self::Day | Self::Text { .. } => self.text(at).map(Put::text),
        }
    }

    fn text(&self, at: Timestamp) -> Option<String> {
        let whole = time::write(at);
        // Infinities, and years before Christ, which ISO 8601 writes otherwise.
        let (day, time) = whole.strip_suffix("+00")?.split_once(' ')?;
        let (clock, fraction) = time.split_once('.')?;
        let Self::Text { separator, digits, zone } = self else {
            return (clock == "00:00:00" && fraction == "000000").then(|| day.to_owned());
        };
        let needed = fraction.trim_end_matches('0').len().max(*digits);
        let point = if needed == 0 { "" } else { "." };
        Some(format!("{day}{separator}{clock}{point}{}{zone}", &fraction[..needed]))
    }
}
