//! Repairing a pair: what was begun before is finished, the systems are compared, and what is decided is written where
//! that is asked for.

use super::shape::Remembered;
use super::{Comparison, Session, SessionError, new_run, runs};
use crate::clock;
use crate::config::{System, TakeAway};
use crate::diff::{Outcome, Told, When};
use crate::reconcile::{Earlier, Kept, Plan, Repairs, WriteError, Writers, carry_out, check, plan, spare_live};
use quittance_connectors::stripe::update::decides_about_money;
use quittance_core::id::RunId;
use quittance_core::pair::detect::shape::BentField;
use quittance_core::pair::repair::Withheld;
use quittance_store::records::{RepairCause, RepairPlan, RepairRun, RepairState, Run};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked for.
pub struct Request<'w> {
    /// What is compared.
    pub comparison: Comparison<'w>,
    /// Whether what is decided is written; without it, it is only shown.
    pub is_applied: bool,
    /// Whether the comparison is kept. What is written always is, or it could not be taken back.
    pub is_kept: bool,
    /// Whether the same was asked for before, and it is not known what came of it: what may have been made then is not made
    /// again, though a person names the record.
    pub is_retry: bool,
    /// Permits so many repairs, in the place of both limits of the configuration.
    pub repairs_max: Option<u64>,
    /// Names of fields that are right as they look now, however they looked before.
    pub accepted: BTreeSet<String>,
    /// Why it is done.
    pub cause: RepairCause,
}

/// What became of what earlier processes had begun.
#[derive(Default)]
pub struct Begun {
    /// Those of which it was found out.
    pub finished: Vec<Kept>,
    /// The system that could not be asked about others.
    pub unknown: Option<WriteError>,
    /// Lists of corrections that were written in one transaction, and of which somebody changed records since.
    pub torn: Vec<RunId>,
}

/// What repairing came to.
pub struct Repaired {
    /// The run, where it is kept: another command would not find it by its id.
    pub run: Option<RunId>,
    /// The comparison.
    pub outcome: Outcome,
    /// As it is told.
    pub told: Told,
    /// The run before it, where runs are kept.
    pub before: Option<Run>,
    /// What was decided.
    pub plan: Plan,
    /// Fields that look other than before: nothing is written because of them.
    pub bent: Vec<BentField>,
    /// What became of it, where it was carried out.
    pub repairs: Vec<Kept>,
    /// What had been begun before.
    pub begun: Begun,
    /// What ended the writing. What is kept as planned may have been written; it is found out the next time.
    pub failed: Option<SessionError>,
    is_applied: bool,
}

/// How things stand after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is left.
    Good,
    /// Something is left: to a person, refused, moved, or because nobody asked for more.
    Left,
    /// The brake stopped it, or a person has to approve.
    Braked,
}

