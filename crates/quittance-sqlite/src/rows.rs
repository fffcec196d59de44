//! Values to parameters and result rows to values; the reads that writer and readers share.

use crate::errors::At;
use crate::sql;
use quittance_store::schema::{Index, Kind, Table};
use quittance_store::store::{Scan, StoreError};
use quittance_store::value::{Row, Value};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, params_from_iter};

/// A value on its way into a statement.
struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Runs a statement that returns no rows, and returns how many it changed.
pub(crate) fn execute<'a>(
    connection: &Connection,
    sql: &str,
    values: impl IntoIterator<Item = &'a Value>,
) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params_from_iter(values.into_iter().map(Parameter)))
}

/// A statement that is run again and again, prepared anew only where another one is wanted.
pub(crate) struct Repeated<'a> {
    connection: &'a Connection,
    prepared: Option<(&'a str, CachedStatement<'a>)>,
}

impl<'a> Repeated<'a> {
    pub(crate) const fn new(connection: &'a Connection) -> Self {
        Self { connection, prepared: None }
    }

    /// The statement of this text; it is known by where the text lies.
    pub(crate) fn prepare(&mut self, sql: &'a str, at: At<'_>) -> Result<&mut CachedStatement<'a>, StoreError> {
        let known = self.prepared.take().filter(|(known, _)| std::ptr::eq(*known, sql));
        let prepared = match known {
            Some(known) => known,
            None => (sql, self.connection.prepare_cached(sql).map_err(|error| at.sqlite(error))?),
        };
        Ok(&mut self.prepared.insert(prepared).1)
    }
}

/// Runs a prepared statement that returns no rows, and returns how many it changed.
pub(crate) fn run<'a>(
    statement: &mut CachedStatement<'_>,
    values: impl IntoIterator<Item = &'a Value>,
) -> rusqlite::Result<usize> {
    for (value, number) in values.into_iter().zip(1..) {
        statement.raw_bind_parameter(number, Parameter(value))?;
    }
    statement.raw_execute()
}

/// Fetches a row by a prepared statement that finds one at most.
pub(crate) fn one(
    statement: &mut CachedStatement<'_>,
    table: &'static Table,
    key: &[Value],
    at: At<'_>,
) -> Result<Option<Row>, StoreError> {
    Ok(collect(statement, table, key, at)?.pop())
}

/// Fetches a row by its key; `sql` is the table's [`sql::TableSql::get`].
pub(crate) fn get(
    connection: &Connection,
    table: &'static Table,
    sql: &str,
    key: &[Value],
    at: At<'_>,
) -> Result<Option<Row>, StoreError> {
    Ok(query(connection, table, sql, key, at)?.pop())
}

/// Finds a row by a unique index.
pub(crate) fn find(
    connection: &Connection,
    table: &'static Table,
    index: &Index,
    values: &[Value],
    at: At<'_>,
) -> Result<Option<Row>, StoreError> {
    Ok(query(connection, table, &sql::unique(table, index), values, at)?.pop())
}

/// Fetches one page.
pub(crate) fn scan(connection: &Connection, scan: &Scan, at: At<'_>) -> Result<Vec<Row>, StoreError> {
    let limit = Value::Integer(i64::try_from(scan.limit).unwrap_or(i64::MAX));
    let bounds = scan.after.iter().chain(&scan.until).flatten();
    let values = scan.prefix.iter().chain(bounds).chain([&limit]);
    query(connection, scan.table, &sql::page(scan), values, at)
}

/// Runs a statement whose result columns are the leading columns of `table`, and collects its rows.
pub(crate) fn query<'a>(
    connection: &Connection,
    table: &'static Table,
    sql: &str,
    values: impl IntoIterator<Item = &'a Value>,
    at: At<'_>,
) -> Result<Vec<Row>, StoreError> {
    let at = At { table: Some(table.name), ..at };
    let mut statement = connection.prepare_cached(sql).map_err(|error| at.sqlite(error))?;
    collect(&mut statement, table, values, at)
}

fn collect<'a>(
    statement: &mut CachedStatement<'_>,
    table: &'static Table,
    values: impl IntoIterator<Item = &'a Value>,
    at: At<'_>,
) -> Result<Vec<Row>, StoreError> {
    let columns = statement.column_count();
    let parameters = params_from_iter(values.into_iter().map(Parameter));
    let mut results = statement.query(parameters).map_err(|error| at.sqlite(error))?;
    let mut rows = Vec::new();
    while let Some(result) = results.next().map_err(|error| at.sqlite(error))? {
        let mut row = Row::with_capacity(columns);
        for position in 0..columns {
            let found = result.get_ref(position).map_err(|error| at.sqlite(error))?;
            row.push(decode(table, position, found, at)?);
        }
        rows.push(row);
    }
    Ok(rows)
}

/// STRICT tables keep kinds apart, so anything else in a column is damage.
fn decode(table: &'static Table, position: usize, found: ValueRef<'_>, at: At<'_>) -> Result<Value, StoreError> {
    let column = &table.columns[position];
    let damaged = |what: &str| Err(at.corrupt(format!("column {} holds {what}", column.name)));
    match (column.kind, found) {
        (_, ValueRef::Null) => Ok(Value::Null),
        (Kind::Integer, ValueRef::Integer(integer)) => Ok(Value::Integer(integer)),
        (Kind::Bytes, ValueRef::Blob(bytes)) => Ok(Value::Bytes(bytes.to_vec())),
        (Kind::Text, ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Value::Text(text.to_owned())),
            Err(_) => damaged("text that is not UTF-8"),
        },
        (_, other) => damaged(&format!("a value of type {}", other.data_type())),
    }
}
