//! PostgreSQL passes the suite that every store passes.

use quittance_postgres::{Options, PostgresDatabase};
use quittance_store::conformance::{self, Harness};
use quittance_store::schema::Table;
use quittance_store::store::{Claim, Load, Owners, Reader, Scan, Store, StoreError, TakeOver, Work};
use quittance_store::tables;
use quittance_store::value::{Key, Row};
use quittance_surroundings::Postgres;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A lane that one case after another uses: connecting takes longer than most of them.
struct Lent<S>(Arc<Mutex<S>>);

impl<S> Clone for Lent<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Lent<S> {
    fn new(lane: S) -> Self {
        Self(Arc::new(Mutex::new(lane)))
    }

    fn lane(&self) -> MutexGuard<'_, S> {
        // One of the cases panics inside of a transaction, and goes on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Reader> Reader for Lent<S> {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.lane().get_many(table, keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.lane().scan(scan)
    }
}

impl<S: Store> Store for Lent<S> {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        self.lane().transact(name, work)
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        self.lane().claim(table, claim)
    }

    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError> {
        self.lane().take_over(table, takeover)
    }

    fn owners(&self) -> Owners {
        self.lane().owners()
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        self.lane().time()
    }

    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.lane().load(name, load)
    }

    fn writer_epoch(&self) -> i64 {
        self.lane().writer_epoch()
    }
}

#[test]
fn conforms() {
    let Some(server) = Postgres::shared("quittance-postgres: conformance") else { return };
    let (database, options) = (server.fresh_database(), Options::default());
    let url = server.url(&database);
    let lanes = [(); 3].map(|()| Lent::new(PostgresDatabase::open_for_writing(&url, &options).unwrap()));
    let reader = Lent::new(PostgresDatabase::open_reader(&url, &options).unwrap());
    let emptied: String = tables::ALL.iter().map(|table| format!("DELETE FROM quittance.{};", table.name)).collect();
    conformance::run(&mut || {
        server.sql(&database, &emptied);
        let (url, options) = (url.clone(), options.clone());
        Harness {
            lanes: lanes.iter().map(|lane| -> Box<dyn Store> { Box::new(lane.clone()) }).collect(),
            reader: Box::new(reader.clone()),
            snapshot: Box::new(move || Box::new(PostgresDatabase::open_snapshot(&url, &options).unwrap())),
            keep: Box::new(()),
        }
    });
}