impl Session<'_> {
    /// Compares, decides, and writes what is decided where that is asked for. What is written is written under the lease of the
    /// pair, which is taken where the session has none.
    ///
    /// # Errors
    ///
    /// [`SessionError`]; nothing was written then.
    pub fn repair(&self, request: Request<'_>) -> Result<Repaired, SessionError> {
        self.check_fields(&request.accepted)?;
        if request.is_applied && self.guard.is_none() {
            let held = self.take()?;
            return self.under(&held, self.share_ppm).repair(request);
        }
        self.repair_under(request)
    }

    fn repair_under(&self, mut request: Request<'_>) -> Result<Repaired, SessionError> {
        let is_kept = request.is_applied || request.is_kept;
        let begun = if request.is_applied { self.finish()? } else { Begun::default() };
        if is_kept {
            self.follow()?;
        }
        let started_at = clock::now();
        let mut systems = self.systems()?;
        let outcome = systems.compare(self, &mut request.comparison)?;
        let when = When { id: new_run(started_at), started_at, ended_at: clock::now() };
        let only = request.comparison.only;
        let bent = if is_kept && only.is_none() { self.judged(&outcome, &request)? } else { Vec::new() };
        let (told, before, mut plan) = self.planned(&outcome, when, (only, is_kept, request.is_retry), &bent)?;
        let [mut left, mut right] = systems.sources(self);
        spare_live(self.pair, &outcome, &mut plan, [&mut left, &mut right])
            .map_err(|(system, error)| SessionError::system(&system, error))?;
        plan.brake(self.pair, request.repairs_max.or(only.map(|_| self.pair.repairs.brake.repairs_max)));
        let bent = if only.is_none() { self.accepted(&outcome, &request, &plan, bent)? } else { bent };
        let (mut repairs, mut failed) = (Vec::new(), None);
        if request.is_applied && plan.stopped.is_none() && !plan.proposals.is_empty() {
            (repairs, failed) = self.write(&plan, when, request.cause)?;
        }
        let run = (is_kept && only.is_none() || !repairs.is_empty()).then_some(when.id);
        let is_applied = request.is_applied;
        Ok(Repaired { run, outcome, told, before, plan, bent, repairs, begun, failed, is_applied })
    }

    /// The fields that are bent, as what somebody accepts has it. That is not remembered yet.
    fn judged(&self, outcome: &Outcome, request: &Request<'_>) -> Result<Vec<BentField>, SessionError> {
        let remembered = if request.accepted.is_empty() { Remembered::Counts } else { Remembered::Nothing };
        self.bent(outcome, &request.accepted, remembered)
    }

    /// Remembers what somebody accepts where they apply it and the brake lets it pass. Otherwise what is bent stays bent, or the next
    /// run would believe it that nobody looks at.
    fn accepted(
        &self,
        outcome: &Outcome,
        request: &Request<'_>,
        plan: &Plan,
        judged: Vec<BentField>,
    ) -> Result<Vec<BentField>, SessionError> {
        if request.accepted.is_empty() || !request.is_applied {
            return Ok(judged);
        }
        let nothing = BTreeSet::new();
        let accepted = if plan.stopped.is_none() { &request.accepted } else { &nothing };
        self.bent(outcome, accepted, Remembered::Counts)
    }

    /// Tells and keeps the comparison, and decides by what was repaired before; the runs are open for
    /// each of the two.
    fn planned(
        &self,
        outcome: &Outcome,
        when: When,
        (only, is_kept, is_retry): (Option<&str>, bool, bool),
        bent: &[BentField],
    ) -> Result<(Told, Option<Run>, Plan), SessionError> {
        let mut history = is_kept.then(|| runs(self.data)).transpose()?;
        let (told, before) = self.tell(history.as_mut().filter(|_| only.is_none()), outcome, when)?;
        // Others who wait for the store have it in between.
        drop(history);
        let mut history = is_kept.then(|| runs(self.data)).transpose()?;
        let mut kept = history.as_mut().map(|history| Repairs::new(history.store(), self.name));
        let earlier = match kept.as_mut() {
            None => Earlier::Nothing,
            // Only a person names a record, and one who asks the same again has not looked.
            Some(kept) if only.is_some() && !is_retry => Earlier::Named(kept),
            Some(kept) => Earlier::Kept(kept),
        };
        let mut plan = plan(self.pair, outcome, bent, clock::now(), earlier)
            .map_err(SessionError::store("earlier repairs cannot be read"))?;
        if self.pair.repairs.take_away == TakeAway::Approve {
            plan.await_approval(|plan| self.decides_about_money(plan));
        }
        Ok((told, before, plan))
    }

    /// Whether a repair changes at Stripe what a customer is charged later.
    fn decides_about_money(&self, plan: &RepairPlan) -> bool {
        matches!(self.config.systems.get(&plan.system), Some(System::Stripe { .. }))
            && plan.set.iter().any(|(column, value)| decides_about_money(column, value))
    }

    /// Keeps the plan and carries it out. What a system did wrong is told behind what was repaired before.
    fn write(
        &self,
        plan: &Plan,
        when: When,
        cause: RepairCause,
    ) -> Result<(Vec<Kept>, Option<SessionError>), SessionError> {
        let proposals: Vec<(RepairState, RepairPlan)> =
            plan.proposals.iter().map(|proposal| (proposal.state, proposal.plan.clone())).collect();
        // Whoever may not write there learns it before anything is planned.
        let mut open = self.opening();
        check(proposals.iter().map(|(_, plan)| plan), &mut open)?;
        let run = RepairRun {
            id: when.id,
            pair: self.name.to_owned(),
            cause,
            undoes: None,
            by: self.by.to_owned(),
            started_at: when.started_at,
            repairs: proposals.len() as i64,
            source: None,
        };
        let mut kept = self.repairs();
        let mut repairs = kept.begin(&run, &proposals).map_err(SessionError::store("the repairs cannot be kept"))?;
        kept.supersede(&repairs, self.by, clock::now())
            .map_err(SessionError::store("what waited of the same records cannot be settled"))?;
        let mut writers = Writers { open: &mut open, now: &clock::now, by: self.by };
        let failed = carry_out(&mut kept, &mut repairs, None, &mut writers).err().map(SessionError::from);
        Ok((repairs, failed))
    }
}

