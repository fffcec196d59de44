//! A read-only connection inside one transaction: every call sees the moment at which it was opened.
//!
//! The writer goes on beside it, for readers of a write-ahead log see what was committed before them; only the log cannot
//! begin anew meanwhile, so it grows by what is written.

use crate::errors::At;
use crate::reader::{self, Statements};
use crate::rows;
use quittance_store::schema::Table;
use quittance_store::store::{Reader, Scan, Snapshot, StoreError};
use quittance_store::value::{Key, Row};
use rusqlite::Connection;
use std::path::PathBuf;

/// Reads one moment of a data directory; see [`crate::SqliteDatabase::open_snapshot`].
pub struct SqliteSnapshot {
    connection: Connection,
    directory: PathBuf,
    statements: Statements,
    epoch: i64,
}

impl SqliteSnapshot {
    /// Begins the transaction, which ends with the connection.
    pub(crate) fn begin(connection: Connection, directory: PathBuf) -> Result<Self, StoreError> {
        let at = At { operation: "opening a snapshot", directory: &directory, table: None };
        // The moment is that of the first read, so there is one at once.
        let begun = connection
            .execute_batch("BEGIN")
            .and_then(|()| connection.query_row("SELECT epoch FROM writer WHERE singleton = 1", [], |row| row.get(0)));
        let epoch = begun.map_err(|error| at.sqlite(error))?;
        Ok(Self { connection, directory, statements: Statements::new(), epoch })
    }
}

impl Reader for SqliteSnapshot {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        let at = At { operation: "reading rows", directory: &self.directory, table: Some(table.name) };
        reader::get_many(&self.connection, table, self.statements.of(table), keys, at)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        scan.assert_shape();
        let at = At { operation: "scanning rows", directory: &self.directory, table: Some(scan.table.name) };
        rows::scan(&self.connection, scan, at)
    }
}

impl Snapshot for SqliteSnapshot {
    fn writer_epoch(&self) -> i64 {
        self.epoch
    }

    fn time(&self) -> Option<i64> {
        None
    }
}
