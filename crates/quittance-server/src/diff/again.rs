//! The second look: records that did not agree are read again.
//!
//! Where that takes fewer requests than reading the whole, they are looked up, and with them everything that the same
//! rules could match them with: whoever shares a key with a record that was read is read, too, until nobody new comes.
//! Else both sides are read whole once more.

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
use std::thread;

/// Rounds of looking up who shares a key with whom. Each costs at least one request of either side.
const ROUNDS_MAX: usize = 8;

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

    /// Wishes for everybody who has a key of this record.
    fn add_keys(&mut self, record: Record<'_>) {
        for (rule, keys) in self.keys.iter_mut().enumerate() {
            keys.extend(record.key(rule).map(<[u8]>::to_owned));
        }
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
    let mut has_keyless = false;
    for finding in findings {
        // Everybody who claims the key, on both sides: a crowd is read whole.
        match &finding.key {
            Some(key) => [&mut left_wish, &mut right_wish].into_iter().for_each(|wish| {
                wish.keys[finding.rule].insert(key.clone());
            }),
            None => has_keyless = true,
        }
        wish_again(&finding.left, &mut left_wish, &mut right_wish);
        wish_again(&finding.right, &mut right_wish, &mut left_wish);
    }
    let can_look_up = |source: &Source<'_>, wish: &Wish, whole: Reading| {
        is_cheaper(source, wish, whole) && can_find_all(source, pair.side(source.which))
    };
    let is_found = !has_keyless && can_look_up(left, &left_wish, first.0) && can_look_up(right, &right_wish, first.1);
    if is_found && let Some(again) = look_up(pair, left, right, left_wish, right_wish)? {
        return Ok(again);
    }
    whole(pair, left, right)
}

/// Wishes for records again, and on the other side for whom they would meet.
fn wish_again(seen: &[Seen], own: &mut Wish, other: &mut Wish) {
    for seen in seen {
        let record = Record::new(&seen.record);
        if !record.identity().is_empty() {
            own.identities.insert(record.identity().to_owned());
        }
        other.add_keys(record);
    }
}

fn is_cheaper(source: &Source<'_>, wish: &Wish, whole: Reading) -> bool {
    let requests = wish.len() / source.system.lookups_per_request().max(1);
    requests as u64 <= whole.requests.max(whole.rows / 1_000)
}

/// Whether records can be found by their identity and by every key, as they stand in the system.
fn can_find_all(source: &Source<'_>, side: &Side) -> bool {
    let can_find = |columns: &Vec<usize>| {
        let is_plain = columns.iter().all(|at| side.columns[*at].transforms.is_empty());
        is_plain && source.system.can_find(source.object, side, columns)
    };
    !side.identity.is_empty() && can_find(&side.identity) && side.rules.iter().all(can_find)
}

/// Reads the records of one key under the first rule, of both sides: of the left also those that have no such key and
/// could be matched by a later rule.
pub(super) fn read_key(
    pair: &Pair,
    left: &mut Source<'_>,
    right: &mut Source<'_>,
    values: &[Value<'_>],
) -> Result<Again, DiffError> {
    let rules = pair.left.rules.len();
    let mut key = Vec::new();
    let mut wish = Wish::new(rules);
    if encode_key(values.iter(), &mut key) {
        wish.keys[0].insert(key.clone());
    }
    let is_it = |record: Record<'_>| record.key(0) == Some(&key[..]);
    let mut right_reader = Reader::new(pair, right);
    let found = right_reader.read_where(&wish, &is_it)?;
    let (right_found, deleted) = (right_reader.end()?, deleted(right));
    found.iter().for_each(|record| wish.add_keys(Record::new(record)));
    let is_candidate = |record: Record<'_>| {
        let shares = |rule: usize| record.key(rule).is_some_and(|key| wish.keys[rule].contains(key));
        is_it(record) || record.key(0).is_none() && (1..rules).any(shares)
    };
    let mut left_reader = Reader::new(pair, left);
    left_reader.read_where(&wish, &is_candidate)?;
    Ok(Again { left: left_reader.end()?, right: right_found, deleted })
}

