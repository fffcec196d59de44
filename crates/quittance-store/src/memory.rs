//! The memory store: every declared constraint, and nothing kept after the process. For tests and simulation.
//!
//! One mutex holds everything, so transactions run one after another, and a reader waits for the transaction that runs.
//! Work must not read from the same database through another handle: it would wait for itself.

mod rows;

use crate::rounds;
use crate::schema::{Table, Uniqueness};
use crate::store::{
    Change, Claim, Direction, Load, Loaded, Owners, Read, Reader, Scan, Share, Snapshot, Store, StoreError, TakeOver,
    Work,
};
use crate::tables;
use crate::value::{Key, Row, Value};
use rows::Rows;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A database in memory. Clones share it; it is gone with the last of them.
#[derive(Clone, Default)]
pub struct MemoryDatabase {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Default)]
struct State {
    tables: BTreeMap<&'static str, Rows>,
    epoch: i64,
}

/// A writer (and reader) of a [`MemoryDatabase`].
pub struct MemoryStore {
    database: MemoryDatabase,
    epoch: i64,
    /// The clock of the database, where others may write to it.
    shared: Option<Arc<AtomicI64>>,
}

/// A reader of a [`MemoryDatabase`].
pub struct MemoryReader {
    database: MemoryDatabase,
}

/// A reader of one moment of a [`MemoryDatabase`].
pub struct MemorySnapshot {
    reader: MemoryReader,
    epoch: i64,
}

impl MemoryDatabase {
    /// An empty database.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer under the next epoch. Any number may exist; each transaction has the database to itself.
    #[must_use]
    pub fn writer(&self) -> MemoryStore {
        let mut state = self.lock();
        state.epoch += 1;
        MemoryStore { epoch: state.epoch, database: self.clone(), shared: None }
    }

    /// A writer among others, as where processes share a database: the leases of others stay, and `time` is the clock that
    /// all of them go by, in microseconds.
    #[must_use]
    pub fn shared_writer(&self, time: &Arc<AtomicI64>) -> MemoryStore {
        MemoryStore { shared: Some(Arc::clone(time)), ..self.writer() }
    }

    /// A reader.
    #[must_use]
    pub fn reader(&self) -> MemoryReader {
        MemoryReader { database: self.clone() }
    }

    /// Another database with what is in this one now, as a backup has it.
    #[must_use]
    pub fn backup(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.lock().clone())) }
    }

    /// Puts a row past every rule of the tables, as damage does: for tests of what finds it.
    pub fn forge(&self, table: &'static Table, row: Row) {
        let key = table.key_of(&row);
        self.lock().rows(table).replace(&key, Some(row));
    }

    /// A reader of what is in it now.
    #[must_use]
    pub fn snapshot(&self) -> MemorySnapshot {
        let database = self.backup();
        let epoch = database.lock().epoch;
        MemorySnapshot { reader: database.reader(), epoch }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in someone's work cannot leave half a transaction here: changes are applied after it has decided, and
        // none of them panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader for MemoryReader {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        Ok(self.database.lock().get_many(table, keys))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        Ok(self.database.lock().scan(scan))
    }
}

impl Reader for MemorySnapshot {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.reader.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.reader.scan(scan)
    }
}

impl Snapshot for MemorySnapshot {
    fn writer_epoch(&self) -> i64 {
        self.epoch
    }

    fn time(&self) -> Option<i64> {
        None
    }
}

impl Reader for MemoryStore {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        Ok(self.database.lock().get_many(table, keys))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        Ok(self.database.lock().scan(scan))
    }
}

impl Store for MemoryStore {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        let mut state = self.database.lock();
        let loaded = rounds::load(name, work, &mut |reads, loaded| {
            reads.into_iter().for_each(|read| state.fetch(read, loaded));
            Ok(())
        })?;
        let changes = work.decide(&loaded).map_err(|reason| StoreError::Aborted { name, reason })?;
        changes.iter().for_each(Change::assert_shape);
        state.apply(&changes)
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        claim.assert_shape(table);
        Ok(self.database.lock().rows(table).claim(claim))
    }

    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError> {
        Ok(self.database.lock().rows(table).take_over(takeover, self.owners()))
    }

    /// Every transaction has the memory to itself, whoever else writes.
    fn owners(&self) -> Owners {
        if self.shared.is_some() { Owners::Shared } else { Owners::Exclusive }
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(self.shared.as_ref().map(|time| time.load(Ordering::Relaxed)))
    }

    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.database.lock().check_empty()?;
        // Aside: what is loaded may read it, and would wait for itself here.
        let draft = MemoryDatabase::new();
        let aborted = |reason| StoreError::Aborted { name, reason };
        while let Some(batch) = load.next().map_err(aborted)? {
            batch.rows.iter().for_each(|row| batch.table.assert_row(row));
            let insert = |row| Change::Insert { table: batch.table, row };
            draft.lock().apply(&batch.rows.into_iter().map(insert).collect::<Vec<_>>())?;
        }
        let changes = load.conclude(&mut draft.reader()).map_err(aborted)?;
        changes.iter().for_each(Change::assert_shape);
        draft.lock().apply(&changes)?;
        let mut state = self.database.lock();
        state.check_empty()?;
        let epoch = state.epoch.max(load.writer_epoch()) + 1;
        *state = State { epoch, ..draft.lock().clone() };
        self.epoch = epoch;
        Ok(())
    }

    fn writer_epoch(&self) -> i64 {
        self.epoch
    }
}

impl State {
    fn check_empty(&mut self) -> Result<(), StoreError> {
        match tables::ALL.iter().find(|table| !self.rows(table).is_empty()) {
            Some(table) => Err(StoreError::NotEmpty { place: "the memory".to_owned(), table: table.name }),
            None => Ok(()),
        }
    }

    fn rows(&mut self, table: &'static Table) -> &mut Rows {
        self.tables.entry(table.name).or_insert_with(|| Rows::new(table))
    }

    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Vec<Option<Row>> {
        keys.iter().for_each(|key| table.assert_key(key));
        let rows = self.rows(table);
        keys.iter().map(|key| rows.get(key).cloned()).collect()
    }

    fn scan(&mut self, scan: &Scan) -> Vec<Row> {
        scan.assert_shape();
        self.rows(scan.table).scan(scan)
    }

    fn fetch(&mut self, read: Read, loaded: &mut Loaded) {
        match read {
            Read::Row { table, key } => {
                let row = self.rows(table).get(&key).cloned();
                loaded.put_row(table, key, row);
            }
            Read::Unique { table, index, values } => {
                let rows = self.rows(table);
                let row = rows.find_unique(index, &values).and_then(|key| rows.get(&key)).cloned();
                loaded.put_unique(table, index, values, row);
            }
        }
    }

    /// Applies all changes, or takes those back that were applied before one failed.
    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut undo: Vec<(&'static Table, Key, Option<Row>)> = Vec::with_capacity(changes.len());
        for change in changes {
            let (table, rows) = (change.table(), self.rows(change.table()));
            if let Err(error) = rows.check(change) {
                while let Some((table, key, before)) = undo.pop() {
                    self.rows(table).replace(&key, before);
                }
                return Err(error);
            }
            let key = table.key_of(change.row());
            let before = rows.replace(&key, Some(change.row().clone()));
            undo.push((table, key, before));
        }
        Ok(())
    }
}
