//! What is due: which effects are taken of which lane.
//!
//! What was begun is finished first; else whoever has waited longest comes first. What may not be asked now is passed
//! over where it stands, and costs nothing; so does a lane in which nobody waits. Does not own what may be asked.

use quittance_core::effect::Step;
use quittance_core::time::Timestamp;
use quittance_store::records::Lane;
use quittance_store::store::{Scan, Share, Store, StoreError};
use quittance_store::tables::EFFECTS;
use quittance_store::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Lanes in which effects are due that there was no room for when it was last looked, by gateway.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(BTreeMap<String, BTreeSet<Lane>>);

impl Waiting {
    /// Whether effects wait that go before one of this lane.
    pub(crate) fn is_before(&self, gateway: &str, lane: Lane) -> bool {
        self.0.get(gateway).is_some_and(|lanes| lanes.iter().any(|other| goes_before(*other, lane)))
    }

    /// Notes what was left behind in the lanes that were looked at.
    pub(crate) fn note(&mut self, gateway: &str, due: &BTreeMap<Lane, Vec<Timestamp>>, chosen: &BTreeMap<Lane, usize>) {
        let lanes = self.0.entry(gateway.to_owned()).or_default();
        for (lane, times) in due {
            if times.len() > chosen.get(lane).copied().unwrap_or(0) {
                lanes.insert(*lane);
            } else {
                lanes.remove(lane);
            }
        }
    }
}

/// The lanes of a gateway in which effects wait, and when the first of each is due. Asks once for each that there is, however
/// many there might be.
pub(crate) fn lanes(store: &mut dyn Store, gateway: &str) -> Result<Vec<(Lane, Timestamp)>, StoreError> {
    let (index, name, due_at) = (EFFECTS.due_index(), EFFECTS.position("lane"), EFFECTS.position("due_at"));
    let (mut lanes, mut after) = (Vec::new(), None);
    loop {
        let first = Scan::forward(&EFFECTS, vec![gateway.into()], 1);
        let scan = Scan { index: Some(index), after: after.take(), ..first };
        let Some(row) = store.scan(&scan)?.pop() else { return Ok(lanes) };
        if let (Value::Text(name), Value::Integer(at)) = (&row[name], &row[due_at]) {
            lanes.extend(Lane::named(name).map(|lane| (lane, Timestamp(*at))));
        }
        after = Some(vec![row[name].clone()]);
    }
}

/// Since when effects of a lane of a gateway are due, the oldest first, at most so many.
pub(crate) fn times(
    store: &mut dyn Store,
    gateway: &str,
    lane: Lane,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Timestamp>, StoreError> {
    let scan = Scan {
        index: Some(EFFECTS.due_index()),
        until: Some(vec![now.0.saturating_add(1).into()]),
        ..Scan::forward(&EFFECTS, place(gateway, lane), limit)
    };
    let due_at = EFFECTS.position("due_at");
    let time = |row: Vec<Value>| match row.get(due_at) {
        Some(Value::Integer(at)) => Timestamp(*at),
        _ => now,
    };
    Ok(store.scan(&scan)?.into_iter().map(time).collect())
}

/// A lane of a gateway, as the queue names it.
pub(crate) fn place(gateway: &str, lane: Lane) -> Vec<Value> {
    vec![gateway.into(), lane.to_string().into()]
}

/// Whether whoever waits in the first lane leaves before whoever comes to the second. Retries wait for a budget of their
/// own, and one operation does not wait for another.
fn goes_before(waiting: Lane, coming: Lane) -> bool {
    match (waiting, coming) {
        (Lane::Send { operation, is_again: false, .. }, Lane::Send { operation: other, .. }) => {
            operation == other && rank(waiting) <= rank(coming)
        }
        _ => waiting == coming,
    }
}

/// What was begun is finished before more is begun: a payment between its two steps is nobody's gain. Retries are few,
/// their budget sees to that.
const fn rank(lane: Lane) -> u8 {
    match lane {
        Lane::Send { is_again: true, .. }
        | Lane::Send { step: Step::Confirm | Step::Cancel | Step::Capture | Step::Submit, .. } => 0,
        Lane::Send { step: Step::Create | Step::Execute, .. } | Lane::Read | Lane::Pending => 1,
    }
}

/// How many are taken of each lane: what was begun before what was not, then the oldest of all, as long as `take` has
/// room for one more of its lane.
pub(crate) fn choose(
    due: &BTreeMap<Lane, Vec<Timestamp>>,
    mut take: impl FnMut(Lane) -> bool,
) -> BTreeMap<Lane, usize> {
    let mut all: Vec<(u8, Timestamp, Lane)> =
        due.iter().flat_map(|(lane, times)| times.iter().map(|since| (rank(*lane), *since, *lane))).collect();
    all.sort_unstable();
    let mut chosen = BTreeMap::new();
    for (_, _, lane) in all {
        if take(lane) {
            *chosen.entry(lane).or_default() += 1;
        }
    }
    chosen
}

/// The shares of a claim.
pub(crate) fn shares(gateway: &str, chosen: &BTreeMap<Lane, usize>) -> impl Iterator<Item = Share> {
    chosen.iter().map(move |(lane, limit)| Share { lane: place(gateway, *lane), limit: *limit })
}
