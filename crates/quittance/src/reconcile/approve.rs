//! `quittance approve`: repairs that wait for a person are made, or decided against.

use super::{BY, failure, load, opening, pair_of, told};
use crate::arguments::Global;
use crate::diff;
use crate::failure::{Exit, Failure};
use clap::Args;
use quittance_server::clock;
use quittance_server::config::Config;
use quittance_server::reconcile::{Repairs, Writers, carry_out};
use quittance_store::records::RepairState;
use std::process::ExitCode;

/// What to approve.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A run of repairs (`run_…`), or one repair of it (`run_…/3`)
    id: String,
    /// Decide against them: nothing is written
    #[arg(long)]
    reject: bool,
    /// Carry the decision out; without it, what waits is only shown
    #[arg(long)]
    apply: bool,
}

/// Approves what waits, or decides against it.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let mut history = diff::runs(&global.data()?)?;
    let (run, mut waiting) = load(&mut history, &arguments.id)?;
    pair_of(&config, &run)?;
    waiting.retain(|repair| repair.state == RepairState::AwaitingApproval);
    if waiting.is_empty() {
        let remedy = "`quittance reconcile` shows what is open now";
        return Err(Failure::new(Exit::Usage, format!("nothing of {} waits for approval", arguments.id), remedy).into());
    }
    let mut failed = None;
    if arguments.apply {
        let mut repairs = Repairs::new(history.store(), &run.pair);
        let decided = if arguments.reject { RepairState::Rejected } else { RepairState::Planned };
        repairs.decide(&mut waiting, decided, BY, clock::now())?;
        let mut open = opening(&config, &run.pair);
        let mut writers = Writers { open: &mut open, now: &clock::now, by: BY };
        failed = carry_out(&mut repairs, &mut waiting, None, &mut writers).err().map(failure);
    }
    told::decided(&run, &waiting).print(global.format())?;
    if let Some(failed) = failed {
        return Err(failed.into());
    }
    let is_settled = |state: RepairState| matches!(state, RepairState::Repaired | RepairState::Rejected);
    let is_done = waiting.iter().all(|repair| is_settled(repair.state));
    let still_waits = waiting.iter().any(|repair| repair.state == RepairState::AwaitingApproval);
    Ok(match (is_done, still_waits) {
        (true, _) => Exit::Good,
        (_, true) => Exit::Braked,
        _ => Exit::Finding,
    }
    .into())
}