impl Repaired {
    /// Differences of which nothing is left: all that was decided about them was made, and nothing was left to a person.
    #[must_use]
    pub fn settled(&self) -> u64 {
        settled(&self.plan, &self.repairs)
    }

    /// How things stand.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let is_done = |state| matches!(state, RepairState::Repaired | RepairState::Already | RepairState::Abandoned);
        let is_past_good = self.begun.unknown.is_none() && self.begun.finished.iter().all(|one| is_done(one.state));
        if !self.outcome.has_drift() {
            return if is_past_good { Verdict::Good } else { Verdict::Left };
        }
        if !self.is_applied {
            return Verdict::Left;
        }
        let waits = self.repairs.iter().any(|repair| repair.state == RepairState::AwaitingApproval)
            || self.plan.withheld.iter().any(|line| line.why == Withheld::Waits);
        if self.plan.stopped.is_some() || waits {
            return Verdict::Braked;
        }
        let is_all_done = is_past_good && self.repairs.iter().all(|repair| is_done(repair.state));
        if is_all_done && self.plan.withheld.is_empty() { Verdict::Good } else { Verdict::Left }
    }
}

/// How many differences are gone by what was carried out of a plan. One may take several repairs: a field here, a field there.
fn settled(plan: &Plan, repairs: &[Kept]) -> u64 {
    let is_made = |repair: &Kept| matches!(repair.state, RepairState::Repaired | RepairState::Already);
    let mut found = BTreeMap::<usize, bool>::new();
    for (proposal, repair) in plan.proposals.iter().zip(repairs) {
        *found.entry(proposal.finding).or_insert(true) &= is_made(repair);
    }
    for line in &plan.withheld {
        found.remove(&line.finding);
    }
    found.values().filter(|is_settled| **is_settled).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::{Line, Proposal};
    use quittance_core::pair::Which;
    use quittance_core::pair::repair::Repair;
    use quittance_core::time::Timestamp;

    fn plan(findings: &[usize], withheld: &[usize]) -> Plan {
        let proposal = |finding: &usize| Proposal {
            plan: RepairPlan {
                system: "app".into(),
                object: "accounts".into(),
                side: "left".into(),
                key: "1".into(),
                identity: Vec::new(),
                expected: Vec::new(),
                set: Vec::new(),
                takes_away: false,
                place: None,
            },
            state: RepairState::Planned,
            repair: Repair {
                which: Which::Left,
                identity: Vec::new(),
                expected: Vec::new(),
                changes: Vec::new(),
                believed: Vec::new(),
                takes_away: false,
            },
            is_half: false,
            finding: *finding,
        };
        let why = Withheld::Manual;
        let line = |finding: &usize| Line {
            key: "1".into(),
            kind: "different",
            field: None,
            why,
            base: None,
            finding: *finding,
        };
        Plan {
            proposals: findings.iter().map(proposal).collect(),
            withheld: withheld.iter().map(line).collect(),
            ..Plan::default()
        }
    }

    #[test]
    fn a_difference_is_gone_when_all_of_it_is_made() {
        use RepairState::{Already, Refused, Repaired};
        for (findings, withheld, states, expected) in [
            (&[0, 1][..], &[][..], &[Repaired, Already][..], 2),
            (&[0, 0], &[], &[Repaired, Repaired], 1),
            (&[0, 0, 1], &[], &[Repaired, Refused, Repaired], 1),
            (&[0, 1], &[0], &[Repaired, Repaired], 1),
            (&[0, 1], &[], &[], 0),
        ] {
            let plan = plan(findings, withheld);
            let made = states.iter().zip(&plan.proposals).zip(0..).map(|((state, proposal), no)| Kept {
                run: RunId::from_bytes([1; 16]),
                no,
                state: *state,
                changed_at: Timestamp(1),
                plan: proposal.plan.clone(),
                detail: None,
            });
            assert_eq!(settled(&plan, &made.collect::<Vec<_>>()), expected, "{findings:?} {withheld:?} {states:?}");
        }
    }
}
