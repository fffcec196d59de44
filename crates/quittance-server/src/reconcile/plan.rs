//! What is to be repaired, of all that a comparison found, and what is not, with the reason. Writes nothing.

use super::journal::{Kept, Repairs};
use super::{FLIPS_MAX, FLIPS_MS};
use crate::config::{Apply, Pair as PairConfig, TakeAway};
use crate::diff::{Outcome, key_of};
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

/// Plans repairs of what was confirmed; nothing has braked them yet. Where repairs are kept, what is repaired to the same value
/// again and again is left to a person.
///
/// # Errors
///
/// [`StoreError`] when earlier repairs cannot be read.
pub fn plan(
    config: &PairConfig,
    outcome: &Outcome,
    now: Timestamp,
    mut kept: Option<&mut Repairs<'_>>,
) -> Result<Plan, StoreError> {
    let policies: Vec<_> = config.fields.iter().map(|field| field.policy.clone()).collect();
    let compared = outcome.left_records.max(outcome.right_records);
    let mut plan = Plan { compared, ..Plan::default() };
    for reported in outcome.reported.iter().filter(|one| one.standing == Standing::Confirmed) {
        let key = key_of(reported);
        let kind = reported.finding.kind.as_str();
        let decision = decide(&outcome.pair, &policies, &reported.finding);
        let name = |field: usize| outcome.pair.fields[field].name.clone();
        plan.withheld.extend(decision.withheld.iter().map(|(field, why)| Line {
            key: key.clone(),
            kind,
            field: field.map(name),
            why: *why,
        }));
        for repair in decision.repairs {
            let planned = named(config, &outcome.pair, &repair, &key);
            let before = kept.as_deref_mut().map(|kept| kept.of_record(&planned)).transpose()?.unwrap_or_default();
            if let Some(why) = known(&planned, &before, now) {
                plan.withheld.push(Line { key: key.clone(), kind, field: None, why });
                continue;
            }
            plan.proposals.push(Proposal { state: state(config, &planned), plan: planned, repair });
        }
    }
    Ok(plan)
}

impl Plan {
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

/// What becomes of a repair that somebody asked for. Whoever asks overrides "report", never "approve".
fn state(config: &PairConfig, plan: &RepairPlan) -> RepairState {
    let waits =
        config.repairs.apply == Apply::Approve || plan.takes_away && config.repairs.take_away == TakeAway::Approve;
    if waits { RepairState::AwaitingApproval } else { RepairState::Planned }
}

/// Why a repair is not planned, by what was done about its record before.
fn known(plan: &RepairPlan, before: &[Kept], now: Timestamp) -> Option<Withheld> {
    let is_same = |earlier: &&Kept| earlier.plan.set == plan.set && earlier.plan.expected == plan.expected;
    match before.first().filter(is_same).map(|earlier| earlier.state) {
        Some(RepairState::AwaitingApproval) => Some(Withheld::Waits),
        Some(RepairState::Rejected) => Some(Withheld::Rejected),
        _ => is_flip_flop(plan, before, now).then_some(Withheld::FlipFlop),
    }
}

/// Whether the newest repairs of the record all gave it the same values, not long ago, and it has others again. Where the
/// believed side itself went to and fro, there are others between them.
fn is_flip_flop(plan: &RepairPlan, before: &[Kept], now: Timestamp) -> bool {
    let is_made = |earlier: &&Kept| matches!(earlier.state, RepairState::Repaired | RepairState::Altered);
    let newest: Vec<&Kept> = before.iter().filter(is_made).take(FLIPS_MAX).collect();
    let is_same = |earlier: &&Kept| earlier.plan.set == plan.set && now.ms_since(earlier.changed_at) < FLIPS_MS;
    newest.len() == FLIPS_MAX && newest.iter().all(is_same)
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
    }
}

/// The side that a plan writes: its columns by name, as they stand in the system.
pub(super) fn side_of(plan: &RepairPlan) -> Side {
    let mut side = Side::default();
    let mut index = |name: &str| side.column(quittance_core::pair::Column::plain(name));
    let identity: Vec<usize> = plan.identity.iter().map(|(name, _)| index(name)).collect();
    plan.expected.iter().chain(&plan.set).for_each(|(name, _)| {
        index(name);
    });
    Side { identity, ..side }
}

/// What a record holds in a column, by what is known of it.
pub(super) fn value_of<'p>(values: &'p [(String, Value<'static>)], column: &str) -> Option<&'p Value<'static>> {
    values.iter().find(|(name, _)| name == column).map(|(_, value)| value)
}
