//! The store of a world: the memory store, whose commits can be lost, refused or cut off, and which refuses whoever wrote
//! before the newest process did.
//!
//! What a transaction wrote is there as a whole once it is committed, and outlives every process; all else is gone with
//! the process. Also keeps when rows are due, so that nobody has to poll to find out.

use crate::matrix::steps::{StepFault, Steps};
use crate::plan::{Point, StoreFailure};
use quittance_store::memory::{MemoryDatabase, MemoryStore};
use quittance_store::schema::Table;
use quittance_store::store::{Change, Claim, Load, Owners, Patience, Reader, Scan, Store, StoreError, TakeOver, Work};
use quittance_store::tables::{EFFECTS, GATEWAY_OBJECTS};
use quittance_store::value::{Key, Row, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The tables whose rows are due.
const QUEUES: [&str; 2] = [EFFECTS.name, GATEWAY_OBJECTS.name];

/// Rows of a table that are looked at when everything may have changed.
const ROWS_MAX: usize = 100_000;

/// What the world and the store tell each other.
#[derive(Debug, Default)]
pub struct Disk {
    /// Failures that are to come, with how often.
    pub failures: Vec<(StoreFailure, u32)>,
    /// Points at which the process is to die, with the passes that are left.
    pub crashes: Vec<(Point, u32)>,
    /// The point at which it has died.
    pub died_at: Option<Point>,
    /// Failures that came about since somebody looked.
    pub struck: Vec<StoreFailure>,
    /// How often each point was passed.
    pub passed: BTreeMap<Point, u64>,
    due: BTreeSet<(&'static str, i64, Key)>,
    due_at: BTreeMap<(&'static str, Key), i64>,
    newest_epoch: i64,
    /// Whether a test has switched off that old writers are refused.
    pub takes_old_writers: bool,
    /// Transactions that changed anything.
    pub commits: u64,
    /// The steps of the world.
    pub steps: Steps,
}

/// A disk that is shared by the world and the process's store.
pub type SharedDisk = Arc<Mutex<Disk>>;

/// Looks at the disk. Nobody panics with it in hand.
pub fn look(disk: &SharedDisk) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// Passes a point. Says whether the process dies there.
    pub fn pass(&mut self, point: Point) -> bool {
        *self.passed.entry(point).or_default() += 1;
        let Some(at) = self.crashes.iter().position(|(armed, _)| *armed == point) else { return false };
        self.crashes[at].1 -= 1;
        if self.crashes[at].1 > 0 {
            return false;
        }
        self.crashes.remove(at);
        self.died_at = Some(point);
        true
    }

    /// Other rows are there from now on.
    pub(crate) fn forget_due(&mut self) {
        self.due.clear();
        self.due_at.clear();
    }

    /// When the first row is due, by the wall clock.
    #[must_use]
    pub fn first_due(&self) -> Option<i64> {
        [&EFFECTS, &GATEWAY_OBJECTS].into_iter().filter_map(|table| self.first_due_in(table)).min()
    }

    fn first_due_in(&self, table: &Table) -> Option<i64> {
        let from = (table.name, i64::MIN, Key::new());
        self.due.range(from..).next().filter(|(name, _, _)| *name == table.name).map(|(_, at, _)| *at)
    }

    fn strike(&mut self, failures: &[StoreFailure]) -> Option<StoreFailure> {
        let at = self.failures.iter().position(|(failure, _)| failures.contains(failure))?;
        let failure = self.failures[at].0;
        self.failures[at].1 -= 1;
        if self.failures[at].1 == 0 {
            self.failures.remove(at);
        }
        self.struck.push(failure);
        Some(failure)
    }

    fn note_row(&mut self, table: &'static Table, row: &Row) {
        self.note(Due::of(table, row));
    }

    fn note(&mut self, Due { table, key, at }: Due) {
        if let Some(before) = self.due_at.remove(&(table, key.clone())) {
            self.due.remove(&(table, before, key.clone()));
        }
        if let Some(at) = at {
            self.due.insert((table, at, key.clone()));
            self.due_at.insert((table, key), at);
        }
    }
}

/// When a row of a queue is due.
struct Due {
    table: &'static str,
    key: Key,
    at: Option<i64>,
}

impl Due {
    fn of(table: &'static Table, row: &Row) -> Self {
        let at = match row[table.position("due_at")] {
            Value::Integer(at) => Some(at),
            _ => None,
        };
        Self { table: table.name, key: table.key_of(row), at }
    }
}

/// The store of one process.
pub struct SimStore {
    inner: MemoryStore,
    disk: SharedDisk,
}

impl SimStore {
    /// Opens the database for a new process: whoever wrote before is refused from now on.
    #[must_use]
    pub fn open(database: &MemoryDatabase, disk: &SharedDisk) -> Self {
        let inner = database.writer();
        look(disk).newest_epoch = inner.writer_epoch();
        Self { inner, disk: Arc::clone(disk) }
    }

    fn refuse_old(&self) -> Result<(), StoreError> {
        let disk = look(&self.disk);
        match self.inner.writer_epoch() < disk.newest_epoch && !disk.takes_old_writers {
            true => Err(StoreError::Locked { path: "world".to_owned() }),
            false => Ok(()),
        }
    }

    fn fail(&self, name: &'static str) -> Result<(), StoreError> {
        match look(&self.disk).strike(&[StoreFailure::Full, StoreFailure::Failed]) {
            Some(StoreFailure::Full) => Err(StoreError::Full { operation: name }),
            Some(_) => Err(StoreError::Failed { operation: name, source: "the simulated disk".into() }),
            None => Ok(()),
        }
    }

    /// A transaction begins: its number, and what happens to it. Nobody writes for a process that is dead.
    fn begin(&self, name: &'static str) -> Result<(u64, Option<StepFault>), StoreError> {
        let mut disk = look(&self.disk);
        if disk.steps.is_dead() {
            return Err(StoreError::CommitUnknown { name });
        }
        let (number, fault) = disk.steps.begin_transaction(name);
        fault.into_iter().for_each(|fault| disk.steps.strike(number, fault));
        if fault == Some(StepFault::KillBefore) {
            disk.steps.die();
            return Err(StoreError::CommitUnknown { name });
        }
        Ok((number, fault))
    }

    /// A transaction is committed. Whether whoever asked for it hears of it.
    fn end(&self, disk: &mut Disk, number: u64, has_effect: bool, fault: Option<StepFault>) -> bool {
        if has_effect {
            disk.steps.took_effect(number);
        }
        match fault {
            Some(StepFault::KillAfter) => disk.steps.die(),
            Some(StepFault::Repeat) => disk.steps.repeat(),
            _ => {}
        }
        !matches!(fault, Some(StepFault::KillAfter | StepFault::LoseDone))
    }

    fn rescan(&mut self, table: &'static Table) -> Result<(), StoreError> {
        let rows = self.inner.scan(&Scan::forward(table, Vec::new(), ROWS_MAX))?;
        let mut disk = look(&self.disk);
        rows.iter().for_each(|row| disk.note_row(table, row));
        Ok(())
    }
}

impl Reader for SimStore {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.inner.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        // A queue in which nothing is due before the end of the scan has nothing to show.
        if scan.table.name == EFFECTS.name
            && let Some([Value::Integer(until)]) = scan.until.as_deref()
            && look(&self.disk).first_due_in(scan.table).is_none_or(|due| due >= *until)
        {
            return Ok(Vec::new());
        }
        self.inner.scan(scan)
    }
}

/// Remembers what was decided about queues.
struct Watched<'a> {
    work: &'a mut dyn Work,
    due: Vec<Due>,
    has_changed: bool,
    is_cut_off: bool,
}

