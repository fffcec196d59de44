//! An answer as it lies in Redis: sealed where there are master keys, and believed only where it is whole, is about what was asked, and is
//! of a time that can be.

use super::names::hex;
use crate::ids;
use crate::truth::known::{ANSWER_BYTES_MAX, Found, Known};
use quittance_core::time::Timestamp;
use quittance_store::seal::{Keyring, Place, is_sealed};
use quittance_store::value::Value as Cell;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

/// The form of what is kept; another one is not read.
const FORM: u64 = 1;

/// Longest answer that is shared, in bytes: what is larger takes longer to fetch than anybody waits for Redis.
pub(super) const KEPT_BYTES_MAX: usize = 256 * 1024;

/// How far the wall clocks of two machines may be apart before an answer is one of the future.
const SKEW_MAX: Duration = Duration::from_secs(1);

/// What an answer is bound to: elsewhere it is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound<'a> {
    /// The pair as it is configured, and by which credential it is asked.
    pub(super) pair: &'a [u8; 32],
    pub(super) entry: &'a str,
    pub(super) generation: &'a str,
    /// When the question was sent, by Redis's clock, in microseconds.
    pub(super) asked_at: i64,
}

/// What the clocks say when an answer is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clocks {
    /// Redis's, in microseconds.
    pub(super) redis: i64,
    pub(super) wall: Timestamp,
    /// Before Redis was asked.
    pub(super) steady: Instant,
}

/// An answer as it is kept. None where it is too long to be shared.
pub(super) fn encode(known: &Known, bound: Bound<'_>, keys: Option<&Keyring>) -> Option<Vec<u8>> {
    let several = match known.found {
        Found::None => 0,
        Found::One => 1,
        Found::Several(count) => count.max(2),
    };
    let head = json!({
        "form": FORM,
        "pair": hex(bound.pair),
        "entry": bound.entry,
        "generation": bound.generation,
        "asked_at": bound.asked_at,
        "as_of": known.as_of.0,
        "found": several,
        "identity": known.identity,
        "digest": hex(&Sha256::digest(known.head())),
    });
    let plain = [head.to_string().as_bytes(), b"\n", known.head()].concat();
    let kept = match keys {
        Some(keys) => keys.seal(&plain, place(&cells(bound)), ids::random()),
        None => plain,
    };
    (kept.len() <= KEPT_BYTES_MAX).then_some(kept)
}

/// The answer that is kept there, where it can be believed.
pub(super) fn decode(
    kept: &[u8],
    bound: Bound<'_>,
    about: (&str, &str),
    keys: Option<&Keyring>,
    clocks: Clocks,
) -> Option<Known> {
    let plain = match keys {
        // What is not sealed may be anybody's.
        Some(keys) if is_sealed(kept) => keys.open(kept, place(&cells(bound))).ok()?,
        None if !is_sealed(kept) => kept.to_vec(),
        _ => return None,
    };
    let at = plain.iter().position(|byte| *byte == b'\n')?;
    let (head, answer) = (plain.get(..at)?, plain.get(at + 1..)?);
    let head: Value = serde_json::from_slice(head).ok()?;
    let is_it = head["form"] == FORM
        && head["pair"] == hex(bound.pair)
        && head["entry"] == bound.entry
        && head["generation"] == bound.generation
        && head["asked_at"] == bound.asked_at
        && head["digest"] == hex(&Sha256::digest(answer));
    let found = match head["found"].as_u64()? {
        0 => Found::None,
        1 => Found::One,
        several => Found::Several(several),
    };
    if !is_it || !is_answer(answer, about, found) {
        return None;
    }
    let as_of = Timestamp(head["as_of"].as_i64()?);
    let read_at = clocks.steady.checked_sub(age(bound.asked_at, as_of, clocks)?)?;
    let identity = head["identity"].as_str().map(str::to_owned);
    Some(Known::again(found, (as_of, read_at), identity, answer.to_vec()))
}

/// How old an answer is, and errs towards older. None where it is one of the future: a clock was set.
fn age(asked_at: i64, as_of: Timestamp, clocks: Clocks) -> Option<Duration> {
    let by_redis = Duration::from_micros(u64::try_from(clocks.redis.checked_sub(asked_at)?).ok()?);
    let ahead = Duration::from_millis(as_of.ms_since(clocks.wall));
    let by_wall = Duration::from_millis(clocks.wall.ms_since(as_of));
    (ahead <= SKEW_MAX).then_some(by_redis.max(by_wall))
}

