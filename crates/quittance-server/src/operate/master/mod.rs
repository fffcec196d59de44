//! A new master key takes over: what is sealed under others, or plain, is found by reading beside whoever writes, and written
//! again in batches that hold nobody up.
//!
//! Nothing is remembered between runs: what is not under the newest key is what is left. Owns the search and the batches;
//! sealing is the store's, and what a batch may write the engine's.

mod place;
mod rows;

pub use rows::{Cell, Rows};

use super::{Answer, OperateError, Plan, PlanError};
use crate::data::Data;
use place::Place;
use quittance_core::time::Timestamp;
use quittance_engine::submission::Submission;
use quittance_store::master;
use quittance_store::schema::Table;
use quittance_store::seal;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::ALL;
use quittance_store::value::{Key, Row};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;

/// Rows in one batch, at most.
const BATCH_MAX: usize = 500;

/// Bytes of keys in one batch, so that it fits a request to the local socket.
const BATCH_BYTES_MAX: usize = 16 * 1024;

/// Rows read at once.
const PAGE: usize = 1_000;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Resealed {
    /// The id of the key that seals.
    pub key: String,
    /// Rows that were written again.
    pub resealed: u64,
    /// Rows that are not under it.
    pub left: u64,
    /// Ids of keys that are needed no more.
    pub retired: Vec<String>,
    /// Ids of keys that are in use.
    pub in_use: Vec<String>,
}

/// Has everything that is to be sealed sealed under the first key of the configuration, and retires the others: in the books,
/// and in the runs where those have a store of their own. Without `is_applied` counts what is left. `progress` hears how many
/// rows were done, and how many are left.
///
/// **Effects**: without `is_applied` none.
///
/// # Errors
///
/// [`OperateError`]: `Invalid` where no key is configured, `Conflict` where the server that runs on the data seals under
/// another one. What was done until then is done.
///
/// # Panics
///
/// On a thread of an asynchronous runtime, which it would block.
pub fn rotate_master(
    data: &Data,
    is_applied: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Resealed, OperateError> {
    let keys = data.keys().ok_or_else(|| OperateError::Invalid("the configuration has no [encryption]".to_owned()))?;
    let mut rotations = Rotation::of(data, keys.sealing())?;
    for (rotation, reader) in &mut rotations {
        master::check(reader.as_mut(), Some(keys)).map_err(|error| rotation.place.failed(error))?;
    }
    let mut resealed = Resealed { key: keys.sealing().to_owned(), ..Resealed::default() };
    let mut in_use = BTreeSet::new();
    for (rotation, reader) in &mut rotations {
        rotation.left = rotation.count(reader.as_mut())?;
        if is_applied && rotation.left > 0 {
            rotation.reseal(reader.as_mut(), progress)?;
            // What was written meanwhile by a server with other keys is found.
            rotation.left = rotation.count(reader.as_mut())?;
        }
        (resealed.resealed, resealed.left) = (resealed.resealed + rotation.done, resealed.left + rotation.left);
        let known = master::in_use(reader.as_mut()).map_err(|error| rotation.place.failed(error))?;
        in_use.extend(known.into_iter().map(|key| key.id));
    }
    let (kept, others): (Vec<_>, Vec<_>) = in_use.iter().cloned().partition(|id| *id == resealed.key);
    resealed.in_use = in_use.into_iter().collect();
    // Nowhere before nothing is left anywhere: whoever has the books needs the same keys for the runs.
    if is_applied && resealed.left == 0 && !others.is_empty() {
        rotations.iter_mut().try_for_each(|(rotation, _)| rotation.place.retire(&others))?;
        (resealed.in_use, resealed.retired) = (kept, others);
    }
    Ok(resealed)
}

/// A rotation, and what is stored where it happens.
type Begun<'a> = (Rotation<'a>, Box<dyn Reader>);

/// One store on its way to another key.
struct Rotation<'a> {
    place: Place<'a>,
    key: &'a str,
    done: u64,
    left: u64,
}

