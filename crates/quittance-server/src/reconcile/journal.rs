//! Repairs as they are kept: written down before anything is done, and again with what came of it, in one chain for each
//! pair.

use crate::api::rows;
use quittance_core::id::RunId;
use quittance_core::record::key::encode_value;
use quittance_core::time::Timestamp;
use quittance_store::records::{
    Entity, Repair, RepairEntry, RepairHead, RepairNews, RepairPlan, RepairRun, RepairState, chain_repair, decode_plan,
    encode_news, encode_plan,
};
use quittance_store::store::{Change, Loaded, Read, Reader, Scan, Store, StoreError, Work};
use quittance_store::tables::REPAIRS;
use quittance_store::value::Key;
use sha2::{Digest, Sha256};

/// Rows that are read at once.
const PAGE: usize = 500;

/// Earlier repairs of one record that are looked at.
const EARLIER_MAX: usize = 100;

/// A repair as it is kept, with its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its run.
    pub run: RunId,
    /// Its number in the run.
    pub no: i64,
    /// What became of it.
    pub state: RepairState,
    /// When that was.
    pub changed_at: Timestamp,
    /// What is written where.
    pub plan: RepairPlan,
    /// What the system said.
    pub detail: Option<String>,
}

/// What became of a repair: its run and its number, what it was, what it is, and what the system said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) run: RunId,
    pub(super) no: i64,
    pub(super) from: RepairState,
    pub(super) to: RepairState,
    pub(super) detail: Option<String>,
}

/// The repairs of one pair in a store that is open for writing.
pub struct Repairs<'s> {
    store: &'s mut dyn Store,
    pair: String,
}

impl<'s> Repairs<'s> {
    /// Those of a pair.
    #[must_use]
    pub fn new(store: &'s mut dyn Store, pair: &str) -> Self {
        Self { store, pair: pair.to_owned() }
    }

    /// Keeps a run and what it is going to do, before any of it is done.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing may be written to any system then.
    pub fn begin(&mut self, run: &RepairRun, plans: &[(RepairState, RepairPlan)]) -> Result<Vec<Kept>, StoreError> {
        let news = RepairNews::Began {
            run: run.id,
            cause: run.cause.name().to_owned(),
            undoes: run.undoes,
            by: run.by.clone(),
            repairs: run.repairs,
        };
        self.append(news, run.started_at, vec![Change::Insert { table: RepairRun::table(), row: run.to_row() }])?;
        let mut kept = Vec::new();
        for batch in plans.chunks(PAGE) {
            let from = kept.len() as i64;
            let encoded: Vec<_> = batch.iter().map(|(state, plan)| (*state, encode_plan(plan))).collect();
            let rows = batch.iter().zip(&encoded).zip(from..).map(|(((state, plan), (_, bytes)), no)| Repair {
                run: run.id,
                no,
                pair: self.pair.clone(),
                record: digest(plan),
                state: *state,
                changed_at: run.started_at,
                plan: bytes.clone(),
                detail: None,
            });
            let changes = rows.map(|row| Change::Insert { table: &REPAIRS, row: row.to_row() }).collect();
            self.append(RepairNews::Planned { run: run.id, from, repairs: encoded }, run.started_at, changes)?;
            kept.extend(batch.iter().zip(from..).map(|((state, plan), no)| Kept {
                run: run.id,
                no,
                state: *state,
                changed_at: run.started_at,
                plan: plan.clone(),
                detail: None,
            }));
        }
        Ok(kept)
    }

    /// Keeps what was decided about repairs that waited, and why. One that waits no more is left out.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing is decided then.
    pub fn decide(
        &mut self,
        waiting: &mut Vec<Kept>,
        (decided, detail): (RepairState, Option<&str>),
        by: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut still = Vec::new();
        for batch in waiting.chunks(PAGE) {
            let settled = batch.iter().map(|kept| {
                let (run, no, from) = (kept.run, kept.no, RepairState::AwaitingApproval);
                Settled { run, no, from, to: decided, detail: detail.map(str::to_owned) }
            });
            let settled: Vec<Settled> = settled.collect();
            let is_decided = self.settle(&settled, by, now)?;
            let decided_now = batch.iter().zip(is_decided).filter(|(_, is_decided)| *is_decided);
            still.extend(decided_now.map(|(kept, _)| Kept {
                state: decided,
                detail: detail.map(str::to_owned),
                ..kept.clone()
            }));
        }
        *waiting = still;
        Ok(())
    }

    /// Keeps what became of repairs of one run, and of those they take back. One that is not any more what it was stays as it
    /// is: somebody else settled it. Says which were kept.
    pub(super) fn settle(&mut self, settled: &[Settled], by: &str, now: Timestamp) -> Result<Vec<bool>, StoreError> {
        let mut work = Settling { pair: &self.pair, settled, by, now, kept: Vec::new() };
        self.store.transact("settling repairs", &mut work)?;
        Ok(work.kept)
    }

