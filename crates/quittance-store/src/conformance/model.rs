//! The simplest store there can be: a list of rows, searched from end to end. Judges what the others return.

use crate::schema::{Table, Uniqueness};
use crate::shape::VERSION;
use crate::store::{Change, Direction, Scan};
use crate::value::{Row, Value};
use std::cmp::Ordering;

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Written,
    Conflict,
    Stale,
}

/// Rows of one table.
pub(super) struct Model {
    table: &'static Table,
    rows: Vec<Row>,
}

impl Model {
    pub(super) fn new(table: &'static Table) -> Self {
        Self { table, rows: Vec::new() }
    }

    pub(super) fn transact(&mut self, changes: &[Change]) -> Outcome {
        let before = self.rows.clone();
        for change in changes {
            let outcome = self.apply(change);
            if outcome != Outcome::Written {
                self.rows = before;
                return outcome;
            }
        }
        Outcome::Written
    }

    fn apply(&mut self, change: &Change) -> Outcome {
        let table = self.table;
        let key = table.key_of(change.row());
        let existing = self.rows.iter().position(|row| table.key_of(row) == key);
        match change {
            Change::Insert { .. } if existing.is_some() => return Outcome::Conflict,
            Change::Update { expected_version, .. } => {
                let version = existing.map(|at| self.rows[at][table.position(VERSION)].clone());
                if version != Some(Value::Integer(*expected_version)) {
                    return Outcome::Stale;
                }
            }
            Change::Insert { .. } | Change::Upsert { .. } => {}
        }
        let others = || self.rows.iter().enumerate().filter(|(at, _)| Some(*at) != existing).map(|(_, row)| row);
        let unique = table.indexes.iter().filter(|index| index.uniqueness == Uniqueness::Unique);
        for (index, values) in unique.filter_map(|index| Some((index, table.index_values(index, change.row())?))) {
            if others().any(|row| table.index_values(index, row).as_ref() == Some(&values)) {
                return Outcome::Conflict;
            }
        }
        match existing {
            Some(at) => self.rows[at] = change.row().clone(),
            None => self.rows.push(change.row().clone()),
        }
        Outcome::Written
    }

    pub(super) fn scan(&self, scan: &Scan) -> Vec<Row> {
        let order = self.table.order(scan.index);
        let values = |row: &Row| -> Vec<Value> { order.iter().map(|&position| row[position].clone()).collect() };
        let (fixed, free) = order.split_at(scan.prefix.len());
        let forward = scan.direction == Direction::Forward;
        let beyond = |row: &Row, bound: &Option<Vec<Value>>, wanted: Ordering| {
            let wanted = if forward { wanted } else { wanted.reverse() };
            bound.iter().all(|bound| {
                let leading: Vec<Value> = free[..bound.len()].iter().map(|&position| row[position].clone()).collect();
                leading.cmp(bound) == wanted
            })
        };
        let mut rows = self.rows.clone();
        rows.retain(|row| {
            scan.index.is_none_or(|index| self.table.index_values(index, row).is_some())
                && fixed.iter().zip(&scan.prefix).all(|(&position, value)| row[position] == *value)
                && beyond(row, &scan.after, Ordering::Greater)
                && beyond(row, &scan.until, Ordering::Less)
        });
        rows.sort_by_key(values);
        if !forward {
            rows.reverse();
        }
        rows.truncate(scan.limit);
        rows
    }
}
