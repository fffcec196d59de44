//! What is to be repaired, of all that a comparison found, and what is not, with the reason. Writes nothing.

use super::bases::{agreed_on, place};
use super::journal::Repairs;
use super::known::known;
use crate::config::{Apply, Pair as PairConfig, TakeAway};
use crate::diff::{Outcome, key_of};
use quittance_core::pair::detect::shape::BentField;
use quittance_core::pair::repair::{Repair, Stopped, Withheld, decide};
use quittance_core::pair::settle::Standing;
use quittance_core::pair::{Side, Which};
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use quittance_store::records::{RepairPlan, RepairState};
use quittance_store::store::StoreError;

/// A repair that may be made, and what it begins as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What is written where.
    pub plan: RepairPlan,
    /// [`RepairState::Planned`] or [`RepairState::AwaitingApproval`].
    pub state: RepairState,
    /// The repair it was made of.
    pub repair: Repair,
    /// Whether it is one half of a merge, of which the other side is written too: both are made, or neither.
    pub is_half: bool,
    /// Which of the differences that were reported it is about.
    pub finding: usize,
}

/// Something that is left to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The key, as people read it.
    pub key: String,
    /// What kind of disagreement.
    pub kind: &'static str,
    /// The field; none for all of it.
    pub field: Option<String>,
    /// Why.
    pub why: Withheld,
    /// What both sides last agreed on, where both changed it since.
    pub base: Option<Value<'static>>,
    /// Which of the differences that were reported it is about.
    pub finding: usize,
}

/// What earlier repairs say.
pub enum Earlier<'k, 's> {
    /// None are kept.
    Nothing,
    /// What waits, was rejected, was taken back or goes to and fro is left to a person, and what both sides last agreed on is known.
    Kept(&'k mut Repairs<'s>),
    /// The same of a record that somebody named, so that what was taken back of it may be made again.
    Named(&'k mut Repairs<'s>),
    /// Only what both sides last agreed on is known: a person has decided about what waits.
    Approved(&'k mut Repairs<'s>),
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Plan {
    /// What may be repaired, in the order it was found.
    pub proposals: Vec<Proposal>,
    /// What is left to a person.
    pub withheld: Vec<Line>,
    /// Whether it is too much for one run.
    pub stopped: Option<Stopped>,
    /// Records that were compared: those of the side that has more.
    pub compared: u64,
}

/// Plans repairs of what was confirmed, because of no field that is bent; nothing has braked them yet.
///
/// # Errors
///
/// [`StoreError`] when earlier repairs cannot be read.
pub fn plan(
    config: &PairConfig,
    outcome: &Outcome,
    bent: &[BentField],
    now: Timestamp,
    mut earlier: Earlier<'_, '_>,
) -> Result<Plan, StoreError> {
    let mut policies: Vec<_> = config.fields.iter().map(|field| field.policy.clone()).collect();
    for one in bent {
        policies[one.field].bent.insert(one.which);
    }
    let compared = outcome.left_records.max(outcome.right_records);
    let mut plan = Plan { compared, ..Plan::default() };
    for (finding, reported) in outcome.reported.iter().enumerate() {
        if reported.standing != Standing::Confirmed {
            continue;
        }
        let key = key_of(reported);
        let kind = reported.finding.kind.as_str();
        let base = match &mut earlier {
            Earlier::Nothing => Vec::new(),
            Earlier::Kept(kept) | Earlier::Named(kept) | Earlier::Approved(kept) => {
                agreed_on(kept, config, &outcome.pair, &reported.finding)?
            }
        };
        let decision = decide(&outcome.pair, &policies, &reported.finding, &base, now);
        let name = |field: usize| outcome.pair.fields[field].name.clone();
        plan.withheld.extend(decision.withheld.iter().map(|(field, why)| Line {
            key: key.clone(),
            kind,
            field: field.map(name),
            why: *why,
            base: field.filter(|_| *why == Withheld::Conflict).and_then(|field| base.get(field).cloned().flatten()),
            finding,
        }));
        let is_half = are_halves(&decision.repairs);
        let (first, mut proposals) = (plan.withheld.len(), Vec::new());
        for repair in decision.repairs {
            let met = place(config, &outcome.pair, &reported.finding);
            let planned = RepairPlan { place: met, ..named(config, &outcome.pair, &repair, &key) };
            let why = match &mut earlier {
                Earlier::Kept(kept) => known(kept, &planned, (false, changing(config, &planned)), now)?,
                Earlier::Named(kept) => known(kept, &planned, (true, changing(config, &planned)), now)?,
                Earlier::Nothing | Earlier::Approved(_) => None,
            };
            if let Some(why) = why {
                plan.withheld.push(Line { key: key.clone(), kind, field: None, why, base: None, finding });
                continue;
            }
            proposals.push(Proposal { state: state(config, &planned), plan: planned, repair, is_half, finding });
        }
        plan.take(proposals, first);
    }
    Ok(plan)
}

/// Whether two repairs write the same field on both sides.
fn are_halves(repairs: &[Repair]) -> bool {
    let [one, other] = repairs else { return false };
    one.changes.iter().any(|change| other.changes.iter().any(|beside| beside.field == change.field))
}

impl Plan {
    /// Takes what may be made about one finding, of which what is withheld stands from `first` on.
    fn take(&mut self, mut proposals: Vec<Proposal>, first: usize) {
        if let [only] = proposals.as_slice()
            && only.is_half
        {
            // The other half is withheld as a whole, and said so last.
            self.withheld.extend(self.withheld[first..].last().cloned());
            return;
        }
        wait_together(&mut proposals);
        self.proposals.extend(proposals);
    }

