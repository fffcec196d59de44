//! Comparing by checksums: ranges of keys are summed up where the records are, and only those that differ are read.
//!
//! Ranges are cut by quantiles of the left's own index, so that each holds about as many records; one that the right
//! fills more is still one range. What is transferred of equal tables is one sum for each range of either side. Where
//! few ranges differ, each is summed up again in parts, so that a handful of records is read for each difference.

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
    let mut open = Vec::new();
    for ((range, one), other) in ranges.into_iter().zip(left_sums).zip(right_sums) {
        if one == other { equal.add_all(one) } else { open.push(range) }
    }
    let mut requests = 1;
    let mut masks = None;
    if !open.is_empty() && open.len() * OPEN_ONE_IN <= all {
        let (one, other) = both(left, right, |source| {
            let side = pair.side(source.which);
            with(source, |checksums, object| checksums.sums_of_parts(object, side, 0, &open, hash_key))
        })?;
        for (sums, parts) in sums.iter_mut().zip([&one, &other]) {
            *sums += parts.iter().flatten().filter(|sum| sum.count > 0).count();
        }
        masks = Some(one.iter().zip(&other).map(|(one, other)| open_parts(one, other, &mut equal)).collect());
        requests += 1;
    }
    let open = Open { ranges: if masks.is_some() { open } else { merged(open) }, masks, key: hash_key };
    let mut look = read(pair, left, right, &open, findings_max)?;
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

/// What is to be read.
struct Open<'k> {
    ranges: Vec<Range>,
    /// The parts of each, where they were summed up.
    masks: Option<Vec<u16>>,
    key: &'k [u8; 32],
}

/// The parts of a range that differ; the others are equal.
fn open_parts(one: &[Digest; PARTS], other: &[Digest; PARTS], equal: &mut Digest) -> u16 {
    let mut mask = 0;
    for (part, (one, other)) in one.iter().zip(other).enumerate() {
        if one == other { equal.add_all(*one) } else { mask |= 1 << part }
    }
    mask
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
    compare(pair, left, right, &Hasher::new(*open.key), Limits::Most(findings_max))
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
}
