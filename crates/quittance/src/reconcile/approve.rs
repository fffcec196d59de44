//! `quittance approve`: repairs that wait for a person are made, or decided against.

use super::told;
use crate::arguments::Global;
use crate::diff::{BY, settle};
use crate::failure::Exit;
use crate::span;
use clap::Args;
use quittance_server::config::Config;
use quittance_server::reconcile::session::{self, Decision};
use quittance_store::records::RepairState;
use std::process::ExitCode;
use std::time::Duration;

/// What to approve.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A run of repairs (`run_…`), or some repairs of it (`run_…/3`, `run_…/3,4`)
    id: String,
    /// Decide against them: nothing is written
    #[arg(long)]
    reject: bool,
    /// Carry the decision out; without it, what waits is only shown
    #[arg(long)]
    apply: bool,
    /// How long to wait before what disagrees is read again; only what is still decided so is made
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span::of_a_day)]
    settle: Duration,
}

/// Approves what waits, or decides against it.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let wait = &mut || settle(arguments.settle);
    let decision = match (arguments.apply, arguments.reject) {
        (false, _) => Decision::Show,
        (true, true) => Decision::Reject,
        (true, false) => Decision::Approve(wait),
    };
    let decided = session::approve(&config, &global.data()?, BY, &arguments.id, decision)?;
    told::decided(&decided.run, &decided.repairs).print(global.format())?;
    if let Some(failed) = decided.failed {
        return Err(failed.into());
    }
    let is_settled =
        |state: RepairState| matches!(state, RepairState::Repaired | RepairState::Already | RepairState::Rejected);
    let is_done = decided.repairs.iter().all(|repair| is_settled(repair.state));
    let still_waits = decided.repairs.iter().any(|repair| repair.state == RepairState::AwaitingApproval);
    Ok(match (is_done, still_waits) {
        (true, _) => Exit::Good,
        (_, true) => Exit::Braked,
        _ => Exit::Finding,
    }
    .into())
}