    /// Has repairs wait for a person of which this is so, with the other half of a merge.
    pub fn await_approval(&mut self, waits: impl Fn(&RepairPlan) -> bool) {
        for proposal in self.proposals.iter_mut().filter(|one| waits(&one.plan)) {
            proposal.state = RepairState::AwaitingApproval;
        }
        // What was found in one record stands together.
        self.proposals.chunk_by_mut(|one, next| one.plan.place == next.plan.place).for_each(wait_together);
    }

    /// Counts whether it is too much for one run, once all that is withheld is. `repairs_max` stands in the place of the
    /// configured brake where somebody named a number.
    pub fn brake(&mut self, config: &PairConfig, repairs_max: Option<u64>) {
        let many = self.proposals.len() as u64;
        self.stopped = match repairs_max {
            Some(most) => (many > most).then_some(Stopped::Repairs),
            None => config.repairs.brake.stops(many, self.compared),
        };
    }
}

/// Has both halves of a merge wait where one of them does.
fn wait_together(proposals: &mut [Proposal]) {
    let waits = proposals.iter().any(|one| one.is_half && one.state == RepairState::AwaitingApproval);
    for proposal in proposals.iter_mut().filter(|one| waits && one.is_half) {
        proposal.state = RepairState::AwaitingApproval;
    }
}

/// What becomes of a repair that somebody asked for. Whoever asks overrides "report", never "approve".
fn state(config: &PairConfig, plan: &RepairPlan) -> RepairState {
    let waits =
        config.repairs.apply == Apply::Approve || plan.takes_away && config.repairs.take_away == TakeAway::Approve;
    if waits { RepairState::AwaitingApproval } else { RepairState::Planned }
}

fn named(config: &PairConfig, pair: &quittance_core::pair::Pair, repair: &Repair, key: &str) -> RepairPlan {
    let side = pair.side(repair.which);
    let place = if repair.which == Which::Left { &config.left } else { &config.right };
    let name = |at: usize| side.columns[at].name.clone();
    let identity = side.identity.iter().map(|at| name(*at)).zip(repair.identity.iter().cloned()).collect();
    let set = repair.changes.iter().map(|change| (name(side.fields[change.field]), change.to.clone())).collect();
    RepairPlan {
        system: place.system.clone(),
        object: place.object.clone(),
        side: repair.which.as_str().to_owned(),
        key: key.to_owned(),
        identity,
        expected: repair.expected.iter().map(|(at, value)| (name(*at), value.clone())).collect(),
        set,
        takes_away: repair.takes_away,
        place: None,
    }
}

/// The column that every write of the side of a plan changes.
pub(super) fn changing<'p>(pair: &'p PairConfig, plan: &RepairPlan) -> Option<&'p str> {
    let side = if plan.side == "left" { &pair.left } else { &pair.right };
    side.updated_at.as_ref().map(|column| column.name.as_str())
}

/// The side that a plan writes: its columns by name, as they stand in the system.
pub(super) fn side_of(plan: &RepairPlan) -> Side {
    write_side(std::iter::once(plan))
}

/// The side that plans of one object write, whatever columns each of them names.
pub(super) fn write_side<'p>(plans: impl Iterator<Item = &'p RepairPlan>) -> Side {
    let mut side = Side::default();
    let mut index = |name: &str| side.column(quittance_core::pair::Column::plain(name));
    let mut identity = Vec::new();
    for plan in plans {
        identity = plan.identity.iter().map(|(name, _)| index(name)).collect();
        plan.expected.iter().chain(&plan.set).for_each(|(name, _)| {
            index(name);
        });
    }
    Side { identity, ..side }
}

/// What a record holds in a column, by what is known of it.
pub(super) fn value_of<'p>(values: &'p [(String, Value<'static>)], column: &str) -> Option<&'p Value<'static>> {
    values.iter().find(|(name, _)| name == column).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::pair::repair::Change;

    fn half(which: Which, state: RepairState, is_half: bool) -> Proposal {
        let change = Change { field: 0, from: Value::integer(1), to: Value::integer(2) };
        let repair = Repair {
            which,
            identity: Vec::new(),
            expected: Vec::new(),
            changes: vec![change],
            believed: Vec::new(),
            takes_away: false,
        };
        let plan = RepairPlan {
            system: "app".into(),
            object: "accounts".into(),
            side: which.as_str().into(),
            key: "1".into(),
            identity: Vec::new(),
            expected: Vec::new(),
            set: Vec::new(),
            takes_away: false,
            place: None,
        };
        Proposal { plan, state, repair, is_half, finding: 0 }
    }

    #[test]
    fn both_halves_of_a_merge_are_made_or_neither() {
        use RepairState::{AwaitingApproval, Planned};
        let (left, right) = (half(Which::Left, Planned, true), half(Which::Right, AwaitingApproval, true));
        assert!(
            are_halves(&[left.repair.clone(), right.repair.clone()]) && !are_halves(std::slice::from_ref(&left.repair))
        );
        let mut plan = Plan::default();
        plan.take(vec![left.clone(), right], 0);
        assert!(plan.proposals.iter().all(|one| one.state == AwaitingApproval), "both wait for one person");
        let mut plan = Plan::default();
        let why = Withheld::Rejected;
        plan.withheld.push(Line { key: "1".into(), kind: "different", field: None, why, base: None, finding: 0 });
        plan.take(vec![left], 0);
        assert_eq!((plan.proposals.len(), plan.withheld.iter().map(|line| line.why).collect()), (0, vec![why, why]));
        plan.take(vec![half(Which::Left, Planned, false)], 2);
        assert_eq!(plan.proposals.len(), 1, "what is whole goes alone");
    }
}
