//! Finding out what became of repairs whose process ended before it could say so. Nothing is written: what was not done is
//! for the next comparison to decide anew.

use super::apply::{WriteError, Writers, batches, beside, write};
use super::journal::{Kept, Repairs, Settled};
use super::plan::side_of;
use crate::systems::write::{Stand, Write};
use quittance_store::records::RepairState;

/// What is kept of a repair that was found to be so: who wrote it cannot be told from what the record holds.
const SEEN: &str = "found so after the process that began it had ended";

/// What is kept of one whose record holds something else by now.
const PERHAPS: &str = "perhaps after it had been written";

/// Portions that are looked at before somebody has to ask again.
const PORTIONS_MAX: usize = 10_000;

/// Settles what earlier processes of the pair had planned; gives it with what became of it. A repair of a process that is alive
/// may be among it: what that process knows counts more than what was seen here.
///
/// # Errors
///
/// [`WriteError`] when a system cannot be asked: what is left stays planned.
pub fn resume(repairs: &mut Repairs<'_>, writers: &mut Writers<'_>) -> Result<Vec<Kept>, WriteError> {
    let mut settled = Vec::new();
    for _ in 0..PORTIONS_MAX {
        let mut left_over = repairs.left_over()?;
        if left_over.is_empty() {
            break;
        }
        look(repairs, &mut left_over, writers)?;
        settled.extend(left_over);
    }
    Ok(settled)
}

fn look(repairs: &mut Repairs<'_>, left_over: &mut [Kept], writers: &mut Writers<'_>) -> Result<(), WriteError> {
    let all: Vec<usize> = (0..left_over.len()).collect();
    for batch in batches(left_over, &all) {
        let first = &left_over[batch[0]].plan;
        let (object, side) = (first.object.clone(), side_of(first));
        let fails = |source| WriteError::System { system: first.system.clone(), source };
        let writes: Vec<Write> = batch.iter().map(|at| write(&side, &left_over[*at].plan)).collect();
        let mut writer = (writers.open)(first).map_err(fails)?;
        let stands = writer.stand(&object, &side, &writes).map_err(fails)?;
        let mut settled = Vec::new();
        for (at, stand) in batch.iter().zip(stands) {
            let one = &mut left_over[*at];
            (one.state, one.detail) = match stand {
                Stand::Already => (RepairState::Repaired, Some(SEEN.to_owned())),
                Stand::AsExpected => (RepairState::Abandoned, None),
                Stand::Moved { now } => {
                    (RepairState::Moved, Some(format!("{PERHAPS}: {}", beside(&one.plan.expected, &now))))
                }
                Stand::Gone => (RepairState::Gone, None),
            };
            let (from, detail) = (RepairState::Planned, one.detail.clone());
            settled.push(Settled { run: one.run, no: one.no, from, to: one.state, detail });
            if one.state == RepairState::Repaired
                && let Some((run, no)) = repairs.undone_by(one)?
            {
                let (from, to) = (RepairState::Repaired, RepairState::Undone);
                settled.push(Settled { run, no, from, to, detail: None });
            }
        }
        repairs.settle(&settled, writers.by, (writers.now)())?;
    }
    Ok(())
}
