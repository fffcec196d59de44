//! Rechecking: every chain of repairs is followed, and what follows from it is compared with what is stored, row by row, in
//! one moment.

use super::journal::digest;
use crate::api::rows;
use crate::data::Data;
use quittance_core::id::RunId;
use quittance_core::time::Timestamp;
use quittance_store::records::{
    Entity, Repair, RepairEntry, RepairHead, RepairNews, RepairRun, RepairState, chain_repair, decode_news, decode_plan,
};
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

/// A repair as its chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    pair: String,
    record: [u8; 32],
    plan: [u8; 32],
    state: RepairState,
    at: Timestamp,
    detail: Option<[u8; 32]>,
}

/// What the chains say.
#[derive(Default)]
struct Followed {
    heads: BTreeMap<String, (i64, [u8; 32])>,
    runs: BTreeMap<RunId, RepairRun>,
    repairs: BTreeMap<(RunId, i64), Said>,
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
    let (repairs, mut known) = (followed.repairs.len() as u64, BTreeSet::new());
    each::<RepairHead>(&mut *snapshot, Scan::forward(&REPAIR_HEADS, Vec::new(), PAGE), |head| {
        known.insert(head.pair.clone());
        if followed.heads.get(&head.pair) != Some(&(head.seq, head.hash)) {
            followed.complain(&head.pair, format!("entry {} is known, and is not its end", head.seq));
        }
    })?;
    let headless: Vec<String> = followed.heads.keys().filter(|pair| !known.contains(*pair)).cloned().collect();
    headless.iter().for_each(|pair| followed.complain(pair, "it has no head any more".to_owned()));
    each::<RepairRun>(&mut *snapshot, Scan::forward(&REPAIR_RUNS, Vec::new(), PAGE), |run| followed.compare_run(run))?;
    each::<Repair>(&mut *snapshot, Scan::forward(&REPAIRS, Vec::new(), PAGE), |row| followed.compare(&row))?;
    followed.missing();
    Ok((repairs, followed.broken))
}

fn each<E: Entity>(reader: &mut dyn Reader, scan: Scan, mut take: impl FnMut(E)) -> Result<(), StoreError> {
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
        let (seq, hash) = self.heads.get(&entry.pair).copied().unwrap_or((0, [0; 32]));
        if entry.seq != seq + 1 || entry.prev_hash != hash || chain_repair(entry) != entry.hash {
            self.complain(&entry.pair, format!("entry {} does not follow the one before it", entry.seq));
        }
        self.heads.insert(entry.pair.clone(), (entry.seq, entry.hash));
        match decode_news(entry.kind, &entry.body) {
            Ok(news) => self.learn(&entry.pair, entry.at, news),
            Err(error) => self.complain(&entry.pair, format!("entry {}: {error}", entry.seq)),
        }
    }

    fn learn(&mut self, pair: &str, at: Timestamp, news: RepairNews) {
        match news {
            RepairNews::Began { run, cause, undoes, by, repairs } => {
                let Some(cause) = quittance_store::records::RepairCause::named(&cause) else {
                    return self.complain(pair, format!("{run} has no cause that is known"));
                };
                let began = RepairRun { id: run, pair: pair.to_owned(), cause, undoes, by, started_at: at, repairs };
                self.runs.insert(run, began);
            }
            RepairNews::Planned { run, from, repairs } => {
                for (no, (state, plan)) in (from..).zip(repairs) {
                    let Ok(read) = decode_plan(&plan) else {
                        return self.complain(pair, format!("repair {no} of {run} has no plan that can be read"));
                    };
                    let (record, plan) = (digest(&read), Sha256::digest(&plan).into());
                    let said = Said { pair: pair.to_owned(), record, plan, state, at, detail: None };
                    self.repairs.insert((run, no), said);
                }
            }
            RepairNews::Settled { run, outcomes, .. } => {
                for (no, state, detail) in outcomes {
                    match self.repairs.get_mut(&(run, no)) {
                        Some(said) => {
                            (said.state, said.at) = (state, at);
                            said.detail = detail.map(|detail| Sha256::digest(detail).into());
                        }
                        None => self.complain(pair, format!("repair {no} of {run} was settled and never planned")),
                    }
                }
            }
        }
    }

    fn compare_run(&mut self, run: RepairRun) {
        if self.runs.remove(&run.id).as_ref() != Some(&run) {
            self.complain(&run.pair.clone(), format!("{} is not what was written down of it", run.id));
        }
    }

    fn compare(&mut self, row: &Repair) {
        let stored = Said {
            pair: row.pair.clone(),
            record: row.record,
            plan: Sha256::digest(&row.plan).into(),
            state: row.state,
            at: row.changed_at,
            detail: row.detail.as_ref().map(|detail| Sha256::digest(detail).into()),
        };
        if self.repairs.remove(&(row.run, row.no)).as_ref() != Some(&stored) {
            self.complain(&row.pair, format!("repair {} of {} is not what was written down of it", row.no, row.run));
        }
    }

    /// What was written down and is not there.
    fn missing(&mut self) {
        let runs = self.runs.values().map(|run| (run.pair.clone(), format!("{} is not there any more", run.id)));
        let repairs = self
            .repairs
            .iter()
            .map(|((run, no), said)| (said.pair.clone(), format!("repair {no} of {run} is not there any more")));
        let missing: Vec<(String, String)> = runs.chain(repairs).collect();
        missing.into_iter().for_each(|(pair, what)| self.complain(&pair, what));
    }
}
