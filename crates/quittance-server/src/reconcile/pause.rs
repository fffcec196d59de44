//! Pausing a pair: nothing is compared or repaired of it by anybody, and what is under way stops before its next step.

use super::keeper::Keeper;
use super::state::{time, update};
use crate::api::rows;
use crate::data::Data;
use quittance_core::time::Timestamp;
use quittance_store::records::{PairPause, PairState};
use quittance_store::store::{Scan, StoreError};
use quittance_store::tables::PAIR_STATES;

/// Longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = crate::switches::REASON_BYTES_MAX;

/// Pairs that one view shows.
const LIST_MAX: usize = 10_000;

/// A pair that is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PausedPair {
    /// Its name.
    pub pair: String,
    /// Since when, by whom and why.
    pub pause: PairPause,
}

/// Pauses a pair; one that is paused already stays as it is.
///
/// # Errors
///
/// [`StoreError`]; it is not paused then.
pub fn pause(data: &Data, pair: &str, by: &str, reason: Option<&str>) -> Result<(), StoreError> {
    let paused = |at: Timestamp| PairPause { at, by: by.to_owned(), reason: reason.map(str::to_owned) };
    Keeper::new(data).with(|store| {
        let now = time(store)?;
        update(store, pair, |state| {
            state.pause.get_or_insert_with(|| paused(now));
        })
    })
}

/// Resumes a pair; what was due meanwhile is due once.
///
/// # Errors
///
/// [`StoreError`]; it is as it was then.
pub fn resume(data: &Data, pair: &str) -> Result<(), StoreError> {
    Keeper::new(data).with(|store| update(store, pair, |state| state.pause = None))
}

/// The pairs that are paused, by name.
///
/// # Errors
///
/// [`StoreError`] when they cannot be read; a directory without any is no error.
pub fn paused(data: &Data) -> Result<Vec<PausedPair>, StoreError> {
    let mut reader = match data.runs().open_reader() {
        Err(StoreError::Missing { .. }) => return Ok(Vec::new()),
        opened => opened?,
    };
    let states: Vec<PairState> = rows::page(reader.as_mut(), &Scan::forward(&PAIR_STATES, Vec::new(), LIST_MAX))?;
    let paused = |state: PairState| state.pause.map(|pause| PausedPair { pair: state.pair, pause });
    Ok(states.into_iter().filter_map(paused).collect())
}
