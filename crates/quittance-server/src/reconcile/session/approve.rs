//! Repairs that wait for a person: made, or decided against.

use super::shape::{Remembered, bent_remedy};
use super::{Comparison, Session, SessionError, load, runs};
use crate::clock;
use crate::config::Config;
use crate::data::Data;
use crate::reconcile::known::but_for;
use crate::reconcile::plan::changing;
use crate::reconcile::{Earlier, Kept, Plan, Proposal, Repairs, Writers, carry_out, check, plan, spare_live};
use quittance_core::id::RunId;
use quittance_core::pair::detect::shape::BentField;
use quittance_core::pair::repair::Withheld;
use quittance_store::records::{RepairPlan, RepairRun, RepairState, encode_plan};
use std::collections::{BTreeMap, BTreeSet};

/// What is kept of a repair that a comparison would not decide any more.
const OVERTAKEN: &str = "it would not be decided so any more; nothing was written";

/// What a person says.
pub enum Decision<'w> {
    /// Nothing yet: what waits is shown.
    Show,
    /// They are made, where a comparison says so still; it waits so before what disagrees is read again.
    Approve(&'w mut dyn FnMut()),
    /// They are not to be made.
    Reject,
}

/// What became of what waited.
pub struct Decided {
    /// The run that they belong to.
    pub run: RepairRun,
    /// The repairs. One that goes on waiting though it was approved says why in its detail.
    pub repairs: Vec<Kept>,
    /// What ended the writing.
    pub failed: Option<SessionError>,
}

/// Approves what waits of a run (`run_…`) or one repair of it (`run_…/3`), or decides against it.
///
/// # Errors
///
/// [`SessionError`] when nothing waits, or nothing was decided.
pub fn approve(
    config: &Config,
    data: &Data,
    by: &str,
    id: &str,
    decision: Decision<'_>,
) -> Result<Decided, SessionError> {
    const KEEPING: &str = "what was decided cannot be kept";
    let (run, meant) = load(&mut runs(data)?, id)?;
    let meant: BTreeSet<i64> = meant.iter().map(|repair| repair.no).collect();
    let session = Session::new(config, &run.pair, data, by)?;
    let held = if matches!(decision, Decision::Show) { None } else { Some(session.take()?) };
    let session = held.as_ref().map_or_else(|| session.clone(), |held| session.under(held, session.share_ppm));
    // What waited may have been overtaken: it is compared and decided again, now.
    let (is_rejected, decided_now) = match decision {
        Decision::Show => (false, None),
        Decision::Approve(wait) => (false, Some(session.decide(wait)?)),
        Decision::Reject => (true, Some(Fresh::default())),
    };
    let (_, mut waiting) = load(&mut runs(data)?, &run.id.to_string())?;
    waiting.retain(|repair| repair.state == RepairState::AwaitingApproval);
    let others: Vec<Kept>;
    (waiting, others) = waiting.into_iter().partition(|repair| meant.contains(&repair.no));
    if waiting.is_empty() {
        let remedy = "`quittance reconcile` shows what is open now";
        return Err(SessionError::asked(format!("nothing of {id} waits for approval"), remedy));
    }
    let mut failed = None;
    if let Some(decided_now) = decided_now {
        let mut repairs = session.repairs();
        let mut open = session.opening();
        let (mut overtaken, mut unbelieved) = (Vec::new(), Vec::new());
        let mut decide = |waiting: &mut Vec<Kept>, decided| {
            repairs.decide(waiting, decided, by, clock::now()).map_err(SessionError::store(KEEPING))
        };
        if is_rejected {
            decide(&mut waiting, (RepairState::Rejected, None))?;
        } else {
            unbelieved = decided_now.unbelieved(&session, &mut waiting);
            (waiting, overtaken) = decided_now.sort(&session, waiting, &others)?;
            check(waiting.iter().map(|one| &one.plan), &mut open)?;
            decide(&mut overtaken, (RepairState::Moved, Some(OVERTAKEN)))?;
            decide(&mut waiting, (RepairState::Planned, None))?;
        }
        let mut writers = Writers { open: &mut open, now: &clock::now, by };
        failed = carry_out(&mut repairs, &mut waiting, None, &mut writers).err().map(SessionError::from);
        waiting.extend(overtaken);
        waiting.extend(unbelieved);
        waiting.sort_by_key(|one| one.no);
    }
    Ok(Decided { run, repairs: waiting, failed })
}

