//! A round of reading: one statement for each table and unique index, sent together. Locks nothing but books, and those
//! only where nobody is waited for: they are named by almost everything, and what is read of a book behind its lock is
//! current and stays so.

use crate::errors::Trouble;
use crate::link::Ask;
use crate::sql;
use crate::transaction::{Transaction, decoded};
use crate::values;
use quittance_store::rounds;
use quittance_store::schema::{Index, Table};
use quittance_store::store::{Loaded, Read, StoreError, Work};
use quittance_store::tables::BOOKS;
use quittance_store::value::{Key, Row, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What one round asks for, by table and by index; books come first. Keys are in order, and each is there once.
struct Round {
    keys: Vec<(&'static Table, Vec<Key>)>,
    unique: Vec<(&'static Table, &'static Index, Vec<Vec<Value>>)>,
}

/// Books that are locked in the rounds, as soon as they are named and before anything else of them is read. None is waited
/// for, so the order in which they are named does not matter.
#[derive(Default)]
pub(crate) struct Books {
    /// Whether they are locked in the rounds.
    pub(crate) are_locked: bool,
    /// Those that are, by their key. What was loaded of them is as it is.
    pub(crate) held: BTreeSet<Key>,
    /// Those that others hold.
    pub(crate) busy: BTreeSet<Key>,
    /// Rows of books that were missing while nobody had locked the book.
    pub(crate) unguarded: BTreeSet<(&'static str, Key)>,
}

impl Books {
    /// Notes that a row was missing.
    fn missing(&mut self, table: &'static Table, key: &Key) {
        if table.belongs_to_book() && !self.held.contains(&key[..1]) {
            self.unguarded.insert((table.name, key.clone()));
        }
    }

    /// Whether the round begins with locking books.
    fn lock(&self, table: &Table) -> bool {
        self.are_locked && table.name == BOOKS.name
    }
}

/// Reads what `work` names until it names nothing new, beyond what is loaded already.
///
/// # Errors
///
/// What the failure means.
pub(crate) fn load(
    transaction: &mut Transaction<'_>,
    work: &mut dyn Work,
    books: &mut Books,
    loaded: Loaded,
) -> Result<Loaded, Trouble> {
    let name = transaction.at.operation;
    let mut trouble = None;
    let result = rounds::load_more(name, work, loaded, &mut |reads, loaded| {
        fetch(transaction, reads, books, loaded).map_err(|why| {
            trouble = Some(why);
            StoreError::Aborted { name, reason: "reading failed".to_owned() }
        })
    });
    result.map_err(|error| trouble.unwrap_or(Trouble::Final(error)))
}

fn fetch(
    transaction: &mut Transaction<'_>,
    reads: Vec<Read>,
    books: &mut Books,
    loaded: &mut Loaded,
) -> Result<(), Trouble> {
    let round = Round::of(reads);
    let asks = round.asks(transaction, books);
    let mut answers = transaction.ask(asks)?.into_iter();
    let mut others = Vec::new();
    for ((table, keys), rows) in round.keys.into_iter().zip(&mut answers) {
        let found = placed(transaction, table, &rows, keys.len())?;
        for (key, row) in keys.into_iter().zip(found) {
            match row {
                None if books.lock(table) => others.push(key),
                None => {
                    books.missing(table, &key);
                    loaded.put_row(table, key, None);
                }
                Some(row) => {
                    if books.lock(table) {
                        books.held.insert(key.clone());
                    }
                    loaded.put_row(table, key, Some(row));
                }
            }
        }
    }
    for ((table, index, wanted), rows) in round.unique.into_iter().zip(&mut answers) {
        let mut found = placed(transaction, table, &rows, wanted.len())?.into_iter();
        wanted.into_iter().zip(&mut found).for_each(|(values, row)| loaded.put_unique(table, index, values, row));
    }
    look_for(transaction, others, books, loaded)
}

/// Tells books that others hold from those that are not there.
fn look_for(
    transaction: &mut Transaction<'_>,
    keys: Vec<Key>,
    books: &mut Books,
    loaded: &mut Loaded,
) -> Result<(), Trouble> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = transaction.statements.of(&BOOKS).get.clone();
    let mut found = transaction.rows_of(&[(&BOOKS, sql, &keys)])?.pop().unwrap_or_default();
    for key in keys {
        let row = found.remove(&key);
        if row.is_some() {
            books.busy.insert(key.clone());
        }
        loaded.put_row(&BOOKS, key, row);
    }
    Ok(())
}

impl Round {
    fn of(reads: Vec<Read>) -> Self {
        let mut keys: BTreeMap<&'static str, (&'static Table, BTreeSet<Key>)> = BTreeMap::new();
        let mut unique: BTreeMap<&'static str, (&'static Table, &'static Index, BTreeSet<Vec<Value>>)> =
            BTreeMap::new();
        for read in reads {
            match read {
                Read::Row { table, key } => {
                    keys.entry(table.name).or_insert((table, BTreeSet::new())).1.insert(key);
                }
                Read::Unique { table, index, values } => {
                    unique.entry(index.name).or_insert((table, index, BTreeSet::new())).2.insert(values);
                }
            }
        }
        // What is read of a book is read behind its lock.
        let (books, others): (Vec<_>, Vec<_>) = keys.into_values().partition(|(table, _)| table.name == BOOKS.name);
        let keys = books.into_iter().chain(others).map(|(table, keys)| (table, keys.into_iter().collect())).collect();
        let unique = unique.into_values().map(|(table, index, values)| (table, index, values.into_iter().collect()));
        Self { keys, unique: unique.collect() }
    }

    fn asks(&self, transaction: &Transaction<'_>, books: &Books) -> Vec<Ask<'_>> {
        let by_key = self.keys.iter().map(|(table, keys)| {
            let sql = transaction.statements.of(table);
            Ask {
                sql: if books.lock(table) { sql.lock_free.clone() } else { sql.get.clone() },
                parameters: values::columns(table, 0..table.key_columns, &slices(keys)),
                table: Some(table.name),
            }
        });
        let by_index = self.unique.iter().map(|(table, index, wanted)| Ask {
            sql: sql::unique(table, index),
            parameters: values::columns(table, index.columns.iter().map(|name| table.position(name)), &slices(wanted)),
            table: Some(table.name),
        });
        by_key.chain(by_index).collect()
    }
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
