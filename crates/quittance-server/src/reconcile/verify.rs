//! Rechecking: every chain of repairs is followed, and what follows from it is compared with what is stored, row by row, in
//! one moment.

use crate::api::rows;
use crate::data::Data;
use quittance_store::records::{Entity, Repair, RepairBooks, RepairEntry, RepairHead, RepairRun, RepairSaid};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{REPAIR_HEADS, REPAIR_JOURNAL, REPAIR_RUNS, REPAIRS};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Rows that are read at once.
const PAGE: usize = 200;

/// A chain that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenChain {
    /// The pair.
    pub pair: String,
    /// What does not come out.
    pub what: String,
}

/// What the chains say.
#[derive(Default)]
struct Followed {
    books: BTreeMap<String, RepairBooks>,
    broken: Vec<BrokenChain>,
}

/// Rechecks the repairs of every pair; gives how many repairs there are, and the pairs whose chain does not hold.
///
/// # Errors
///
/// [`StoreError`] when they cannot be read; a directory without any is no error.
pub fn verify(data: &Data) -> Result<(u64, Vec<BrokenChain>), StoreError> {
    let mut snapshot = match data.runs().open_snapshot() {
        Err(StoreError::Missing { .. }) => return Ok((0, Vec::new())),
        opened => opened?,
    };
    let mut followed = Followed::default();
    each::<RepairEntry>(&mut *snapshot, Scan::forward(&REPAIR_JOURNAL, Vec::new(), PAGE), |entry| {
        followed.take(&entry)
    })?;
    let repairs = followed.books.values().map(|books| books.repairs.len() as u64).sum();
    let mut known = BTreeSet::new();
    each::<RepairHead>(&mut *snapshot, Scan::forward(&REPAIR_HEADS, Vec::new(), PAGE), |head| {
        known.insert(head.pair.clone());
        if followed.books.get(&head.pair).map(|books| (books.seq, books.hash)) != Some((head.seq, head.hash)) {
            followed.complain(&head.pair, format!("entry {} is known, and is not its end", head.seq));
        }
    })?;
    let headless: Vec<String> = followed.books.keys().filter(|pair| !known.contains(*pair)).cloned().collect();
    headless.iter().for_each(|pair| followed.complain(pair, "it has no head any more".to_owned()));
    each::<RepairRun>(&mut *snapshot, Scan::forward(&REPAIR_RUNS, Vec::new(), PAGE), |run| followed.compare_run(run))?;
    each::<Repair>(&mut *snapshot, Scan::forward(&REPAIRS, Vec::new(), PAGE), |row| followed.compare(&row))?;
    followed.missing();
    Ok((repairs, followed.broken))
}

pub(super) fn each<E: Entity>(reader: &mut dyn Reader, scan: Scan, mut take: impl FnMut(E)) -> Result<(), StoreError> {
    let mut scan = scan;
    loop {
        let found = reader.scan(&scan)?;
        let is_last = found.len() < scan.limit;
        scan.after = found.last().map(|row| scan.table.key_of(row));
        for row in &found {
            take(rows::entity(row)?);
        }
        if is_last {
            return Ok(());
        }
    }
}

impl Followed {
    fn complain(&mut self, pair: &str, what: String) {
        // The first is said; what follows from it is not.
        if !self.broken.iter().any(|one| one.pair == pair) {
            self.broken.push(BrokenChain { pair: pair.to_owned(), what });
        }
    }

    fn take(&mut self, entry: &RepairEntry) {
        let new = || RepairBooks::new(&entry.pair, false);
        if let Err(what) = self.books.entry(entry.pair.clone()).or_insert_with(new).apply(entry) {
            self.complain(&entry.pair, what);
        }
    }

    fn compare_run(&mut self, run: RepairRun) {
        let said = self.books.get_mut(&run.pair).and_then(|books| books.runs.remove(&run.id));
        if said.map(|(said, _)| said).as_ref() != Some(&run) {
            self.complain(&run.pair.clone(), format!("{} is not what was written down of it", run.id));
        }
    }

    fn compare(&mut self, row: &Repair) {
        let said = self.books.get_mut(&row.pair).and_then(|books| books.repairs.remove(&(row.run, row.no)));
        if said.is_none_or(|said| !said.says(&stored(row))) {
            self.complain(&row.pair, format!("repair {} of {} is not what was written down of it", row.no, row.run));
        }
    }

    /// What was written down and is not there.
    fn missing(&mut self) {
        let mut missing = Vec::new();
        for (pair, books) in &self.books {
            let run = books.runs.keys().next().map(|run| format!("{run} is not there any more"));
            let repair = books.repairs.keys().next();
            let repair = repair.map(|(run, no)| format!("repair {no} of {run} is not there any more"));
            missing.extend(run.or(repair).map(|what| (pair.clone(), what)));
        }
        missing.into_iter().for_each(|(pair, what)| self.complain(&pair, what));
    }
}

/// A row as its journal would have it.
pub(super) fn stored(row: &Repair) -> RepairSaid {
    RepairSaid {
        record: row.record,
        plan: Sha256::digest(&row.plan).into(),
        state: row.state,
        changed_at: row.changed_at,
        detail: row.detail.as_ref().map(|detail| Sha256::digest(detail).into()),
        seq: 0,
    }
}
