//! A round of reading: one statement for each table and unique index, sent together. Locks nothing.

use crate::errors::Trouble;
use crate::link::Ask;
use crate::sql;
use crate::transaction::{Transaction, decoded};
use crate::values;
use quittance_store::rounds;
use quittance_store::schema::{Index, Table};
use quittance_store::store::{Loaded, Read, StoreError, Work};
use quittance_store::value::{Key, Row, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What one round asks for, by table and by index.
#[derive(Default)]
struct Round {
    keys: BTreeMap<&'static str, (&'static Table, BTreeSet<Key>)>,
    unique: BTreeMap<&'static str, (&'static Table, &'static Index, BTreeSet<Vec<Value>>)>,
}

/// Reads what `work` names until it names nothing new, beyond what is loaded already.
///
/// # Errors
///
/// What the failure means.
pub(crate) fn load(transaction: &mut Transaction<'_>, work: &mut dyn Work, loaded: Loaded) -> Result<Loaded, Trouble> {
    let name = transaction.at.operation;
    let mut trouble = None;
    let result = rounds::load_more(name, work, loaded, &mut |reads, loaded| {
        fetch(transaction, reads, loaded).map_err(|why| {
            trouble = Some(why);
            StoreError::Aborted { name, reason: "reading failed".to_owned() }
        })
    });
    result.map_err(|error| trouble.unwrap_or(Trouble::Final(error)))
}

fn fetch(transaction: &mut Transaction<'_>, reads: Vec<Read>, loaded: &mut Loaded) -> Result<(), Trouble> {
    let mut round = Round::default();
    for read in reads {
        match read {
            Read::Row { table, key } => {
                round.keys.entry(table.name).or_insert((table, BTreeSet::new())).1.insert(key);
            }
            Read::Unique { table, index, values } => {
                round.unique.entry(index.name).or_insert((table, index, BTreeSet::new())).2.insert(values);
            }
        }
    }
    let keys: Vec<(&'static Table, Vec<Key>)> =
        round.keys.into_values().map(|(table, keys)| (table, keys.into_iter().collect())).collect();
    let unique: Vec<(&'static Table, &'static Index, Vec<Vec<Value>>)> =
        round.unique.into_values().map(|(table, index, values)| (table, index, values.into_iter().collect())).collect();
    let by_key = keys.iter().map(|(table, keys)| Ask {
        sql: transaction.statements.of(table).get.clone(),
        parameters: values::columns(table, 0..table.key_columns, &slices(keys)),
        table: Some(table.name),
    });
    let by_index = unique.iter().map(|(table, index, wanted)| Ask {
        sql: sql::unique(table, index),
        parameters: values::columns(table, index.columns.iter().map(|name| table.position(name)), &slices(wanted)),
        table: Some(table.name),
    });
    let asks = by_key.chain(by_index).collect();
    let mut answers = transaction.ask(asks)?.into_iter();
    for ((table, keys), rows) in keys.into_iter().zip(&mut answers) {
        let mut found = placed(transaction, table, &rows, keys.len())?.into_iter();
        keys.into_iter().zip(&mut found).for_each(|(key, row)| loaded.put_row(table, key, row));
    }
    for ((table, index, wanted), rows) in unique.into_iter().zip(&mut answers) {
        let mut found = placed(transaction, table, &rows, wanted.len())?.into_iter();
        wanted.into_iter().zip(&mut found).for_each(|(values, row)| loaded.put_unique(table, index, values, row));
    }
    Ok(())
}

/// Rows by the place of what was asked for.
fn placed(
    transaction: &Transaction<'_>,
    table: &'static Table,
    rows: &[tokio_postgres::Row],
    count: usize,
) -> Result<Vec<Option<Row>>, Trouble> {
    let mut found: Vec<Option<Row>> = (0..count).map(|_| None).collect();
    for row in rows {
        let place = row.try_get::<_, i64>(0).ok().and_then(|place| usize::try_from(place - 1).ok());
        if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
            *slot = Some(decoded(table, row, 1, transaction.at)?);
        }
    }
    Ok(found)
}

fn slices(values: &[Vec<Value>]) -> Vec<&[Value]> {
    values.iter().map(Vec::as_slice).collect()
}
