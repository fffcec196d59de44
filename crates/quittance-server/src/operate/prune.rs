//! Bytes that were kept for their own sake, and are old: found by reading beside whoever writes, dropped in batches that hold
//! nobody up.
//!
//! Owns what is looked at and how much goes at once. What may go is the engine's to say, which looks at each row again. The
//! journal, and whatever `verify` compares with it, is not touched.

use super::{OperateError, Operation, PlanError, PrunedRows, conclude, engine, plan};
use crate::api::rows;
use crate::data::Data;
use crate::{admin, clock};
use quittance_core::idempotency::Command;
use quittance_core::time::Timestamp;
use quittance_engine::Engine;
use quittance_engine::room::Permits;
use quittance_engine::submission::{ANSWERS_DAYS_MIN, EVENTS_DAYS_MIN, PRUNED_MAX, Prune, TOLD_DAYS_MIN, days_ago};
use quittance_store::records::{Entity, EventRow, InboxEntry, Switch};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::SWITCHES;
use quittance_store::value::Row;
use serde::Serialize;

/// Rows read at once.
const PAGE: usize = 1_000;

/// Switches that are read; one is kept for each gateway that was ever paused.
const SWITCHES_MAX: usize = 10_000;

/// Bytes of names in one batch, so that it fits a request to the local socket.
const NAMES_BYTES_MAX: usize = 24 * 1024;

/// How far the times of ids may be from the times they were given out at: several processes give them out.
const SKEW_DAYS: u32 = 1;

/// How old is old.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Days after which an answer goes.
    pub answers_days: u32,
    /// Days after which the bytes of a gateway's event go.
    pub events_days: u32,
    /// Days after which the bytes of an event that a tenant was told go.
    pub told_days: u32,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Rows.
    pub rows: u64,
    /// Bytes that they need not keep.
    pub bytes: u64,
}

/// What was dropped, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Answers.
    pub answers: Found,
    /// Events of gateways.
    pub events: Found,
    /// Events that tenants were told.
    pub told: Found,
    /// Whether anything was written.
    pub is_applied: bool,
}

/// Finds what is old and, with `is_applied`, drops it: through the server that runs on the data, or, where none does or others
/// may write, too, on the data itself.
///
/// **Effects**: without `is_applied` none.
///
/// # Errors
///
/// [`OperateError`]: `Invalid` below what is promised, `Conflict` while a gateway recovers from a restore.
///
/// # Panics
///
/// On a thread of an asynchronous runtime, which it would block.
pub fn prune(data: &Data, retention: Retention, is_applied: bool) -> Result<Pruned, OperateError> {
    for (what, days, least) in [
        ("answers", retention.answers_days, ANSWERS_DAYS_MIN),
        ("events of gateways", retention.events_days, EVENTS_DAYS_MIN),
        ("events that were told", retention.told_days, TOLD_DAYS_MIN),
    ] {
        if days < least {
            return Err(OperateError::Invalid(format!(
                "{what} are kept for {least} days at least, and not for {days}"
            )));
        }
    }
    let failed = |source| OperateError::Store { place: data.to_string(), source };
    let mut reader = data.open_reader().map_err(failed)?;
    refuse_recovery(reader.as_mut(), data)?;
    let mut pruning = Pruning::new(data, retention, is_applied);
    pruning.answers(reader.as_mut())?;
    pruning.events(reader.as_mut())?;
    pruning.told(reader.as_mut())?;
    pruning.send()?;
    Ok(pruning.pruned)
}

/// Until a restore has been made good, whatever was heard may still be wanted.
fn refuse_recovery(reader: &mut dyn Reader, data: &Data) -> Result<(), OperateError> {
    let failed = |source| OperateError::Store { place: data.to_string(), source };
    let all = Scan::forward(&SWITCHES, Vec::new(), SWITCHES_MAX);
    let switches: Vec<Switch> = rows::page(reader, &all).map_err(failed)?;
    match switches.iter().filter(|switch| switch.is_paused).find_map(Switch::recovers) {
        Some(gateway) => {
            let what = format!("{gateway} recovers from a restore: nothing is dropped before it has");
            Err(OperateError::Conflict(what))
        }
        None => Ok(()),
    }
}

struct Pruning<'a> {
    data: &'a Data,
    retention: Retention,
    now: Timestamp,
    /// What drops rows where no server does.
    engine: Option<Engine>,
    batch: PrunedRows,
    names_bytes: usize,
    pruned: Pruned,
}

