//! A store of which every question is written down: what was asked of which table, in which shape, and not about what.

use quittance_store::memory::{MemoryReader, MemoryStore};
use quittance_store::schema::Table;
use quittance_store::store::{
    Change, Claim, Load, Loaded, Owners, Patience, Read, Reader, Scan, Store, StoreError, TakeOver, Work,
};
use quittance_store::tables::{API_KEYS, WEBHOOK_ENDPOINTS};
use quittance_store::value::{Key, Row};
use std::sync::{Arc, Mutex};

/// What was asked. Clones are the same.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Vec<String>>>);

impl Watch {
    fn note(&self, table: &Table, what: String) {
        // Who calls is the same for everybody; the use of a key is noted at times of its own.
        let mut asked = self.0.lock().expect("no panic under the lock");
        // Who is to be told is asked again where something of somebody else's is committed with it.
        let is_known = table.name == WEBHOOK_ENDPOINTS.name && asked.contains(&what);
        if table.name != API_KEYS.name && !is_known {
            asked.push(what);
        }
    }

    /// What was asked since this was called last.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic under the lock"))
    }

    fn get(&self, table: &'static Table, keys: &[Key]) {
        self.note(table, format!("get {} of {table:?}", keys.len()));
    }

    fn scan(&self, scan: &Scan) {
        let index = scan.index.map_or("its key", |index| index.name);
        let (table, prefix, limit) = (scan.table, scan.prefix.len(), scan.limit);
        let (after, until, direction) = (scan.after.is_some(), scan.until.is_some(), scan.direction);
        self.note(table, format!("scan {table:?} by {index}: {prefix} {after} {until} {direction:?} {limit}"));
    }
}

pub struct WatchedReader {
    pub inner: MemoryReader,
    pub watch: Watch,
}

impl Reader for WatchedReader {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.watch.get(table, keys);
        self.inner.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.watch.scan(scan);
        self.inner.scan(scan)
    }
}

/// Writes down what commands read; what is looked at beside them is not about anybody's.
pub struct WatchedStore {
    pub inner: MemoryStore,
    pub watch: Watch,
}

struct WatchedWork<'a> {
    work: &'a mut dyn Work,
    watch: &'a Watch,
}

impl Work for WatchedWork<'_> {
    fn reads(&mut self, loaded: &Loaded) -> Vec<Read> {
        let reads = self.work.reads(loaded);
        for read in reads.iter().filter(|read| !loaded.has(read)) {
            match read {
                Read::Row { table, .. } => self.watch.note(table, format!("read {table:?}")),
                Read::Unique { table, index, .. } => {
                    self.watch.note(table, format!("read {table:?} by {}", index.name))
                }
            }
        }
        reads
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let changes = self.work.decide(loaded)?;
        changes.iter().for_each(|change| self.watch.note(change.table(), format!("write {:?}", change.table())));
        Ok(changes)
    }

    fn patience(&self) -> Patience {
        self.work.patience()
    }
}

impl Reader for WatchedStore {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.inner.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(scan)
    }
}

impl Store for WatchedStore {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        if name != "commands" {
            return self.inner.transact(name, work);
        }
        self.inner.transact(name, &mut WatchedWork { work, watch: &self.watch })
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        self.inner.claim(table, claim)
    }

    fn take_over(&mut self, table: &'static Table, take_over: &TakeOver) -> Result<usize, StoreError> {
        self.inner.take_over(table, take_over)
    }

    fn owners(&self) -> Owners {
        self.inner.owners()
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        self.inner.time()
    }

    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.inner.load(name, load)
    }

    fn writer_epoch(&self) -> i64 {
        self.inner.writer_epoch()
    }
}