impl<'a> Rotation<'a> {
    /// Those of the books and of the runs, as far as they are there, with what is stored.
    fn of(data: &'a Data, key: &'a str) -> Result<Vec<Begun<'a>>, OperateError> {
        let mut found = Vec::new();
        let mut missing = None;
        for place in Place::all(data) {
            match place.reader() {
                Ok(reader) => found.push((Self { place, key, done: 0, left: 0 }, reader)),
                Err(OperateError::Store { source: source @ StoreError::Missing { .. }, .. }) => {
                    missing = missing.or(Some(place.failed(source)));
                }
                Err(error) => return Err(error),
            }
        }
        match missing.filter(|_| found.is_empty()) {
            Some(missing) => Err(missing),
            None => Ok(found),
        }
    }

    fn is_sealed(&self, table: &'static Table, row: &Row) -> Result<bool, OperateError> {
        seal::is_row_sealed(table, row, self.key).map_err(|error| {
            self.place.failed(StoreError::Corrupt { place: table.name.to_owned(), what: error.to_string() })
        })
    }

    fn count(&self, reader: &mut dyn Reader) -> Result<u64, OperateError> {
        let mut left = 0;
        for table in sealed_tables() {
            let mut scan = Scan::forward(table, Vec::new(), PAGE);
            while let Some(page) = next_page(reader, &mut scan).map_err(|error| self.place.failed(error))? {
                for row in &page {
                    left += u64::from(!self.is_sealed(table, row)?);
                }
            }
        }
        Ok(left)
    }

    fn reseal(&mut self, reader: &mut dyn Reader, progress: &mut dyn FnMut(u64, u64)) -> Result<(), OperateError> {
        for table in sealed_tables() {
            let mut scan = Scan::forward(table, Vec::new(), PAGE);
            while let Some(page) = next_page(reader, &mut scan).map_err(|error| self.place.failed(error))? {
                let (mut batch, mut bytes) = (Vec::new(), 0);
                for row in &page {
                    if self.is_sealed(table, row)? {
                        continue;
                    }
                    let key = table.key_of(row);
                    bytes += rows::length(&key);
                    batch.push(key);
                    if batch.len() >= BATCH_MAX || bytes >= BATCH_BYTES_MAX {
                        self.write(table, &std::mem::take(&mut batch), reader, progress)?;
                        bytes = 0;
                    }
                }
                self.write(table, &batch, reader, progress)?;
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        table: &'static Table,
        keys: &[Key],
        reader: &mut dyn Reader,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), OperateError> {
        let Some(first) = keys.first() else { return Ok(()) };
        self.place.reseal(table, keys)?;
        // Whoever wrote it may know other keys.
        let row = reader.get_many(table, std::slice::from_ref(first)).map_err(|error| self.place.failed(error))?;
        if let Some(row) = row.into_iter().flatten().next()
            && !self.is_sealed(table, &row)?
        {
            let what =
                format!("the server seals under another key than {:?}: start it with this configuration", self.key);
            return Err(OperateError::Conflict(what));
        }
        self.done += keys.len() as u64;
        self.left = self.left.saturating_sub(keys.len() as u64);
        progress(self.done, self.left);
        Ok(())
    }
}

/// Prepares writing rows again.
pub(super) fn reseal(rows: &Rows) -> Result<Plan, PlanError> {
    let invalid = |what: &str| PlanError::Refused(OperateError::Invalid(what.to_owned()));
    if rows.keys.len() > BATCH_MAX {
        return Err(invalid(&format!("at most {BATCH_MAX} rows are sealed at once")));
    }
    let table = sealed_tables().find(|table| table.name == rows.table);
    let table = table.ok_or_else(|| invalid("no table of this name has anything that is sealed"))?;
    let is_key = |key: &Vec<Cell>| key.len() == table.key_columns;
    let keys = rows.keys().filter(|_| rows.keys.iter().all(is_key)).ok_or_else(|| invalid("no keys of this table"))?;
    let submissions = vec![Submission::Reseal { table, keys }];
    Ok(Plan { submissions, answer: Answer::Known(json!({})) })
}

/// Prepares retiring keys.
pub(super) fn retire(ids: &[String], now: Timestamp) -> Plan {
    let submissions = vec![Submission::RetireMasterKeys { ids: ids.to_vec(), at: now }];
    Plan { submissions, answer: Answer::Known(json!({})) }
}

fn sealed_tables() -> impl Iterator<Item = &'static Table> {
    ALL.into_iter().filter(|table| table.sealed().next().is_some())
}

/// The next rows of a scan; none behind the last.
fn next_page(reader: &mut dyn Reader, scan: &mut Scan) -> Result<Option<Vec<Row>>, StoreError> {
    let page = reader.scan(scan)?;
    let Some(last) = page.last() else { return Ok(None) };
    scan.after = Some(scan.position_of(last));
    Ok(Some(page))
}
