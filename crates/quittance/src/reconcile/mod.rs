//! `quittance reconcile`, `approve`, `undo` and `runs`: what a comparison finds is repaired by policy, and taken back.
//!
//! **Dry unless `--apply` is given.** Owns the order of the steps as an operator sees them; the steps are
//! [`quittance_server::reconcile`]'s.

mod approve;
mod runs;
mod told;
mod undo;

pub(crate) use approve::{Arguments as ApproveArguments, run as approve};
pub(crate) use runs::{Arguments as RunsArguments, run as runs};
pub(crate) use undo::{Arguments as UndoArguments, run as undo};

use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::{diff, span, systems};
use clap::Args;
use quittance_core::pair::repair::Withheld;
use quittance_server::clock;
use quittance_server::config::{Config, Pair};
use quittance_server::diff::{History, Outcome, When};
use quittance_server::reconcile::{
    Kept, Plan, Repairs, WriteError, Writers, carry_out, check, plan, resume, spare_live,
};
use quittance_server::systems::SystemError;
use quittance_server::systems::write::Writer;
use quittance_store::records::{RepairCause, RepairPlan, RepairRun, RepairState};
use std::process::ExitCode;
use std::time::Duration;

/// Who repairs, where nobody else is named: whoever may run commands on the data.
const BY: &str = "operator";

/// What to repair.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The pair, as the configuration names it: [pairs.NAME]
    pair: String,
    /// Write what is decided; without it, it is only shown
    #[arg(long)]
    apply: bool,
    /// Repair the records of one key only; the values of several columns are separated by commas
    #[arg(long, value_name = "KEY")]
    only: Option<String>,
    /// How long to wait before what disagrees is read again; only what is there again is repaired
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span::of_a_day)]
    settle: Duration,
    /// Permit so many repairs, in the place of both limits of the configuration
    #[arg(long, value_name = "N")]
    repairs_max: Option<u64>,
}

/// Compares, decides, and writes what is decided where that was asked for.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let pair = systems::pair(&config, &arguments.pair)?;
    // What is written is kept, or it could not be taken back.
    let data = if arguments.apply { Some(global.data()?) } else { global.named_data()? };
    let (finished, is_known) = match data.as_ref().filter(|_| arguments.apply) {
        Some(data) => finish(&config, &arguments.pair, &mut diff::runs(data)?)?,
        None => (Vec::new(), true),
    };
    let started_at = clock::now();
    let comparison = diff::Arguments::new(&arguments.pair, arguments.only.clone(), arguments.settle);
    let mut systems = diff::Opened::open(&config, pair, global)?;
    let outcome = systems.compare(pair, &comparison)?;
    let when = When { id: diff::new_run(started_at), started_at, ended_at: clock::now() };
    let mut history = data.as_ref().map(diff::runs).transpose()?;
    diff::tell(&mut history, &comparison, &outcome, when, global)?;
    let is_kept = history.is_some() && arguments.only.is_none();
    let repairs_max = arguments.repairs_max.or(arguments.only.as_ref().map(|_| pair.repairs.brake.repairs_max));
    let mut kept = history.as_mut().map(|history| Repairs::new(history.store(), &arguments.pair));
    let mut plan = plan(pair, &outcome, clock::now(), kept.as_mut())?;
    let [mut left, mut right] = systems.sources(pair);
    spare_live(pair, &outcome, &mut plan, [&mut left, &mut right])
        .map_err(|(system, error)| systems::failure(&system, error))?;
    plan.brake(pair, repairs_max);
    let mut repairs = Vec::new();
    let is_written = arguments.apply && plan.stopped.is_none() && !plan.proposals.is_empty();
    let mut failed = None;
    if let Some(kept) = kept.as_mut().filter(|_| is_written) {
        (repairs, failed) = write(&config, &arguments.pair, (&plan, when), kept)?;
    }
    let document = told::Told {
        run_id: (is_kept || !repairs.is_empty()).then_some(when.id),
        outcome: &outcome,
        plan: &plan,
        repairs: &repairs,
        finished: &finished,
    };
    document.document(arguments.apply, pair).print(global.format())?;
    failed.map_or_else(
        || Ok(exit(&outcome, &plan, (&repairs, &finished, is_known), arguments.apply).into()),
        |error| Err(error.into()),
    )
}

/// Keeps the plan and carries it out. What a system did wrong is told behind what was repaired before.
fn write(
    config: &Config,
    pair: &str,
    (plan, when): (&Plan, When),
    kept: &mut Repairs<'_>,
) -> anyhow::Result<(Vec<Kept>, Option<Failure>)> {
    let proposals: Vec<(RepairState, RepairPlan)> =
        plan.proposals.iter().map(|proposal| (proposal.state, proposal.plan.clone())).collect();
    // Whoever may not write there learns it before anything is planned.
    let mut open = opening(config, pair);
    check(proposals.iter().map(|(_, plan)| plan), &mut open).map_err(failure)?;
    let run = RepairRun {
        id: when.id,
        pair: pair.to_owned(),
        cause: RepairCause::Reconcile,
        undoes: None,
        by: BY.to_owned(),
        started_at: when.started_at,
        repairs: proposals.len() as i64,
    };
    let mut repairs = kept.begin(&run, &proposals)?;
    let mut writers = Writers { open: &mut open, now: &clock::now, by: BY };
    let failed = carry_out(kept, &mut repairs, None, &mut writers).err().map(failure);
    Ok((repairs, failed))
}

