//! `quittance diff`: two systems compared, and every disagreement listed. Neither is written.

mod table;

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::{span, systems};
use anyhow::Context;
use clap::Args;
use quittance_core::id::RunId;
use quittance_core::pair::Which;
use quittance_core::pair::compare::Kind;
use quittance_core::pair::settle::Standing;
use quittance_core::time::Timestamp;
use quittance_engine::ports::Ids;
use quittance_server::config::{Config, Pair, SideRef};
use quittance_server::data::Data;
use quittance_server::diff::{self, DiffError, EventLog, History, Outcome, Settings, Source, Told, When};
use quittance_server::systems::System;
use quittance_server::{clock, ids};
use quittance_store::store::StoreError;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

/// What to compare.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The pair, as the configuration names it: [pairs.NAME]
    pair: String,
    /// Compare the records of one key only; the values of several columns are separated by commas
    #[arg(long, value_name = "KEY")]
    only: Option<String>,
    /// How long to wait before what disagrees is read again; only what is there again is counted
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span::of_a_day)]
    settle: Duration,
}

impl Arguments {
    /// What another command compares.
    pub(crate) fn new(pair: &str, only: Option<String>, settle: Duration) -> Self {
        Self { pair: pair.to_owned(), only, settle }
    }
}

/// How often, and how far apart, it is tried to keep a run where another is being kept.
const TRIES_MAX: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Compares, prints, and keeps the run where a data directory is named.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let pair = systems::pair(&config, &arguments.pair)?;
    // What one key says is no comparison of the pair: it is neither beside the last run nor kept.
    let data = global.named_data()?.filter(|_| arguments.only.is_none());
    if let Some(data) = &data {
        drop(runs(data)?);
    }
    let started_at = clock::now();
    let outcome = Opened::open(&config, pair, global)?.compare(pair, arguments)?;
    let ended_at = clock::now();
    let when = When { id: new_run(started_at), started_at, ended_at };
    let mut events = received(global)?;
    let kept = data.map(|data| keep(&mut runs(&data)?, &arguments.pair, &outcome, when, &mut events)).transpose();
    let (told, unkept) = match kept {
        Ok(Some(told)) => (told, None),
        Ok(None) => (unkept(&outcome, when, &mut events)?, None),
        Err(error) => (unkept(&outcome, when, &mut events)?, Some(error)),
    };
    table::document(&told, &outcome).print(global.format())?;
    unkept.map_or_else(|| Ok(exit(&outcome, pair).into()), Err)
}

/// An id for a run that began at a time.
pub(crate) fn new_run(started_at: Timestamp) -> RunId {
    RunId::from_uuid(ids::SystemIds::default().uuid(started_at))
}

/// Tells a run, and keeps it where runs are kept. What one key says is no comparison of the pair, and is not kept.
pub(crate) fn tell(
    history: &mut Option<History>,
    arguments: &Arguments,
    outcome: &Outcome,
    when: When,
    global: &Global,
) -> anyhow::Result<Told> {
    let mut events = received(global)?;
    match history.as_mut().filter(|_| arguments.only.is_none()) {
        Some(history) => keep(history, &arguments.pair, outcome, when, &mut events),
        None => Ok(diff::tell(outcome, when, None, &mut events)?),
    }
}

fn received(global: &Global) -> anyhow::Result<EventLog> {
    EventLog::open(&global.data()?).context("the events that were received cannot be read")
}

/// Tells a run beside the one before it, and keeps it.
fn keep(
    history: &mut History,
    pair: &str,
    outcome: &Outcome,
    when: When,
    events: &mut EventLog,
) -> anyhow::Result<Told> {
    let previous = history.newest(pair).context("the run before cannot be read")?;
    let told = diff::tell(outcome, when, previous.as_ref(), events)?;
    history.keep(&told.run, &told.drifts).context("the run cannot be kept")?;
    Ok(told)
}

