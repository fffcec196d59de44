//! Repairs as they are kept: written down before anything is done, and again with what came of it, in one chain for each
//! pair.

use super::EARLIER_MAX;
use super::apply::WriteError;
use super::bases::{touched, touched_reads};
use super::halt::{Halt, Why};
use super::keeper::{Keeper, PATIENCE};
use super::lease::Guard;
use super::state::{self, time, update};
use crate::api::rows;
use crate::clock;
use crate::data::Data;
use crate::diff::{Repaired, Turn, repaired, repaired_reads};
use crate::systems::SystemError;
use quittance_core::id::RunId;
use quittance_core::time::Timestamp;
use quittance_store::records::{
    Entity, Repair, RepairEntry, RepairHead, RepairNews, RepairPlan, RepairRun, RepairState, chain_repair, decode_plan,
    encode_news, encode_plan, record_digest,
};
use quittance_store::store::{Change, Loaded, Read, Reader, Scan, Store, StoreError, Work};
use quittance_store::tables::REPAIRS;
use quittance_store::value::Key;
use std::sync::Arc;
use std::time::Duration;

/// Rows that are read at once.
const PAGE: usize = 500;

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

/// The repairs of one pair in the store that they are kept in.
pub struct Repairs<'s> {
    place: Place<'s>,
    pub(super) pair: String,
    guard: Option<Guard>,
}

/// Where they are kept.
enum Place<'s> {
    /// A store that is open for writing.
    Open(&'s mut dyn Store),
    /// One that is opened for each thing that is done, so that others may use it between.
    Kept(Keeper),
}

impl Place<'_> {
    fn with<T>(&mut self, act: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self {
            Self::Open(store) => act(*store),
            Self::Kept(keeper) => keeper.with(act),
        }
    }
}

impl Place<'_> {
    /// The same for what is not to be lost, however long somebody else has the store.
    fn with_patience<T>(
        &mut self,
        guard: Option<&Guard>,
        mut act: impl FnMut(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Self::Open(store) => act(*store),
            Self::Kept(keeper) => keeper.with_patience(PATIENCE, guard.map(|guard| &*guard.halt), act),
        }
    }
}

impl<'s> Repairs<'s> {
    /// Those of a pair.
    #[must_use]
    pub fn new(store: &'s mut dyn Store, pair: &str) -> Self {
        Self { place: Place::Open(store), pair: pair.to_owned(), guard: None }
    }

