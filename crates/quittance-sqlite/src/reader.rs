//! A read-only connection. Each call sees one committed state.

use crate::errors::At;
use crate::rows;
use crate::sql::TableSql;
use quittance_store::schema::Table;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables;
use quittance_store::value::{Key, Row};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Reads a data directory; see [`crate::SqliteDatabase::open_reader`].
pub struct SqliteReader {
    connection: Connection,
    directory: PathBuf,
    statements: Statements,
}

impl SqliteReader {
    pub(crate) fn new(connection: Connection, directory: PathBuf) -> Self {
        Self { connection, directory, statements: Statements::new() }
    }
}

impl Reader for SqliteReader {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        let at = At { operation: "reading rows", directory: &self.directory, table: Some(table.name) };
        // One transaction around all keys: otherwise a commit between two of them would be seen by halves.
        let snapshot = self.connection.transaction().map_err(|error| at.sqlite(error))?;
        get_many(&snapshot, table, self.statements.of(table), keys, at)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        scan.assert_shape();
        let at = At { operation: "scanning rows", directory: &self.directory, table: Some(scan.table.name) };
        rows::scan(&self.connection, scan, at)
    }
}

pub(crate) fn get_many(
    connection: &Connection,
    table: &'static Table,
    statements: &TableSql,
    keys: &[Key],
    at: At<'_>,
) -> Result<Vec<Option<Row>>, StoreError> {
    keys.iter().for_each(|key| table.assert_key(key));
    keys.iter().map(|key| rows::get(connection, table, &statements.get, key, at)).collect()
}

/// The fixed statements of every declared table.
pub(crate) struct Statements {
    by_table: BTreeMap<&'static str, TableSql>,
}

impl Statements {
    pub(crate) fn new() -> Self {
        Self { by_table: tables::ALL.iter().map(|table| (table.name, TableSql::new(table))).collect() }
    }

    pub(crate) fn of(&self, table: &Table) -> &TableSql {
        let statements = self.by_table.get(table.name);
        statements.unwrap_or_else(|| panic!("table {} is not part of the schema", table.name))
    }
}
