//! `quittance undo`: each record that a run repaired is given what it had, where it still holds what was written.

use super::{BY, failure, finish, load, opening, pair_of, told};
use crate::arguments::Global;
use crate::diff;
use crate::failure::Exit;
use clap::Args;
use quittance_server::clock;
use quittance_server::config::{Config, Pair};
use quittance_server::reconcile::{Kept, NotUndone, Repairs, Writers, carry_out, check, undo};
use quittance_store::records::{RepairCause, RepairPlan, RepairRun, RepairState};
use std::process::ExitCode;

/// What to take back.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// A run of repairs (`run_…`), or one repair of it (`run_…/3`)
    id: String,
    /// Write what the records had; without it, it is only shown
    #[arg(long)]
    apply: bool,
}

/// Takes a run back, or shows what that would write.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> anyhow::Result<ExitCode> {
    let config = Config::load(global.config.as_deref())?;
    let mut history = diff::runs(&global.data()?)?;
    let (undone, repairs) = load(&mut history, &arguments.id)?;
    let pair = pair_of(&config, &undone)?;
    let repairs = match arguments.apply {
        // What a process that is gone had begun may have been written: that is known first.
        true => {
            finish(&config, &undone.pair, &mut history)?;
            load(&mut history, &arguments.id)?.1
        }
        false => repairs,
    };
    let (mut plans, mut nos, mut kept_as_they_are) = (Vec::new(), Vec::new(), Vec::new());
    for repair in &repairs {
        match undo(repair, changing(pair, &repair.plan)) {
            Ok(plan) => {
                plans.push((RepairState::Planned, plan));
                nos.push(repair.no);
            }
            Err(NotUndone::Altered) => {
                kept_as_they_are
                    .push((repair, "it was written, and the system made something else of it: see its detail"));
            }
            Err(NotUndone::NotMade) => kept_as_they_are.push((repair, "it was not made, or was taken back already")),
            Err(NotUndone::NoBefore) => kept_as_they_are.push((repair, "what the record held before is not known")),
        }
    }
    let mut run_id = None;
    let mut outcomes: Vec<Kept> = Vec::new();
    let mut failed = None;
    if arguments.apply && !plans.is_empty() {
        let started_at = clock::now();
        let run = RepairRun {
            id: diff::new_run(started_at),
            pair: undone.pair.clone(),
            cause: RepairCause::Undo,
            undoes: Some(undone.id),
            by: BY.to_owned(),
            started_at,
            repairs: plans.len() as i64,
        };
        run_id = Some(run.id);
        let mut open = opening(&config, &undone.pair);
        check(plans.iter().map(|(_, plan)| plan), &mut open).map_err(failure)?;
        let mut repairs = Repairs::new(history.store(), &undone.pair);
        outcomes = repairs.begin(&run, &plans)?;
        let mut writers = Writers { open: &mut open, now: &clock::now, by: BY };
        failed = carry_out(&mut repairs, &mut outcomes, Some((undone.id, &nos)), &mut writers).err().map(failure);
    }
    let shown: Vec<&RepairPlan> = plans.iter().map(|(_, plan)| plan).collect();
    told::undone(&undone, run_id, &shown, &outcomes, &kept_as_they_are).print(global.format())?;
    if let Some(failed) = failed {
        return Err(failed.into());
    }
    let is_whole = outcomes.iter().all(|repair| repair.state == RepairState::Repaired);
    Ok(if is_whole && !plans.is_empty() { Exit::Good } else { Exit::Finding }.into())
}

/// The column that every write of the side changes.
fn changing<'p>(pair: &'p Pair, plan: &RepairPlan) -> Option<&'p str> {
    let side = if plan.side == "left" { &pair.left } else { &pair.right };
    side.updated_at.as_ref().map(|column| column.name.as_str())
}
