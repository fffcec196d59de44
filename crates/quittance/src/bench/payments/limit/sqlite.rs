//! The limit in SQLite: one connection with the settings of the product's writer, and one prepared statement for each
//! table.

use super::{Group, Limit, groups, rewritten};
use anyhow::{Context, Result};
use quittance_store::schema::Table;
use quittance_store::store::Change;
use quittance_store::value::Value;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql};
use std::path::Path;

/// As the product's writer has them; durability above all.
const SETTINGS: &str = "
    PRAGMA temp_store = MEMORY;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 8000;
    PRAGMA journal_size_limit = 67108864;
";

pub(super) struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    pub(super) fn open(directory: &Path) -> Result<Self> {
        let connection = Connection::open(directory.join("quittance.db"))?;
        connection.execute_batch(SETTINGS)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self { connection })
    }
}

impl Limit for Sqlite {
    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for group in groups(changes) {
            write(&transaction, &group).with_context(|| format!("the limit's rows of {}", group.table.name))?;
        }
        Ok(transaction.commit()?)
    }
}

fn write(connection: &Connection, group: &Group<'_>) -> rusqlite::Result<()> {
    let table = group.table;
    let (sql, columns) = match group.is_new {
        true => (insert(table), (0..table.columns.len()).collect()),
        false => update(table),
    };
    let mut statement = connection.prepare_cached(&sql)?;
    group.changes.iter().try_for_each(|change| execute(&mut statement, &columns, change))
}

fn execute(statement: &mut CachedStatement<'_>, columns: &[usize], change: &Change) -> rusqlite::Result<()> {
    let row = change.row();
    for (number, column) in columns.iter().enumerate() {
        statement.raw_bind_parameter(number + 1, Parameter(&row[*column]))?;
    }
    statement.raw_execute().map(|_| ())
}

fn insert(table: &Table) -> String {
    let values: Vec<String> = (1..=table.columns.len()).map(|number| format!("?{number}")).collect();
    format!("INSERT INTO {} VALUES ({})", table.name, values.join(", "))
}

/// The statement, and the columns that are its parameters.
fn update(table: &Table) -> (String, Vec<usize>) {
    let (written, keys) = (rewritten(table), 0..table.key_columns);
    let columns: Vec<usize> = written.iter().copied().chain(keys).collect();
    let is = |at: usize, number: usize| format!("{} = ?{}", table.columns[at].name, number + 1);
    let terms: Vec<String> = columns.iter().enumerate().map(|(number, at)| is(*at, number)).collect();
    let (set, place) = terms.split_at(written.len());
    (format!("UPDATE {} SET {} WHERE {}", table.name, set.join(", "), place.join(" AND ")), columns)
}

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
