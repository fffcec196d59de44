//! Comparing by checksums: ranges of keys are summed up where the records are, and only those that differ are read.
//!
//! Ranges are cut by quantiles of a sample of the left's keys, so that each holds about as many records; one that the right
//! fills more is still one range. What is transferred of equal tables is one sum for each range of either side. Where
//! few ranges differ, each is summed up again in parts, so that a handful of records is read for each difference. All of
//! a side is of one moment: parts have to add up to their range, and rows to what was counted. Where they do not, the
//! database does not order keys as everybody does, and nothing of it is believed.

use super::collect::{Collector, Source};
use super::error::DiffError;
use super::look::{Limits, Look, compare};
use crate::systems::{Checksums, PARTS, Parts, Range, Reading, SystemError};
use quittance_core::pair::Pair;
use quittance_core::pair::digest::{Digest, Hasher};
use quittance_core::record::value::Value;
use std::thread;

/// Records of a range, about: more than a hundred, so that the sums of equal tables are fewer than one for each hundred
/// records of either.
const RANGE_RECORDS: u64 = 120;

/// Of how many ranges one may differ for their parts to be summed up: with more, what is read twice costs more than what
/// is not read.
const OPEN_ONE_IN: usize = 3;

/// Most ranges.
const RANGES_MAX: u64 = 65_536;

/// One look by checksums; or why these two cannot be compared so.
pub(super) fn look<'s>(
    pair: &Pair,
    left: &mut Source<'s>,
    right: &mut Source<'s>,
    hash_key: &[u8; 32],
    findings_max: u64,
) -> Result<Result<(String, Look), &'static str>, DiffError> {
    let method = match common_method(pair, left, right)? {
        Ok(method) => method,
        Err(reason) => return Ok(Err(reason)),
    };
    let records = left.system.estimate(left.object).map_err(|error| left.error(error))?.unwrap_or(0);
    let wanted = (records / RANGE_RECORDS).clamp(1, RANGES_MAX) as usize;
    let cuts = with(left, |checksums, object| checksums.quantiles(object, &pair.left, 0, wanted))?;
    let ranges = ranges(cuts);
    let (left_sums, right_sums) = both(left, right, |source| {
        let side = pair.side(source.which);
        with(source, |checksums, object| checksums.sums(object, side, 0, &ranges, hash_key))
    })?;
    assert_eq!((left_sums.len(), right_sums.len()), (ranges.len(), ranges.len()), "a sum for each range");
    let all = ranges.len();
    let mut sums = [&left_sums, &right_sums].map(|sums| sums.iter().filter(|sum| sum.count > 0).count());
    let mut equal = Digest::default();
    let mut open = Open { key: hash_key, ranges: Vec::new(), sums: Vec::new(), masks: None };
    for ((range, one), other) in ranges.into_iter().zip(left_sums).zip(right_sums) {
        if one == other {
            equal.add_all(one);
        } else {
            open.ranges.push(range);
            open.sums.push([one, other]);
        }
    }
    let mut requests = 1;
    let mut expected = [0, 1].map(|side| open.sums.iter().map(|sums| sums[side].count).sum::<u64>());
    if !open.ranges.is_empty() && open.ranges.len() * OPEN_ONE_IN <= all {
        let (one, other) = both(left, right, |source| {
            let side = pair.side(source.which);
            with(source, |checksums, object| checksums.sums_of_parts(object, side, 0, &open.ranges, hash_key))
        })?;
        for (sums, parts) in sums.iter_mut().zip([&one, &other]) {
            *sums += parts.iter().flatten().filter(|sum| sum.count > 0).count();
        }
        let Some(counts) = open.take_parts(&one, &other, &mut equal) else { return Ok(Err(DISORDERED)) };
        expected = counts;
        requests += 1;
    } else {
        open.ranges = merged(open.ranges);
    }
    let mut look = read(pair, left, right, &open, findings_max)?;
    if [look.left.rows, look.right.rows] != expected {
        return Ok(Err(DISORDERED));
    }
    look.tally.left.add_all(equal);
    look.tally.right.add_all(equal);
    look.tally.equal.add_all(equal);
    (look.left.sums, look.right.sums) = (sums[0] as u64, sums[1] as u64);
    look.left.requests += requests + 1;
    look.right.requests += requests;
    Ok(Ok((method, look)))
}

/// The way both make a checksum; or why there is none.
fn common_method<'s>(
    pair: &Pair,
    left: &mut Source<'s>,
    right: &mut Source<'s>,
) -> Result<Result<String, &'static str>, DiffError> {
    if pair.left.rules.len() > 1 {
        return Ok(Err("records are matched by more than one rule"));
    }
    if pair.fields.iter().any(|field| field.values.is_some()) {
        return Ok(Err("a field has a map of values"));
    }
    let mut methods = Vec::new();
    for source in [left, right] {
        let side = pair.side(source.which);
        if source.system.checksums().is_none() {
            return Ok(Err("a system makes no checksums"));
        }
        let Some(method) = with(source, |checksums, object| checksums.method(object, side))? else {
            return Ok(Err("a system makes no checksums of these columns"));
        };
        if with(source, |checksums, object| checksums.keyless(object, side, 0))? > 0 {
            return Ok(Err("there are records without a key"));
        }
        methods.push(method);
    }
    Ok(if methods[0] == methods[1] { Ok(methods.remove(0)) } else { Err("the systems make different checksums") })
}

fn with<T>(
    source: &mut Source<'_>,
    ask: impl FnOnce(&mut dyn Checksums, &str) -> Result<T, SystemError>,
) -> Result<T, DiffError> {
    let object = source.object;
    let checksums = source.system.checksums();
    let answer = ask(checksums.expect("asked before whether it makes any"), object);
    answer.map_err(|error| source.error(error))
}

