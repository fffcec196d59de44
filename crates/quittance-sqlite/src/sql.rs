//! SQL text for each verb, rendered from the declarations. Values are parameters, always.
//!
//! Scans and claims name their index with `INDEXED BY`: SQLite then refuses to prepare a statement that would walk the
//! table instead.

use quittance_store::ddl;
use quittance_store::schema::{Index, Queue, Table};
use quittance_store::shape::{DUE_AT, LEASE_EPOCH, LEASE_OWNER, VERSION};
use quittance_store::store::{Direction, Scan};

#[cfg(test)]
mod tests;

/// Statements of a table that do not depend on what is asked.
pub(crate) struct TableSql {
    /// `?1…` the key; all columns.
    pub(crate) get: String,
    /// `?1…` the row.
    pub(crate) insert: String,
    /// `?1…` the row.
    pub(crate) upsert: String,
    /// `?1…` the row, then the expected version; empty where there is no version.
    pub(crate) update: String,
    /// The same parameters, where no index has the row at another place afterwards.
    pub(crate) update_in_place: String,
    /// Those of a queue.
    queue: Option<QueueSql>,
}

/// Statements of a queue.
pub(crate) struct QueueSql {
    /// `?1…` the lane, then now and the limit; keys of due rows, oldest first.
    pub(crate) due: String,
    /// `?1…` the key, then lease end and owner; all columns of the row as it is then.
    pub(crate) lease: String,
    /// `?1` now, `?2` the owner that keeps its rows, `?3` the latest time a row may be due at.
    pub(crate) take_over: String,
}

impl TableSql {
    pub(crate) fn new(table: &'static Table) -> Self {
        let (name, key) = (table.name, equal(key_names(table)));
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let (list, parameters) = (columns.join(", "), parameters(1, columns.len()));
        let key_list = columns[..table.key_columns].join(", ");
        let rest = &columns[table.key_columns..];
        let insert = format!("INSERT INTO {name} ({list}) VALUES ({parameters})");
        let excluded: Vec<String> = rest.iter().map(|column| format!("{column} = excluded.{column}")).collect();
        let upsert = match excluded.is_empty() {
            true => format!("{insert} ON CONFLICT ({key_list}) DO NOTHING"),
            false => format!("{insert} ON CONFLICT ({key_list}) DO UPDATE SET {}", excluded.join(", ")),
        };
        Self {
            get: format!("SELECT {list} FROM {name} WHERE {key}"),
            insert,
            upsert,
            update: update(table, |_| true),
            update_in_place: update(table, |column| !indexed(table).any(|at| at == column)),
            queue: (table.queue != Queue::No).then(|| QueueSql::new(table)),
        }
    }

    pub(crate) fn queue(&self, table: &Table) -> &QueueSql {
        self.queue.as_ref().unwrap_or_else(|| panic!("table {} is not declared as a queue", table.name))
    }
}

impl QueueSql {
    fn new(table: &'static Table) -> Self {
        let (name, index) = (table.name, table.due_index());
        let (lane, now) = (equal(table.lane().iter().copied()), table.lane().len() + 1);
        let from_due = format!("{name} INDEXED BY {}", index.name);
        let is_due = ddl::not_null(table, index);
        assert!(!is_due.is_empty(), "{name}.{DUE_AT} must be nullable");
        let next_version = table.find(VERSION).map_or("", |_| ", version = version + 1");
        let keys = key_names(table).collect::<Vec<_>>().join(", ");
        let (end, owner) = (table.key_columns + 1, table.key_columns + 2);
        Self {
            due: format!(
                "SELECT {keys} FROM {from_due} WHERE {lane} AND {is_due} AND {DUE_AT} <= ?{now} ORDER BY {} LIMIT ?{}",
                order_by(table, Some(index), Direction::Forward),
                now + 1
            ),
            lease: format!(
                "UPDATE {name} SET {DUE_AT} = ?{end}, {LEASE_OWNER} = ?{owner}, {LEASE_EPOCH} = {LEASE_EPOCH} + 1\
                 {next_version} WHERE {} RETURNING {}",
                equal(key_names(table)),
                all_columns(table)
            ),
            take_over: format!(
                "UPDATE {from_due} SET {DUE_AT} = ?1, {LEASE_OWNER} = 0{next_version} \
                 WHERE {is_due} AND ({LEASE_OWNER} NOT IN (0, ?2) OR {DUE_AT} > ?3)"
            ),
        }
    }
}

