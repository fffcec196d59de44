//! Comparing in memory: rows become records, are sorted and joined. The limit sorts and merges the same rows as they are.

use super::records::{Row, differences, left, right};
use super::{DiffArguments, best};
use crate::bench::measurement::{Measurement, peak_memory};
use anyhow::{Result, ensure};
use quittance_core::pair::compare::{Comparer, Incomparable};
use quittance_core::pair::digest::Hasher;
use quittance_core::pair::join::join;
use quittance_core::pair::row::{Encoder, Record};
use quittance_core::pair::run::Run;
use quittance_core::pair::{Column, Field, Pair, Side, Which};
use quittance_core::record::number::Number;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use quittance_server::clock;
use std::thread;
use std::time::Duration;

/// More would measure the machine's memory.
const RECORDS_MAX: u64 = 1_000_000;

pub(super) fn measure(arguments: &DiffArguments) -> Result<Measurement> {
    let records = arguments.records.min(RECORDS_MAX);
    let (left, right) = (left(records), right(records));
    let expected = differences(records);
    let pair = pair();
    let took = best(
        arguments.rounds,
        &mut [&mut || timed(expected, || ours(&pair, &left, &right)), &mut || {
            timed(expected, || sort_and_merge(&left, &right))
        }],
    )?;
    Ok(Measurement {
        work: "diff",
        store: "memory",
        clients: 1,
        latency: None,
        size: records,
        took: took[0],
        limit: Some(("sort and merge", took[1])),
        rss_bytes: peak_memory(),
        more: Vec::new(),
    })
}

fn timed(expected: u64, once: impl FnOnce() -> u64) -> Result<Duration> {
    let watch = clock::Stopwatch::start();
    let found = once();
    let took = watch.elapsed();
    ensure!(found == expected, "{found} differences were found where {expected} were made");
    Ok(took)
}

fn pair() -> Pair {
    let names = ["id", "email", "status", "amount", "updated_at"];
    let side = Side {
        columns: names.map(Column::plain).to_vec(),
        identity: vec![0],
        rules: vec![vec![0]],
        fields: vec![1, 2, 3, 4],
        modified: Some(4),
        ..Side::default()
    };
    let fields = names[1..].iter().map(|name| Field { name: (*name).to_owned(), values: None }).collect();
    Pair { name: "bench".to_owned(), left: side.clone(), right: side, fields }
}

fn ours(pair: &Pair, left: &[Row], right: &[Row]) -> u64 {
    let (left, right) = thread::scope(|scope| {
        let other = scope.spawn(|| sorted(pair, Which::Right, right));
        (sorted(pair, Which::Left, left), other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let mut comparer = Comparer::new(pair, Hasher::new([7; 32]));
    let mut found = 0;
    let joined: std::result::Result<(), Incomparable> = join(0, left.reader(), right.reader(), |meeting| {
        found += u64::from(comparer.meet(0, meeting)?.is_some());
        Ok(())
    });
    joined.expect("both sides are of the same types");
    found
}

fn sorted(pair: &Pair, which: Which, rows: &[Row]) -> Run {
    let mut encoder = Encoder::new(pair, which);
    let mut run = Run::new(0);
    let mut bytes = Vec::new();
    for row in rows {
        let values = [
            Value::text(&row.id),
            Value::text(&row.email),
            Value::text(row.status),
            Number::parse(&row.amount).map_or(Value::Null, Value::Number),
            Value::Timestamp(Timestamp(row.updated_us)),
        ];
        bytes.clear();
        encoder.encode(&values, &mut bytes).expect("there are no transforms");
        run.push(Record::new(&bytes));
    }
    run.sort();
    run
}

/// The limit: pointers to the rows are sorted by id, then merged; of the amounts only the length is compared, for they
/// are written differently.
fn sort_and_merge(left: &[Row], right: &[Row]) -> u64 {
    let sorted = |rows| {
        let mut pointers: Vec<&Row> = Vec::from_iter(rows);
        pointers.sort_unstable_by(|one: &&Row, other: &&Row| one.id.cmp(&other.id));
        pointers
    };
    let (left, right) = thread::scope(|scope| {
        let other = scope.spawn(|| sorted(right));
        (sorted(left), other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let (mut one, mut other, mut found) = (left.iter().peekable(), right.iter().peekable(), 0);
    loop {
        let order = match (one.peek(), other.peek()) {
            (None, None) => return found,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(other)) => one.id.cmp(&other.id),
        };
        let left = if order.is_le() { one.next() } else { None };
        let right = if order.is_ge() { other.next() } else { None };
        found += u64::from(match (left, right) {
            (Some(left), Some(right)) => !is_equal(left, right),
            _ => true,
        });
    }
}

fn is_equal(left: &Row, right: &Row) -> bool {
    left.email == right.email
        && left.status == right.status
        && left.amount.len() + 1 == right.amount.len()
        && left.updated_us == right.updated_us
}
