//! The rows of one batch while it is decided: what was loaded, and over it what earlier commands of the batch wrote.
//!
//! Each command writes into a stage of its own, which is kept or dropped as a whole.

use quittance_core::journal::{Place, Record, chain};
use quittance_core::time::Timestamp;
use quittance_store::records::{Book, Corrupt, Entity, JournalEntry, journal};
use quittance_store::schema::{Index, Table, Uniqueness};
use quittance_store::store::{Change, Loaded, Lookup};
use quittance_store::value::{Key, Row, Value};

/// Why a row cannot be had.
#[derive(Debug)]
pub(crate) enum Miss {
    /// It was not read before deciding, or another transaction holds it; the command has to be tried again with the rows
    /// as they are then.
    NotLoaded,
    /// It cannot be what it is.
    Corrupt(String),
}

impl From<Corrupt> for Miss {
    fn from(corrupt: Corrupt) -> Self {
        Self::Corrupt(corrupt.to_string())
    }
}

/// How a row is to be written.
#[derive(Clone, Copy, Debug)]
enum Origin {
    /// It must not exist.
    New,
    /// It replaces whatever is there.
    Any,
    /// It replaces the row of this version.
    Stored(i64),
}

#[derive(Clone, Debug)]
struct Slot {
    table: &'static Table,
    row: Row,
    origin: Origin,
}

/// What one command wrote: few rows, in the order in which they were first written.
#[derive(Debug, Default)]
struct Stage {
    slots: Vec<Slot>,
    unique: Vec<(&'static str, Vec<Value>, Key)>,
}

/// What the commands before it wrote, in the order in which it was first written.
#[derive(Debug, Default)]
struct Kept {
    slots: Vec<Slot>,
    /// By table, then by key: where in `slots`.
    places: Lookup<usize>,
    /// By index, then by its values.
    unique: Lookup<Key>,
}

impl Stage {
    fn position(&self, table: &Table, key: &Key) -> Option<usize> {
        self.slots.iter().position(|slot| slot.table.name == table.name && slot.row[..table.key_columns] == key[..])
    }

    fn unique(&self, index: &Index, values: &[Value]) -> Option<&Key> {
        // The last that was written is the one that holds.
        let found = self.unique.iter().rev().find(|(name, held, _)| *name == index.name && held == values);
        found.map(|(_, _, key)| key)
    }
}

impl Kept {
    fn slot(&self, table: &Table, key: &Key) -> Option<&Slot> {
        self.places.get(table.name, key).map(|at| &self.slots[*at])
    }

    fn unique(&self, index: &Index, values: &[Value]) -> Option<&Key> {
        self.unique.get(index.name, values)
    }

    fn take(&mut self, stage: Stage) {
        for slot in stage.slots {
            let (name, key) = (slot.table.name, slot.table.key_of(&slot.row));
            match self.places.get(name, &key) {
                Some(at) => self.slots[*at] = slot,
                None => {
                    self.places.put(name, key, self.slots.len());
                    self.slots.push(slot);
                }
            }
        }
        for (index, values, key) in stage.unique {
            self.unique.put(index, values, key);
        }
    }
}

/// Rows of a batch.
#[derive(Debug)]
pub(crate) struct WorkingSet<'a> {
    loaded: &'a Loaded,
    kept: Kept,
    stage: Stage,
}

impl<'a> WorkingSet<'a> {
    pub(crate) fn new(loaded: &'a Loaded) -> Self {
        Self { loaded, kept: Kept::default(), stage: Stage::default() }
    }

    /// The row of a key, as it would be now.
    pub(crate) fn get<E: Entity>(&self, key: &Key) -> Result<Option<E>, Miss> {
        if let Some(slot) = self.written(E::table(), key) {
            return Ok(Some(E::from_row(&slot.row)?));
        }
        if self.loaded.is_busy(E::table(), key) {
            return Err(Miss::NotLoaded);
        }
        match self.loaded.row(E::table(), key) {
            None => Err(Miss::NotLoaded),
            Some(None) => Ok(None),
            Some(Some(row)) => Ok(Some(E::from_row(row)?)),
        }
    }

    /// A row that another row says must be there.
    pub(crate) fn expect<E: Entity>(&self, key: &Key) -> Result<E, Miss> {
        self.get(key)?.ok_or_else(|| Miss::Corrupt(format!("a row is missing in {}", E::table().name)))
    }

    /// The row a unique index leads to.
    pub(crate) fn unique<E: Entity>(&self, index: &'static Index, values: &[Value]) -> Result<Option<E>, Miss> {
        if let Some(key) = self.stage.unique(index, values).or_else(|| self.kept.unique(index, values)) {
            return self.get(key);
        }
        match self.loaded.unique(index, values) {
            None => Err(Miss::NotLoaded),
            Some(None) => Ok(None),
            Some(Some(key)) => self.get(key),
        }
    }

