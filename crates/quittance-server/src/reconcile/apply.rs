//! Carrying plans out, batch by batch, and keeping what came of each before the next.

use super::BATCH;
use super::halt::Why;
use super::journal::{Kept, Repairs, Settled};
use super::plan::side_of;
use super::resume::perhaps;
use crate::systems::SystemError;
use crate::systems::write::{Write, Writer, Written};
use quittance_core::id::RunId;
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use quittance_store::records::{RepairPlan, RepairState};
use quittance_store::store::StoreError;
use std::collections::{BTreeMap, BTreeSet};

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
    let mut seen = BTreeSet::new();
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

/// Writers by the system and the side that they write.
type Opened = BTreeMap<(String, String), Box<dyn Writer>>;

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
    let planned: Vec<usize> = (0..kept.len()).filter(|at| kept[*at].state == RepairState::Planned).collect();
    let (mut open, mut untouched) = (Opened::new(), planned.iter().copied().collect());
    let written = write_all(repairs, kept, (&planned, undoes), writers, (&mut open, &mut untouched));
    if matches!(written, Err(WriteError::System { .. } | WriteError::Stopped(_)))
        && let Err(error) = abandon(repairs, kept, &untouched, &open, writers)
    {
        tracing::warn!(pair = repairs.pair, %error, "what was not sent cannot be kept as that, and a person has to decide about it");
    }
    written
}

/// Writes portion by portion; what is not begun yet stays among what is untouched.
fn write_all(
    repairs: &mut Repairs<'_>,
    kept: &mut [Kept],
    (planned, undoes): (&[usize], Option<(RunId, &[i64])>),
    writers: &mut Writers<'_>,
    (open, untouched): (&mut Opened, &mut BTreeSet<usize>),
) -> Result<(), WriteError> {
    for batch in batches(kept, planned) {
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
            portion.iter().for_each(|at| {
                untouched.remove(at);
            });
            let writes: Vec<Write> = portion.iter().map(|at| write(&side, &kept[*at].plan, id(&kept[*at]))).collect();
            let written = writer.write(&object, &side, &writes).map_err(|source| repairs.failed(&system, source))?;
            let perhaps = perhaps(writer.may_decide_anew(&object));
            let settled = settled(kept, portion, (written, perhaps), undoes);
            repairs.settle(&settled, writers.by, (writers.now)())?;
        }
    }
    Ok(())
}

/// Settles what was never sent, where nobody could tell it later from what was sent once and may not be again.
fn abandon(
    repairs: &mut Repairs<'_>,
    kept: &mut [Kept],
    untouched: &BTreeSet<usize>,
    open: &Opened,
    writers: &Writers<'_>,
) -> Result<(), StoreError> {
    let (from, to) = (RepairState::Planned, RepairState::Abandoned);
    let is_meant = |at: &&usize| {
        let plan = &kept[**at].plan;
        let writer = open.get(&(plan.system.clone(), plan.side.clone()));
        // Where nothing was opened, nothing was sent.
        writer.is_none_or(|writer| !writer.may_decide_anew(&plan.object))
    };
    let meant: Vec<usize> = untouched.iter().filter(is_meant).copied().collect();
    for portion in meant.chunks(BATCH) {
        let one = |at: &usize| Settled { run: kept[*at].run, no: kept[*at].no, from, to, detail: None };
        repairs.settle(&portion.iter().map(one).collect::<Vec<_>>(), writers.by, (writers.now)())?;
        portion.iter().for_each(|at| kept[*at].state = to);
    }
    Ok(())
}

/// What is kept of the outcomes of some repairs, which are brought up to date.
fn settled(
    kept: &mut [Kept],
    portion: &[usize],
    (written, perhaps): (Vec<Written>, &str),
    undoes: Option<(RunId, &[i64])>,
) -> Vec<Settled> {
    let mut settled = Vec::new();
    for (at, written) in portion.iter().zip(written) {
        let (state, detail) = told(&kept[*at].plan, written, perhaps);
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

/// What is kept of an outcome; `perhaps` begins what is said of a record that may have been written.
pub(super) fn told(plan: &RepairPlan, written: Written, perhaps: &str) -> (RepairState, Option<String>) {
    match written {
        Written::Done => (RepairState::Repaired, None),
        Written::Already => (RepairState::Already, None),
        Written::Moved { now } => (RepairState::Moved, Some(beside(&plan.expected, &now))),
        Written::Perhaps { now } => {
            (RepairState::Moved, Some(shortened(format!("{perhaps}: {}", beside(&plan.expected, &now)))))
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