/// Reads both sides whole.
fn whole(pair: &Pair, left: &mut Source<'_>, right: &mut Source<'_>) -> Result<Again, DiffError> {
    let (left, right_read) = thread::scope(|scope| {
        let other = scope.spawn(|| right.collect(pair));
        (left.collect(pair), other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    Ok(Again { left: left?, right: right_read?, deleted: deleted(right) })
}

/// Looks records up until whoever could meet them is there; nothing if that takes too many rounds.
fn look_up(
    pair: &Pair,
    left: &mut Source<'_>,
    right: &mut Source<'_>,
    mut left_wish: Wish,
    mut right_wish: Wish,
) -> Result<Option<Again>, DiffError> {
    let rules = pair.left.rules.len();
    let (mut left_done, mut right_done) = (Wish::new(rules), Wish::new(rules));
    let (mut left, mut right) = (Reader::new(pair, left), Reader::new(pair, right));
    for _ in 0..ROUNDS_MAX {
        let right_found = right.read(&right_wish.without(&right_done))?;
        right_done = right_wish.clone();
        right_found.iter().for_each(|record| left_wish.add_keys(Record::new(record)));
        let left_found = left.read(&left_wish.without(&left_done))?;
        left_done = left_wish.clone();
        left_found.iter().for_each(|record| right_wish.add_keys(Record::new(record)));
        if right_wish.without(&right_done).len() == 0 {
            let deleted = deleted(right.source);
            return Ok(Some(Again { left: left.end()?, right: right.end()?, deleted }));
        }
    }
    Ok(None)
}

fn deleted(right: &mut Source<'_>) -> Deleted {
    right.system.take_deleted().iter().map(|identity| encoded(identity)).collect()
}

/// Values as an identity.
pub(super) fn encoded(values: &[Value<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.iter().for_each(|value| encode_value(value, &mut bytes));
    bytes
}

/// Looks records of one side up.
struct Reader<'r, 's> {
    pair: &'r Pair,
    source: &'r mut Source<'s>,
    collector: Collector<'r>,
    reading: Reading,
}

impl<'r, 's> Reader<'r, 's> {
    fn new(pair: &'r Pair, source: &'r mut Source<'s>) -> Self {
        let collector = Collector::new(pair, source.which);
        Self { pair, source, collector, reading: Reading::default() }
    }

    /// Reads and keeps what is wished; gives those records.
    fn read(&mut self, wish: &Wish) -> Result<Vec<Vec<u8>>, DiffError> {
        let side = self.pair.side(self.source.which);
        self.read_all(calls(side, wish), &|_| true)
    }

    /// Reads what is wished, looked up where that can be done, and keeps what is meant; gives those records.
    fn read_where(&mut self, wish: &Wish, is_meant: &dyn Fn(Record<'_>) -> bool) -> Result<Vec<Vec<u8>>, DiffError> {
        let side = self.pair.side(self.source.which);
        let calls = if can_find_all(self.source, side) { calls(side, wish) } else { vec![Wanted::All] };
        self.read_all(calls, is_meant)
    }

    fn read_all(
        &mut self,
        calls: Vec<Wanted>,
        is_meant: &dyn Fn(Record<'_>) -> bool,
    ) -> Result<Vec<Vec<u8>>, DiffError> {
        let mut found = Vec::new();
        for wanted in calls {
            let collector = &mut self.collector;
            let mut encoder = Encoder::new(self.pair, self.source.which);
            let reading = self.source.read(self.pair, &wanted, &mut |row| {
                let mut bytes = Vec::new();
                // What cannot be encoded is the collector's to tell.
                if encoder.encode(row, &mut bytes).is_ok() {
                    if !is_meant(Record::new(&bytes)) {
                        return ControlFlow::Continue(());
                    }
                    found.push(bytes);
                }
                collector.take(row)
            })?;
            self.reading.rows += reading.rows;
            self.reading.requests += reading.requests;
            self.reading.as_of = reading.as_of.or(self.reading.as_of);
        }
        Ok(found)
    }

    fn end(self) -> Result<Collected, DiffError> {
        self.collector.end(self.pair, self.reading)
    }
}

/// The lookups of a wish, in portions.
fn calls(side: &Side, wish: &Wish) -> Vec<Wanted> {
    let identities = wish.identities.iter().map(|identity| identity_values(identity)).collect();
    let keys = wish.keys.iter().map(|keys| keys.iter().map(|key| decode_key(key)).collect());
    let lookups = std::iter::once((&side.identity, identities)).chain(side.rules.iter().zip(keys));
    let portions = |(columns, values): (&Vec<usize>, Vec<Vec<Value<'static>>>)| {
        let call = |values: &[Vec<Value<'static>>]| Wanted::Where { columns: columns.clone(), values: values.to_vec() };
        // A record with a part of its identity missing is found by no value.
        let values: Vec<_> = values.into_iter().filter(|values| !values.iter().any(Value::is_nothing)).collect();
        values.chunks(LOOKUPS_MAX).map(call).collect::<Vec<_>>()
    };
    lookups.flat_map(portions).collect()
}

fn identity_values(identity: &[u8]) -> Vec<Value<'static>> {
    let mut bytes = identity;
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(decode_value(&mut bytes).into_owned());
    }
    values
}
