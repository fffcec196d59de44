//! Shares: so many of so many, in whole numbers.

use std::fmt;

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Share {
    /// The part.
    pub part: u64,
    /// The whole.
    pub whole: u64,
}

impl Share {
    /// So many of so many.
    #[must_use]
    pub const fn of(part: u64, whole: u64) -> Self {
        Self { part, whole }
    }

    /// The share in hundredths of a percent, rounded down; 0 of nothing.
    #[must_use]
    pub const fn basis_points(self) -> u64 {
        if self.whole == 0 { 0 } else { (self.part as u128 * 10_000 / self.whole as u128) as u64 }
    }
}

impl fmt::Display for Share {
    /// `4,870 of 4,912`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", Grouped(self.part), Grouped(self.whole))
    }
}

/// A number with its thousands apart.
pub(super) struct Grouped(pub(super) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}
