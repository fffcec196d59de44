//! Where rows are that are sealed anew, and who writes them there: the books by their server or, where none runs, by an engine;
//! the runs, which have no server, by whoever comes.

use super::{Rows, reseal, retire};
use crate::clock;
use crate::data::Data;
use crate::diff::History;
use crate::operate::{OperateError, Operation, Plan, PlanError, conclude, engine, prune};
use quittance_engine::Engine;
use quittance_engine::room::Permits;
use quittance_store::master;
use quittance_store::schema::Table;
use quittance_store::store::{Change, Loaded, Read, Reader, StoreError, Work};
use quittance_store::value::Key;

/// A store.
pub(super) struct Place<'a> {
    data: &'a Data,
    writer: Writer,
}

/// Who writes.
enum Writer {
    /// The server, or this engine where there is none.
    Books(Option<Box<Engine>>),
    /// This process, with what has a store of its own.
    Runs,
}

impl<'a> Place<'a> {
    /// Wherever something may be sealed.
    pub(super) fn all(data: &'a Data) -> Vec<Self> {
        let mut places = vec![Self { data, writer: Writer::Books(None) }];
        if data.runs() != *data {
            places.push(Self { data, writer: Writer::Runs });
        }
        places
    }

    /// What is stored there, as it is.
    pub(super) fn reader(&self) -> Result<Box<dyn Reader>, OperateError> {
        let opened = match self.writer {
            Writer::Books(_) => self.data.open_stored_reader(),
            Writer::Runs => self.data.runs().open_stored_reader(),
        };
        opened.map_err(|error| self.failed(error))
    }

    pub(super) fn failed(&self, source: StoreError) -> OperateError {
        let place = match self.writer {
            Writer::Books(_) => self.data.to_string(),
            Writer::Runs => self.data.runs().to_string(),
        };
        OperateError::Store { place, source }
    }

    /// Has rows written again as they are.
    pub(super) fn reseal(&mut self, table: &'static Table, keys: &[Key]) -> Result<(), OperateError> {
        match self.writer {
            Writer::Books(_) => self.send(&Operation::Reseal(Rows::of(table.name, keys))),
            Writer::Runs => {
                let mut history = History::open(self.data).map_err(|error| self.failed(error))?;
                let written = history.store().transact("sealing anew", &mut Again { table, keys });
                written.map_err(|error| self.failed(error))
            }
        }
    }

    /// Has it written down that nothing is left under keys.
    pub(super) fn retire(&mut self, ids: &[String]) -> Result<(), OperateError> {
        match self.writer {
            Writer::Books(_) => self.send(&Operation::RetireMasterKeys { ids: ids.to_vec() }),
            Writer::Runs => {
                let mut history = History::open(self.data).map_err(|error| self.failed(error))?;
                master::retire(history.store(), ids, clock::now()).map_err(|error| self.failed(error))
            }
        }
    }

    /// Has the running server do it, or does it here where there is none.
    fn send(&mut self, operation: &Operation) -> Result<(), OperateError> {
        let data = self.data;
        let failed = |source| OperateError::Store { place: data.to_string(), source };
        let Writer::Books(engine_here) = &mut self.writer else { return Ok(()) };
        if engine_here.is_none() {
            if prune::ask(data, operation)? {
                return Ok(());
            }
            *engine_here = Some(Box::new(engine(data).map_err(failed)?));
        }
        let plan: Result<Plan, PlanError> = match operation {
            Operation::Reseal(rows) => reseal(rows),
            Operation::RetireMasterKeys { ids } => Ok(retire(ids, clock::now())),
            _ => return Ok(()),
        };
        let plan = plan.map_err(|error| match error {
            PlanError::Refused(refused) => refused,
            PlanError::Store(source) => failed(source),
        })?;
        let Some(engine) = engine_here else { return Ok(()) };
        let step = engine.step(clock::now(), plan.submissions, &mut Permits::default()).map_err(failed)?;
        step.outcomes.into_iter().try_for_each(conclude)
    }
}

/// Rows that are written as they are read, and so sealed under the newest key.
struct Again<'a> {
    table: &'static Table,
    keys: &'a [Key],
}

impl Work for Again<'_> {
    fn reads(&mut self, _: &Loaded) -> Vec<Read> {
        self.keys.iter().map(|key| Read::Row { table: self.table, key: key.clone() }).collect()
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        let rows = self.keys.iter().filter_map(|key| loaded.row(self.table, key).flatten());
        Ok(rows.map(|row| Change::Upsert { table: self.table, row: row.clone() }).collect())
    }
}
