//! Spans of time in a configuration: `500ms`, `30s`, `5m`, `1h`, `7d`.

use super::errors::Mistakes;
use super::section::Section;
use std::ops::RangeInclusive;
use std::time::Duration;

impl Section<'_> {
    /// A span within limits of milliseconds; none where none is given or the one given is wrong.
    pub(super) fn span(&self, key: &str, ms: RangeInclusive<u64>, mistakes: &mut Mistakes) -> Option<Duration> {
        let found = self.text(key, mistakes)?;
        let (low, high) = (shown(*ms.start()), shown(*ms.end()));
        let remedy = format!("write a whole number and a unit (ms, s, m, h, d), from {low} to {high}");
        match parse(&found.value) {
            Some(span) if ms.contains(&span) => return Some(Duration::from_millis(span)),
            Some(_) => {
                mistakes.add(found.origin, &self.setting(key), format!("{} is out of range", found.value), remedy)
            }
            None => mistakes.add(found.origin, &self.setting(key), "not a span of time", remedy),
        }
        None
    }
}

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Milliseconds.
fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let (_, each) = UNITS.iter().find(|(unit, _)| *unit == &text[digits.len()..])?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(*each)
}

/// In the largest unit that leaves nothing over.
fn shown(ms: u64) -> String {
    let (unit, each) = UNITS.iter().find(|(_, each)| ms > 0 && ms.is_multiple_of(*each)).unwrap_or(&("s", 1_000));
    format!("{}{unit}", ms / each)
}

#[cfg(test)]
mod tests {
    use super::{parse, shown};

    #[test]
    fn a_span_is_a_whole_number_and_a_unit() {
        for (text, ms) in
            [("500ms", 500), ("0s", 0), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("7d", 604_800_000)]
        {
            assert_eq!(parse(text), Some(ms), "{text}");
            assert_eq!(shown(ms), text);
        }
        for text in
            ["", "5", "s", "1.5s", "-1s", "+1s", "5 s", "1w", "1H", "99999999999999999999d", "99999999999999999d"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