/// Finds out what became of what an earlier process had planned. What cannot be found out now stays for the
/// next time, and it is said whether that is so.
fn finish(config: &Config, pair: &str, history: &mut History) -> anyhow::Result<(Vec<Kept>, bool)> {
    let mut kept = Repairs::new(history.store(), pair);
    let mut open = opening(config, pair);
    let mut writers = Writers { open: &mut open, now: &clock::now, by: BY };
    match resume(&mut kept, &mut writers) {
        Ok(settled) => Ok((settled, true)),
        Err(WriteError::Store(error)) => Err(error.into()),
        Err(WriteError::System { system, source }) => {
            eprintln!(
                "warning: what became of repairs that were begun before is not known: system `{system}`: {source}"
            );
            Ok((Vec::new(), false))
        }
    }
}

/// Opens what writes the systems of a pair.
fn opening<'c>(
    config: &'c Config,
    pair: &'c str,
) -> impl FnMut(&RepairPlan) -> Result<Box<dyn Writer>, SystemError> + 'c {
    move |plan| systems::writer(config, pair, plan)
}

/// What ended the writing, with the exit code it has and the remedy it names.
fn failure(error: WriteError) -> Failure {
    match error {
        WriteError::System { system, source } => systems::failure(&system, source),
        WriteError::Store(source) => {
            let remedy = "run the same command again: it finishes what was begun";
            Failure::new(Exit::Internal, "what came of the repairs cannot be kept", remedy).because(source)
        }
    }
}

/// `is_known` says whether it was found out what became of all that was begun before.
fn exit(
    outcome: &Outcome,
    plan: &Plan,
    (repairs, finished, is_known): (&[Kept], &[Kept], bool),
    is_applied: bool,
) -> Exit {
    let is_done = |state| matches!(state, RepairState::Repaired | RepairState::Already | RepairState::Abandoned);
    let is_past_good = is_known && finished.iter().all(|repair| is_done(repair.state));
    if !outcome.has_drift() {
        return if is_past_good { Exit::Good } else { Exit::Finding };
    }
    if !is_applied {
        return Exit::Finding;
    }
    let waits = repairs.iter().any(|repair| repair.state == RepairState::AwaitingApproval)
        || plan.withheld.iter().any(|line| line.why == Withheld::Waits);
    if plan.stopped.is_some() || waits {
        return Exit::Braked;
    }
    let is_all_done = is_past_good && repairs.iter().all(|repair| is_done(repair.state));
    if is_all_done && plan.withheld.is_empty() { Exit::Good } else { Exit::Finding }
}

/// The repairs of a run that somebody named, and those of them that are meant: `run_…` or `run_…/3`.
fn named(id: &str) -> Result<(quittance_core::id::RunId, Option<i64>), Failure> {
    let (run, no) = id.split_once('/').map_or((id, None), |(run, no)| (run, Some(no)));
    let wrong = || {
        let remedy =
            "write the id that `quittance reconcile --apply` printed, as run_… or run_…/3 for one repair of it";
        Failure::new(Exit::Usage, format!("`{id}` is no id of a run"), remedy)
    };
    let run = run.parse().map_err(|_| wrong())?;
    let no = no.map(|no| no.parse().map_err(|_| wrong())).transpose()?;
    Ok((run, no))
}

/// A run of repairs and those of its repairs that are meant.
fn load(history: &mut History, id: &str) -> anyhow::Result<(RepairRun, Vec<Kept>)> {
    let (id, no) = named(id)?;
    let Some(run) = quittance_server::reconcile::run(history.store(), id)? else {
        let remedy = "name a run of `reconcile --apply` or `undo --apply`, and the data directory it was kept in";
        return Err(Failure::new(Exit::Usage, format!("there is no run of repairs {id}"), remedy).into());
    };
    let mut repairs = Repairs::new(history.store(), &run.pair).of_run(id)?;
    repairs.retain(|repair| no.is_none_or(|no| repair.no == no));
    if let (Some(no), true) = (no, repairs.is_empty()) {
        let what = format!("{id} has no repair {no}");
        return Err(Failure::new(Exit::Usage, what, format!("it has those from 0 to {}", run.repairs - 1)).into());
    }
    Ok((run, repairs))
}

/// The pair of a run, as it is configured now.
fn pair_of<'c>(config: &'c Config, run: &RepairRun) -> Result<&'c Pair, Failure> {
    systems::pair(config, &run.pair)
}