impl Work for Watched<'_> {
    fn reads(&mut self, loaded: &quittance_store::store::Loaded) -> Vec<quittance_store::store::Read> {
        self.work.reads(loaded)
    }

    fn decide(&mut self, loaded: &quittance_store::store::Loaded) -> Result<Vec<Change>, String> {
        let changes = self.work.decide(loaded)?;
        self.has_changed = !changes.is_empty();
        if self.is_cut_off && self.has_changed {
            return Err("cut off before it was stored".to_owned());
        }
        let of_queues = changes.iter().filter(|change| QUEUES.contains(&change.table().name));
        self.due = of_queues.map(|change| Due::of(change.table(), change.row())).collect();
        Ok(changes)
    }

    fn patience(&self) -> Patience {
        self.work.patience()
    }
}

impl Store for SimStore {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        self.refuse_old()?;
        self.fail(name)?;
        let (number, fault) = self.begin(name)?;
        let (dies_before, lost) = {
            let mut disk = look(&self.disk);
            let dies = disk.pass(Point::BeforeCommit);
            (dies, disk.strike(&[StoreFailure::CommitLostIn, StoreFailure::CommitLostOut]))
        };
        let is_cut_off =
            dies_before || lost == Some(StoreFailure::CommitLostOut) || fault == Some(StepFault::LoseUndone);
        let mut watched = Watched { work, due: Vec::new(), has_changed: false, is_cut_off };
        let outcome = self.inner.transact(name, &mut watched);
        let Watched { due, has_changed, .. } = watched;
        if is_cut_off {
            return Err(StoreError::CommitUnknown { name });
        }
        outcome?;
        let mut disk = look(&self.disk);
        disk.commits += u64::from(has_changed);
        due.into_iter().for_each(|due| disk.note(due));
        let is_heard = self.end(&mut disk, number, has_changed, fault);
        match disk.pass(Point::AfterCommit) || lost.is_some() || !is_heard {
            true => Err(StoreError::CommitUnknown { name }),
            false => Ok(()),
        }
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        self.refuse_old()?;
        self.fail("claim")?;
        let (number, fault) = self.begin("claim")?;
        if look(&self.disk).pass(Point::BeforeClaim) || fault == Some(StepFault::LoseUndone) {
            return Err(StoreError::CommitUnknown { name: "claim" });
        }
        let rows = self.inner.claim(table, claim)?;
        let mut disk = look(&self.disk);
        rows.iter().for_each(|row| disk.note_row(table, row));
        let is_heard = self.end(&mut disk, number, !rows.is_empty(), fault);
        match !rows.is_empty() && disk.pass(Point::AfterClaim) || !is_heard {
            true => Err(StoreError::CommitUnknown { name: "claim" }),
            false => Ok(rows),
        }
    }

    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError> {
        self.refuse_old()?;
        if look(&self.disk).pass(Point::Starting) {
            return Err(StoreError::CommitUnknown { name: "take over" });
        }
        let count = self.inner.take_over(table, takeover)?;
        self.rescan(table)?;
        Ok(count)
    }

    fn owners(&self) -> Owners {
        self.inner.owners()
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        self.inner.time()
    }

    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.refuse_old()?;
        self.inner.load(name, load)
    }

    fn writer_epoch(&self) -> i64 {
        self.inner.writer_epoch()
    }
}
