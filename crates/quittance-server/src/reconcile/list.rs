//! Runs of repairs as a list, the newest first. Reads beside whoever writes.

use super::Counts;
use super::journal::rows_of;
use crate::api::rows;
use crate::data::Data;
use quittance_core::id::RunId;
use quittance_store::records::{RepairRun, RepairState};
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::REPAIR_RUNS;

/// A run, and how many of its repairs are in each state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The run.
    pub run: RepairRun,
    /// Its repairs.
    pub counts: Counts,
}

/// The newest runs of a pair, or of all; those only of which something waits for a person, where that is asked for. At most
/// `limit`.
///
/// # Errors
///
/// [`StoreError`] when they cannot be read; a directory without any is no error.
pub fn list(data: &Data, pair: Option<&str>, only_waiting: bool, limit: usize) -> Result<Vec<Listed>, StoreError> {
    let mut reader = match data.runs().open_reader() {
        Err(StoreError::Missing { .. }) => return Ok(Vec::new()),
        opened => opened?,
    };
    let (mut listed, mut last) = (Vec::new(), None::<RepairRun>);
    while listed.len() < limit {
        let scan = Scan::forward(&REPAIR_RUNS, pair.map(Into::into).into_iter().collect(), limit);
        let index = pair.map(|_| &REPAIR_RUNS.indexes[0]);
        let after = last.as_ref().map(|last| vec![last.id.bytes().into()]);
        let scan = Scan { index, after, direction: Direction::Backward, ..scan };
        let page = rows::page::<RepairRun>(reader.as_mut(), &scan)?;
        let Some(end) = page.last().cloned() else { break };
        let is_last = page.len() < limit;
        for run in page {
            let counts = counts_of(reader.as_mut(), run.id)?;
            if listed.len() < limit && (!only_waiting || counts.of(&[RepairState::AwaitingApproval]) > 0) {
                listed.push(Listed { run, counts });
            }
        }
        if is_last {
            break;
        }
        last = Some(end);
    }
    Ok(listed)
}

/// How many repairs of a run are in each state.
///
/// # Errors
///
/// [`StoreError`] when they cannot be read.
pub(crate) fn counts_of(reader: &mut dyn Reader, run: RunId) -> Result<Counts, StoreError> {
    let mut counts = Counts::default();
    rows_of(reader, run)?.iter().for_each(|repair| counts.add(repair.state));
    Ok(counts)
}
