//! Filling an empty database in one transaction, while no other writer gets in.
//!
//! What is loaded can be asked for once only, so nothing is tried again; an answer to the commit that was lost is found out
//! as every other is.

use crate::errors::{At, Trouble};
use crate::link::Ask;
use crate::plan::{self, Writing};
use crate::reader;
use crate::store::PostgresStore;
use crate::transaction::Transaction;
use quittance_store::schema::Table;
use quittance_store::store::{Change, Load, Reader, Scan, StoreError};
use quittance_store::tables::ALL;
use quittance_store::value::{Key, Row};

/// Verifying what was loaded may take longer than a transaction is idle otherwise.
const PATIENCE: &str = "SET LOCAL idle_in_transaction_session_timeout = 0";

impl PostgresStore {
    pub(crate) fn load_all(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.lane.settle(name)?;
        // Before it: an epoch that was raised for nothing does no harm.
        self.lane.enrol_above(name, load.writer_epoch())?;
        let filled = self.lane.transaction(name, |transaction| fill(transaction, load))?;
        match filled {
            Ok(()) => Ok(()),
            Err(Trouble::Lost(_)) if self.lane.find_out(name)? => Ok(()),
            Err(trouble) => Err(At { operation: name, place: &self.lane.place }.given_up(trouble)),
        }
    }
}

fn fill(transaction: &mut Transaction<'_>, load: &mut dyn Load) -> Result<(), Trouble> {
    let name = transaction.at.operation;
    let aborted = |reason| Trouble::Final(StoreError::Aborted { name, reason });
    keep_others_out(transaction)?;
    while let Some(batch) = load.next().map_err(aborted)? {
        batch.rows.iter().for_each(|row| batch.table.assert_row(row));
        let insert = |row| Change::Insert { table: batch.table, row };
        let changes: Vec<Change> = batch.rows.into_iter().map(insert).collect();
        transaction.ask(plan::asks(&changes, Writing::Sets, transaction.statements))?;
    }
    let changes = load.conclude(&mut Inside { transaction }).map_err(aborted)?;
    changes.iter().for_each(Change::assert_shape);
    transaction.commit(plan::asks(&changes, Writing::Singly, transaction.statements))
}

/// Locks every table against writers, and makes sure that there is nothing in any.
fn keep_others_out(transaction: &mut Transaction<'_>) -> Result<(), Trouble> {
    let place = format!("the database at {}", transaction.at.place);
    let names: Vec<&str> = ALL.iter().map(|table| table.name).collect();
    let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", names.join(", "));
    transaction.ask(vec![Ask::control(PATIENCE), Ask::control(&lock)]).map_err(|trouble| match trouble {
        Trouble::Contended(_) => Trouble::Final(StoreError::Locked { path: place.clone() }),
        other => other,
    })?;
    let any = names.iter().map(|name| Ask::control(&format!("SELECT 1 FROM {name} LIMIT 1"))).collect();
    let found = transaction.ask(any)?;
    match ALL.iter().zip(&found).find(|(_, rows)| !rows.is_empty()) {
        Some((table, _)) => Err(StoreError::NotEmpty { place, table: table.name }.into()),
        None => Ok(()),
    }
}

/// What was loaded, for whoever looks at it before it is committed.
struct Inside<'a, 'b> {
    transaction: &'a mut Transaction<'b>,
}

impl Reader for Inside<'_, '_> {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.transaction.read(|link, statements, at| reader::get_many(link, statements, table, keys, at))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.transaction.read(|link, _, at| reader::page(link, scan, at))
    }
}
