//! What is due: which effects are taken of which lane.
//!
//! Whoever has waited longest comes first, whatever it waits for; what may not be asked now is passed over where it
//! stands, and costs nothing. Does not own what may be asked.

use quittance_core::time::Timestamp;
use quittance_store::records::Lane;
use quittance_store::store::{Scan, Share, Store, StoreError};
use quittance_store::tables::EFFECTS;
use quittance_store::value::Value;
use std::collections::BTreeMap;

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

fn place(gateway: &str, lane: Lane) -> Vec<Value> {
    vec![gateway.into(), lane.to_string().into()]
}

/// How many are taken of each lane: the oldest of all, as long as `take` has room for one more of its lane.
pub(crate) fn choose(
    due: &BTreeMap<Lane, Vec<Timestamp>>,
    mut take: impl FnMut(Lane) -> bool,
) -> BTreeMap<Lane, usize> {
    let mut all: Vec<(Timestamp, Lane)> =
        due.iter().flat_map(|(lane, times)| times.iter().map(|since| (*since, *lane))).collect();
    all.sort_unstable();
    let mut chosen = BTreeMap::new();
    for (_, lane) in all {
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