    /// Those of a pair, in the runs' store of some data, which is opened for each thing that is done. Under a lease, nothing is
    /// begun or decided any more once that is lost; what became of what was begun before is kept all the same.
    #[must_use]
    pub fn at(data: &Data, pair: &str, guard: Option<Guard>) -> Repairs<'static> {
        Repairs { place: Place::Kept(Keeper::new(data)), pair: pair.to_owned(), guard }
    }

    /// Whether more may be written: the lease is held still, and is renewed, and nobody paused the pair.
    pub(super) fn may_go_on(&mut self) -> Result<(), WriteError> {
        let Some(guard) = &self.guard else { return Ok(()) };
        let (pair, mut at) = (&self.pair, clock::monotonic());
        let said = self.place.with(|store| {
            at = clock::monotonic();
            let now = time(store)?;
            update(store, pair, |state| guard.renew(state, now))
        })?;
        if !matches!(said, Some(Why::Lost(_))) {
            guard.renewed(at);
        }
        said.or_else(|| guard.halt.why()).map_or(Ok(()), |why| Err(WriteError::Stopped(why)))
    }

    /// Waits so long; no longer where work is to stop.
    pub(super) fn rest(&self, span: Duration) -> Result<(), WriteError> {
        let halt = self.guard.as_ref().map_or_else(Arc::<Halt>::default, |guard| Arc::clone(&guard.halt));
        halt.wait(span);
        self.stopped()
    }

    /// Why work is to stop, as an error.
    pub(super) fn stopped(&self) -> Result<(), WriteError> {
        let why = self.guard.as_ref().and_then(|guard| guard.halt.why());
        why.map_or(Ok(()), |why| Err(WriteError::Stopped(why)))
    }

    /// How a system failed. Where it ended because work was to stop, that is what is told.
    pub(super) fn failed(&self, system: &str, source: SystemError) -> WriteError {
        match self.stopped() {
            Err(stopped) if source.is_stopped() => stopped,
            _ => WriteError::System { system: system.to_owned(), source },
        }
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
            source: run.source.clone(),
        };
        self.append(
            news,
            run.started_at,
            (vec![Change::Insert { table: RepairRun::table(), row: run.to_row() }], Vec::new()),
        )?;
        let mut kept = Vec::new();
        for batch in plans.chunks(PAGE) {
            let from = kept.len() as i64;
            let encoded: Vec<_> = batch.iter().map(|(state, plan)| (*state, encode_plan(plan))).collect();
            let rows = batch.iter().zip(&encoded).zip(from..).map(|(((state, plan), (_, bytes)), no)| Repair {
                run: run.id,
                no,
                pair: self.pair.clone(),
                record: record_digest(plan),
                state: *state,
                changed_at: run.started_at,
                plan: bytes.clone(),
                detail: None,
            });
            let changes = rows.map(|row| Change::Insert { table: &REPAIRS, row: row.to_row() }).collect();
            let plans: Vec<RepairPlan> = batch.iter().map(|(_, plan)| plan.clone()).collect();
            let news = RepairNews::Planned { run: run.id, from, repairs: encoded };
            self.append(news, run.started_at, (changes, plans))?;
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
        let guard = self.guard.as_ref();
        let mut work = Settling { pair: &self.pair, guard, settled, by, now, kept: Vec::new() };
        self.place.with_patience(guard, |store| store.transact("settling repairs", &mut work))?;
        Ok(work.kept)
    }

    /// The repairs of a run, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be read.
    pub fn of_run(&mut self, run: RunId) -> Result<Vec<Kept>, StoreError> {
        self.place.with(|store| rows_of(store, run))?.iter().map(kept).collect()
    }

    /// Repairs of the pair that were planned, and of which nobody has said what became; a page of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they cannot be read.
    pub fn left_over(&mut self) -> Result<Vec<Kept>, StoreError> {
        let scan = Scan::forward(&REPAIRS, vec![self.pair.as_str().into(), RepairState::Planned.name().into()], PAGE);
        let scan = Scan { index: Some(&REPAIRS.indexes[1]), ..scan };
        self.place.with(|store| rows::page::<Repair>(store, &scan))?.iter().map(kept).collect()
    }

    /// The repair of another run that one of an undo took back: the same record, and what it was given.
    pub(super) fn undone_by(&mut self, undo: &Kept) -> Result<Option<(RunId, i64)>, StoreError> {
        let Some(undoes) = self.place.with(|store| run(store, undo.run))?.and_then(|run| run.undoes) else {
            return Ok(None);
        };
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
        self.of(&record_digest(plan))
    }

    /// The same, of a record that is known by its digest.
    pub(super) fn of(&mut self, record: &[u8; 32]) -> Result<Vec<Kept>, StoreError> {
        let scan = Scan::forward(&REPAIRS, vec![record.as_slice().into()], EARLIER_MAX);
        let direction = quittance_store::store::Direction::Backward;
        let scan = Scan { index: Some(&REPAIRS.indexes[0]), direction, ..scan };
        self.place.with(|store| rows::page::<Repair>(store, &scan))?.iter().map(kept).collect()
    }

    /// The store that they are kept in.
    pub(super) fn with<T>(
        &mut self,
        act: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.place.with(act)
    }

    fn append(
        &mut self,
        news: RepairNews,
        at: Timestamp,
        (changes, plans): (Vec<Change>, Vec<RepairPlan>),
    ) -> Result<(), StoreError> {
        let mut work = Appending { pair: &self.pair, guard: self.guard.as_ref(), news, at, changes, plans };
        self.place.with(|store| store.transact("keeping repairs", &mut work))
    }
}

