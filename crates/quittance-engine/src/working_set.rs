//! The rows of one batch while it is decided: what was loaded, and over it what earlier commands of the batch wrote.
//!
//! Each command writes into a stage of its own, which is kept or dropped as a whole.

use quittance_core::journal::{Place, Record, chain};
use quittance_core::time::Timestamp;
use quittance_store::records::{Book, Corrupt, Entity, JournalEntry, journal};
use quittance_store::schema::{Index, Table, Uniqueness};
use quittance_store::store::{Change, Loaded};
use quittance_store::value::{Key, Row, Value};
use std::collections::BTreeMap;

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

type Address = (&'static str, Key);

#[derive(Debug, Default)]
struct Layer {
    slots: BTreeMap<&'static str, BTreeMap<Key, Slot>>,
    order: Vec<Address>,
    unique: BTreeMap<&'static str, BTreeMap<Vec<Value>, Key>>,
}

impl Layer {
    fn slot(&self, table: &Table, key: &Key) -> Option<&Slot> {
        self.slots.get(table.name)?.get(key)
    }

    fn put(&mut self, key: Key, slot: Slot) {
        let table = slot.table.name;
        if self.slots.entry(table).or_default().insert(key.clone(), slot).is_none() {
            self.order.push((table, key));
        }
    }

    fn holder(&self, index: &Index, values: &[Value]) -> Option<&Key> {
        self.unique.get(index.name)?.get(values)
    }
}

/// Rows of a batch.
#[derive(Debug)]
pub(crate) struct WorkingSet<'a> {
    loaded: &'a Loaded,
    kept: Layer,
    stage: Layer,
}

impl<'a> WorkingSet<'a> {
    pub(crate) fn new(loaded: &'a Loaded) -> Self {
        Self { loaded, kept: Layer::default(), stage: Layer::default() }
    }

    /// The row of a key, as it would be now.
    pub(crate) fn get<E: Entity>(&self, key: &Key) -> Result<Option<E>, Miss> {
        if let Some(slot) = self.slot(E::table(), key) {
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
        if let Some(key) = self.stage.holder(index, values).or_else(|| self.kept.holder(index, values)) {
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

    /// Keeps what the command wrote.
    pub(crate) fn keep(&mut self) {
        let mut stage = std::mem::take(&mut self.stage);
        for (table, key) in stage.order {
            if let Some(slot) = stage.slots.get_mut(table).and_then(|slots| slots.remove(&key)) {
                self.kept.put(key, slot);
            }
        }
        for (index, entries) in stage.unique {
            self.kept.unique.entry(index).or_default().extend(entries);
        }
    }

    /// Drops what the command wrote.
    pub(crate) fn drop_stage(&mut self) {
        self.stage = Layer::default();
    }

    /// Everything kept, in the order it was first written.
    pub(crate) fn changes(mut self) -> Vec<Change> {
        let slots = &mut self.kept.slots;
        let written = self.kept.order.iter().filter_map(|(table, key)| slots.get_mut(table)?.remove(key));
        written.map(change).collect()
    }

    /// What was written here already.
    fn slot(&self, table: &Table, key: &Key) -> Option<&Slot> {
        self.stage.slot(table, key).or_else(|| self.kept.slot(table, key))
    }

    fn origin(&self, table: &'static Table, key: &Key) -> Origin {
        if let Some(slot) = self.slot(table, key) {
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
                self.stage.unique.entry(index.name).or_default().insert(values, key.clone());
            }
        }
        self.stage.put(key, Slot { table, row, origin });
    }
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
