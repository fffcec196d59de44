//! Taking a backup: one moment of the books, and of the comparisons that are kept beside them.

use super::{TakeError, file};
use crate::clock;
use crate::data::Data;
use quittance_core::time::Timestamp;
use quittance_store::backup::{Compression, Header, Summary, write};
use quittance_store::master::{self, MasterKey};
use quittance_store::records::Entity;
use quittance_store::schema::Table;
use quittance_store::store::{Scan, Snapshot, StoreError};
use quittance_store::tables::{KEPT_APART, MASTER_KEYS, SCHEMA_VERSION};
use quittance_store::value::{Key, Row};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A backup that was taken.
#[derive(Debug)]
pub struct Taken {
    /// What it says of itself.
    pub header: Header,
    /// What it came to.
    pub summary: Summary,
    /// Length of the file.
    pub bytes: u64,
    /// Ids of the master keys that values in it are sealed under.
    pub keys: Vec<String>,
}

/// Whether a table lies with the comparisons, where those have a store of their own.
pub(super) fn is_kept_apart(table: &Table) -> bool {
    KEPT_APART.contains(&table)
}

/// Writes the books as they are now to a file, beside a running server or without one. `progress` hears of tables and
/// of their rows so far.
///
/// **Effects**: a file of mode 0600 that holds everything the books hold, secrets among it.
///
/// # Errors
///
/// [`TakeError`]; there is no file then.
pub fn take(
    data: &Data,
    to: &Path,
    compression: Compression,
    progress: &mut dyn FnMut(&'static Table, u64),
) -> Result<Taken, TakeError> {
    // Before the snapshot: what happens from here on may be missing from it.
    let began = clock::now();
    let mut sources =
        Sources { books: data.open_stored_snapshot()?, runs: open_runs(data)?, are_apart: data.runs() != *data };
    let keys = sources.keys()?;
    // Recovery sweeps from this time on: where the books are dated by another clock than this machine's, so is it.
    let taken_at = sources.books.time().map_or(began, Timestamp);
    let header = Header {
        schema: SCHEMA_VERSION,
        quittance: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at,
        store: data.kind().to_owned(),
        writer_epoch: sources.books.writer_epoch(),
    };
    let (summary, bytes) =
        file::write(to, compression, |out| write(out, compression, &header, &mut |scan| sources.scan(scan), progress))?;
    Ok(Taken { header, summary, bytes, keys })
}

/// Where the tables lie.
struct Sources {
    books: Box<dyn Snapshot>,
    runs: Option<Box<dyn Snapshot>>,
    are_apart: bool,
}

impl Sources {
    /// Ids of the keys that anything of it is sealed under.
    fn keys(&mut self) -> Result<Vec<String>, StoreError> {
        let mut keys = master::in_use(&mut *self.books)?;
        if let Some(runs) = &mut self.runs {
            keys.extend(master::in_use(&mut **runs)?);
        }
        let ids: BTreeSet<String> = keys.into_iter().map(|key| key.id).collect();
        Ok(ids.into_iter().collect())
    }

    /// The keys of both stores: what is restored is checked by one list of them.
    fn master_keys(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        let books = self.books.scan(scan)?;
        let Some(runs) = &mut self.runs else { return Ok(books) };
        let runs = runs.scan(scan)?;
        let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
        for row in books.into_iter().chain(runs) {
            let is_in_use = |row: &Row| MasterKey::from_row(row).is_ok_and(|key| key.retired_at.is_none());
            match rows.entry(MASTER_KEYS.key_of(&row)) {
                Entry::Vacant(place) => drop(place.insert(row)),
                Entry::Occupied(mut place) if !is_in_use(place.get()) && is_in_use(&row) => drop(place.insert(row)),
                Entry::Occupied(_) => {}
            }
        }
        Ok(rows.into_values().take(scan.limit).collect())
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        if *scan.table == MASTER_KEYS {
            return self.master_keys(scan);
        }
        match (self.are_apart && is_kept_apart(scan.table), &mut self.runs) {
            (true, Some(runs)) => runs.scan(scan),
            (true, None) => Ok(Vec::new()),
            (false, _) => self.books.scan(scan),
        }
    }
}

/// The comparisons, where they have a store of their own and there are any.
fn open_runs(data: &Data) -> Result<Option<Box<dyn Snapshot>>, StoreError> {
    let runs = data.runs();
    if runs == *data {
        return Ok(None);
    }
    match runs.open_stored_snapshot() {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
