//! A store whose sealed columns are encrypted below, and plain to whoever reads and writes here.
//!
//! Lies over any store: what is read is opened, what is written is sealed under the first key, whatever it was before. So
//! writing a row again, as it is, seals it anew. Does not own which keys are in use ([`crate::master`]), nor where nonces
//! come from.

use crate::schema::Table;
use crate::seal::{Keyring, NONCE_BYTES, Place, Unopened};
use crate::store::{
    Batch, Change, Claim, Load, Loaded, Owners, Patience, Read, Reader, Scan, Snapshot, Store, StoreError, TakeOver,
    Work,
};
use crate::value::{Key, Row, Value};
use std::sync::Arc;

/// Draws the bytes of a nonce, never the same twice.
pub type Nonces = Box<dyn FnMut() -> [u8; NONCE_BYTES] + Send>;

/// A reader that opens what it reads.
pub struct SealedReader<R: ?Sized> {
    inner: Box<R>,
    keys: Arc<Keyring>,
}

impl<R: ?Sized> SealedReader<R> {
    /// Over a reader of sealed values.
    #[must_use]
    pub fn new(inner: Box<R>, keys: Arc<Keyring>) -> Self {
        Self { inner, keys }
    }
}

impl<R: Reader + ?Sized> Reader for SealedReader<R> {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        get_many(self.inner.get_many(table, keys)?, table, &self.keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        rows(self.inner.scan(scan)?, scan.table, &self.keys)
    }
}

impl<R: Snapshot + ?Sized> Snapshot for SealedReader<R> {
    fn writer_epoch(&self) -> i64 {
        self.inner.writer_epoch()
    }

    fn time(&self) -> Option<i64> {
        self.inner.time()
    }
}

/// The same over a reader of somebody else's.
pub struct Opening<'a> {
    /// A reader of sealed values.
    pub inner: &'a mut dyn Reader,
    /// What opens them.
    pub keys: &'a Keyring,
}

impl Reader for Opening<'_> {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        get_many(self.inner.get_many(table, keys)?, table, self.keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        rows(self.inner.scan(scan)?, scan.table, self.keys)
    }
}

/// A store that opens what it reads and seals what it writes.
pub struct SealedStore {
    inner: Box<dyn Store>,
    keys: Arc<Keyring>,
    nonces: Nonces,
}

impl SealedStore {
    /// Over a store of sealed values.
    #[must_use]
    pub fn new(inner: Box<dyn Store>, keys: Arc<Keyring>, nonces: Nonces) -> Self {
        Self { inner, keys, nonces }
    }
}

impl Reader for SealedStore {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        get_many(self.inner.get_many(table, keys)?, table, &self.keys)
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        rows(self.inner.scan(scan)?, scan.table, &self.keys)
    }
}

impl Store for SealedStore {
    fn transact(&mut self, name: &'static str, work: &mut dyn Work) -> Result<(), StoreError> {
        let mut plain = Plain { work, keys: &self.keys, nonces: &mut self.nonces, failed: None };
        let done = self.inner.transact(name, &mut plain);
        match plain.failed {
            Some(error) => Err(error),
            None => done,
        }
    }

    fn claim(&mut self, table: &'static Table, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        rows(self.inner.claim(table, claim)?, table, &self.keys)
    }

    fn take_over(&mut self, table: &'static Table, takeover: &TakeOver) -> Result<usize, StoreError> {
        self.inner.take_over(table, takeover)
    }

    fn release_gone(&mut self, now: i64) -> Result<usize, StoreError> {
        self.inner.release_gone(now)
    }

    fn owners(&self) -> Owners {
        self.inner.owners()
    }

    fn time(&mut self) -> Result<Option<i64>, StoreError> {
        self.inner.time()
    }

    /// Rows come as they were stored, sealed or not, and go in as they came.
    fn load(&mut self, name: &'static str, load: &mut dyn Load) -> Result<(), StoreError> {
        self.inner.load(name, &mut Loading { load, keys: &self.keys, nonces: &mut self.nonces })
    }