/// What a comparison says now.
#[derive(Default)]
struct Fresh {
    /// What is to be written, each by what tells it apart.
    decided: BTreeMap<Vec<u8>, Proposal>,
    /// What tells those apart that would be, were no field bent.
    bent: BTreeSet<Vec<u8>>,
    /// What is said of those.
    why: String,
}

impl Fresh {
    /// Takes out those that are not decided only because a field is bent. They go on waiting: a person may accept what it looks like.
    fn unbelieved(&self, session: &Session<'_>, waiting: &mut Vec<Kept>) -> Vec<Kept> {
        let is_bent = |one: &mut Kept| self.bent.contains(&session.told_apart(&one.plan));
        waiting.extract_if(.., is_bent).map(|one| Kept { detail: Some(self.why.clone()), ..one }).collect()
    }

    /// Those that are decided so still, as they are decided now, and those that are overtaken. Both halves of a merge are made,
    /// or neither.
    fn sort(
        &self,
        session: &Session<'_>,
        waiting: Vec<Kept>,
        others: &[Kept],
    ) -> Result<(Vec<Kept>, Vec<Kept>), SessionError> {
        let id = |kept: &Kept| session.told_apart(&kept.plan);
        let meant: BTreeSet<Vec<u8>> = waiting.iter().map(id).collect();
        let (mut still, mut overtaken) = (Vec::new(), Vec::new());
        for one in waiting {
            let Some(fresh) = self.decided.get(&id(&one)) else {
                overtaken.push(one);
                continue;
            };
            let half = self.decided.iter().find(|(_, other)| is_other_half(fresh, other));
            match half.filter(|(half, _)| fresh.is_half && !meant.contains(*half)) {
                None if fresh.is_half && half.is_none() => overtaken.push(one),
                // The record may have been written since without any of it having changed.
                None => still.push(Kept { plan: fresh.plan.clone(), ..one }),
                Some((half, _)) => match others.iter().find(|other| id(other) == *half) {
                    Some(other) => return Err(by_half(one.run, one.no, other.no)),
                    None => overtaken.push(one),
                },
            }
        }
        Ok((still, overtaken))
    }
}

fn is_other_half(one: &Proposal, other: &Proposal) -> bool {
    other.is_half && other.plan.place == one.plan.place && other.plan.side != one.plan.side
}

fn by_half(run: RunId, no: i64, other: i64) -> SessionError {
    let what =
        format!("{run}/{no} is one half of a merge, whose other half is written by {run}/{other}: both, or neither");
    SessionError::asked(what, format!("name both: quittance approve {run}/{no},{other} --apply"))
}

impl Session<'_> {
    /// What tells a repair apart from others, whenever its record was written.
    fn told_apart(&self, plan: &RepairPlan) -> Vec<u8> {
        encode_plan(&but_for(plan, changing(self.pair, plan)))
    }

    /// What a comparison says now is to be written.
    fn decide(&self, wait: &mut dyn FnMut()) -> Result<Fresh, SessionError> {
        let mut systems = self.systems()?;
        let outcome = systems.compare(self, &mut Comparison { only: None, wait })?;
        let bent = self.bent(&outcome, &BTreeSet::new(), Remembered::Nothing)?;
        let mut history = runs(self.data)?;
        let mut kept = Repairs::new(history.store(), self.name);
        let mut planned = |bent: &[BentField]| {
            plan(self.pair, &outcome, bent, clock::now(), Earlier::Approved(&mut kept))
                .map_err(SessionError::store("earlier repairs cannot be read"))
        };
        let mut plan = planned(&bent)?;
        let straight = if bent.is_empty() { Plan::default() } else { planned(&[])? };
        drop(history);
        let [mut left, mut right] = systems.sources(self);
        spare_live(self.pair, &outcome, &mut plan, [&mut left, &mut right])
            .map_err(|(system, error)| SessionError::system(&system, error))?;
        let why = format!("{}: {}", Withheld::Shape.as_str(), bent_remedy(&outcome.pair, &bent));
        let id = |one: &Proposal| self.told_apart(&one.plan);
        let believed: BTreeSet<Vec<u8>> = plan.proposals.iter().map(id).collect();
        let decided = plan.proposals.into_iter().map(|one| (id(&one), one)).collect();
        let bent = straight.proposals.iter().map(id).filter(|id| !believed.contains(id)).collect();
        Ok(Fresh { decided, bent, why })
    }
}