impl<'a> Pruning<'a> {
    fn new(data: &'a Data, retention: Retention, is_applied: bool) -> Self {
        let Retention { answers_days, events_days, told_days } = retention;
        let batch = PrunedRows { answers_days, events_days, told_days, ..PrunedRows::default() };
        let pruned = Pruned { is_applied, ..Pruned::default() };
        Self { data, retention, now: clock::now(), engine: None, batch, names_bytes: 0, pruned }
    }

    fn failed(&self, source: StoreError) -> OperateError {
        OperateError::Store { place: self.data.to_string(), source }
    }

    /// Commands lie in the order in which they came, so that those that are too young end the search.
    fn answers(&mut self, reader: &mut dyn Reader) -> Result<(), OperateError> {
        let before = days_ago(self.retention.answers_days, self.now);
        let too_young = days_ago(self.retention.answers_days.saturating_sub(SKEW_DAYS), self.now);
        self.each::<Command>(reader, &mut |pruning, command| {
            if let Some(bytes) = Prune::of_answer(&command, before) {
                pruning.pruned.answers.add(bytes);
                let name = command.id.to_string();
                pruning.names_bytes += name.len();
                pruning.batch.answers.push(name);
            }
            command.received_at < too_young
        })
    }

    fn events(&mut self, reader: &mut dyn Reader) -> Result<(), OperateError> {
        let before = days_ago(self.retention.events_days, self.now);
        self.each::<InboxEntry>(reader, &mut |pruning, entry| {
            if let Some(bytes) = Prune::of_event(&entry, before) {
                pruning.pruned.events.add(bytes);
                pruning.names_bytes += entry.gateway.len() + entry.event.len();
                pruning.batch.events.push((entry.gateway, entry.event));
            }
            true
        })
    }

    fn told(&mut self, reader: &mut dyn Reader) -> Result<(), OperateError> {
        let before = days_ago(self.retention.told_days, self.now);
        self.each::<EventRow>(reader, &mut |pruning, event| {
            if let Some(bytes) = Prune::of_told(&event, before) {
                pruning.pruned.told.add(bytes);
                let names = (event.tenant.to_string(), event.id.to_string());
                pruning.names_bytes += names.0.len() + names.1.len();
                pruning.batch.told.push(names);
            }
            true
        })
    }

    /// Shows every row of a table, page by page, until `look` has seen enough.
    fn each<T: Entity>(
        &mut self,
        reader: &mut dyn Reader,
        look: &mut dyn FnMut(&mut Self, T) -> bool,
    ) -> Result<(), OperateError> {
        let mut scan = Scan::forward(T::table(), Vec::new(), PAGE);
        loop {
            let page: Vec<Row> = reader.scan(&scan).map_err(|error| self.failed(error))?;
            for row in &page {
                let entity = rows::entity(row).map_err(|error| self.failed(error))?;
                if !look(self, entity) {
                    return Ok(());
                }
                if self.batch.rows() >= PRUNED_MAX || self.names_bytes >= NAMES_BYTES_MAX {
                    self.send()?;
                }
            }
            match page.last() {
                Some(row) if page.len() == PAGE => scan.after = Some(scan.position_of(row)),
                _ => return Ok(()),
            }
        }
    }

    /// Has the batch dropped, and begins the next.
    fn send(&mut self) -> Result<(), OperateError> {
        let next = PrunedRows { answers: Vec::new(), events: Vec::new(), told: Vec::new(), ..self.batch };
        let batch = std::mem::replace(&mut self.batch, next);
        self.names_bytes = 0;
        if !self.pruned.is_applied || batch.rows() == 0 {
            return Ok(());
        }
        let data = self.data;
        let failed = |source| OperateError::Store { place: data.to_string(), source };
        let refused = |error| match error {
            PlanError::Refused(refused) => refused,
            PlanError::Store(source) => failed(source),
        };
        if let Some(engine) = &mut self.engine {
            return write(engine, &batch).map_err(refused);
        }
        if ask(data, &Operation::Prune(batch.clone()))? {
            return Ok(());
        }
        let opened = self.engine.insert(engine(data).map_err(failed)?);
        write(opened, &batch).map_err(refused)
    }
}

/// Has the running server do it; false when there is none.
pub(super) fn ask(data: &Data, operation: &Operation) -> Result<bool, OperateError> {
    let unavailable = |error: std::io::Error| OperateError::Unavailable(error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unavailable)?;
    runtime.block_on(admin::call(data, operation)).map(|answer| answer.is_some())
}

fn write(engine: &mut Engine, rows: &PrunedRows) -> Result<(), PlanError> {
    let plan = plan::prune(rows, clock::now())?;
    let step = engine.step(clock::now(), plan.submissions, &mut Permits::default())?;
    step.outcomes.into_iter().try_for_each(conclude).map_err(PlanError::Refused)
}

impl Found {
    fn add(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += bytes as u64;
    }
}
