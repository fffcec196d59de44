//! How SQLite plans each statement over the real schema: through the index it should, and without sorting.

use super::{TableSql, page, unique};
use quittance_store::schema::{Index, Kind, Queue, Table, Uniqueness};
use quittance_store::store::{Direction, Scan};
use quittance_store::tables;
use quittance_store::value::Value;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    connection.execute_batch(include_str!("../../migrations/0001.sql")).unwrap();
    connection
}

/// The plan of a statement, which has one step.
fn plan(connection: &Connection, sql: &str) -> String {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let (count, mut details) = (statement.parameter_count(), Vec::new());
    let mut plan = statement.query(rusqlite::params_from_iter(vec![1; count])).unwrap();
    while let Some(step) = plan.next().unwrap() {
        details.push(step.get::<_, String>("detail").unwrap());
    }
    assert_eq!(details.len(), 1, "{sql}\nis planned as {details:#?}");
    details.remove(0)
}

/// Asserts that the whole plan of a statement is one search or ordered walk through `index` (the primary key without
/// one).
fn check(connection: &Connection, sql: &str, table: &Table, index: Option<&Index>) {
    let detail = plan(connection, sql);
    let expected = match index {
        Some(index) => {
            detail.contains(&format!(" INDEX {} ", index.name)) || detail.ends_with(&format!(" INDEX {}", index.name))
        }
        None if detail.contains("INDEX") => detail.contains(&format!(" INDEX sqlite_autoindex_{}_1", table.name)),
        None => detail.contains("USING PRIMARY KEY") || detail.starts_with("SCAN "),
    };
    assert!(expected && !detail.contains("TEMP B-TREE"), "{sql}\nis planned as {detail}");
    // What follows WHERE, since an update sets columns to parameters too.
    let condition = sql.split_once(" WHERE ").map_or("", |(_, condition)| condition);
    assert!(!condition.contains(" = ?1") || detail.starts_with("SEARCH"), "{sql}\nis planned as {detail}");
    // A bound is part of the search, unless the search leads to one row anyhow.
    let is_single = index.is_some_and(|index| {
        index.uniqueness == Uniqueness::Unique
            && index.columns.iter().all(|column| detail.contains(&format!("{column}=?")))
    });
    for comparison in [">", "<"].into_iter().filter(|comparison| sql.contains(&format!(") {comparison} ("))) {
        let is_searched = detail.starts_with("SEARCH") && (is_single || detail.contains(comparison));
        assert!(is_searched, "{sql}\nis planned as {detail}");
    }
}

fn sample(table: &Table, positions: &[usize]) -> Vec<Value> {
    let value = |&position: &usize| match table.columns[position].kind {
        Kind::Integer => Value::Integer(1),
        Kind::Text => Value::from("x"),
        Kind::Bytes => Value::from([1]),
    };
    positions.iter().map(value).collect()
}

/// Every way to scan an index: each length of prefix, each length of each bound, both directions.
fn scans(table: &'static Table, index: Option<&'static Index>) -> Vec<Scan> {
    let order = table.order(index);
    let mut scans = Vec::new();
    for fixed in 0..=order.len() {
        let prefix = sample(table, &order[..fixed]);
        let bounds: Vec<Option<Vec<Value>>> =
            (0..=order.len() - fixed).map(|n| (n > 0).then(|| sample(table, &order[fixed..fixed + n]))).collect();
        for (after, until) in bounds.iter().flat_map(|after| bounds.iter().map(move |until| (after, until))) {
            for direction in [Direction::Forward, Direction::Backward] {
                let (prefix, after, until) = (prefix.clone(), after.clone(), until.clone());
                scans.push(Scan { table, index, prefix, after, until, direction, limit: 1 });
            }
        }
    }
    scans
}

#[test]
fn scans_walk_their_index_in_order() {
    let connection = database();
    for table in tables::ALL {
        let indexes = table.indexes.iter().map(Some);
        for scan in [None].into_iter().chain(indexes).flat_map(|index| scans(table, index)) {
            scan.assert_shape();
            check(&connection, &page(&scan), table, scan.index);
        }
    }
}

#[test]
fn single_rows_are_found_through_their_key_or_index() {
    let connection = database();
    for table in tables::ALL {
        check(&connection, &TableSql::new(table).get, table, None);
        for index in table.indexes.iter().filter(|index| index.uniqueness == Uniqueness::Unique) {
            check(&connection, &unique(table, index), table, Some(index));
        }
    }
}

#[test]
fn queues_are_claimed_through_their_due_index() {
    let connection = database();
    for table in tables::ALL.into_iter().filter(|table| table.queue != Queue::No) {
        let sql = TableSql::new(table);
        let due = Some(table.due_index());
        check(&connection, &sql.queue(table).due, table, due);
        let searched = format!("({}=? AND due_at>? AND due_at<?)", table.lane().join("=? AND "));
        assert!(
            plan(&connection, &sql.queue(table).due).ends_with(&searched),
            "a claim reads only what is due in its lane"
        );
        check(&connection, &sql.queue(table).take_over, table, due);
        check(&connection, &sql.queue(table).lease, table, None);
    }
}