    /// Writes a row: new where none is known, else over the version that was read.
    pub(crate) fn put<E: Entity>(&mut self, entity: &E) {
        let (table, row) = (E::table(), entity.to_row());
        let key = table.key_of(&row);
        let origin = self.origin(table, &key);
        self.write(table, key, row, origin);
    }

    /// Writes a row over whatever is there.
    pub(crate) fn overwrite<E: Entity>(&mut self, entity: &E) {
        let (table, row) = (E::table(), entity.to_row());
        self.write(table, table.key_of(&row), row, Origin::Any);
    }

    /// Writes a row again as it is, where it is there.
    pub(crate) fn rewrite(&mut self, table: &'static Table, key: &Key) -> Result<(), Miss> {
        if self.loaded.is_busy(table, key) {
            return Err(Miss::NotLoaded);
        }
        let row = match self.written(table, key) {
            Some(slot) => Some(slot.row.clone()),
            None => self.loaded.row(table, key).ok_or(Miss::NotLoaded)?.cloned(),
        };
        if let Some(row) = row {
            let origin = self.origin(table, key);
            self.write(table, key.clone(), row, origin);
        }
        Ok(())
    }

    /// Appends a record to a book's journal and moves its head. The caller puts the book afterwards.
    pub(crate) fn append(&mut self, book: &mut Book, record: &Record, at: Timestamp) {
        let body = journal::encode(record);
        let place = Place { book: book.id, seq: book.records + 1, kind: record.kind(), at };
        let hash = chain(&place, &body, &book.head);
        let (kind, seq) = (place.kind, place.seq);
        self.put(&JournalEntry { book: book.id, seq, kind, at, body, prev_hash: book.head, hash });
        book.records = seq;
        book.head = hash;
    }

    /// What the command wrote of a table, each with what was there before. What is as it was is left out.
    pub(crate) fn written_over<E: Entity>(&self) -> Result<Vec<(Option<E>, E)>, Miss> {
        let (table, mut written) = (E::table(), Vec::new());
        for slot in self.stage.slots.iter().filter(|slot| slot.table.name == table.name) {
            let key = table.key_of(&slot.row);
            let before = match self.kept.slot(table, &key) {
                Some(slot) => Some(&slot.row),
                None => self.loaded.row(table, &key).flatten(),
            };
            if before.is_some_and(|before| is_same(table, before, &slot.row)) {
                continue;
            }
            let before = before.map(E::from_row).transpose()?;
            written.push((before, E::from_row(&slot.row)?));
        }
        Ok(written)
    }

    /// Keeps what the command wrote.
    pub(crate) fn keep(&mut self) {
        self.kept.take(std::mem::take(&mut self.stage));
    }

    /// Drops what the command wrote.
    pub(crate) fn drop_stage(&mut self) {
        self.stage = Stage::default();
    }

    /// Everything kept, in the order it was first written.
    pub(crate) fn changes(self) -> Vec<Change> {
        self.kept.slots.into_iter().map(change).collect()
    }

    /// What was written under a key, as the newest command has it.
    fn written(&self, table: &Table, key: &Key) -> Option<&Slot> {
        let staged = self.stage.position(table, key).map(|at| &self.stage.slots[at]);
        staged.or_else(|| self.kept.slot(table, key))
    }

    fn origin(&self, table: &'static Table, key: &Key) -> Origin {
        if let Some(slot) = self.written(table, key) {
            return slot.origin;
        }
        match (self.loaded.row(table, key).flatten(), table.find("version")) {
            (None, _) => Origin::New,
            (Some(_), None) => Origin::Any,
            (Some(row), Some(at)) => match row[at] {
                Value::Integer(version) => Origin::Stored(version),
                _ => Origin::Stored(0),
            },
        }
    }

    fn write(&mut self, table: &'static Table, key: Key, row: Row, origin: Origin) {
        for index in table.indexes {
            if let (Uniqueness::Unique, Some(values)) = (index.uniqueness, table.index_values(index, &row)) {
                self.stage.unique.push((index.name, values, key.clone()));
            }
        }
        let slot = Slot { table, row, origin };
        match self.stage.position(table, &key) {
            Some(at) => self.stage.slots[at] = slot,
            None => self.stage.slots.push(slot),
        }
    }
}

/// Whether two rows say the same; how often they were written is no part of it.
fn is_same(table: &Table, one: &Row, other: &Row) -> bool {
    let version = table.find("version");
    one.iter().zip(other).enumerate().all(|(at, (one, other))| Some(at) == version || one == other)
}

fn change(slot: Slot) -> Change {
    let Slot { table, mut row, origin } = slot;
    let version = table.find("version");
    match (origin, version) {
        (Origin::New, None) => Change::Insert { table, row },
        (Origin::New, Some(at)) => {
            row[at] = Value::Integer(1);
            Change::Insert { table, row }
        }
        (Origin::Stored(expected_version), Some(at)) => {
            row[at] = Value::Integer(expected_version + 1);
            Change::Update { table, row, expected_version }
        }
        (Origin::Any, _) | (Origin::Stored(_), None) => Change::Upsert { table, row },
    }
}
