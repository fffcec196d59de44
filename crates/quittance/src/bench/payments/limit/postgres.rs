//! The limit in PostgreSQL: one connection, one prepared statement for all rows of a table, and everything between BEGIN
//! and COMMIT sent at once.

use super::{Group, Limit, groups, rewritten};
use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use quittance_store::schema::{Kind, Table};
use quittance_store::store::Change;
use quittance_store::value::Value;
use std::collections::HashMap;
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Statement};

pub(super) struct Postgres {
    runtime: Runtime,
    client: Client,
    statements: HashMap<(&'static str, bool), Statement>,
}

/// All values of one column.
type Column<'a> = Box<dyn ToSql + Sync + 'a>;

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute("SET search_path = quittance").await?;
            Ok::<_, tokio_postgres::Error>(client)
        })?;
        Ok(Self { runtime, client, statements: HashMap::new() })
    }

    fn prepare(&mut self, group: &Group<'_>) -> Result<Statement> {
        let place = (group.table.name, group.is_new);
        if let Some(known) = self.statements.get(&place) {
            return Ok(known.clone());
        }
        let sql = if group.is_new { insert(group.table) } else { update(group.table) };
        let statement = self.runtime.block_on(self.client.prepare(&sql)).with_context(|| sql.clone())?;
        self.statements.insert(place, statement.clone());
        Ok(statement)
    }
}

impl Limit for Postgres {
    fn write(&mut self, changes: &[Change]) -> Result<()> {
        let groups = groups(changes);
        let statements: Vec<Statement> = groups.iter().map(|group| self.prepare(group)).collect::<Result<_>>()?;
        let parameters: Vec<Vec<Column<'_>>> = groups.iter().map(columns).collect();
        let client = &self.client;
        self.runtime.block_on(async {
            // Nothing waits for an answer before the next is sent.
            let rows = try_join_all(statements.iter().zip(&parameters).map(|(statement, columns)| {
                let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| &**column as _).collect();
                async move { client.execute(statement, &columns).await }
            }));
            let (begun, written, ended) =
                tokio::join!(client.batch_execute("BEGIN"), rows, client.batch_execute("COMMIT"));
            begun.and(written.map(|_| ())).and(ended)
        })?;
        Ok(())
    }
}

fn insert(table: &Table) -> String {
    let columns: Vec<usize> = (0..table.columns.len()).collect();
    format!("INSERT INTO {} SELECT * FROM unnest({})", table.name, arrays(table, &columns))
}

fn update(table: &Table) -> String {
    let columns = updated(table);
    let name = |at: &usize| table.columns[*at].name;
    let (keys, written) = columns.split_at(table.key_columns);
    let set: Vec<String> = written.iter().map(|at| format!("{0} = new.{0}", name(at))).collect();
    let place: Vec<String> = keys.iter().map(|at| format!("t.{0} = new.{0}", name(at))).collect();
    let names: Vec<&str> = columns.iter().map(name).collect();
    format!(
        "UPDATE {} AS t SET {} FROM unnest({}) AS new ({}) WHERE {}",
        table.name,
        set.join(", "),
        arrays(table, &columns),
        names.join(", "),
        place.join(" AND ")
    )
}

fn updated(table: &Table) -> Vec<usize> {
    (0..table.key_columns).chain(rewritten(table)).collect()
}

fn arrays(table: &Table, columns: &[usize]) -> String {
    let array = |(number, at): (usize, &usize)| {
        let kind = match table.columns[*at].kind {
            Kind::Integer => "bigint",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
        };
        format!("${}::{kind}[]", number + 1)
    };
    columns.iter().enumerate().map(array).collect::<Vec<_>>().join(", ")
}

fn columns<'a>(group: &Group<'a>) -> Vec<Column<'a>> {
    let table = group.table;
    let columns = if group.is_new { (0..table.columns.len()).collect() } else { updated(table) };
    columns.into_iter().map(|at| column(group, at)).collect()
}

fn column<'a>(group: &Group<'a>, at: usize) -> Column<'a> {
    let values = group.changes.iter().map(move |change| &change.row()[at]);
    match group.table.columns[at].kind {
        Kind::Integer => Box::new(values.map(integer).collect::<Vec<_>>()),
        Kind::Text => Box::new(values.map(text).collect::<Vec<_>>()),
        Kind::Bytes => Box::new(values.map(bytes).collect::<Vec<_>>()),
    }
}

const fn integer(value: &Value) -> Option<i64> {
    if let Value::Integer(integer) = value { Some(*integer) } else { None }
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
}
