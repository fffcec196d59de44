//! Taking a run back: for each record that was repaired, the plan that gives it what it had.

use super::journal::Kept;
use super::plan::value_of;
use quittance_core::record::value::Value;
use quittance_store::records::{RepairPlan, RepairState};

/// Why a repair is not taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotUndone {
    /// It was never made, or was taken back already.
    NotMade,
    /// What the record held before is not known.
    NoBefore,
}

/// The plan that takes a repair back: only where the record still holds what was written.
///
/// # Errors
///
/// [`NotUndone`] when there is nothing to be taken back.
pub fn undo(kept: &Kept) -> Result<RepairPlan, NotUndone> {
    if kept.state != RepairState::Repaired {
        return Err(NotUndone::NotMade);
    }
    let plan = &kept.plan;
    let before = |(column, _): &(String, Value<'static>)| {
        let value = value_of(&plan.expected, column).ok_or(NotUndone::NoBefore)?;
        Ok((column.clone(), value.clone()))
    };
    let set: Vec<_> = plan.set.iter().map(before).collect::<Result<_, _>>()?;
    Ok(RepairPlan { expected: plan.set.clone(), set, takes_away: false, ..plan.clone() })
}
