//! What a transaction has read, and over which it decides. Does not own how it is read.

use super::Read;
use crate::schema::{Index, Table};
use crate::tables::ALL;
use crate::value::{Key, Row, Value};
use std::collections::{BTreeSet, HashMap};

/// What a transaction has read. It is asked far more often than gone through, so nothing in it is kept in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// By table.
    rows: HashMap<&'static str, HashMap<Key, Option<Row>>>,
    /// By index.
    unique: HashMap<&'static str, HashMap<Vec<Value>, Option<Key>>>,
    busy: BTreeSet<(&'static str, Key)>,
}

impl Loaded {
    /// Puts a row that was read, or its absence.
    pub fn put_row(&mut self, table: &'static Table, key: Key, row: Option<Row>) {
        self.rows.entry(table.name).or_default().insert(key, row);
    }

    /// Puts the answer of a unique index, and the row it led to.
    pub fn put_unique(&mut self, table: &'static Table, index: &'static Index, values: Vec<Value>, row: Option<Row>) {
        let key = row.as_ref().map(|row| table.key_of(row));
        if let (Some(key), Some(row)) = (key.clone(), row) {
            self.put_row(table, key, Some(row));
        }
        self.unique.entry(index.name).or_default().insert(values, key);
    }

    /// Changes every row with sealed columns that was read and is there.
    ///
    /// # Errors
    ///
    /// The first of `change`.
    pub fn change_rows<E>(
        &mut self,
        change: &mut dyn FnMut(&'static Table, &mut Row) -> Result<(), E>,
    ) -> Result<(), E> {
        for table in ALL.iter().filter(|table| table.sealed().next().is_some()) {
            let rows = self.rows.get_mut(table.name).into_iter().flat_map(HashMap::values_mut);
            rows.flatten().try_for_each(|row| change(table, row))?;
        }
        Ok(())
    }

    /// Marks a row that is there and that another transaction holds. What was put of it may be of the past.
    pub fn put_busy(&mut self, table: &'static Table, key: Key) {
        self.busy.insert((table.name, key));
    }

    /// Whether another transaction holds a row: nothing may be decided over it, or over its absence, in this one.
    #[must_use]
    pub fn is_busy(&self, table: &'static Table, key: &Key) -> bool {
        !self.busy.is_empty() && self.busy.contains(&(table.name, key.clone()))
    }

    /// Whether a read has already been answered.
    #[must_use]
    pub fn has(&self, read: &Read) -> bool {
        match read {
            Read::Row { table, key } => self.row(table, key).is_some(),
            Read::Unique { index, values, .. } => self.unique(index, values).is_some(),
        }
    }

    /// A row by key: none when it was not asked for, `Some(None)` when it does not exist.
    #[must_use]
    pub fn row(&self, table: &'static Table, key: &Key) -> Option<Option<&Row>> {
        self.rows.get(table.name)?.get(key).map(Option::as_ref)
    }

    /// Every row of a table that was read and is there, in no order.
    pub fn rows_of(&self, table: &'static Table) -> impl Iterator<Item = &Row> {
        self.rows.get(table.name).into_iter().flat_map(|rows| rows.values()).flatten()
    }

    /// Every row that was read and is there, in the order of tables and keys.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, &Key, &Row)> {
        let answers = self.rows.iter().flat_map(|(table, rows)| rows.iter().map(|(key, row)| (*table, key, row)));
        let mut there: Vec<_> = answers.filter_map(|(table, key, row)| Some((table, key, row.as_ref()?))).collect();
        there.sort_unstable_by_key(|(table, key, _)| (*table, *key));
        there.into_iter()
    }

    /// The keys of a table's rows that were read and are there, in order.
    pub fn keys(&self, table: &Table) -> impl Iterator<Item = &Key> {
        let answers = self.rows.get(table.name).into_iter().flatten();
        let mut there: Vec<_> = answers.filter_map(|(key, row)| row.as_ref().map(|_| key)).collect();
        there.sort_unstable();
        there.into_iter()
    }

    /// The key a unique index led to: none when it was not asked for, `Some(None)` when there is no such row.
    #[must_use]
    pub fn unique(&self, index: &'static Index, values: &[Value]) -> Option<Option<&Key>> {
        self.unique.get(index.name)?.get(values).map(Option::as_ref)
    }
}
