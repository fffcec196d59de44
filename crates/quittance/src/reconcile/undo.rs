//! `quittance undo`: each record that a run repaired is given what it had, where it still holds what was written.

use super::{told, warn};
use crate::arguments::Global;
use crate::diff::BY;
use crate::failure::Exit;
use clap::Args;
use quittance_server::config::Config;
use quittance_server::reconcile::session::take_back;
use quittance_store::records::RepairState;
use std::process::ExitCode;

/// What to take back.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A run of repairs (`run_…`), or some repairs of it (`run_…/3`, `run_…/3,4`)
    id: String,
    /// Write what the records had; without it, it is only shown
    #[arg(long)]
    apply: bool,
}

/// Takes a run back, or shows what that would write.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let undone = take_back(&config, &global.data()?, BY, &arguments.id, arguments.apply)?;
    warn(&undone.begun);
    told::undone(&undone).print(global.format())?;
    if let Some(failed) = undone.failed {
        return Err(failed.into());
    }
    let is_whole = undone.outcomes.iter().all(|repair| repair.state == RepairState::Repaired);
    Ok(if is_whole && !undone.plans.is_empty() { Exit::Good } else { Exit::Finding }.into())
}
