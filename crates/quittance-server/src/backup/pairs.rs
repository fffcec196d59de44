//! What keeps restored pairs from repairs by what was true when the backup was taken.
//!
//! What both sides had agreed on then is not restored: since then both may have agreed on something else, and a merge would
//! take that for a change. Each pair is paused until somebody has looked at it, in the transaction that restores it.

use crate::clock;
use quittance_core::time::Timestamp;
use quittance_store::records::{Entity, PairPause, PairState};
use quittance_store::schema::Table;
use quittance_store::store::{Batch, Change, Reader, StoreError};
use quittance_store::tables::{BASES, PAIR_STATES, REPAIR_HEADS, RUNS};
use quittance_store::value::{Key, Value};
use std::collections::BTreeSet;

/// Who paused it.
const BY: &str = "the restore of a backup";

/// Tables that name every pair of which anything is kept.
const NAMING: [&Table; 4] = [&RUNS, &REPAIR_HEADS, &PAIR_STATES, &BASES];

/// The pairs of a backup.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    names: BTreeSet<String>,
}

impl Pairs {
    /// Notes the pairs of rows; says whether these are restored.
    pub(super) fn is_restored(&mut self, batch: &Batch) -> bool {
        if NAMING.contains(&batch.table) {
            let column = batch.table.position("pair");
            for row in &batch.rows {
                match &row[column] {
                    Value::Text(name) if !self.names.contains(name) => drop(self.names.insert(name.clone())),
                    _ => {}
                }
            }
        }
        *batch.table != BASES
    }

    /// Their names, in order.
    pub(super) fn into_names(self) -> Vec<String> {
        self.names.into_iter().collect()
    }

    /// What pauses every pair, and takes the lease from whoever had it when the backup was taken.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the restored rows cannot be read.
    pub(super) fn paused(&self, reader: &mut dyn Reader) -> Result<Vec<Change>, StoreError> {
        let (now, names) = (clock::now(), self.names.iter());
        let keys: Vec<Key> = names.clone().map(|name| vec![name.as_str().into()]).collect();
        let rows = reader.get_many(&PAIR_STATES, &keys)?;
        let change = |(name, row): (&String, Option<_>)| {
            let known = row.as_ref().map(PairState::from_row).transpose();
            let known =
                known.map_err(|error| StoreError::Corrupt { place: "pair_states".into(), what: error.to_string() })?;
            let state = known.unwrap_or_else(|| PairState { pair: name.clone(), ..PairState::default() });
            Ok(Change::Upsert { table: &PAIR_STATES, row: at_rest(state, now).to_row() })
        };
        names.zip(rows).map(change).collect()
    }
}

/// A restored pair, paused and in nobody's hands. A pause that it had is told with it.
fn at_rest(state: PairState, now: Timestamp) -> PairState {
    let mut reason = format!("restored from a backup: compare, then `quittance resume --pair {}`", state.pair);
    if let Some(before) = &state.pause {
        reason = format!("{reason}; it was paused before by {}", before.by);
        if let Some(why) = &before.reason {
            reason = format!("{reason}: {why}");
        }
    }
    let pause = Some(PairPause { at: now, by: BY.to_owned(), reason: Some(reason) });
    PairState { lease_owner: None, lease_until: None, pause, ..state }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_pair_is_in_nobodys_hands_and_its_pause_is_not_forgotten() {
        let pause = PairPause { at: Timestamp(1), by: "ada".into(), reason: Some("a migration".into()) };
        let state = PairState {
            pair: "p".into(),
            lease_owner: Some("one".into()),
            lease_epoch: 7,
            lease_until: Some(Timestamp(9)),
            pause: Some(pause),
            ..PairState::default()
        };
        let rest = at_rest(state, Timestamp(10));
        assert_eq!((rest.lease_owner, rest.lease_epoch, rest.lease_until), (None, 7, None));
        let pause = rest.pause.expect("a pause");
        assert_eq!((pause.at, pause.by.as_str()), (Timestamp(10), BY));
        let reason = "restored from a backup: compare, then `quittance resume --pair p`; it was paused before by ada: a migration";
        assert_eq!(pause.reason.as_deref(), Some(reason));
    }
}
