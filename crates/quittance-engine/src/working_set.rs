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
    slots: BTreeMap<Address, Slot>,
    order: Vec<Address>,
    unique: BTreeMap<(&'static str, Vec<Value>), Key>,
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
        let place = (E::table().name, key.clone());
        if let Some(slot) = self.stage.slots.get(&place).or_else(|| self.kept.slots.get(&place)) {
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
        let place = (index.name, values.to_vec());
        if let Some(key) = self.stage.unique.get(&place).or_else(|| self.kept.unique.get(&place)) {
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
        let stage = std::mem::take(&mut self.stage);
        for place in stage.order {
            if !self.kept.slots.contains_key(&place) {
                self.kept.order.push(place);
            }
        }
        self.kept.slots.extend(stage.slots);
        self.kept.unique.extend(stage.unique);
    }

    /// Drops what the command wrote.
    pub(crate) fn drop_stage(&mut self) {
        self.stage = Layer::default();
    }

    /// Everything kept, in the order it was first written.
    pub(crate) fn changes(mut self) -> Vec<Change> {
        let slots = &mut self.kept.slots;
        self.kept.order.iter().filter_map(|place| slots.remove(place)).map(change).collect()
    }

    fn origin(&self, table: &'static Table, key: &Key) -> Origin {
        let place = (table.name, key.clone());
        if let Some(slot) = self.stage.slots.get(&place).or_else(|| self.kept.slots.get(&place)) {
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
                self.stage.unique.insert((index.name, values), key.clone());
            }
        }
        let place = (table.name, key);
        if !self.stage.slots.contains_key(&place) {
            self.stage.order.push(place.clone());
        }
        self.stage.slots.insert(place, Slot { table, row, origin });
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
