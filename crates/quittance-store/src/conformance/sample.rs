//! Rows and work for the cases: as short to write down as what they are about.

use crate::schema::{Index, Kind, Nullability, Table};
use crate::shape::VERSION;
use crate::store::{Change, Loaded, Read, Reader, Store, StoreError, Work};
use crate::value::{Row, Value};

/// A row with the given values; other columns are null where they may be, else zero or empty, and the version is 1.
pub(super) fn row(table: &'static Table, values: &[(&str, Value)]) -> Row {
    let mut row: Row = table
        .columns
        .iter()
        .map(|column| match (column.nullability, column.kind) {
            (Nullability::Optional, _) => Value::Null,
            (_, Kind::Integer) if column.name == VERSION => Value::Integer(1),
            (_, Kind::Integer) => Value::Integer(0),
            (_, Kind::Text) => Value::Text(String::new()),
            (_, Kind::Bytes) => Value::Bytes(Vec::new()),
        })
        .collect();
    for (column, value) in values {
        row[table.position(column)] = value.clone();
    }
    row
}

pub(super) fn index(table: &'static Table, name: &str) -> &'static Index {
    table.indexes.iter().find(|index| index.name == name).expect("the case names a declared index")
}

pub(super) fn insert(table: &'static Table, values: &[(&str, Value)]) -> Change {
    Change::Insert { table, row: row(table, values) }
}

pub(super) fn upsert(table: &'static Table, values: &[(&str, Value)]) -> Change {
    Change::Upsert { table, row: row(table, values) }
}

pub(super) fn update(table: &'static Table, expected_version: i64, values: &[(&str, Value)]) -> Change {
    let mut row = row(table, values);
    row[table.position(VERSION)] = (expected_version + 1).into();
    Change::Update { table, row, expected_version }
}

/// Writes changes that depend on nothing.
pub(super) fn write(store: &mut dyn Store, changes: Vec<Change>) -> Result<(), StoreError> {
    transact(store, |_| Vec::new(), |_| Ok(changes.clone()))
}

pub(super) fn transact(
    store: &mut dyn Store,
    reads: impl FnMut(&Loaded) -> Vec<Read>,
    decide: impl FnMut(&Loaded) -> Result<Vec<Change>, String>,
) -> Result<(), StoreError> {
    store.transact("conformance", &mut Steps { reads, decide })
}

/// Whether a row with the key of `expected` is there, and is `expected`.
pub(super) fn assert_stored(reader: &mut dyn Reader, table: &'static Table, expected: &Row) {
    let found = reader.get_many(table, &[table.key_of(expected)]).unwrap();
    assert_eq!(found, [Some(expected.clone())], "in {table:?}");
}

pub(super) fn assert_absent(reader: &mut dyn Reader, table: &'static Table, row: &Row) {
    assert_eq!(reader.get_many(table, &[table.key_of(row)]).unwrap(), [None], "in {table:?}");
}

struct Steps<R, D> {
    reads: R,
    decide: D,
}

impl<R, D> Work for Steps<R, D>
where
    R: FnMut(&Loaded) -> Vec<Read>,
    D: FnMut(&Loaded) -> Result<Vec<Change>, String>,
{
    fn reads(&mut self, loaded: &Loaded) -> Vec<Read> {
        (self.reads)(loaded)
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        (self.decide)(loaded)
    }
}
