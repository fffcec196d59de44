//! `quittance reconcile`, `approve`, `import`, `undo`, `runs` and `replay`: what a comparison finds is repaired by policy, what a
//! list says is corrected, and both are taken back.
//!
//! **Dry unless `--apply` is given.** Owns what an operator says and reads; what is done is
//! [`quittance_server::reconcile::session`]'s.

mod approve;
mod import;
mod replay;
mod runs;
mod told;
mod undo;

pub(crate) use approve::{Arguments as ApproveArguments, run as approve};
pub(crate) use import::{Arguments as ImportArguments, run as import};
pub(crate) use replay::replay_pair;
pub(crate) use runs::{Arguments as RunsArguments, run as runs};
pub(crate) use undo::{Arguments as UndoArguments, run as undo};

use crate::arguments::Global;
use crate::diff::{BY, settle};
use crate::failure::Exit;
use crate::span;
use clap::Args;
use quittance_server::config::Config;
use quittance_server::reconcile::WriteError;
use quittance_server::reconcile::session::{Begun, Comparison, Request, Session, Verdict};
use quittance_store::records::RepairCause;
use std::process::ExitCode;
use std::time::Duration;

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
    /// Take what a field looks like now for usual, though it was nothing, or unknown, in far fewer records before
    #[arg(long, value_name = "FIELD", conflicts_with = "only")]
    accept_shape: Vec<String>,
}

/// Compares, decides, and writes what is decided where that was asked for.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let (is_kept, data) = (global.named_data()?.is_some(), global.data()?);
    let session = Session::new(&config, &arguments.pair, &data, BY)?;
    let wait = &mut || settle(arguments.settle);
    let mut repaired = session.repair(Request {
        comparison: Comparison { only: arguments.only.as_deref(), wait },
        is_applied: arguments.apply,
        is_retry: false,
        is_kept,
        repairs_max: arguments.repairs_max,
        accepted: arguments.accept_shape.iter().cloned().collect(),
        cause: RepairCause::Reconcile,
    })?;
    warn(&repaired.begun);
    told::document(&repaired, arguments.apply, session.pair).print(global.format())?;
    match repaired.failed.take() {
        Some(error) => Err(error.into()),
        None => Ok(exit(repaired.verdict()).into()),
    }
}

/// Says of what it is not known what became of it.
fn warn(begun: &Begun) {
    for run in &begun.torn {
        eprintln!(
            "warning: some records of {run} hold what its list said and others do not: it was written in one transaction, so \
             somebody changed them since"
        );
    }
    if let Some(WriteError::System { system, source }) = &begun.unknown {
        eprintln!("warning: what became of repairs that were begun before is not known: system `{system}`: {source}");
    }
}

const fn exit(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Good => Exit::Good,
        Verdict::Left => Exit::Finding,
        Verdict::Braked => Exit::Braked,
    }
}
