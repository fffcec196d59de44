//! The shape of fields: what a comparison counted, beside what earlier ones of the pair did, and how it is told.

use super::{Session, SessionError, runs};
use crate::clock;
use crate::diff::Outcome;
use crate::reconcile::state::update;
use quittance_core::pair::Pair;
use quittance_core::pair::detect::shape::{Bent, BentField, Shapes};
use quittance_core::record::value::Value as Canonical;
use quittance_store::records::PairState;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is remembered of what a comparison counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remembered {
    /// All of it.
    Counts,
    /// Nothing: it is only shown what would be.
    Nothing,
}

impl Session<'_> {
    /// The fields that are bent, by what a comparison of all records counted, and by what is remembered where it counted nothing.
    /// Those of an `accepted` name are not, from now on.
    pub(super) fn bent(
        &self,
        outcome: &Outcome,
        accepted: &BTreeSet<String>,
        remembered: Remembered,
    ) -> Result<Vec<BentField>, SessionError> {
        let now = clock::now();
        let judge = |shapes: &mut Shapes| shapes.judge(&outcome.pair, outcome.counted.as_ref(), accepted, now);
        let change = |state: &mut PairState| match remembered {
            Remembered::Counts => judge(&mut state.memory.shapes),
            Remembered::Nothing => judge(&mut state.memory.shapes.clone()),
        };
        let bent = update(runs(self.data)?.store(), self.name, change);
        let bent = bent.map_err(SessionError::store("what earlier comparisons saw of the fields cannot be read"))?;
        if remembered == Remembered::Counts && !accepted.is_empty() {
            let (pair, by) = (self.name, self.by);
            tracing::info!(pair, by, fields = ?accepted, "what fields look like now was accepted");
        }
        Ok(bent)
    }

    /// Whether a name is one of a field.
    pub(super) fn check_fields(&self, names: &BTreeSet<String>) -> Result<(), SessionError> {
        let known: BTreeSet<&str> = self.pair.fields.iter().map(|field| field.left.name.as_str()).collect();
        let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) else { return Ok(()) };
        let known: Vec<&str> = known.into_iter().collect();
        let what = format!("the pair `{}` has no field `{name}`", self.name);
        Err(SessionError::asked(what, format!("its fields are {}", known.join(", "))))
    }
}

/// What people read of bent fields: a line for each, and what to do.
#[must_use]
pub fn bent_notes(pair: &Pair, bent: &[BentField]) -> Vec<String> {
    let remedy = (!bent.is_empty()).then(|| bent_remedy(pair, bent));
    bent.iter().map(|one| bent_sentence(pair, one)).chain(remedy).collect()
}

/// What is said of a bent field, in a sentence without a full stop.
pub(crate) fn bent_sentence(pair: &Pair, bent: &BentField) -> String {
    let field = format!("`{}` of the {}", pair.fields[bent.field].name, bent.which.as_str());
    match bent.now {
        None => format!("{field} looked other than before when all records were last read"),
        Some((seen, Bent::Nothing { now_ppm, before_ppm })) => format!(
            "{field} is nothing in {} of {} records, and was in {} at most",
            percent(now_ppm),
            seen.records,
            percent(before_ppm)
        ),
        Some((seen, Bent::Unknown(many))) => {
            format!("{field} has words in {many} of {} records that its map does not know, and had none", seen.records)
        }
    }
}

/// What makes the shape of a field usual, where it is right.
pub(crate) fn bent_remedy(pair: &Pair, bent: &[BentField]) -> String {
    let fields: BTreeSet<&str> = bent.iter().map(|one| pair.fields[one.field].name.as_str()).collect();
    let options: String = fields.iter().map(|field| format!(" --accept-shape {field}")).collect();
    let asked = format!("quittance reconcile {}{options}", pair.name);
    format!(
        "nothing is written because of it; if it is right: {asked} shows how many repairs follow, and {asked} --apply \
         --repairs-max N permits as many"
    )
}

/// Bent fields as programs read them.
#[must_use]
pub fn bent_json(pair: &Pair, bent: &[BentField]) -> Value {
    let told = |one: &BentField| {
        let seen = one.now.map(|(seen, _)| seen);
        json!({
            "field": pair.fields[one.field].name,
            "side": one.which.as_str(),
            "since": Canonical::Timestamp(one.since).to_string(),
            "records": seen.map(|seen| seen.records),
            "nothing": seen.map(|seen| seen.nothing),
            "unknown": seen.map(|seen| seen.unknown),
            "what": bent_sentence(pair, one),
        })
    };
    bent.iter().map(told).collect()
}

/// Millionths as a percentage with two decimals.
fn percent(ppm: u64) -> String {
    format!("{}.{:02} %", ppm / 10_000, ppm / 100 % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::pair::detect::shape::Seen;
    use quittance_core::pair::{Field, Side, Which};
    use quittance_core::time::Timestamp;

    #[test]
    fn a_bent_field_is_told_with_its_side_its_shares_and_what_makes_it_usual() {
        let fields = vec![Field { name: "status".to_owned(), values: None }];
        let pair = Pair { name: "subs".into(), left: Side::default(), right: Side::default(), fields };
        let seen = Seen { records: 200, nothing: 101, unknown: 3 };
        let bent = |bent| BentField { which: Which::Right, field: 0, since: Timestamp(0), now: bent };
        let nothing = bent(Some((seen, Bent::Nothing { now_ppm: 505_000, before_ppm: 20_499 })));
        for (bent, expected) in [
            (nothing, "`status` of the right is nothing in 50.50 % of 200 records, and was in 2.04 % at most"),
            (
                bent(Some((seen, Bent::Unknown(3)))),
                "`status` of the right has words in 3 of 200 records that its map does not know, and had none",
            ),
            (bent(None), "`status` of the right looked other than before when all records were last read"),
        ] {
            assert_eq!(bent_sentence(&pair, &bent), expected);
        }
        let remedy = bent_remedy(&pair, &[nothing, bent(None)]);
        let end = "quittance reconcile subs --accept-shape status --apply --repairs-max N permits as many";
        assert!(remedy.ends_with(end), "{remedy}");
        let json = bent_json(&pair, &[nothing]);
        assert_eq!((&json[0]["nothing"], &json[0]["since"]), (&json!(101), &json!("1970-01-01T00:00:00Z")));
    }
}
