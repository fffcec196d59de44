//! Carrying plans out, batch by batch, and keeping what came of each before the next.

use super::BATCH;
use super::halt::Why;
use super::journal::{Kept, Repairs, Settled};
use super::plan::side_of;
use super::resume::PERHAPS;
use crate::systems::SystemError;
use crate::systems::write::{Write, Writer, Written};
use quittance_core::id::RunId;
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use quittance_store::records::{RepairPlan, RepairState};
use quittance_store::store::StoreError;
use std::collections::BTreeMap;

/// Longest text of a system that is kept, in bytes.
const DETAIL_BYTES_MAX: usize = 2_048;

/// Opens what writes the side of a pair that a plan names.
pub type Open<'o> = dyn FnMut(&RepairPlan) -> Result<Box<dyn Writer>, SystemError> + 'o;

/// What repairs are carried out with.
pub struct Writers<'w> {
    /// Opens what writes the side of a pair that a plan names.
    pub open: &'w mut Open<'w>,
    /// The time.
    pub now: &'w dyn Fn() -> Timestamp,
    /// Who has them carried out.
    pub by: &'w str,
}

/// Why repairs were not all carried out. What is kept as planned may have been written; it is found out the next time.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A system failed.
    #[error("the system `{system}` cannot be written")]
    System {
        /// Which.
        system: String,
        /// What it did.
        source: SystemError,
    },
    /// It was to stop before the next of them: somebody paused the pair, or somebody else works on it now.
    #[error("{0}")]
    Stopped(Why),
    /// What came of repairs cannot be kept.
    #[error("what came of the repairs cannot be kept")]
    Store(#[from] StoreError),
}

/// Finds out whether systems can be written as plans say, before any of them is kept: one of each kind is looked at, and
/// nothing is written.
///
/// # Errors
///
/// [`WriteError::System`] for the first that cannot.
pub fn check<'p>(plans: impl Iterator<Item = &'p RepairPlan>, open: &mut Open<'_>) -> Result<(), WriteError> {
    let mut seen = std::collections::BTreeSet::new();
    for plan in plans {
        let columns: Vec<&str> = plan.set.iter().map(|(name, _)| name.as_str()).collect();
        if !seen.insert((&plan.system, &plan.object, &plan.side, columns)) {
            continue;
        }
        let fails = |source| WriteError::System { system: plan.system.clone(), source };
        let side = side_of(plan);
        let one = write(&side, plan, String::new());
        open(plan).map_err(fails)?.stand(&plan.object, &side, std::slice::from_ref(&one)).map_err(fails)?;
    }
    Ok(())
}

/// Carries planned repairs out. `undoes` names for each repair the one that it takes back. Their states are brought up to
/// date.
///
/// # Errors
///
/// [`WriteError`]; what was settled before stays so.
pub fn carry_out(
    repairs: &mut Repairs<'_>,
    kept: &mut [Kept],
    undoes: Option<(RunId, &[i64])>,
    writers: &mut Writers<'_>,
) -> Result<(), WriteError> {
    let mut open: BTreeMap<(String, String), Box<dyn Writer>> = BTreeMap::new();
    let planned: Vec<usize> = (0..kept.len()).filter(|at| kept[*at].state == RepairState::Planned).collect();
    for batch in batches(kept, &planned) {
        let first = &kept[batch[0]].plan;
        let (system, object, side) = (first.system.clone(), first.object.clone(), side_of(first));
        let fails = |source| WriteError::System { system: system.clone(), source };
        let place = (system.clone(), first.side.clone());
        if !open.contains_key(&place) {
            open.insert(place.clone(), (writers.open)(first).map_err(fails)?);
        }
        let writer = open.get_mut(&place).expect("it was opened");
        for portion in batch.chunks(writer.writes_at_once()) {
            repairs.may_go_on()?;
            let writes: Vec<Write> = portion.iter().map(|at| write(&side, &kept[*at].plan, id(&kept[*at]))).collect();
            let written = writer.write(&object, &side, &writes).map_err(|source| repairs.failed(&system, source))?;
            let settled = settled(kept, portion, written, undoes);
            repairs.settle(&settled, writers.by, (writers.now)())?;
        }
    }
    Ok(())
}

