//! What is decided over is locked and current: existing rows that may change are locked after they were read, and read
//! again where they had changed in between. Does not own what is decided.
//!
//! What is not there cannot be locked. Rows of a book are written under its lock only, so those that were missing are looked
//! for once more under it; all others are guarded by the constraint that an insert of them would break.
//!
//! Locks are taken in one order by everybody, so that nobody waits in a circle: books by their key, then all other tables
//! in the order of their declaration, each by key. Where the rounds name further rows under locks, those come out of that
//! order, so they are taken only if they are free; else everything begins anew.

use crate::errors::Trouble;
use crate::rounds;
use crate::transaction::Transaction;
use quittance_store::schema::{Rows, Table};
use quittance_store::store::{Loaded, Patience, StoreError, Work};
use quittance_store::tables::{ALL, BOOKS, COMMANDS, GATEWAY_OBJECTS};
use quittance_store::value::{Key, Row, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Times the rounds are run again under locks, before everything begins anew.
const ROUNDS_MAX: usize = 6;

type Address = (&'static str, Key);

/// Keys of one table.
type Keys = (&'static Table, Vec<Key>);

/// What is locked, as it is, and what others hold.
#[derive(Default)]
struct Held {
    rows: BTreeMap<Address, Row>,
    busy: BTreeSet<Address>,
    /// Values of the key of books that others hold.
    busy_books: BTreeSet<Value>,
}

/// Why the locks are not complete.
#[derive(Debug)]
pub(crate) enum Unlocked {
    /// Rows that are needed now are held by others, out of order: begin anew.
    OutOfOrder,
    /// Something failed.
    Trouble(Trouble),
}

impl From<Trouble> for Unlocked {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Loads what `work` names, locked and current; with `is_patient`, rows are waited for in any order.
///
/// # Errors
///
/// [`Unlocked`].
pub(crate) fn load(
    transaction: &mut Transaction<'_>,
    work: &mut dyn Work,
    is_patient: bool,
) -> Result<Loaded, Unlocked> {
    let mut held = Held::default();
    let mut loaded = rounds::load(transaction, work, Loaded::default())?;
    for round in 0..ROUNDS_MAX {
        let wanted = held.wanted(&loaded);
        if wanted.is_empty() {
            held.busy.iter().for_each(|(table, key)| loaded.put_busy(declared(table), key.clone()));
            return Ok(loaded);
        }
        let may_wait = is_patient || round == 0;
        let (books, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(table, _)| table.name == BOOKS.name);
        held.lock_and_look(transaction, (books, Vec::new()), work.patience(), may_wait)?;
        let (theirs, others) = held.set_aside(others);
        held.busy.extend(theirs);
        let is_still_absent =
            held.lock_and_look(transaction, (others, held.absent(&loaded)), work.patience(), may_wait)?;
        if is_still_absent && held.agree_with(&loaded) {
            held.busy.iter().for_each(|(table, key)| loaded.put_busy(declared(table), key.clone()));
            return Ok(loaded);
        }
        // Absences and what unique indexes led to are of the past, too: they are looked up again.
        loaded = rounds::load(transaction, work, held.kept(&loaded))?;
    }
    Err(Unlocked::OutOfOrder)
}

impl Held {
    /// Rows that exist, may change, and are neither locked nor somebody else's; in the order of locking.
    fn wanted(&self, loaded: &Loaded) -> Vec<Keys> {
        let mut wanted: BTreeMap<usize, Vec<Key>> = BTreeMap::new();
        for (table, key, _) in loaded.rows() {
            let address = (table, key.clone());
            if self.rows.contains_key(&address) || self.busy.contains(&address) {
                continue;
            }
            let place = ALL.iter().position(|declared| declared.name == table);
            if let Some(place) = place.filter(|place| is_locked(ALL[*place])) {
                wanted.entry(place).or_default().push(address.1);
            }
        }
        // The order in which rows are asked for is the one in which they are locked.
        wanted.values_mut().for_each(|keys| keys.sort_unstable());
        wanted.into_iter().map(|(place, keys)| (ALL[place], keys)).collect()
    }

    /// Parts rows of books that others hold from the rest.
    fn set_aside(&self, wanted: Vec<Keys>) -> (Vec<Address>, Vec<Keys>) {
        if self.busy_books.is_empty() {
            return (Vec::new(), wanted);
        }
        let mut theirs = Vec::new();
        let mut ours = Vec::new();
        for (table, keys) in wanted {
            let is_theirs = |key: &Key| belongs_to_book(table) && self.busy_books.contains(&key[0]);
            let (put_off, kept): (Vec<Key>, Vec<Key>) = keys.into_iter().partition(is_theirs);
            theirs.extend(put_off.into_iter().map(|key| (table.name, key)));
            if !kept.is_empty() {
                ours.push((table, kept));
            }
        }
        (theirs, ours)
    }

    /// Keys of rows that were missing in books that are locked.
    fn absent(&self, loaded: &Loaded) -> Vec<Keys> {
        let mut absent: BTreeMap<&'static str, Vec<Key>> = BTreeMap::new();
        for (table, key) in loaded.absent() {
            let is_guarded = |key: &Key| self.rows.contains_key(&(BOOKS.name, key[..1].to_vec()));
            if belongs_to_book(declared(table)) && is_guarded(key) {
                absent.entry(table).or_default().push(key.clone());
            }
        }
        absent.into_iter().map(|(table, keys)| (declared(table), keys)).collect()
    }

    /// Locks rows, and says whether those that were missing still are.
    fn lock_and_look(
        &mut self,
        transaction: &mut Transaction<'_>,
        (wanted, absent): (Vec<Keys>, Vec<Keys>),
        patience: Patience,
        may_wait: bool,
    ) -> Result<bool, Unlocked> {
        if wanted.is_empty() && absent.is_empty() {
            return Ok(true);
        }
        let skips = |table: &Table| patience == Patience::Skip && goes_with_book(table);
        let locked = wanted.iter().map(|(table, keys)| {
            let sql = transaction.statements.of(table);
            let waits = may_wait && !skips(table);
            (*table, if waits { sql.lock.clone() } else { sql.lock_free.clone() }, keys.as_slice())
        });
        let looked =
            absent.iter().map(|(table, keys)| (*table, transaction.statements.of(table).get.clone(), keys.as_slice()));
        let asked: Vec<(&'static Table, String, &[Key])> = locked.chain(looked).collect();
        let mut found = transaction.rows_of(&asked)?;
        let appeared = found.split_off(wanted.len());
        for ((table, keys), mut found) in wanted.iter().zip(found) {
            for key in keys {
                match found.remove(key) {
                    Some(row) => {
                        self.rows.insert((table.name, key.clone()), row);
                    }
                    None if skips(table) => {
                        self.busy.insert((table.name, key.clone()));
                        if table.name == BOOKS.name {
                            self.busy_books.extend(key.first().cloned());
                        }
                    }
                    None => return Err(Unlocked::OutOfOrder),
                }
            }
        }
        Ok(appeared.iter().all(BTreeMap::is_empty))
    }

    /// Whether everything that is locked is what was loaded.
    fn agree_with(&self, loaded: &Loaded) -> bool {
        self.rows.iter().all(|((table, key), row)| loaded.row(declared(table), key) == Some(Some(row)))
    }

    /// What is still true of what was loaded: rows that are locked, as they are, and rows that never change.
    fn kept(&self, loaded: &Loaded) -> Loaded {
        let mut kept = Loaded::default();
        for (table, key, row) in loaded.rows() {
            if declared(table).rows == Rows::Fixed {
                kept.put_row(declared(table), key.clone(), Some(row.clone()));
            }
        }
        for ((table, key), row) in &self.rows {
            kept.put_row(declared(table), key.clone(), Some(row.clone()));
        }
        kept
    }
}

/// Whether whoever reads a row keeps others from changing it.
fn is_locked(table: &Table) -> bool {
    matches!(table.rows, Rows::Replaced | Rows::Versioned)
}

fn belongs_to_book(table: &Table) -> bool {
    table.columns[0].name == "book"
}

/// Whether a row of a table is held together with a book, by whoever works on what is in that. All others (counters, sweeps)
/// are held by many one after another, and each wait for one is short.
fn goes_with_book(table: &Table) -> bool {
    [BOOKS.name, COMMANDS.name, GATEWAY_OBJECTS.name].contains(&table.name) || belongs_to_book(table)
}

fn declared(name: &str) -> &'static Table {
    let found = ALL.iter().find(|table| table.name == name);
    found.unwrap_or_else(|| panic!("table {name} is not part of the schema"))
}

/// What is said when rows stay out of reach.
pub(crate) fn out_of_order(name: &'static str) -> StoreError {
    StoreError::Aborted { name, reason: "the rows it names change as fast as they are locked".to_owned() }
}
