//! The limit program: writes rows that somebody else decided on, as tightly as a store can be written.
//!
//! The same tables, indexes and constraints as the product's, the same durability, one commit for each batch, and no
//! logic: nothing is read, nothing is decided.

mod postgres;
mod sqlite;

use super::place::Place;
use anyhow::{Context, Result};
use quittance_store::schema::Table;
use quittance_store::store::Change;

/// Writes rows.
pub(super) trait Limit: Send {
    /// Writes these changes in one transaction, durable when it returns.
    ///
    /// # Errors
    ///
    /// When the store refuses them.
    fn write(&mut self, changes: &[Change]) -> Result<()>;
}

/// Makes the tables where there are none, and opens them.
pub(super) fn open(place: &Place) -> Result<Box<dyn Limit>> {
    drop(place.open_for_writing().context("the limit's tables cannot be made")?);
    match place {
        Place::Directory(path) => Ok(Box::new(sqlite::Sqlite::open(path)?)),
        Place::Database(url) => Ok(Box::new(postgres::Postgres::open(url)?)),
    }
}

/// Rows that are written by one statement: those of one table that are new, or those that replace others.
struct Group<'a> {
    table: &'static Table,
    is_new: bool,
    changes: Vec<&'a Change>,
}

/// Table by table, in the order in which tables come first.
fn groups(changes: &[Change]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for change in changes {
        let (table, is_new) = (change.table(), matches!(change, Change::Insert { .. }));
        match groups.iter_mut().find(|group| std::ptr::eq(group.table, table) && group.is_new == is_new) {
            Some(group) => group.changes.push(change),
            None => groups.push(Group { table, is_new, changes: vec![change] }),
        }
    }
    groups
}

/// Columns that an update of a row writes: neither its key nor what an index is over, for that does not change.
fn rewritten(table: &Table) -> Vec<usize> {
    let is_indexed = |name: &str| table.indexes.iter().any(|index| index.columns.contains(&name));
    (table.key_columns..table.columns.len()).filter(|at| !is_indexed(table.columns[*at].name)).collect()
}