/// A run by its id, in whatever pair; none where there is no such run.
///
/// # Errors
///
/// [`StoreError`] when it cannot be read.
pub fn run(reader: &mut dyn Reader, id: RunId) -> Result<Option<RepairRun>, StoreError> {
    let row = reader.get_many(RepairRun::table(), &[vec![id.bytes().into()]])?.pop().flatten();
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

/// Refuses to keep anything under a lease that was lost.
fn check(guard: Option<&Guard>, pair: &str, rows: &Loaded) -> Result<(), String> {
    guard.map_or(Ok(()), |guard| guard.check(&state::loaded(pair, rows)?))
}

/// What is read before anything is kept: the end of the chain, and whose the lease is.
fn heads(pair: &str, guard: Option<&Guard>) -> Vec<Read> {
    std::iter::once(head_read(pair)).chain(guard.map(|_| state::read(pair))).collect()
}

struct Appending<'a> {
    pair: &'a str,
    guard: Option<&'a Guard>,
    news: RepairNews,
    at: Timestamp,
    changes: Vec<Change>,
    /// What is begun with it.
    plans: Vec<RepairPlan>,
}

impl Work for Appending<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        [heads(self.pair, self.guard), touched_reads(self.pair, &self.plans)].concat()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        check(self.guard, self.pair, loaded)?;
        let mut head = head_of(self.pair, loaded)?;
        let [entry, head] = entry(&mut head, &self.news, self.at);
        let touched = touched(self.pair, &self.plans, loaded)?;
        Ok([self.changes.clone(), vec![entry, head], touched].concat())
    }
}

/// Whether an outcome is known better than what was settled in the meantime: who wrote it knows more than who only looked,
/// or was kept from it by the one who wrote.
const fn is_better_known(settled: RepairState, now: RepairState) -> bool {
    use RepairState::{Abandoned, Already, Altered, Gone, Moved, Refused, Repaired};
    matches!(now, Repaired | Altered) && matches!(settled, Abandoned | Already | Gone | Moved | Refused)
}

/// Whether somebody decided it, and no system said it.
fn is_decided(settled: &Settled) -> bool {
    !matches!(settled.from, RepairState::Planned | RepairState::Repaired)
}

struct Settling<'a> {
    pair: &'a str,
    guard: Option<&'a Guard>,
    settled: &'a [Settled],
    by: &'a str,
    now: Timestamp,
    kept: Vec<bool>,
}

impl Settling<'_> {
    fn place(settled: &Settled) -> Key {
        vec![settled.run.bytes().into(), settled.no.into()]
    }

    /// What is settled here that findings follow from, as far as it is loaded.
    fn turns(&self, loaded: &Loaded) -> Result<Vec<Repaired>, String> {
        let mut turns = Vec::new();
        for one in self.settled {
            let turn = match one.to {
                RepairState::Repaired | RepairState::Already => Turn::Repaired,
                RepairState::Undone => Turn::Undone,
                _ => continue,
            };
            let Some(row) = loaded.row(&REPAIRS, &Self::place(one)).flatten() else { continue };
            let row = Repair::from_row(row).map_err(|error| error.to_string())?;
            if row.state != one.from && !is_better_known(row.state, one.to) {
                continue;
            }
            let key = decode_plan(&row.plan).map_err(|error| error.to_string())?.key;
            turns.push(Repaired { key, repair: (one.run, one.no), turn });
        }
        Ok(turns)
    }
}

impl Work for Settling<'_> {
    fn reads(&mut self, loaded: &Loaded) -> Vec<Read> {
        let rows = self.settled.iter().map(|one| Read::Row { table: &REPAIRS, key: Self::place(one) });
        let rows: Vec<Read> = rows.chain(heads(self.pair, self.guard)).collect();
        // A repair that cannot be read is told when it is decided over.
        let findings = self.turns(loaded).map(|turns| repaired_reads(self.pair, &turns)).unwrap_or_default();
        [rows, findings].concat()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        // What was written stays written, whoever has the lease by now: only what somebody decides is for them alone.
        if self.settled.iter().any(is_decided) {
            check(self.guard, self.pair, loaded)?;
        }
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
        changes.extend(repaired(loaded, self.pair, &self.turns(loaded)?, self.now)?);
        Ok(changes)
    }
}

#[cfg(test)]
mod tests;