/// Tells a run that is not kept: no command will know it by an id.
fn unkept(outcome: &Outcome, when: When, events: &mut EventLog) -> anyhow::Result<Told> {
    let mut told = diff::tell(outcome, when, None, events)?;
    told.json["run_id"] = Value::Null;
    Ok(told)
}

/// The runs of a data directory, once nobody else keeps one there: that takes a moment.
pub(crate) fn runs(data: &Data) -> anyhow::Result<History> {
    for _ in 0..TRIES_MAX {
        match History::open(data) {
            Err(StoreError::Locked { .. }) => settle(BETWEEN_TRIES),
            opened => return opened.context("the runs cannot be opened"),
        }
    }
    History::open(data).context("the runs cannot be opened")
}

/// The systems of a pair, opened for reading.
pub(crate) struct Opened {
    left: Box<dyn System>,
    right: Box<dyn System>,
}

impl Opened {
    /// Opens them.
    pub(crate) fn open(config: &Config, pair: &Pair, global: &Global) -> anyhow::Result<Self> {
        let left = systems::opened(config, &pair.left.system, global)?;
        Ok(Self { left, right: systems::opened(config, &pair.right.system, global)? })
    }

    /// Both sides as a comparison reads them.
    pub(crate) fn sources<'s>(&'s mut self, pair: &'s Pair) -> [Source<'s>; 2] {
        let source = |side: &'s SideRef, system: &'s mut dyn System, which| Source {
            name: &side.system,
            system,
            object: &side.object,
            which,
        };
        [source(&pair.left, self.left.as_mut(), Which::Left), source(&pair.right, self.right.as_mut(), Which::Right)]
    }

    /// Compares them.
    pub(crate) fn compare(&mut self, pair: &Pair, arguments: &Arguments) -> anyhow::Result<Outcome> {
        let settings =
            Settings { hash_key: ids::random(), only: arguments.only.clone(), wait: &mut || settle(arguments.settle) };
        let [mut left, mut right] = self.sources(pair);
        diff::diff(&arguments.pair, pair, &mut left, &mut right, settings).map_err(|error| failure(error).into())
    }
}

#[expect(clippy::disallowed_methods, reason = "there is nothing to wait for but the time that was asked for")]
fn settle(span: Duration) {
    std::thread::sleep(span);
}

/// What ended a comparison, with the exit code it has and the remedy it names.
fn failure(error: DiffError) -> Failure {
    match error {
        DiffError::System { system, source } => systems::failure(&system, source),
        DiffError::Pair { pair, what, remedy } => Failure::new(Exit::Usage, format!("pair `{pair}`: {what}"), remedy),
        DiffError::Spool(source) => {
            let remedy = "make room where temporary files lie (TMPDIR), or compare fewer columns";
            Failure::new(Exit::Internal, "a temporary file cannot be used", remedy).because(source)
        }
    }
}

/// 2 where the first rule does not tell records apart: what is told is whole, and the configuration is to be mended.
fn exit(outcome: &Outcome, pair: &Pair) -> Exit {
    let crowds = outcome.reported.iter().filter(|one| {
        one.standing == Standing::Confirmed && one.finding.kind == Kind::Ambiguous && one.finding.rule == 0
    });
    let crowds = crowds.count();
    if crowds > 0 {
        let columns = |columns: &[quittance_server::config::ColumnRef]| {
            columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (left, right) = &pair.rules[0];
        eprintln!(
            "error: {crowds} keys are claimed by several records of one side of pair `{}`: `{}` of `{}` and `{}` of `{}` \
             do not tell its records apart",
            outcome.pair.name,
            columns(left),
            pair.left.object,
            columns(right),
            pair.right.object,
        );
        eprintln!("  they are listed as ambiguous; remove the duplicates, or match by columns that are unique");
        return Exit::Usage;
    }
    if outcome.has_drift() { Exit::Finding } else { Exit::Good }
}