    fn begin_anew(&mut self) -> Result<(), StoreError> {
        self.inner.begin_anew()
    }

    fn writer_epoch(&self) -> i64 {
        self.inner.writer_epoch()
    }
}

/// Work over opened rows.
struct Plain<'a> {
    work: &'a mut dyn Work,
    keys: &'a Keyring,
    nonces: &'a mut Nonces,
    /// Why rows could not be opened.
    failed: Option<StoreError>,
}

impl Plain<'_> {
    fn open(&mut self, loaded: &Loaded) -> Option<Loaded> {
        let mut opened = loaded.clone();
        let done = opened.change_rows(&mut |table, row| open(row, table, self.keys));
        self.failed = done.err();
        self.failed.is_none().then_some(opened)
    }
}

impl Work for Plain<'_> {
    fn reads(&mut self, loaded: &Loaded) -> Vec<Read> {
        // What cannot be opened ends the rounds, and the decision fails.
        self.open(loaded).map(|opened| self.work.reads(&opened)).unwrap_or_default()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let opened = self.open(loaded).ok_or_else(|| "a stored value cannot be opened".to_owned())?;
        let mut changes = self.work.decide(&opened)?;
        changes.iter_mut().for_each(|change| seal(change, self.keys, self.nonces));
        Ok(changes)
    }

    fn patience(&self) -> Patience {
        self.work.patience()
    }
}

struct Loading<'a> {
    load: &'a mut dyn Load,
    keys: &'a Keyring,
    nonces: &'a mut Nonces,
}

impl Load for Loading<'_> {
    fn writer_epoch(&self) -> i64 {
        self.load.writer_epoch()
    }

    fn next(&mut self) -> Result<Option<Batch>, String> {
        self.load.next()
    }

    fn conclude(&mut self, reader: &mut dyn Reader) -> Result<Vec<Change>, String> {
        let mut changes = self.load.conclude(&mut Opening { inner: reader, keys: self.keys })?;
        changes.iter_mut().for_each(|change| seal(change, self.keys, self.nonces));
        Ok(changes)
    }
}

fn seal(change: &mut Change, keys: &Keyring, nonces: &mut Nonces) {
    let (Change::Insert { table, row } | Change::Upsert { table, row } | Change::Update { table, row, .. }) = change;
    for at in table.sealed() {
        if let Value::Bytes(plain) = &row[at] {
            let place = Place { table: table.name, column: table.columns[at].name, key: &row[..table.key_columns] };
            let sealed = keys.seal(plain, place, nonces());
            row[at] = Value::Bytes(sealed);
        }
    }
}

fn open(row: &mut Row, table: &Table, keys: &Keyring) -> Result<(), StoreError> {
    for at in table.sealed() {
        if let Value::Bytes(stored) = &row[at] {
            let column = table.columns[at].name;
            let place = Place { table: table.name, column, key: &row[..table.key_columns] };
            let plain = keys.open(stored, place).map_err(|unopened| match unopened {
                Unopened::KeyMissing(key) => StoreError::KeyMissing { key },
                other => {
                    StoreError::Corrupt { place: format!("{}, column {column}", table.name), what: other.to_string() }
                }
            })?;
            row[at] = Value::Bytes(plain);
        }
    }
    Ok(())
}

fn rows(mut rows: Vec<Row>, table: &Table, keys: &Keyring) -> Result<Vec<Row>, StoreError> {
    rows.iter_mut().try_for_each(|row| open(row, table, keys))?;
    Ok(rows)
}

fn get_many(mut rows: Vec<Option<Row>>, table: &Table, keys: &Keyring) -> Result<Vec<Option<Row>>, StoreError> {
    rows.iter_mut().flatten().try_for_each(|row| open(row, table, keys))?;
    Ok(rows)
}