    /// The repairs of a run, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be read.
    pub fn of_run(&mut self, run: RunId) -> Result<Vec<Kept>, StoreError> {
        rows_of(self.store, run)?.iter().map(kept).collect()
    }

    /// Repairs of the pair that were planned, and of which nobody has said what became; a page of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be read.
    pub fn left_over(&mut self) -> Result<Vec<Kept>, StoreError> {
        let scan = Scan::forward(&REPAIRS, vec![self.pair.as_str().into(), RepairState::Planned.name().into()], PAGE);
        let scan = Scan { index: Some(&REPAIRS.indexes[1]), ..scan };
        rows::page::<Repair>(self.store, &scan)?.iter().map(kept).collect()
    }

    /// The repair of another run that one of an undo took back: the same record, and what it was given.
    pub(super) fn undone_by(&mut self, undo: &Kept) -> Result<Option<(RunId, i64)>, StoreError> {
        let Some(undoes) = run(self.store, undo.run)?.and_then(|run| run.undoes) else { return Ok(None) };
        let of_record = self.of_record(&undo.plan)?;
        let is_it = |one: &&Kept| one.run == undoes && one.state == RepairState::Repaired;
        Ok(of_record.iter().find(is_it).map(|one| (one.run, one.no)))
    }

    /// The newest repairs of the record that a plan is about.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be read.
    pub fn of_record(&mut self, plan: &RepairPlan) -> Result<Vec<Kept>, StoreError> {
        let scan = Scan::forward(&REPAIRS, vec![digest(plan).into()], EARLIER_MAX);
        let direction = quittance_store::store::Direction::Backward;
        let scan = Scan { index: Some(&REPAIRS.indexes[0]), direction, ..scan };
        rows::page::<Repair>(self.store, &scan)?.iter().map(kept).collect()
    }

    fn append(&mut self, news: RepairNews, at: Timestamp, changes: Vec<Change>) -> Result<(), StoreError> {
        self.store.transact("keeping repairs", &mut Appending { pair: &self.pair, news, at, changes })
    }
}

/// A run by its id, in whatever pair; none where there is no such run.
///
/// # Errors
///
/// [`StoreError`] when it cannot be read.
pub fn run(store: &mut dyn Store, id: RunId) -> Result<Option<RepairRun>, StoreError> {
    let row = store.get_many(RepairRun::table(), &[vec![id.bytes().into()]])?.pop().flatten();
    row.map(|row| {
        RepairRun::from_row(&row)
            .map_err(|error| StoreError::Corrupt { place: "repair_runs".into(), what: error.to_string() })
    })
    .transpose()
}

/// The rows of a run, in their order.
pub(super) fn rows_of(reader: &mut dyn Reader, run: RunId) -> Result<Vec<Repair>, StoreError> {
    let mut found: Vec<Repair> = Vec::new();
    loop {
        let mut scan = Scan::forward(&REPAIRS, vec![run.bytes().into()], PAGE);
        scan.after = found.last().map(|last| vec![last.no.into()]);
        let page = rows::page::<Repair>(reader, &scan)?;
        let is_last = page.len() < PAGE;
        found.extend(page);
        if is_last {
            return Ok(found);
        }
    }
}

fn kept(row: &Repair) -> Result<Kept, StoreError> {
    let plan = decode_plan(&row.plan)
        .map_err(|error| StoreError::Corrupt { place: "repairs, column plan".into(), what: error.to_string() })?;
    Ok(Kept {
        run: row.run,
        no: row.no,
        state: row.state,
        changed_at: row.changed_at,
        plan,
        detail: row.detail.clone(),
    })
}

/// What repairs of one record have in common.
pub(super) fn digest(plan: &RepairPlan) -> [u8; 32] {
    let mut hasher = Sha256::new();
    let mut bytes = Vec::new();
    for text in [&plan.system, &plan.object] {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    plan.identity.iter().for_each(|(_, value)| encode_value(value, &mut bytes));
    hasher.update(&bytes);
    hasher.finalize().into()
}

fn head_of(pair: &str, loaded: &Loaded) -> Result<RepairHead, String> {
    let row = loaded.row(RepairHead::table(), &vec![pair.into()]).flatten();
    let new = RepairHead { pair: pair.to_owned(), seq: 0, hash: [0; 32] };
    row.map_or(Ok(new), |row| RepairHead::from_row(row).map_err(|error| error.to_string()))
}

fn head_read(pair: &str) -> Read {
    Read::Row { table: RepairHead::table(), key: vec![pair.into()] }
}

/// The entry that follows a head, and the head after it.
fn entry(head: &mut RepairHead, news: &RepairNews, at: Timestamp) -> [Change; 2] {
    let entry = RepairEntry {
        pair: head.pair.clone(),
        seq: head.seq + 1,
        kind: news.kind(),
        at,
        body: encode_news(news),
        prev_hash: head.hash,
        hash: [0; 32],
    };
    let entry = RepairEntry { hash: chain_repair(&entry), ..entry };
    (head.seq, head.hash) = (entry.seq, entry.hash);
    [
        Change::Insert { table: RepairEntry::table(), row: entry.to_row() },
        Change::Upsert { table: RepairHead::table(), row: head.to_row() },
    ]
}

struct Appending<'a> {
    pair: &'a str,
    news: RepairNews,
    at: Timestamp,
    changes: Vec<Change>,
}