/// What is kept of the outcomes of some repairs, which are brought up to date.
fn settled(
    kept: &mut [Kept],
    portion: &[usize],
    written: Vec<Written>,
    undoes: Option<(RunId, &[i64])>,
) -> Vec<Settled> {
    let mut settled = Vec::new();
    for (at, written) in portion.iter().zip(written) {
        let (state, detail) = told(&kept[*at].plan, written);
        let (run, no) = (kept[*at].run, kept[*at].no);
        (kept[*at].state, kept[*at].detail) = (state, detail.clone());
        settled.push(Settled { run, no, from: RepairState::Planned, to: state, detail });
        if let Some((run, nos)) = undoes.filter(|_| state == RepairState::Repaired) {
            let (from, to) = (RepairState::Repaired, RepairState::Undone);
            settled.push(Settled { run, no: nos[*at], from, to, detail: None });
        }
    }
    settled
}

/// What a repair is known by to the system that is written.
pub(super) fn id(kept: &Kept) -> String {
    format!("quittance-{}-{}", kept.run, kept.no).replace('_', "-")
}

/// Repairs of one object, of the same columns, that go together. A record is in one batch once.
pub(super) fn batches(kept: &[Kept], planned: &[usize]) -> Vec<Vec<usize>> {
    let columns = |plan: &RepairPlan| {
        let names =
            |values: &[(String, Value<'static>)]| values.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        (
            [plan.system.clone(), plan.object.clone(), plan.side.clone()],
            names(&plan.identity),
            names(&plan.expected),
            names(&plan.set),
        )
    };
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for at in planned {
        groups.entry(columns(&kept[*at].plan)).or_default().push(*at);
    }
    groups.values().flat_map(|group| group.chunks(BATCH).map(<[usize]>::to_vec)).collect()
}

/// The write of a plan; its id is that of the repair, so that it is one write however often it is tried.
pub(super) fn write(side: &Side, plan: &RepairPlan, id: String) -> Write {
    let at = |name: &str| side.columns.iter().position(|column| column.name == name).expect("a column of the plan");
    let values =
        |values: &[(String, Value<'static>)]| values.iter().map(|(name, value)| (at(name), value.clone())).collect();
    Write {
        id,
        identity: plan.identity.iter().map(|(_, value)| value.clone()).collect(),
        expected: values(&plan.expected),
        set: values(&plan.set),
    }
}

/// What is kept of an outcome.
pub(super) fn told(plan: &RepairPlan, written: Written) -> (RepairState, Option<String>) {
    match written {
        Written::Done => (RepairState::Repaired, None),
        Written::Already => (RepairState::Already, None),
        Written::Moved { now } => (RepairState::Moved, Some(beside(&plan.expected, &now))),
        Written::Perhaps { now } => {
            (RepairState::Moved, Some(shortened(format!("{PERHAPS}: {}", beside(&plan.expected, &now)))))
        }
        Written::Gone => (RepairState::Gone, None),
        Written::Altered { now } => (RepairState::Altered, Some(beside(&plan.set, &now))),
        Written::Refused { why } => (RepairState::Refused, Some(shortened(why))),
    }
}

/// What a record holds, column by column, for people.
pub(super) fn beside(columns: &[(String, Value<'static>)], now: &[Value<'static>]) -> String {
    let beside = columns.iter().zip(now).map(|((name, _), value)| format!("{name} = {value}"));
    shortened(beside.collect::<Vec<_>>().join(", "))
}

fn shortened(text: String) -> String {
    let end = text.floor_char_boundary(DETAIL_BYTES_MAX);
    if end == text.len() { text } else { format!("{}…", &text[..end]) }
}
