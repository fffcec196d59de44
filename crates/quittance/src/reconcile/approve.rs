//! `quittance approve`: repairs that wait for a person are made, or decided against.

use super::{BY, failure, load, opening, pair_of, told};
use crate::arguments::Global;
use crate::failure::{Exit, Failure};
use crate::{diff, span, systems};
use clap::Args;
use quittance_server::clock;
use quittance_server::config::{Config, Pair};
use quittance_server::reconcile::{Repairs, Writers, carry_out, check, plan, spare_live};
use quittance_store::records::{RepairState, encode_plan};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

/// What is kept of a repair that a comparison would not decide any more.
const OVERTAKEN: &str = "it would not be decided so any more; nothing was written";

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
    /// How long to wait before what disagrees is read again; only what is still decided so is made
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = span::of_a_day)]
    settle: Duration,
}

/// What a comparison says now is to be written.
fn decide(
    config: &Config,
    pair: &Pair,
    name: &str,
    arguments: &Arguments,
    global: &Global,
) -> anyhow::Result<BTreeSet<Vec<u8>>> {
    let comparison = diff::Arguments::new(name, None, arguments.settle);
    let mut systems = diff::Opened::open(config, pair, global)?;
    let outcome = systems.compare(pair, &comparison)?;
    let mut plan = plan(pair, &outcome, clock::now(), None)?;
    let [mut left, mut right] = systems.sources(pair);
    spare_live(pair, &outcome, &mut plan, [&mut left, &mut right])
        .map_err(|(system, error)| systems::failure(&system, error))?;
    Ok(plan.proposals.iter().map(|proposal| encode_plan(&proposal.plan)).collect())
}

/// Approves what waits, or decides against it.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let data = global.data()?;
    let (run, _) = load(&mut diff::runs(&data)?, &arguments.id)?;
    let pair = pair_of(&config, &run)?;
    // What waited may have been overtaken: it is compared and decided again, now.
    let decided_now = match arguments.apply && !arguments.reject {
        true => decide(&config, pair, &run.pair, arguments, global)?,
        false => BTreeSet::new(),
    };
    let mut history = diff::runs(&data)?;
    let (_, mut waiting) = load(&mut history, &arguments.id)?;
    waiting.retain(|repair| repair.state == RepairState::AwaitingApproval);
    if waiting.is_empty() {
        let remedy = "`quittance reconcile` shows what is open now";
        return Err(Failure::new(Exit::Usage, format!("nothing of {} waits for approval", arguments.id), remedy).into());
    }
    let mut failed = None;
    if arguments.apply {
        let mut repairs = Repairs::new(history.store(), &run.pair);
        let mut open = opening(&config, &run.pair);
        let mut overtaken = Vec::new();
        if arguments.reject {
            repairs.decide(&mut waiting, (RepairState::Rejected, None), BY, clock::now())?;
        } else {
            (waiting, overtaken) = waiting.into_iter().partition(|one| decided_now.contains(&encode_plan(&one.plan)));
            check(waiting.iter().map(|one| &one.plan), &mut open).map_err(failure)?;
            repairs.decide(&mut overtaken, (RepairState::Moved, Some(OVERTAKEN)), BY, clock::now())?;
            repairs.decide(&mut waiting, (RepairState::Planned, None), BY, clock::now())?;
        }
        let mut writers = Writers { open: &mut open, now: &clock::now, by: BY };
        failed = carry_out(&mut repairs, &mut waiting, None, &mut writers).err().map(failure);
        waiting.extend(overtaken);
        waiting.sort_by_key(|one| one.no);
    }
    told::decided(&run, &waiting).print(global.format())?;
    if let Some(failed) = failed {
        return Err(failed.into());
    }
    let is_settled =
        |state: RepairState| matches!(state, RepairState::Repaired | RepairState::Already | RepairState::Rejected);
    let is_done = waiting.iter().all(|repair| is_settled(repair.state));
    let still_waits = waiting.iter().any(|repair| repair.state == RepairState::AwaitingApproval);
    Ok(match (is_done, still_waits) {
        (true, _) => Exit::Good,
        (_, true) => Exit::Braked,
        _ => Exit::Finding,
    }
    .into())
}
