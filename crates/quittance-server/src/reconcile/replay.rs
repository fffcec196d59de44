//! Replaying: the books of a pair are made again from its journal alone, up to any entry, and compared with what is kept.

use super::verify::{each, stored};
use crate::data::Data;
use quittance_core::id::RunId;
use quittance_store::records::{BooksDigest, Repair, RepairBooks, RepairEntry, RepairHead, RepairRun, RepairSaid};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{REPAIR_HEADS, REPAIR_JOURNAL, REPAIR_RUNS, REPAIRS};
use std::collections::btree_map::IntoIter;
use std::iter::Peekable;

/// Rows that are read at once.
const PAGE: usize = 200;

/// What differs that is named; more is counted.
const NAMED_MAX: usize = 100;

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The books, after the last entry that was applied.
    pub books: RepairBooks,
    /// The digest of what is kept; none where it was not compared.
    pub kept: Option<[u8; 32]>,
    /// What does not hold, or differs.
    pub differs: Vec<String>,
    /// How much of that there is.
    pub many: u64,
}

impl Replayed {
    fn add(&mut self, what: String) {
        self.many += 1;
        if self.differs.len() < NAMED_MAX {
            self.differs.push(what);
        }
    }
}

/// Replays the journal of a pair, up to an entry or all of it. All of it is compared with the runs, the repairs and the head
/// that are kept, in one moment.
///
/// # Errors
///
/// [`StoreError`] when it cannot be read; none of it is no error.
pub fn replay(data: &Data, pair: &str, upto: Option<i64>) -> Result<Replayed, StoreError> {
    let books = RepairBooks::new(pair, true);
    let mut replayed = Replayed { books, kept: None, differs: Vec::new(), many: 0 };
    let mut snapshot = match data.runs().open_snapshot() {
        Err(StoreError::Missing { .. }) => return Ok(replayed),
        opened => opened?,
    };
    each::<RepairEntry>(&mut *snapshot, Scan::forward(&REPAIR_JOURNAL, vec![pair.into()], PAGE), |entry| {
        if upto.is_none_or(|upto| entry.seq <= upto)
            && let Err(what) = replayed.books.apply(&entry)
        {
            replayed.add(what);
        }
    })?;
    if upto.is_none() {
        compare(&mut *snapshot, &mut replayed)?;
    }
    Ok(replayed)
}

fn compare(snapshot: &mut dyn Reader, replayed: &mut Replayed) -> Result<(), StoreError> {
    let pair = replayed.books.pair.clone();
    let mut digest = BooksDigest::new(&pair);
    let mut runs = Expected::new(replayed.books.runs.clone());
    each::<RepairRun>(snapshot, Scan::forward(&REPAIR_RUNS, Vec::new(), PAGE), |run| {
        if run.pair == pair {
            digest.run(&run);
            runs.meet(run.id, |(said, _)| *said == run);
        }
    })?;
    let mut repairs = Expected::new(replayed.books.repairs.clone());
    each::<Repair>(snapshot, Scan::forward(&REPAIRS, Vec::new(), PAGE), |row| {
        if row.pair == pair {
            let found = stored(&row);
            digest.repair((row.run, row.no), &found);
            repairs.meet((row.run, row.no), |said: &RepairSaid| said.says(&found));
        }
    })?;
    let mut head = (0, [0; 32]);
    each::<RepairHead>(snapshot, Scan::forward(&REPAIR_HEADS, vec![pair.as_str().into()], PAGE), |found| {
        head = (found.seq, found.hash);
    })?;
    if head != (replayed.books.seq, replayed.books.hash) {
        replayed.add(format!("the head names entry {}, and the journal ends with {}", head.0, replayed.books.seq));
    }
    let named = |(run, no): (RunId, i64)| format!("repair {no} of {run}");
    runs.ended().into_iter().for_each(|(run, how)| replayed.add(format!("{run} {how}")));
    repairs.ended().into_iter().for_each(|(id, how)| replayed.add(format!("{} {how}", named(id))));
    replayed.kept = Some(digest.finish(head));
    Ok(())
}

/// Rows that the journal says there are, met in their order.
struct Expected<K, V> {
    left: Peekable<IntoIter<K, V>>,
    differs: Vec<(K, &'static str)>,
}

impl<K: Ord + Copy, V> Expected<K, V> {
    fn new(said: std::collections::BTreeMap<K, V>) -> Self {
        Self { left: said.into_iter().peekable(), differs: Vec::new() }
    }

    fn meet(&mut self, found: K, is_so: impl FnOnce(&V) -> bool) {
        while let Some((missing, _)) = self.left.next_if(|(expected, _)| *expected < found) {
            self.differs.push((missing, GONE));
        }
        match self.left.next_if(|(expected, _)| *expected == found) {
            None => self.differs.push((found, "is kept, and was never written down")),
            Some((_, said)) if !is_so(&said) => self.differs.push((found, "is not what was written down of it")),
            Some(_) => {}
        }
    }

    fn ended(self) -> Vec<(K, &'static str)> {
        let mut differs = self.differs;
        differs.extend(self.left.map(|(missing, _)| (missing, GONE)));
        differs
    }
}

const GONE: &str = "is not there any more";