/// Finds a row by a unique index: `?1…` its values.
pub(crate) fn unique(table: &Table, index: &Index) -> String {
    let mut sql = format!("SELECT {} FROM {} INDEXED BY {}", all_columns(table), table.name, index.name);
    sql.push_str(" WHERE ");
    sql.push_str(&equal(index.columns.iter().copied()));
    and_indexed(&mut sql, table, index);
    sql
}

/// One page: `?1…` prefix, then the `after` and the `until` bound, then the limit.
pub(crate) fn page(scan: &Scan) -> String {
    let table = scan.table;
    let columns: Vec<&str> = table.order(scan.index).iter().map(|&position| table.columns[position].name).collect();
    let (fixed, free) = columns.split_at(scan.prefix.len());
    let (beyond, short_of) = match scan.direction {
        Direction::Forward => (">", "<"),
        Direction::Backward => ("<", ">"),
    };
    let mut next = 1;
    let mut terms: Vec<String> = Vec::new();
    if !fixed.is_empty() {
        terms.push(equal(fixed.iter().copied()));
        next += fixed.len();
    }
    for (bound, comparison) in [(&scan.after, beyond), (&scan.until, short_of)] {
        if let Some(bound) = bound {
            let count = bound.len();
            terms.push(format!("({}) {comparison} ({})", free[..count].join(", "), parameters(next, count)));
            next += count;
        }
    }
    let mut sql = format!("SELECT {} FROM {}", all_columns(table), table.name);
    if let Some(index) = scan.index {
        sql.push_str(&format!(" INDEXED BY {}", index.name));
        let is_indexed = ddl::not_null(table, index);
        terms.extend((!is_indexed.is_empty()).then_some(is_indexed));
    }
    if !terms.is_empty() {
        sql.push_str(&format!(" WHERE {}", terms.join(" AND ")));
    }
    sql.push_str(&format!(" ORDER BY {} LIMIT ?{next}", order_by(table, scan.index, scan.direction)));
    sql
}

/// Positions of the columns that indexes are over.
pub(crate) fn indexed(table: &Table) -> impl Iterator<Item = usize> {
    let columns = table.indexes.iter().flat_map(|index| index.columns);
    columns.map(|column| table.position(column)).filter(|at| *at >= table.key_columns)
}

fn update(table: &Table, is_written: impl Fn(usize) -> bool) -> String {
    if table.find(VERSION).is_none() {
        return String::new();
    }
    let written = (table.key_columns..table.columns.len()).filter(|at| is_written(*at));
    let set: Vec<String> = written.map(|at| format!("{} = ?{}", table.columns[at].name, at + 1)).collect();
    let expected = table.columns.len() + 1;
    format!(
        "UPDATE {} SET {} WHERE {} AND {VERSION} = ?{expected}",
        table.name,
        set.join(", "),
        equal(key_names(table))
    )
}

fn and_indexed(sql: &mut String, table: &Table, index: &Index) {
    let is_indexed = ddl::not_null(table, index);
    if !is_indexed.is_empty() {
        sql.push_str(" AND ");
        sql.push_str(&is_indexed);
    }
}

fn order_by(table: &Table, index: Option<&Index>, direction: Direction) -> String {
    let suffix = match direction {
        Direction::Forward => "",
        Direction::Backward => " DESC",
    };
    let columns = table.order(index).into_iter().map(|position| format!("{}{suffix}", table.columns[position].name));
    columns.collect::<Vec<_>>().join(", ")
}

fn key_names(table: &Table) -> impl Iterator<Item = &'static str> + use<> {
    table.columns[..table.key_columns].iter().map(|column| column.name)
}

fn all_columns(table: &Table) -> String {
    table.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

/// `a = ?1 AND b = ?2 …`
fn equal<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns.zip(1..).map(|(column, number)| format!("{column} = ?{number}")).collect::<Vec<_>>().join(" AND ")
}

/// `?n, ?n+1 …`
fn parameters(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
}
