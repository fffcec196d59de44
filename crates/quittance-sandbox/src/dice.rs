//! Owns: deterministic chance, a pure function of what is mixed in. Does not own: what the
//! outcomes mean.

/// A running hash. The same seed and the same words give the same outcome on every machine and
/// whatever the order in which requests arrive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // The offset basis of 64-bit FNV-1a.
        Self(0xcbf2_9ce4_8422_2325).number(seed)
    }

    /// Mixes a word in. Its length is mixed in too, so that "a","bc" differs from "ab","c".
    pub(crate) fn text(self, word: &str) -> Self {
        let mut hash = self.0;
        for byte in word.bytes() {
            hash = step(hash, byte);
        }
        Self(hash).number(u64::try_from(word.len()).unwrap_or(u64::MAX))
    }

    pub(crate) fn number(self, number: u64) -> Self {
        Self(number.to_le_bytes().into_iter().fold(self.0, step))
    }

    /// FNV leaves the high bits of similar words alike; the finaliser of SplitMix64 spreads them.
    pub(crate) fn value(self) -> u64 {
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in `0..sides`; 0 when there are no sides.
    pub(crate) fn roll(self, sides: u64) -> u64 {
        self.value().checked_rem(sides).unwrap_or(0)
    }
}

fn step(hash: u64, byte: u8) -> u64 {
    // The prime of 64-bit FNV-1a.
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// 24 letters and digits, as long as the random part of Stripe's own ids.
pub(crate) fn letters(dice: Dice) -> String {
    let mut text = String::with_capacity(24);
    for half in 0..2_u64 {
        let mut bits = dice.number(half).value();
        for _ in 0..12 {
            let index = usize::try_from(bits % 62).unwrap_or(0);
            text.push(char::from(ALPHABET[index]));
            bits /= 62;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Dice, letters};

    #[test]
    fn the_same_words_give_the_same_outcome_and_others_another() {
        let one = Dice::new(7).text("confirm").text("key-1").number(0);
        assert_eq!(one.value(), Dice::new(7).text("confirm").text("key-1").number(0).value());
        assert_ne!(one.value(), Dice::new(8).text("confirm").text("key-1").number(0).value());
        assert_ne!(Dice::new(7).text("a").text("bc").value(), Dice::new(7).text("ab").text("c").value());
        assert_eq!(letters(one).len(), 24);
    }

    #[test]
    fn rolls_are_spread_evenly_enough() {
        let mut buckets = [0_u32; 10];
        for number in 0..10_000_u64 {
            let roll = Dice::new(1).text("key").number(number).roll(10);
            buckets[usize::try_from(roll).expect("a roll of ten sides is below ten")] += 1;
        }
        assert!(buckets.iter().all(|count| (850..1150).contains(count)), "{buckets:?}");
    }
}
