//! Taking a run of repairs back: each record is given what it had, where it still holds what was written.

use super::{Begun, Session, SessionError, load, new_run, runs};
use crate::clock;
use crate::config::Config;
use crate::data::Data;
use crate::reconcile::plan::changing;
use crate::reconcile::{Kept, NotUndone, Writers, carry_out, check, undo};
use quittance_core::id::RunId;
use quittance_store::records::{RepairCause, RepairPlan, RepairRun, RepairState};

/// What taking back came to.
pub struct Undone {
    /// The run that is taken back.
    pub undone: RepairRun,
    /// The run that took it back, where something was written.
    pub run: Option<RunId>,
    /// What gives records what they had.
    pub plans: Vec<RepairPlan>,
    /// What became of it, where it was carried out.
    pub outcomes: Vec<Kept>,
    /// Repairs that are left as they are, and why.
    pub left: Vec<(Kept, NotUndone)>,
    /// What had been begun before.
    pub begun: Begun,
    /// What ended the writing.
    pub failed: Option<SessionError>,
}

/// Takes a run (`run_…`) or one repair of it (`run_…/3`) back, or says what that would write.
///
/// # Errors
///
/// [`SessionError`]; nothing was written then.
pub fn take_back(config: &Config, data: &Data, by: &str, id: &str, is_applied: bool) -> Result<Undone, SessionError> {
    let (undone, mut repairs) = load(&mut runs(data)?, id)?;
    let session = Session::new(config, &undone.pair, data, by)?;
    let held = is_applied.then(|| session.take()).transpose()?;
    let session = held.as_ref().map_or_else(|| session.clone(), |held| session.under(held, session.share_ppm));
    let mut begun = Begun::default();
    if is_applied {
        // What a process that is gone had begun may have been written: that is known first.
        begun = session.finish()?;
        repairs = load(&mut runs(data)?, id)?.1;
    }
    let (mut plans, mut nos, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for repair in repairs {
        match undo(&repair, changing(session.pair, &repair.plan)) {
            Ok(plan) => {
                plans.push(plan);
                nos.push(repair.no);
            }
            Err(why) => left.push((repair, why)),
        }
    }
    let (mut run_id, mut outcomes, mut failed) = (None, Vec::new(), None);
    if is_applied && !plans.is_empty() {
        let started_at = clock::now();
        let run = RepairRun {
            id: new_run(started_at),
            pair: undone.pair.clone(),
            cause: RepairCause::Undo,
            undoes: Some(undone.id),
            by: by.to_owned(),
            started_at,
            repairs: plans.len() as i64,
            source: None,
        };
        run_id = Some(run.id);
        let mut open = session.opening();
        check(plans.iter(), &mut open)?;
        let planned: Vec<_> = plans.iter().map(|plan| (RepairState::Planned, plan.clone())).collect();
        let mut repairs = session.repairs();
        outcomes = repairs.begin(&run, &planned).map_err(SessionError::store("the repairs cannot be kept"))?;
        let mut writers = Writers { open: &mut open, now: &clock::now, by };
        let carried = carry_out(&mut repairs, &mut outcomes, Some((undone.id, &nos)), &mut writers);
        failed = carried.err().map(SessionError::from);
    }
    Ok(Undone { undone, run: run_id, plans, outcomes, left, begun, failed })
}
