//! What is decided over is locked and current. Does not own what is decided.
//!
//! Books are locked in the rounds, right before what belongs to them is read, where one that is held is skipped and not
//! waited for. All other rows that exist and may change are locked after they were read, and read again where they had
//! changed in between; so are books where they are waited for.
//!
//! What is not there cannot be locked. Rows of a book are written under its lock only, so those that were missing before the
//! book was locked are looked for once more under it; all others are guarded by the constraint that an insert of them would
//! break.
//!
//! Locks that are waited for are taken in one order by everybody, so that nobody waits in a circle: books by their key, then
//! all other tables in the order of their declaration, each by key. Where the rounds name further rows under locks, those
//! come out of that order, so they are taken only if they are free; else everything begins anew.

use crate::errors::Trouble;
use crate::rounds::{self, Books};
use crate::transaction::Transaction;
use quittance_store::schema::{Rows, Table};
use quittance_store::store::{Loaded, Patience, StoreError, Work};
use quittance_store::tables::{ALL, BOOKS, COMMANDS, GATEWAY_OBJECTS};
use quittance_store::value::{Key, Row};
use std::collections::{BTreeMap, BTreeSet};

/// Times the rounds are run again under locks, before everything begins anew.
const ROUNDS_MAX: usize = 6;

type Address = (&'static str, Key);

/// Keys of one table.
type Keys = (&'static Table, Vec<Key>);

/// What is locked, as it is, and what others hold.
#[derive(Default)]
struct Held {
    /// Without the books that were locked in the rounds.
    rows: BTreeMap<Address, Row>,
    busy: BTreeSet<Address>,
    books: Books,
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
    held.books.are_locked = work.patience() == Patience::Skip && !is_patient;
    let mut loaded = rounds::load(transaction, work, &mut held.books, Loaded::default())?;
    for round in 0..ROUNDS_MAX {
        let wanted = held.wanted(&loaded);
        if wanted.is_empty() && held.books.unguarded.is_empty() {
            return Ok(held.concluded(loaded));
        }
        let may_wait = is_patient || round == 0;
        let (books, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|(table, _)| table.name == BOOKS.name);
        held.lock_and_look(transaction, (books, Vec::new()), work.patience(), may_wait)?;
        let (theirs, others) = held.set_aside(others);
        held.busy.extend(theirs);
        let is_still_absent = held.lock_and_look(transaction, (others, held.absent()), work.patience(), may_wait)?;
        if is_still_absent && held.agree_with(&loaded) {
            return Ok(held.concluded(loaded));
        }
        // Absences and what unique indexes led to are of the past, too: they are looked up again.
        held.books.unguarded.clear();
        let kept = held.kept(&loaded);
        loaded = rounds::load(transaction, work, &mut held.books, kept)?;
    }
    Err(Unlocked::OutOfOrder)
}

impl Held {
    /// What was loaded, with what of it others hold.
    fn concluded(self, mut loaded: Loaded) -> Loaded {
        self.busy.into_iter().for_each(|(table, key)| loaded.put_busy(declared(table), key));
        self.books.busy.into_iter().for_each(|key| loaded.put_busy(&BOOKS, key));
        loaded
    }

    /// Rows that exist, may change, and are neither locked nor somebody else's; in the order of locking.
    fn wanted(&self, loaded: &Loaded) -> Vec<Keys> {
        let places = ALL.iter().enumerate().filter(|(_, table)| is_locked(table));
        let wanted = places.map(|(_, table)| {
            // The order in which rows are asked for is the one in which they are locked.
            let keys: Vec<Key> = loaded.keys(table).filter(|key| !self.has(table, key)).cloned().collect();
            (*table, keys)
        });
        wanted.filter(|(_, keys)| !keys.is_empty()).collect()
    }

    /// Whether a row is locked, or known to be somebody else's.
    fn has(&self, table: &'static Table, key: &Key) -> bool {
        if table.name == BOOKS.name {
            return self.books.held.contains(key) || self.books.busy.contains(key);
        }
        let address = (table.name, key.clone());
        self.rows.contains_key(&address) || self.busy.contains(&address)
    }

    /// Parts rows of books that others hold from the rest.
    fn set_aside(&self, wanted: Vec<Keys>) -> (Vec<Address>, Vec<Keys>) {
        if self.books.busy.is_empty() {
            return (Vec::new(), wanted);
        }
        let mut theirs = Vec::new();
        let mut ours = Vec::new();
        for (table, keys) in wanted {
            let is_theirs = |key: &Key| table.belongs_to_book() && self.books.busy.contains(&key[..1]);
            let (put_off, kept): (Vec<Key>, Vec<Key>) = keys.into_iter().partition(is_theirs);
            theirs.extend(put_off.into_iter().map(|key| (table.name, key)));
            if !kept.is_empty() {
                ours.push((table, kept));
            }
        }
        (theirs, ours)
    }

    /// Keys of rows that were missing before their book was locked, which it is now.
    fn absent(&self) -> Vec<Keys> {
        let mut absent: BTreeMap<&'static str, Vec<Key>> = BTreeMap::new();
        for (table, key) in &self.books.unguarded {
            if self.books.held.contains(&key[..1]) {
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
        for ((table, keys), mut found) in wanted.into_iter().zip(found) {
            for key in keys {
                match found.remove(&key) {
                    Some(row) => self.hold(table, key, row),
                    None if skips(table) => self.leave(table, key),
                    None => return Err(Unlocked::OutOfOrder),
                }
            }
        }
        Ok(appeared.iter().all(BTreeMap::is_empty))
    }

    fn hold(&mut self, table: &'static Table, key: Key, row: Row) {
        if table.name == BOOKS.name {
            self.books.held.insert(key.clone());
        }
        self.rows.insert((table.name, key), row);
    }

    fn leave(&mut self, table: &'static Table, key: Key) {
        if table.name == BOOKS.name {
            self.books.busy.insert(key);
        } else {
            self.busy.insert((table.name, key));
        }
    }

    /// Whether everything that was locked after it was loaded is what was loaded.
    fn agree_with(&self, loaded: &Loaded) -> bool {
        self.rows.iter().all(|((table, key), row)| loaded.row(declared(table), key) == Some(Some(row)))
    }

    /// What is still true of what was loaded: rows that are locked, as they are, and rows that never change.
    fn kept(&self, loaded: &Loaded) -> Loaded {
        let mut kept = Loaded::default();
        for (table, key, row) in loaded.rows() {
            let table = declared(table);
            if table.rows == Rows::Fixed || (table.name == BOOKS.name && self.books.held.contains(key)) {
                kept.put_row(table, key.clone(), Some(row.clone()));
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

/// Whether a row of a table is held together with a book, by whoever works on what is in that. All others (counters, sweeps)
/// are held by many one after another, and each wait for one is short.
fn goes_with_book(table: &Table) -> bool {
    [BOOKS.name, COMMANDS.name, GATEWAY_OBJECTS.name].contains(&table.name) || table.belongs_to_book()
}

fn declared(name: &str) -> &'static Table {
    let found = ALL.iter().find(|table| table.name == name);
    found.unwrap_or_else(|| panic!("table {name} is not part of the schema"))
}

/// What is said when rows stay out of reach.
pub(crate) fn out_of_order(name: &'static str) -> StoreError {
    StoreError::Aborted { name, reason: "the rows it names change as fast as they are locked".to_owned() }
}
