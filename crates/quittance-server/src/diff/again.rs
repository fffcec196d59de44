//! The second look: records that did not agree are read again, and only they.
//!
//! They are looked up where that takes fewer requests than reading the whole, else all is read and what does not matter
//! is dropped. Records whom the first look found beside them come along, so that the same rules say the same.

use super::collect::{Collected, Collector, Source};
use super::error::DiffError;
use crate::systems::{LOOKUPS_MAX, Reading, Wanted};
use quittance_core::pair::compare::{Finding, Seen};
use quittance_core::pair::row::{Encoder, Record};
use quittance_core::pair::{Pair, Side};
use quittance_core::record::key::{decode_key, decode_value, encode_key, encode_value};
use quittance_core::record::value::Value;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Records that are wanted of one side: by identity, and by the key of each rule.
#[derive(Clone, Debug, Default)]
struct Wish {
    identities: BTreeSet<Vec<u8>>,
    keys: Vec<BTreeSet<Vec<u8>>>,
}

impl Wish {
    fn new(rules: usize) -> Self {
        Self { identities: BTreeSet::new(), keys: vec![BTreeSet::new(); rules] }
    }

    /// Wishes for records again, and in `other` for whom they would meet.
    fn add_again(&mut self, seen: &[Seen], other: &mut Self) {
        for seen in seen {
            let record = Record::new(&seen.record);
            self.identities.insert(record.identity().to_owned());
            other.add_keys(record);
        }
    }

    fn add_keys(&mut self, record: Record<'_>) {
        for (rule, keys) in self.keys.iter_mut().enumerate() {
            keys.extend(record.key(rule).map(<[u8]>::to_owned));
        }
    }

    fn is_for(&self, record: Record<'_>) -> bool {
        let has_key =
            |(rule, keys): (usize, &BTreeSet<Vec<u8>>)| record.key(rule).is_some_and(|key| keys.contains(key));
        self.identities.contains(record.identity()) || self.keys.iter().enumerate().any(has_key)
    }

    fn len(&self) -> usize {
        self.identities.len() + self.keys.iter().map(BTreeSet::len).sum::<usize>()
    }

    /// What is in here and not in another.
    fn without(&self, other: &Self) -> Self {
        let keys = self.keys.iter().zip(&other.keys).map(|(mine, theirs)| mine - theirs).collect();
        Self { identities: &self.identities - &other.identities, keys }
    }
}

/// The records of a second look.
pub(super) struct Again {
    pub(super) left: Collected,
    pub(super) right: Collected,
    /// Identities that the right remembers having deleted.
    pub(super) deleted: Deleted,
}

/// Identities of records that were looked up and that their system remembers having deleted, as values one after the
/// other.
pub(super) type Deleted = BTreeSet<Vec<u8>>;

/// Reads the records of findings again, of both sides.
pub(super) fn read_again(
    pair: &Pair,
    left: &mut Source<'_>,
    right: &mut Source<'_>,
    findings: &[Finding],
    first: (Reading, Reading),
) -> Result<Again, DiffError> {
    let rules = pair.left.rules.len();
    let (mut left_wish, mut right_wish) = (Wish::new(rules), Wish::new(rules));
    for finding in findings {
        left_wish.add_again(&finding.left, &mut right_wish);
        right_wish.add_again(&finding.right, &mut left_wish);
    }
    read(pair, (left, left_wish, first.0), (right, right_wish, first.1))
}

