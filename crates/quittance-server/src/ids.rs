//! Ids and randomness: the only place that draws them.

use quittance_core::time::Timestamp;
use quittance_engine::ports::Ids;
use uuid::Uuid;

/// Random bits of a UUIDv7 (RFC 9562, section 5.7): 12 and 62.
const RANDOM_BITS: u32 = 74;

/// Bytes from the operating system's generator.
///
/// # Panics
///
/// When the operating system has no randomness to give: nothing that was to be drawn may be guessed instead.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the named place that draws randomness")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's random generator works");
    bytes
}

/// Draws UUIDs of version 7 that rise within this process even where the time does not.
#[derive(Debug, Default)]
pub struct SystemIds {
    last_ms: u64,
    last_tail: u128,
}

impl Ids for SystemIds {
    fn uuid(&mut self, now: Timestamp) -> Uuid {
        let ms = Timestamp(now.0).ms_since(Timestamp::default());
        if ms > self.last_ms {
            self.last_ms = ms;
            // The highest bit stays free, so that counting upwards from here does not run over.
            self.last_tail = u128::from_be_bytes(random()) & ((1 << (RANDOM_BITS - 1)) - 1);
        } else {
            self.last_tail += 1 + u128::from(u32::from_be_bytes(random()));
        }
        if self.last_tail >> RANDOM_BITS != 0 {
            self.last_ms += 1;
            self.last_tail = u128::from_be_bytes(random()) & ((1 << (RANDOM_BITS - 1)) - 1);
        }
        version_7(self.last_ms, self.last_tail)
    }

    fn dice(&mut self) -> u64 {
        u64::from_be_bytes(random())
    }
}

/// Lays out RFC 9562, section 5.7: 48 bits of milliseconds, the version, 12 bits, the variant, 62 bits.
const fn version_7(ms: u64, tail: u128) -> Uuid {
    let time = (ms as u128 & 0xffff_ffff_ffff) << 80;
    let high = (tail >> 62 & 0xfff) << 64;
    let low = tail & ((1 << 62) - 1);
    Uuid::from_u128(time | 0x7 << 76 | high | 0b10 << 62 | low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_7_and_rise_though_the_clock_does_not() {
        let mut ids = SystemIds::default();
        let times = [5_000_000, 5_000_000, 4_000_000, 5_000_999, 6_000_000, 1, 6_000_000];
        let drawn: Vec<Uuid> = times.into_iter().cycle().take(700).map(|at| ids.uuid(Timestamp(at))).collect();
        assert!(drawn.is_sorted_by(|earlier, later| earlier < later));
        for uuid in drawn {
            assert_eq!(uuid.get_version_num(), 7);
            assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
        }
    }

    #[test]
    fn the_time_is_in_the_id() {
        let uuid = SystemIds::default().uuid(Timestamp::from_seconds(1_700_000_000));
        assert_eq!(uuid.as_u128() >> 80, 1_700_000_000_000);
    }
}