/// Whether it is the beginning of an answer about this key of this pair, as [`Known`] has it.
fn is_answer(answer: &[u8], (pair, key): (&str, &str), found: Found) -> bool {
    let Some(members) = answer.strip_suffix(b",").filter(|_| answer.len() <= ANSWER_BYTES_MAX) else { return false };
    let told: Option<Value> = serde_json::from_slice(&[members, b"}"].concat()).ok();
    told.is_some_and(|told| {
        told["object"] == "truth"
            && told["pair"] == pair
            && told["key"] == key
            && told["found"] == (found == Found::One)
    })
}

fn cells(bound: Bound<'_>) -> [Cell; 4] {
    let pair = Cell::Bytes(bound.pair.to_vec());
    [pair, Cell::from(bound.entry), Cell::from(bound.generation), Cell::Integer(bound.asked_at)]
}

fn place(key: &[Cell]) -> Place<'_> {
    Place { table: "truth", column: "answer", key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::truth::known::{Moment, Read};
    use quittance_store::seal::KEY_BYTES;

    const BOUND: Bound<'_> = Bound { pair: &[7; 32], entry: "e", generation: "g", asked_at: 5_000_000 };

    fn known() -> Known {
        let at = Moment { as_of: Timestamp(100_000_000), read_at: clock::monotonic() };
        let read = Read { identity: "sub_1".to_owned(), ..Read::default() };
        Known::new("pair", "app", "cus_1", Found::One, Some(read), at).expect("short")
    }

    fn ring(byte: u8) -> Keyring {
        Keyring::new(vec![("a".to_owned(), [byte; KEY_BYTES])]).expect("a key")
    }

    fn clocks(redis: i64, wall: i64) -> Clocks {
        Clocks { redis, wall: Timestamp(wall), steady: clock::monotonic() }
    }

    fn read(kept: &[u8], bound: Bound<'_>, keys: Option<&Keyring>) -> Option<Known> {
        decode(kept, bound, ("pair", "cus_1"), keys, clocks(7_000_000, 101_000_000))
    }

    #[test]
    fn an_answer_is_told_again_with_its_age_and_shows_nothing_where_it_is_sealed() {
        for keys in [None, Some(ring(1))] {
            let kept = encode(&known(), BOUND, keys.as_ref()).expect("short");
            assert_eq!(keys.is_some(), !kept.windows(5).any(|bytes| bytes == b"cus_1"));
            let clocks = clocks(7_000_000, 101_000_000);
            let again = decode(&kept, BOUND, ("pair", "cus_1"), keys.as_ref(), clocks).expect("believed");
            assert_eq!((again.head(), again.identity.as_deref()), (known().head(), Some("sub_1")));
            assert_eq!(again.age(clocks.steady), Duration::from_secs(2), "the longer of what the clocks say");
        }
    }

    #[test]
    fn what_was_moved_changed_cut_or_is_anybodys_is_not_believed() {
        let (sealed, plain) = (encode(&known(), BOUND, Some(&ring(1))).expect("short"), encode(&known(), BOUND, None));
        let plain = plain.expect("short");
        assert!(read(&sealed, BOUND, None).is_none() && read(&plain, BOUND, Some(&ring(1))).is_none());
        assert!(read(&sealed, BOUND, Some(&ring(2))).is_none());
        for bound in [
            Bound { pair: &[8; 32], ..BOUND },
            Bound { entry: "f", ..BOUND },
            Bound { generation: "h", ..BOUND },
            Bound { asked_at: 6_000_000, ..BOUND },
        ] {
            assert!(read(&sealed, bound, Some(&ring(1))).is_none() && read(&plain, bound, None).is_none());
        }
        assert!(decode(&plain, BOUND, ("pair", "cus_2"), None, clocks(7_000_000, 101_000_000)).is_none());
        for cut in 0..plain.len() {
            assert!(read(&plain[..cut], BOUND, None).is_none(), "cut at {cut}");
        }
        for garbage in [&b""[..], b"\n", b"{}\n{}", b"\0sealed\x01", &[0xff; 64]] {
            assert!(read(garbage, BOUND, None).is_none() && read(garbage, BOUND, Some(&ring(1))).is_none());
        }
    }

    #[test]
    fn an_answer_of_the_future_is_not_believed_and_the_older_clock_counts() {
        let age = |redis, wall| age(5_000_000, Timestamp(100_000_000), clocks(redis, wall));
        assert_eq!(age(4_999_999, 100_000_000), None, "Redis's clock was set back");
        assert_eq!(age(5_000_000, 98_000_000), None, "it was sent two seconds from now");
        assert_eq!(age(6_000_000, 99_500_000), Some(Duration::from_secs(1)));
        assert_eq!(age(5_000_000, 160_000_000), Some(Duration::from_secs(60)), "Redis's clock stood still");
    }
}