/// Reads the records of one key under the first rule, of both sides.
pub(super) fn read_key(
    pair: &Pair,
    left: &mut Source<'_>,
    right: &mut Source<'_>,
    values: &[Value<'_>],
) -> Result<Again, DiffError> {
    let mut wish = Wish::new(pair.left.rules.len());
    let mut key = Vec::new();
    if encode_key(values.iter(), &mut key) {
        wish.keys[0].insert(key);
    }
    // Nobody knows how much there is: one lookup is less.
    let unknown = Reading { requests: u64::MAX, ..Reading::default() };
    read(pair, (left, wish.clone(), unknown), (right, wish, unknown))
}

fn read(
    pair: &Pair,
    (left, mut left_wish, left_whole): (&mut Source<'_>, Wish, Reading),
    (right, right_wish, right_whole): (&mut Source<'_>, Wish, Reading),
) -> Result<Again, DiffError> {
    let mut left = Reader::new(pair, left, left_whole);
    let mut right = Reader::new(pair, right, right_whole);
    // A record of the right that shares a customer with a suspect may belong to somebody else of the left.
    let right_found = right.read(&right_wish)?;
    right_found.iter().for_each(|record| left_wish.add_keys(Record::new(record)));
    let left_found = left.read(&left_wish)?;
    let mut more = right_wish.clone();
    left_found.iter().for_each(|record| more.add_keys(Record::new(record)));
    right.read(&more.without(&right_wish))?;
    let deleted = right.source.system.take_deleted().iter().map(|identity| encoded(identity)).collect();
    Ok(Again { left: left.end()?, right: right.end()?, deleted })
}

/// Values as an identity.
pub(super) fn encoded(values: &[Value<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| encode_value(value, &mut bytes));
    bytes
}

/// Reads what is wished of one side.
struct Reader<'r, 's> {
    pair: &'r Pair,
    source: &'r mut Source<'s>,
    collector: Collector<'r>,
    /// What reading all of it took.
    whole: Reading,
    reading: Reading,
}

impl<'r, 's> Reader<'r, 's> {
    fn new(pair: &'r Pair, source: &'r mut Source<'s>, whole: Reading) -> Self {
        let collector = Collector::new(pair, source.which);
        Self { pair, source, collector, whole, reading: Reading::default() }
    }

    /// Reads and keeps what is wished; gives those records.
    fn read(&mut self, wish: &Wish) -> Result<Vec<Vec<u8>>, DiffError> {
        let side = self.pair.side(self.source.which);
        let mut found = Vec::new();
        for wanted in self.calls(side, wish) {
            let (collector, pair, which) = (&mut self.collector, self.pair, self.source.which);
            let mut encoder = Encoder::new(pair, which);
            let mut bytes = Vec::new();
            let reading = self.source.read(pair, &wanted, &mut |row| {
                bytes.clear();
                // What cannot be encoded is the collector's to tell.
                if encoder.encode(row, &mut bytes).is_ok() && !wish.is_for(Record::new(&bytes)) {
                    return ControlFlow::Continue(());
                }
                found.push(bytes.clone());
                collector.take(row)
            })?;
            self.reading.rows += reading.rows;
            self.reading.requests += reading.requests;
            self.reading.as_of = reading.as_of.or(self.reading.as_of);
        }
        Ok(found)
    }

    /// The calls it takes: lookups, or one for all.
    fn calls(&self, side: &Side, wish: &Wish) -> Vec<Wanted> {
        if wish.len() == 0 {
            return Vec::new();
        }
        let can_find = |columns: &[usize]| {
            let is_plain = columns.iter().all(|at| side.columns[*at].transforms.is_empty());
            is_plain && self.source.system.can_find(self.source.object, side, columns)
        };
        let lookups: Vec<(&Vec<usize>, Vec<Vec<Value<'static>>>)> = std::iter::once((
            &side.identity,
            wish.identities.iter().map(|identity| identity_values(identity)).collect(),
        ))
        .chain(side.rules.iter().zip(wish.keys.iter().map(|keys| keys.iter().map(|key| decode_key(key)).collect())))
        .filter(|(_, values): &(_, Vec<_>)| !values.is_empty())
        .collect();
        let requests = wish.len() / self.source.system.lookups_per_request().max(1);
        let is_cheaper = requests as u64 <= self.whole.requests.max(self.whole.rows / 1_000);
        let have_values = |values: &[Vec<Value<'_>>]| values.iter().flatten().all(|value| !value.is_nothing());
        if is_cheaper && lookups.iter().all(|(columns, values)| can_find(columns) && have_values(values)) {
            let call = |(columns, values): &(&Vec<usize>, Vec<Vec<Value<'static>>>)| {
                let chunks = values.chunks(LOOKUPS_MAX);
                chunks
                    .map(|chunk| Wanted::Where { columns: (*columns).clone(), values: chunk.to_vec() })
                    .collect::<Vec<_>>()
            };
            return lookups.iter().flat_map(call).collect();
        }
        vec![Wanted::All]
    }

    fn end(self) -> Result<Collected, DiffError> {
        self.collector.end(self.pair, self.reading)
    }
}

fn identity_values(identity: &[u8]) -> Vec<Value<'static>> {
    let mut bytes = identity;
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(decode_value(&mut bytes).into_owned());
    }
    values
}
