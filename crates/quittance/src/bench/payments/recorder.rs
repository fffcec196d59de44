//! What the engine would write: a store that hands out what is given to it, and keeps no more of it than deciding on the
//! next payment needs.
//!
//! The limit program writes these rows, so it writes the columns, keys and bytes that the engine writes, whatever the
//! engine is changed to write. Not thread-safe in time: what is recorded in one turn is taken before the next.

use super::asked::{self, Series};
use anyhow::Result;
use quittance_core::id::TenantId;
use quittance_engine::Engine;
use quittance_store::rounds;
use quittance_store::schema::Table;
use quittance_store::store::{
    Change, Claim, Load, Loaded, Owners, Read, Reader, Scan, Store, StoreError, TakeOver, Work,
};
use quittance_store::tables::{BOOKS, CUSTOMERS, TENANTS};
use quittance_store::value::{Key, Row};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tables whose rows a new payment is decided over. Of all others it needs that there is no row.
const KEPT: [&Table; 3] = [&TENANTS, &CUSTOMERS, &BOOKS];

/// Decides, and hands out what is to be written.
pub(super) struct Recorder {
    engine: Engine,
    written: Arc<Mutex<Vec<Change>>>,
    tenant: TenantId,
}

impl Recorder {
    /// Opens the books, and returns what has to be written for that.
    pub(super) fn new(books: u64) -> Result<(Self, Vec<Change>)> {
        let written = Arc::default();
        let mut engine = asked::engine(Box::new(Sieve { rows: HashMap::new(), written: Arc::clone(&written) }));
        let tenant = asked::open_books(&mut engine, books)?;
        let recorder = Self { engine, written, tenant };
        let opening = recorder.taken();
        Ok((recorder, opening))
    }

    /// What is written for these payments, where they come in one batch.
    pub(super) fn record(&mut self, series: &Series, payments: std::ops::Range<u64>) -> Result<Vec<Change>> {
        let asked = payments.map(|payment| series.submission(self.tenant, payment)).collect();
        asked::step(&mut self.engine, asked)?;
        Ok(self.taken())
    }

    fn taken(&self) -> Vec<Change> {
        std::mem::take(&mut lock(&self.written))
    }
}

fn lock(written: &Mutex<Vec<Change>>) -> MutexGuard<'_, Vec<Change>> {
    written.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Sieve {
    rows: HashMap<(&'static str, Key), Row>,
    written: Arc<Mutex<Vec<Change>>>,
}

impl Sieve {
    fn row(&self, table: &'static Table, key: &Key) -> Option<Row> {
        self.rows.get(&(table.name, key.clone())).cloned()
    }
}

impl Reader for Sieve {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        Ok(keys.iter().map(|key| self.row(table, key)).collect())
    }

    fn scan(&mut self, _: &Scan) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }
}

impl Store for Sieve {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        let loaded = rounds::load(name, work, &mut |reads, loaded: &mut Loaded| {
            for read in reads {
                match read {
                    Read::Row { table, key } => {
                        let row = self.row(table, &key);
                        loaded.put_row(table, key, row);
                    }
                    Read::Unique { table, index, values } => loaded.put_unique(table, index, values, None),
                }
            }
            Ok(())
        })?;
        let changes = work.decide(&loaded).map_err(|reason| StoreError::Aborted { name, reason })?;
        for change in &changes {
            if KEPT.contains(&change.table()) {
                let key = change.table().key_of(change.row());
                self.rows.insert((change.table().name, key), change.row().clone());
            }
        }
        lock(&self.written).extend(changes);
        Ok(())
    }

    fn claim(&mut self, _: &'static Table, _: &Claim) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }

    fn take_over(&mut self, _: &'static Table, _: &TakeOver) -> Result<usize, StoreError> {
        Ok(0)
    }

    fn owners(&self) -> Owners {
        Owners::Exclusive
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }

    fn load(&mut self, name: &'static str, _: &mut dyn Load) -> Result<(), StoreError> {
        Err(StoreError::Aborted { name, reason: "nothing is restored into what is only recorded".to_owned() })
    }

    fn writer_epoch(&self) -> i64 {
        1
    }
}