impl Work for Appending<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        vec![head_read(self.pair)]
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let mut head = head_of(self.pair, loaded)?;
        let [entry, head] = entry(&mut head, &self.news, self.at);
        Ok([self.changes.clone(), vec![entry, head]].concat())
    }
}

/// Whether an outcome is known better than what was settled in the meantime: who wrote it knows more than who only looked,
/// or was kept from it by the one who wrote.
const fn is_better_known(settled: RepairState, now: RepairState) -> bool {
    use RepairState::{Abandoned, Already, Altered, Gone, Moved, Refused, Repaired};
    matches!(now, Repaired | Altered) && matches!(settled, Abandoned | Already | Gone | Moved | Refused)
}

struct Settling<'a> {
    pair: &'a str,
    settled: &'a [Settled],
    by: &'a str,
    now: Timestamp,
    kept: Vec<bool>,
}

impl Settling<'_> {
    fn place(settled: &Settled) -> Key {
        vec![settled.run.bytes().into(), settled.no.into()]
    }
}

impl Work for Settling<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        let rows = self.settled.iter().map(|one| Read::Row { table: &REPAIRS, key: Self::place(one) });
        rows.chain([head_read(self.pair)]).collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let mut head = head_of(self.pair, loaded)?;
        self.kept.clear();
        let (mut changes, mut outcomes) = (Vec::new(), Vec::<(RunId, Vec<_>)>::new());
        for settled in self.settled {
            let row = loaded.row(&REPAIRS, &Self::place(settled)).flatten().ok_or("a repair is not there")?;
            let row = Repair::from_row(row).map_err(|error| error.to_string())?;
            let is_as_it_was = row.state == settled.from || is_better_known(row.state, settled.to);
            self.kept.push(is_as_it_was);
            if !is_as_it_was {
                continue;
            }
            let detail = settled.detail.clone();
            let row = Repair { state: settled.to, changed_at: self.now, detail: detail.clone(), ..row };
            changes.push(Change::Upsert { table: &REPAIRS, row: row.to_row() });
            let outcome = (settled.no, settled.to, detail);
            match outcomes.iter_mut().find(|(run, _)| *run == settled.run) {
                Some((_, of_run)) => of_run.push(outcome),
                None => outcomes.push((settled.run, vec![outcome])),
            }
        }
        for (run, outcomes) in outcomes {
            let news = RepairNews::Settled { run, by: self.by.to_owned(), outcomes };
            let [entry, head] = entry(&mut head, &news, self.now);
            changes.extend([entry, head]);
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_store::memory::MemoryDatabase;
    use quittance_store::records::RepairCause;

    #[test]
    fn who_wrote_knows_more_than_who_looked() {
        use RepairState::{Abandoned, Altered, Moved, Planned, Refused, Repaired, Undone};
        for (first, second, stays) in [
            (Abandoned, Repaired, Repaired),
            (Refused, Repaired, Repaired),
            (Moved, Altered, Altered),
            (Repaired, Moved, Repaired),
            (Repaired, Abandoned, Repaired),
            (Undone, Repaired, Undone),
        ] {
            let mut store = MemoryDatabase::new().writer();
            let mut repairs = Repairs::new(&mut store, "accounts");
            let (id, at) = (RunId::from_bytes([7; 16]), Timestamp(1));
            let cause = RepairCause::Reconcile;
            let (pair, by) = ("accounts".to_owned(), "operator".to_owned());
            let run = RepairRun { id, pair, cause, undoes: None, by, started_at: at, repairs: 1 };
            let plan = RepairPlan {
                system: "app".into(),
                object: "accounts".into(),
                side: "left".into(),
                key: "1".into(),
                identity: Vec::new(),
                expected: Vec::new(),
                set: Vec::new(),
                takes_away: false,
            };
            repairs.begin(&run, &[(Planned, plan)]).expect("it is kept");
            let settled = |to| Settled { run: id, no: 0, from: Planned, to, detail: None };
            // Both found it planned; the second comes later.
            repairs.settle(&[settled(first)], "one", at).expect("it is kept");
            let is_kept = repairs.settle(&[settled(second)], "two", at).expect("it is kept");
            assert_eq!(repairs.of_run(id).expect("readable")[0].state, stays, "{first:?}, then {second:?}");
            assert_eq!(is_kept, [stays == second]);
        }
    }
}
