//! Writing a list that was kept, all of it in one transaction or nothing, and keeping what came of it.

use crate::reconcile::apply::{Open, WriteError, id, told, write};
use crate::reconcile::journal::{Kept, Repairs, Settled, run};
use crate::reconcile::resume::PERHAPS;
use crate::reconcile::{BATCH, write_side};
use crate::systems::write::{Together, Write, Written};
use quittance_core::id::RunId;
use quittance_core::time::Timestamp;
use quittance_store::records::{RepairCause, RepairState};
use quittance_store::store::{Store, StoreError};
use std::collections::BTreeMap;

/// What is kept of a repair that could have been made, and was not for the sake of others.
const NOT_ALONE: &str = "nothing was written: the list is written whole, or not at all";

/// Writes all of these repairs, which are of one object and planned, in one transaction.
///
/// # Errors
///
/// [`WriteError::System`]: whether they were written is not known then, unless it says so; they stay planned, and it is found
/// out the next time.
pub fn write_together(kept: &[Kept], open: &mut Open<'_>) -> Result<Together, WriteError> {
    let Some(first) = kept.first().map(|one| &one.plan) else {
        return Ok(Together { is_made: true, each: Vec::new() });
    };
    let fails = |source| WriteError::System { system: first.system.clone(), source };
    let side = write_side(kept.iter().map(|one| &one.plan));
    let writes: Vec<Write> = kept.iter().map(|one| write(&side, &one.plan, id(one))).collect();
    open(first).map_err(fails)?.write_all(&first.object, &side, &writes).map_err(fails)
}

/// Keeps what came of them. Their states are brought up to date.
///
/// # Errors
///
/// [`StoreError`] when it cannot be kept: it is found out the next time.
pub fn settle_together(
    repairs: &mut Repairs<'_>,
    kept: &mut [Kept],
    together: &Together,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (one, written) in kept.iter_mut().zip(&together.each) {
        (one.state, one.detail) = match written {
            Written::Done if !together.is_made => (RepairState::Abandoned, Some(NOT_ALONE.to_owned())),
            // It would have been altered, and was not written.
            Written::Altered { .. } if !together.is_made => {
                let (_, detail) = told(&one.plan, written.clone(), PERHAPS);
                let what = format!("it would hold something else: {}", detail.unwrap_or_default());
                (RepairState::Refused, Some(what))
            }
            written => told(&one.plan, written.clone(), PERHAPS),
        };
    }
    for part in kept.chunks(BATCH) {
        let settled = part.iter().map(|one| Settled {
            run: one.run,
            no: one.no,
            from: RepairState::Planned,
            to: one.state,
            detail: one.detail.clone(),
        });
        repairs.settle(&settled.collect::<Vec<_>>(), by, now)?;
    }
    Ok(())
}

/// Lists of which, now that it was found out, some records hold what was written and others do not: they were written in
/// one transaction, so somebody else changed records since.
///
/// # Errors
///
/// [`StoreError`] when a run cannot be read.
pub fn torn(store: &mut dyn Store, found_out: &[Kept]) -> Result<Vec<RunId>, StoreError> {
    let mut states = BTreeMap::<RunId, (bool, bool)>::new();
    for one in found_out {
        let (holds, holds_not) = states.entry(one.run).or_default();
        *holds |= one.state == RepairState::Repaired;
        *holds_not |= one.state != RepairState::Repaired;
    }
    let mut torn = Vec::new();
    for (id, _) in states.into_iter().filter(|(_, (holds, holds_not))| *holds && *holds_not) {
        if run(store, id)?.is_some_and(|run| run.cause == RepairCause::Import) {
            torn.push(id);
        }
    }
    Ok(torn)
}
