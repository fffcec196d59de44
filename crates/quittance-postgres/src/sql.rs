//! SQL text for each verb, rendered from the declarations. Values are parameters, always: columns of many values, so that
//! a statement is asked once for a batch, however large that is.

mod queue;
mod scan;

pub(crate) use queue::QueueSql;
pub(crate) use scan::page;

use quittance_store::ddl;
use quittance_store::schema::{Index, Kind, Queue, Table};
use quittance_store::shape::VERSION;

/// Statements of a table that do not depend on what is asked.
pub(crate) struct TableSql {
    /// `$1…` columns of keys; each row's place among the keys, then all its columns.
    pub(crate) get: String,
    /// The same, locked in the order of the keys: whoever holds one is waited for.
    pub(crate) lock: String,
    /// The same without those that somebody holds.
    pub(crate) lock_free: String,
    /// `$1…` columns of rows.
    pub(crate) insert: String,
    /// `$1…` columns of rows.
    pub(crate) upsert: String,
    /// `$1…` columns of rows, then those of expected versions, then how many there are: divides by zero unless it changed
    /// as many. Empty where there is no version.
    pub(crate) update: String,
    /// Those of a queue.
    queue: Option<QueueSql>,
}

impl TableSql {
    pub(crate) fn new(table: &'static Table) -> Self {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let (keys, rest) = names.split_at(table.key_columns);
        let by_key = |locked: &str| looked_up(table, (0..table.key_columns).collect(), locked);
        let insert = format!(
            "INSERT INTO {} ({}) SELECT * FROM unnest({})",
            table.name,
            names.join(", "),
            arrays(table, 0..names.len(), 1)
        );
        let set = rest.iter().map(|column| format!("{column} = excluded.{column}")).collect::<Vec<_>>().join(", ");
        Self {
            get: by_key("OFFSET 0"),
            lock: by_key("FOR NO KEY UPDATE"),
            lock_free: by_key("FOR NO KEY UPDATE SKIP LOCKED"),
            upsert: format!("{insert} ON CONFLICT ({}) DO UPDATE SET {set}", keys.join(", ")),
            update: update(table),
            queue: (table.queue != Queue::No).then(|| QueueSql::new(table)),
            insert,
        }
    }
}

impl TableSql {
    pub(crate) fn queue(&self, table: &Table) -> &QueueSql {
        self.queue.as_ref().unwrap_or_else(|| panic!("table {} is not declared as a queue", table.name))
    }
}

/// Finds rows by a unique index: as [`TableSql::get`], with columns of its values.
pub(crate) fn unique(table: &Table, index: &Index) -> String {
    let not_null: String = index.columns.iter().map(|column| format!(" AND t.{column} IS NOT NULL")).collect();
    let by = index.columns.iter().map(|column| table.position(column)).collect();
    looked_up(table, by, &format!("{not_null} OFFSET 0"))
}

/// Each row is looked up by itself, in the order in which it is asked for. What the server knows of a table that has just
/// grown is old, and of an array it knows nothing; left to itself it may go through the whole table for each row, as it
/// does where it is told to sort by the key. `end` keeps it from joining the two, and locks in that order where it is to.
fn looked_up(table: &Table, by: Vec<usize>, end: &str) -> String {
    let asked: Vec<String> = (1..=by.len()).map(|number| format!("k{number}")).collect();
    let names = by.iter().map(|&position| table.columns[position].name);
    let equal: Vec<String> = names.zip(&asked).map(|(name, asked)| format!("t.{name} = k.{asked}")).collect();
    format!(
        "SELECT k.place, {} FROM unnest({}) WITH ORDINALITY AS k ({}, place) \
         CROSS JOIN LATERAL (SELECT * FROM {} AS t WHERE {} {end}) AS t",
        all_columns(table),
        arrays(table, by.into_iter(), 1),
        asked.join(", "),
        table.name,
        equal.join(" AND "),
    )
}

fn update(table: &Table) -> String {
    if table.find(VERSION).is_none() {
        return String::new();
    }
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let (keys, rest) = names.split_at(table.key_columns);
    let set = rest.iter().map(|column| format!("{column} = k.{column}")).collect::<Vec<_>>().join(", ");
    let equal = keys.iter().map(|key| format!("t.{key} = k.{key}")).collect::<Vec<_>>().join(" AND ");
    let expected = names.len() + 1;
    format!(
        "WITH changed AS (UPDATE {} AS t SET {set} FROM unnest({}, ${expected}::bigint[]) AS k ({}, expected) \
         WHERE {equal} AND t.{VERSION} = k.expected RETURNING 1) \
         SELECT 1 / (CASE WHEN count(*) = ${} THEN 1 ELSE 0 END) FROM changed",
        table.name,
        arrays(table, 0..names.len(), 1),
        names.join(", "),
        expected + 1,
    )
}

/// `$n::type[], …` for columns of the table.
fn arrays(table: &Table, positions: impl Iterator<Item = usize>, first: usize) -> String {
    let array = |(position, number): (usize, usize)| {
        let kind = match table.columns[position].kind {
            Kind::Integer => "bigint",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
        };
        format!("${number}::{kind}[]")
    };
    positions.zip(first..).map(array).collect::<Vec<_>>().join(", ")
}

fn all_columns(table: &Table) -> String {
    table.columns.iter().map(|column| format!("t.{}", column.name)).collect::<Vec<_>>().join(", ")
}

fn key_names(table: &Table) -> Vec<&'static str> {
    table.columns[..table.key_columns].iter().map(|column| column.name).collect()
}

/// The condition under which a row is in an index, to be added to others.
fn and_indexed(table: &Table, index: &Index) -> String {
    let is_indexed = ddl::not_null(table, index);
    if is_indexed.is_empty() { is_indexed } else { format!(" AND {is_indexed}") }
}
