//! Sparing customers: nothing is taken away from one who has another record that is live on the side that is believed.

use super::BATCH;
use super::plan::{Line, Plan};
use crate::config::Pair as PairConfig;
use crate::diff::{Outcome, Source};
use crate::systems::{SystemError, Wanted};
use quittance_core::pair::repair::{FieldPolicy, Withheld, is_live};
use quittance_core::pair::row::{Encoder, Record, decode_identity};
use quittance_core::pair::{Pair, Side, Which};
use quittance_core::record::key::encode_value;
use quittance_core::record::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// A record of the believed side: its identity, encoded, and the whole of it.
type Other = (Vec<u8>, Vec<u8>);

/// Withholds what would take something away from a customer who has another live record, and what nobody can know that of.
/// The sources are those of the comparison.
///
/// # Errors
///
/// The name of the system that failed, and how.
pub fn spare_live(
    config: &PairConfig,
    outcome: &Outcome,
    plan: &mut Plan,
    sources: [&mut Source<'_>; 2],
) -> Result<(), (String, SystemError)> {
    if config.repairs.customer.is_none() {
        return Ok(());
    }
    let policies: Vec<FieldPolicy> = config.fields.iter().map(|field| field.policy.clone()).collect();
    for source in sources {
        let written = if source.which == Which::Left { Which::Right } else { Which::Left };
        let is_meant =
            |at: &usize| plan.proposals[*at].repair.takes_away && plan.proposals[*at].repair.which == written;
        let taking: Vec<usize> = (0..plan.proposals.len()).filter(is_meant).collect();
        if taking.is_empty() {
            continue;
        }
        let name = source.name.to_owned();
        let found = Look { pair: &outcome.pair, source }.look(plan, &taking, &policies);
        withhold(plan, &found.map_err(|error| (name, error))?);
    }
    Ok(())
}

fn withhold(plan: &mut Plan, found: &BTreeMap<usize, Withheld>) {
    // With one half of a merge goes the other.
    let is_half = |at: &&usize| plan.proposals[**at].is_half;
    let halves: BTreeMap<_, _> =
        found.keys().filter(is_half).map(|at| (plan.proposals[*at].plan.place, found[at])).collect();
    let mut at = 0;
    let mut withheld = Vec::new();
    plan.proposals.retain(|proposal| {
        let partner = halves.get(&proposal.plan.place).filter(|_| proposal.is_half);
        let why = found.get(&at).or(partner).copied();
        at += 1;
        let (key, finding) = (proposal.plan.key.clone(), proposal.finding);
        withheld.extend(why.map(|why| Line { key, kind: "different", field: None, why, base: None, finding }));
        why.is_none()
    });
    plan.withheld.extend(withheld);
}

/// Looks records of the believed side up.
struct Look<'l, 's> {
    pair: &'l Pair,
    source: &'l mut Source<'s>,
}

impl Look<'_, '_> {
    fn look(
        mut self,
        plan: &Plan,
        taking: &[usize],
        policies: &[FieldPolicy],
    ) -> Result<BTreeMap<usize, Withheld>, SystemError> {
        let unknown = || taking.iter().map(|at| (*at, Withheld::CustomerUnknown)).collect();
        let side = self.pair.side(self.source.which);
        let Some(customer) = side.customer.filter(|_| self.can_find(side)) else { return Ok(unknown()) };
        let own = self.read(&side.identity, taking.iter().map(|at| plan.proposals[*at].repair.believed.clone()))?;
        // Whose each record is, by its identity.
        let owners: BTreeMap<Vec<u8>, Value<'static>> =
            own.iter().map(|(row, (identity, _))| (identity.clone(), row[customer].clone())).collect();
        let customers: BTreeMap<Vec<u8>, Value<'static>> = owners
            .values()
            .filter(|owner| !owner.is_nothing())
            .map(|owner| (encoded([owner]), owner.clone()))
            .collect();
        let theirs = self.read(&[customer], customers.values().map(|owner| vec![owner.clone()]))?;
        let mut others: BTreeMap<Vec<u8>, Vec<Other>> = BTreeMap::new();
        for (row, record) in theirs {
            others.entry(encoded([&row[customer]])).or_default().push(record);
        }
        let mut found = BTreeMap::new();
        for at in taking {
            let repair = &plan.proposals[*at].repair;
            let identity = encoded(&repair.believed);
            let Some(owner) = owners.get(&identity).filter(|owner| !owner.is_nothing()) else {
                found.insert(*at, Withheld::CustomerUnknown);
                continue;
            };
            let theirs = others.get(&encoded([owner])).map_or(&[][..], Vec::as_slice);
            let is_another = |(other, record): &Other| {
                *other != identity && is_live(self.pair, policies, repair, Record::new(record))
            };
            if theirs.iter().any(is_another) {
                found.insert(*at, Withheld::AnotherIsLive);
            }
        }
        Ok(found)
    }

    fn can_find(&self, side: &Side) -> bool {
        let can = |columns: &[usize]| self.source.system.can_find(self.source.object, side, columns);
        !side.identity.is_empty() && can(&side.identity) && side.customer.is_some_and(|customer| can(&[customer]))
    }

    /// Reads the records in which these columns hold one of these values.
    fn read(
        &mut self,
        columns: &[usize],
        values: impl Iterator<Item = Vec<Value<'static>>>,
    ) -> Result<Vec<(Vec<Value<'static>>, Other)>, SystemError> {
        let values: BTreeMap<Vec<u8>, Vec<Value<'static>>> = values.map(|values| (encoded(&values), values)).collect();
        let values: Vec<_> = values.into_values().filter(|values| !values.iter().any(Value::is_nothing)).collect();
        let (side, which) = (self.pair.side(self.source.which), self.source.which);
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for portion in values.chunks(BATCH) {
            let wanted = Wanted::Where { columns: columns.to_vec(), values: portion.to_vec() };
            let mut encoder = Encoder::new(self.pair, which);
            self.source.system.read(self.source.object, side, &wanted, &mut |row| {
                let mut record = Vec::new();
                // What the comparison could encode, this can: it is of the same columns.
                if encoder.encode(row, &mut record).is_ok() {
                    let identity = encoded(&decode_identity(Record::new(&record)));
                    if seen.insert(identity.clone()) {
                        found.push((row.iter().map(|value| value.clone().into_owned()).collect(), (identity, record)));
                    }
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(found)
    }
}

fn encoded<'v>(values: impl IntoIterator<Item = &'v Value<'v>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    values.into_iter().for_each(|value| encode_value(value, &mut bytes));
    bytes
}
