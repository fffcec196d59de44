//! Reading beside whoever writes. Each call sees one committed state.

use crate::errors::{At, Trouble};
use crate::link::{Ask, Link};
use crate::sql::{self, TableSql};
use crate::transaction::decoded;
use crate::values::{self, Parameter};
use quittance_store::schema::Table;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables;
use quittance_store::value::{Key, Row, Value};
use std::collections::BTreeMap;

/// Connects anew.
type Connect = Box<dyn FnMut() -> Result<Link, StoreError> + Send>;

/// Reads a database; see [`crate::PostgresDatabase::open_reader`].
pub struct PostgresReader {
    link: Option<Link>,
    connect: Connect,
    place: String,
    statements: Statements,
}

impl PostgresReader {
    pub(crate) fn new(link: Link, connect: Connect, place: String) -> Self {
        Self { link: Some(link), connect, place, statements: Statements::new() }
    }

    /// Asks, and where the connection was lost once more on a new one.
    fn asked<T>(
        &mut self,
        operation: &'static str,
        ask: impl Fn(&mut Link, &Statements, At<'_>) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let at = At { operation, place: &self.place };
        if let Some(link) = self.link.as_mut().filter(|link| !link.is_closed()) {
            match ask(link, &self.statements, at) {
                Err(Trouble::Lost(_)) => {}
                done => return done.map_err(|trouble| at.given_up(trouble)),
            }
        }
        self.link = None;
        let mut link = (self.connect)()?;
        let done = ask(&mut link, &self.statements, at).map_err(|trouble| at.given_up(trouble))?;
        self.link = Some(link);
        Ok(done)
    }
}

impl Reader for PostgresReader {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.asked("reading rows", |link, statements, at| get_many(link, statements, table, keys, at))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        self.asked("scanning rows", |link, _, at| page(link, scan, at))
    }
}

/// Fetches rows by key, of one committed state.
pub(crate) fn get_many(
    link: &mut Link,
    statements: &Statements,
    table: &'static Table,
    keys: &[Key],
    at: At<'_>,
) -> Result<Vec<Option<Row>>, Trouble> {
    keys.iter().for_each(|key| table.assert_key(key));
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let slices: Vec<&[Value]> = keys.iter().map(Vec::as_slice).collect();
    let parameters = values::columns(table, 0..table.key_columns, &slices);
    let ask = Ask { sql: statements.of(table).get.clone(), parameters, table: Some(table.name) };
    let rows = link.ask(at, &[ask])?.pop().unwrap_or_default();
    let mut found: BTreeMap<Key, Row> = BTreeMap::new();
    for row in &rows {
        let row = decoded(table, row, 1, at)?;
        found.insert(table.key_of(&row), row);
    }
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

/// Fetches one page.
pub(crate) fn page(link: &mut Link, scan: &Scan, at: At<'_>) -> Result<Vec<Row>, Trouble> {
    scan.assert_shape();
    let bounds = scan.after.iter().chain(&scan.until).flatten();
    let mut parameters: Vec<Parameter<'_>> = scan.prefix.iter().chain(bounds).map(Parameter::one).collect();
    parameters.push(Parameter::Integer(i64::try_from(scan.limit).unwrap_or(i64::MAX)));
    let ask = Ask { sql: sql::page(scan), parameters, table: Some(scan.table.name) };
    let rows = link.ask(at, &[ask])?.pop().unwrap_or_default();
    rows.iter().map(|row| decoded(scan.table, row, 0, at).map_err(Trouble::Final)).collect()
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
