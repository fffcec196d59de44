//! A store whose writer can be stopped, or told that the disk is full.

use quittance_store::memory::MemoryStore;
use quittance_store::schema::Table;
use quittance_store::store::{Claim, Load, Owners, Reader, Scan, Store, StoreError, TakeOver, Work};
use quittance_store::value::{Key, Row};
use std::sync::{Arc, Condvar, Mutex};

/// What the writer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Open,
    Closed,
    Full,
}

/// The switch, and whether the writer stands before it. Clones are the same one.
#[derive(Clone)]
pub struct Gate(Arc<(Mutex<(Mode, bool)>, Condvar)>);

impl Gate {
    pub fn new() -> Self {
        Self(Arc::new((Mutex::new((Mode::Open, false)), Condvar::new())))
    }

    pub fn set(&self, mode: Mode) {
        self.0.0.lock().expect("no panic under the lock").0 = mode;
        self.0.1.notify_all();
    }

    /// Whether the writer waits for the gate to open.
    pub fn has_stopped_the_writer(&self) -> bool {
        self.0.0.lock().expect("no panic under the lock").1
    }

    /// Waits until it is not closed.
    fn pass(&self) -> Mode {
        let mut state = self.0.0.lock().expect("no panic under the lock");
        state.1 = state.0 == Mode::Closed;
        let mut state = self.0.1.wait_while(state, |state| state.0 == Mode::Closed).expect("no panic under the lock");
        state.1 = false;
        state.0
    }
}

/// A writer behind a gate.
pub struct GatedStore {
    pub inner: MemoryStore,
    pub gate: Gate,
}

impl Reader for GatedStore {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.inner.get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(scan)
    }
}

impl Store for GatedStore {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        // The clock is written down at times of its own.
        if name == "clock" {
            return self.inner.transact(name, work);
        }
        match self.gate.pass() {
            Mode::Full => Err(StoreError::Full { operation: "a test" }),
            Mode::Open | Mode::Closed => self.inner.transact(name, work),
        }
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
