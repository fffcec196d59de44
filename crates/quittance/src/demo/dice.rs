//! Owns: deterministic chance: the same seed and the same numbers give the same rolls. Does not own: what they decide.

/// A generator (SplitMix64): cheap, and good enough to shuffle a workload.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Rolls that depend on the seed and on which of its streams this is.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self(seed ^ stream.wrapping_mul(0xd6e8_feb8_6659_fd93));
        dice.next();
        dice
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `0..sides`; 0 when there are no sides.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.next().checked_rem(sides).unwrap_or(0)
    }

    /// A number between two bounds, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.roll(high.saturating_sub(low) + 1)
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = self.roll(u64::try_from(choices.len()).unwrap_or(1));
        choices[usize::try_from(index).unwrap_or(0)]
    }

    /// True in this many of a thousand rolls.
    pub(crate) fn hits(&mut self, per_mille: u64) -> bool {
        self.roll(1_000) < per_mille
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn a_seed_gives_its_own_rolls_again() {
        let rolls = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            (0..20).map(|_| dice.roll(100)).collect::<Vec<_>>()
        };
        assert_eq!(rolls(7, 1), rolls(7, 1));
        assert_ne!(rolls(7, 1), rolls(7, 2));
        assert_ne!(rolls(7, 1), rolls(8, 1));
    }

    #[test]
    fn bounds_are_included_and_kept() {
        let mut dice = Dice::new(1, 1);
        let rolls: Vec<_> = (0..200).map(|_| dice.between(3, 5)).collect();
        assert!((3..=5).all(|number| rolls.contains(&number)), "{rolls:?}");
        assert!(rolls.iter().all(|number| (3..=5).contains(number)), "{rolls:?}");
    }
}
