//! Shape: whether the values of a field still look as they did. A field that is suddenly nothing in many records says that the
//! other side speaks another version, not that customers changed.

/// Runs that are remembered.
pub const RUNS_MAX: usize = 10;

/// Records below which a share says nothing.
pub const RECORDS_MIN: u64 = 20;

/// A share of nothings that is greater than before by this is a jump, in millionths: a fifth of the records.
pub const JUMP_PPM: u64 = 200_000;

/// What one run saw in one field of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Seen {
    /// Records that were looked at.
    pub records: u64,
    /// Those in which the field held nothing, or was not mentioned.
    pub nothing: u64,
    /// Those whose word no map knows.
    pub unknown: u64,
}

impl Seen {
    const fn nothing_ppm(self) -> u64 {
        match self.nothing.saturating_mul(1_000_000).checked_div(self.records) {
            Some(share) => share,
            None => 0,
        }
    }
}

/// What is wrong with the shape of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bent {
    /// So many millionths of it are nothing, and at most so many were in any run that is remembered.
    Nothing {
        /// Now.
        now_ppm: u64,
        /// Before, at most.
        before_ppm: u64,
    },
    /// So many records hold words that no map knows, and in the runs that are remembered none did.
    Unknown(u64),
}

/// Judges a field by the runs before, the newest of which may be any. Nothing is judged before a first run, nor over few
/// records.
#[must_use]
pub fn judge(before: &[Seen], now: Seen) -> Option<Bent> {
    if before.is_empty() || now.records < RECORDS_MIN {
        return None;
    }
    if now.unknown > 0 && before.iter().all(|seen| seen.unknown == 0) {
        return Some(Bent::Unknown(now.unknown));
    }
    let before_ppm = before.iter().filter(|seen| seen.records >= RECORDS_MIN).map(|seen| seen.nothing_ppm()).max()?;
    let now_ppm = now.nothing_ppm();
    (now_ppm >= before_ppm + JUMP_PPM).then_some(Bent::Nothing { now_ppm, before_ppm })
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seen(records: u64, nothing: u64, unknown: u64) -> Seen {
        Seen { records, nothing, unknown }
    }

    #[test]
    fn a_field_that_is_suddenly_nothing_or_unknown_is_bent() {
        let usual = [seen(100, 5, 0), seen(110, 8, 0)];
        for (what, before, now, expected) in [
            ("the first run", &[][..], seen(100, 100, 9), None),
            ("as before", &usual, seen(120, 9, 0), None),
            ("a little more", &usual, seen(100, 20, 0), None),
            ("a jump", &usual, seen(100, 60, 0), Some(Bent::Nothing { now_ppm: 600_000, before_ppm: 72_727 })),
            ("few records", &usual, seen(19, 19, 0), None),
            ("a new word", &usual, seen(100, 5, 2), Some(Bent::Unknown(2))),
            ("words that were unknown before", &[seen(100, 5, 1)], seen(100, 5, 2), None),
            ("always nothing", &[seen(100, 100, 0)], seen(100, 100, 0), None),
            ("few before", &[seen(3, 0, 0)], seen(100, 100, 0), None),
        ] {
            assert_eq!(judge(before, now), expected, "{what}");
        }
    }
}