/// Asks both at once.
fn both<'s, T: Send>(
    left: &mut Source<'s>,
    right: &mut Source<'s>,
    ask: impl Fn(&mut Source<'s>) -> Result<T, DiffError> + Sync,
) -> Result<(T, T), DiffError> {
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| ask(right));
        let one = ask(left);
        (one, other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    Ok((one?, other?))
}

/// Why nothing is believed of a database of which parts do not add up.
const DISORDERED: &str = "a system finds other keys in a range when it is asked again, so it does not order them by \
     their bytes";

/// What is to be read.
struct Open<'k> {
    key: &'k [u8; 32],
    ranges: Vec<Range>,
    /// Of each range, on the left and on the right.
    sums: Vec<[Digest; 2]>,
    /// The parts of each that differ, where they were summed up.
    masks: Option<Vec<u16>>,
}

impl Open<'_> {
    /// Notes which parts differ; the others are equal. Says how many records are to be read of either side, unless parts
    /// do not add up to their ranges.
    fn take_parts(
        &mut self,
        left: &[[Digest; PARTS]],
        right: &[[Digest; PARTS]],
        equal: &mut Digest,
    ) -> Option<[u64; 2]> {
        let (mut masks, mut counts) = (Vec::with_capacity(left.len()), [0, 0]);
        for ((left, right), sums) in left.iter().zip(right).zip(&self.sums) {
            if [together(left), together(right)] != *sums {
                return None;
            }
            let mut mask = 0;
            for (part, (one, other)) in left.iter().zip(right).enumerate() {
                if one == other {
                    equal.add_all(*one);
                } else {
                    mask |= 1 << part;
                    counts = [counts[0] + one.count, counts[1] + other.count];
                }
            }
            masks.push(mask);
        }
        self.masks = Some(masks);
        Some(counts)
    }
}

fn together(parts: &[Digest]) -> Digest {
    let mut sum = Digest::default();
    parts.iter().for_each(|part| sum.add_all(*part));
    sum
}

/// Ranges between cuts, open at both ends.
fn ranges(mut cuts: Vec<Vec<Value<'static>>>) -> Vec<Range> {
    cuts.dedup();
    let ends = cuts.iter().cloned().map(Some).chain([None]);
    let begins = [None].into_iter().chain(cuts.iter().cloned().map(Some));
    begins.zip(ends).map(|(from, to)| Range { from, to }).collect()
}

/// Ranges that follow each other as one.
fn merged(ranges: Vec<Range>) -> Vec<Range> {
    let mut merged: Vec<Range> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.to.is_some() && last.to == range.from => last.to = range.to,
            _ => merged.push(range),
        }
    }
    merged
}

fn read<'s>(
    pair: &Pair,
    left: &mut Source<'s>,
    right: &mut Source<'s>,
    open: &Open<'_>,
    findings_max: u64,
) -> Result<Look, DiffError> {
    let parts = open.masks.as_ref().map(|masks| Parts { key: open.key, masks });
    let (left, right) = both(left, right, |source| {
        let mut collector = Collector::new(pair, source.which);
        let mut reading = Reading::default();
        if !open.ranges.is_empty() {
            let side = pair.side(source.which);
            reading = with(source, |checksums, object| {
                checksums.read_ranges(object, side, 0, &open.ranges, parts, &mut |row| collector.take(row))
            })?;
        }
        collector.end(pair, reading)
    })?;
    compare(pair, left, right, &Hasher::new(*open.key), (Limits::Most(findings_max), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_every_key_once_and_neighbours_are_read_as_one() {
        let cut = |at: i64| vec![Value::integer(at)];
        let all = ranges(vec![cut(10), cut(10), cut(20)]);
        let shown = |ranges: &[Range]| -> Vec<String> {
            let end = |end: &Option<Vec<Value<'_>>>| end.as_ref().map_or("-".to_owned(), |key| key[0].to_string());
            ranges.iter().map(|range| format!("{}..{}", end(&range.from), end(&range.to))).collect()
        };
        assert_eq!(shown(&all), ["-..10", "10..20", "20..-"]);
        assert_eq!(shown(&merged(all.clone())), ["-..-"]);
        assert_eq!(shown(&merged(vec![all[0].clone(), all[2].clone()])), ["-..10", "20..-"]);
        assert_eq!(shown(&ranges(Vec::new())), ["-..-"]);
    }

    #[test]
    fn parts_that_do_not_add_up_to_their_range_are_not_believed() {
        let digest = |count: u64, sum: u128| Digest { count, sum };
        let parts = |first: Digest, second: Digest| {
            let mut parts = [Digest::default(); PARTS];
            (parts[3], parts[9]) = (first, second);
            [parts]
        };
        let (left, right) = (parts(digest(2, 5), digest(1, 7)), parts(digest(2, 5), digest(4, 8)));
        let open = |sums| Open { key: &[0; 32], ranges: ranges(Vec::new()), sums: vec![sums], masks: None };
        let mut equal = Digest::default();
        let mut whole = open([digest(3, 12), digest(6, 13)]);
        assert_eq!(whole.take_parts(&left, &right, &mut equal), Some([1, 4]));
        assert_eq!((whole.masks, equal), (Some(vec![1 << 9]), digest(2, 5)));
        for wrong in [[digest(4, 12), digest(6, 13)], [digest(3, 12), digest(6, 14)]] {
            assert_eq!(open(wrong).take_parts(&left, &right, &mut Digest::default()), None);
        }
    }
}
