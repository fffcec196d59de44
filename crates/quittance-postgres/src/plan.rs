//! Changes to statements: set by set where that comes to the same as one after another, else one after another.
//!
//! Sets are written in one order by everybody: tables in the order of their declaration, and in each the rows in the order
//! of the key under which two writers may meet, so that nobody waits in a circle over keys that two insert.

use crate::link::Ask;
use crate::reader::Statements;
use crate::values::{self, Parameter};
use quittance_store::schema::{Index, Kind, Table, Uniqueness};
use quittance_store::store::{Change, Loaded};
use quittance_store::tables::ALL;
use quittance_store::value::{Key, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How changes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Table by table, as sets.
    Sets,
    /// One after another, as they were decided: the first that is refused says why.
    Singly,
}

/// How these changes are best written. Sets show the same as one after another only where no change depends on an earlier
/// one: each row is written once, and no value of a unique index is let go by one row and may be taken by another.
pub(crate) fn writing(changes: &[Change], loaded: &Loaded) -> Writing {
    let mut written: BTreeMap<&'static str, (BTreeSet<Key>, usize)> = BTreeMap::new();
    for change in changes {
        let table = change.table();
        let (keys, moving) = written.entry(table.name).or_default();
        if !keys.insert(table.key_of(change.row())) {
            return Writing::Singly;
        }
        *moving += usize::from(may_move_unique(change, loaded));
    }
    match written.values().any(|(keys, moving)| *moving > 0 && keys.len() > 1) {
        true => Writing::Singly,
        false => Writing::Sets,
    }
}

/// The statements that write changes.
pub(crate) fn asks<'a>(changes: &'a [Change], writing: Writing, statements: &Statements) -> Vec<Ask<'a>> {
    match writing {
        Writing::Singly => changes.iter().map(|change| ask(&[change], statements)).collect(),
        Writing::Sets => {
            let mut sets: BTreeMap<(usize, u8), Vec<&Change>> = BTreeMap::new();
            for change in changes {
                let place = ALL.iter().position(|table| table.name == change.table().name).unwrap_or(ALL.len());
                sets.entry((place, verb(change))).or_default().push(change);
            }
            let ordered = |mut set: Vec<&'a Change>| {
                set.sort_by_cached_key(|change| meeting_place(change));
                ask(&set, statements)
            };
            sets.into_values().map(ordered).collect()
        }
    }
}

fn verb(change: &Change) -> u8 {
    match change {
        Change::Insert { .. } => 0,
        Change::Upsert { .. } => 1,
        Change::Update { .. } => 2,
    }
}

/// One statement for changes of one table and verb.
fn ask<'a>(set: &[&'a Change], statements: &Statements) -> Ask<'a> {
    let table = set[0].table();
    let sql = statements.of(table);
    let rows: Vec<&[Value]> = set.iter().map(|change| change.row().as_slice()).collect();
    let mut parameters = values::columns(table, 0..table.columns.len(), &rows);
    let sql = match set[0] {
        Change::Insert { .. } => &sql.insert,
        Change::Upsert { .. } => &sql.upsert,
        Change::Update { .. } => {
            let expected = set.iter().map(|change| match change {
                Change::Update { expected_version, .. } => Some(*expected_version),
                Change::Insert { .. } | Change::Upsert { .. } => None,
            });
            parameters.push(Parameter::Integers(expected.collect()));
            parameters.push(Parameter::Integer(i64::try_from(set.len()).unwrap_or(i64::MAX)));
            &sql.update
        }
    };
    Ask { sql: sql.clone(), parameters, table: Some(table.name) }
}

/// Where two writers of a row like this would meet: at the natural key where the primary key is one that was made up.
fn meeting_place(change: &Change) -> (Option<Vec<Value>>, Key) {
    let (table, row) = (change.table(), change.row());
    let keys = &table.columns[..table.key_columns];
    let is_natural = |index: &&Index| {
        index.uniqueness == Uniqueness::Unique
            && !index.columns.iter().any(|column| keys.iter().any(|key| key.name == *column))
    };
    let natural = table.indexes.iter().find(is_natural);
    (natural.and_then(|index| table.index_values(index, row)), table.key_of(row))
}

/// Whether a change may take a row out of a place in a unique index.
fn may_move_unique(change: &Change, loaded: &Loaded) -> bool {
    let (table, row) = (change.table(), change.row());
    let mut unique = table.indexes.iter().filter(|index| index.uniqueness == Uniqueness::Unique);
    match (change, loaded.row(table, &table.key_of(row))) {
        (Change::Insert { .. }, _) | (_, Some(None)) => false,
        (_, None) => unique.next().is_some(),
        (_, Some(Some(before))) => {
            unique.any(|index| table.index_values(index, row) != table.index_values(index, before))
        }
    }
}

/// A column of integers.
pub(crate) fn integers<'a>(values: impl Iterator<Item = i64>) -> Parameter<'a> {
    Parameter::Integers(values.map(Some).collect())
}

/// A column of values of the kind that a column of a table has.
pub(crate) fn column<'a>(table: &Table, name: &str, values: impl Iterator<Item = &'a Value>) -> Parameter<'a> {
    let kind: Kind = table.columns[table.position(name)].kind;
    Parameter::many(kind, values)
}
