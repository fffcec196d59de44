//! A new master key takes over: what is sealed under others, or plain, is found by reading beside whoever writes, and written
//! again in batches that hold nobody up.
//!
//! Nothing is remembered between runs: what is not under the newest key is what is left. Owns the search and the batches;
//! sealing is the store's, and what a batch may write the engine's.

use super::{Answer, OperateError, Operation, Plan, PlanError, conclude, engine, prune};
use crate::clock;
use crate::data::Data;
use quittance_core::time::Timestamp;
use quittance_engine::Engine;
use quittance_engine::room::Permits;
use quittance_engine::submission::Submission;
use quittance_store::master;
use quittance_store::schema::Table;
use quittance_store::seal;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::ALL;
use quittance_store::value::{Key, Row, Value};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Rows in one batch, at most.
const BATCH_MAX: usize = 500;

/// Bytes of keys in one batch, so that it fits a request to the local socket.
const BATCH_BYTES_MAX: usize = 16 * 1024;

/// Rows read at once.
const PAGE: usize = 1_000;

/// Rows that are written again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Name of their table.
    pub table: String,
    /// Their keys.
    pub keys: Vec<Vec<Cell>>,
}

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes, in hexadecimal.
    Bytes(String),
}

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

/// Has everything that is to be sealed sealed under the first key of the configuration, and retires the others. Without
/// `is_applied` counts what is left. `progress` hears how many rows were done, and how many are left.
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
    let failed = |source| OperateError::Store { place: data.to_string(), source };
    let mut reader = data.open_stored_reader().map_err(failed)?;
    master::check(reader.as_mut(), Some(keys)).map_err(failed)?;
    let mut rotation = Rotation { data, key: keys.sealing(), engine: None, done: 0, left: 0 };
    rotation.left = rotation.count(reader.as_mut())?;
    if is_applied && rotation.left > 0 {
        rotation.reseal(reader.as_mut(), progress)?;
        // What was written meanwhile by a server with other keys is found.
        rotation.left = rotation.count(reader.as_mut())?;
    }
    let in_use: Vec<String> = master::in_use(reader.as_mut()).map_err(failed)?.into_iter().map(|key| key.id).collect();
    let mut resealed = Resealed { key: rotation.key.to_owned(), in_use, ..Resealed::default() };
    (resealed.resealed, resealed.left) = (rotation.done, rotation.left);
    let (kept, others): (Vec<_>, Vec<_>) = resealed.in_use.iter().cloned().partition(|id| *id == resealed.key);
    if is_applied && resealed.left == 0 && !others.is_empty() {
        rotation.send(&Operation::RetireMasterKeys { ids: others.clone() })?;
        (resealed.in_use, resealed.retired) = (kept, others);
    }
    Ok(resealed)
}

struct Rotation<'a> {
    data: &'a Data,
    key: &'a str,
    /// What writes where no server does.
    engine: Option<Engine>,
    done: u64,
    left: u64,
}

impl Rotation<'_> {
    fn failed(&self, source: StoreError) -> OperateError {
        OperateError::Store { place: self.data.to_string(), source }
    }

    fn is_sealed(&self, table: &'static Table, row: &Row) -> Result<bool, OperateError> {
        seal::is_row_sealed(table, row, self.key)
            .map_err(|error| self.failed(StoreError::Corrupt { place: table.name.to_owned(), what: error.to_string() }))
    }

    fn count(&self, reader: &mut dyn Reader) -> Result<u64, OperateError> {
        let mut left = 0;
        for table in sealed_tables() {
            let mut scan = Scan::forward(table, Vec::new(), PAGE);
            while let Some(page) = next_page(reader, &mut scan).map_err(|error| self.failed(error))? {
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
            while let Some(page) = next_page(reader, &mut scan).map_err(|error| self.failed(error))? {
                let (mut batch, mut bytes) = (Vec::new(), 0);
                for row in &page {
                    if self.is_sealed(table, row)? {
                        continue;
                    }
                    let key = table.key_of(row);
                    bytes += key.iter().map(length).sum::<usize>();
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
        let cells = keys.iter().map(|key| key.iter().map(cell).collect()).collect();
        self.send(&Operation::Reseal(Rows { table: table.name.to_owned(), keys: cells }))?;
        // Whoever wrote it may know other keys.
        let row = reader.get_many(table, std::slice::from_ref(first)).map_err(|error| self.failed(error))?;
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

    /// Has the running server do it, or does it here where there is none.
    fn send(&mut self, operation: &Operation) -> Result<(), OperateError> {
        if self.engine.is_none() {
            if prune::ask(self.data, operation)? {
                return Ok(());
            }
            self.engine = Some(engine(self.data).map_err(|error| self.failed(error))?);
        }
        let plan = match operation {
            Operation::Reseal(rows) => reseal(rows),
            Operation::RetireMasterKeys { ids } => Ok(retire(ids, clock::now())),
            _ => return Ok(()),
        };
        let data = self.data;
        let failed = |source| OperateError::Store { place: data.to_string(), source };
        let plan = plan.map_err(|error| match error {
            PlanError::Refused(refused) => refused,
            PlanError::Store(source) => failed(source),
        })?;
        let Some(engine) = &mut self.engine else { return Ok(()) };
        let step = engine.step(clock::now(), plan.submissions, &mut Permits::default()).map_err(failed)?;
        step.outcomes.into_iter().try_for_each(conclude)
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
    let keys: Option<Vec<Key>> = rows.keys.iter().map(|key| key.iter().map(value).collect()).collect();
    let keys = keys.filter(|_| rows.keys.iter().all(is_key)).ok_or_else(|| invalid("no keys of this table"))?;
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

fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) => 24,
        Value::Text(text) => text.len() + 16,
        Value::Bytes(bytes) => 2 * bytes.len() + 16,
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Integer(number) => Cell::Integer(*number),
        Value::Text(text) => Cell::Text(text.clone()),
        Value::Bytes(bytes) => Cell::Bytes(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        // No column of a key is nullable.
        Value::Null => Cell::Text(String::new()),
    }
}

fn value(cell: &Cell) -> Option<Value> {
    Some(match cell {
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Bytes(digits) => {
            let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
            Value::Bytes(bytes?)
        }
    })
}
