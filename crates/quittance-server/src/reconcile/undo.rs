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
    /// It was written, and the system made something else of it: what it holds is for a person to judge.
    Altered,
    /// What the record held before is not known.
    NoBefore,
}

impl NotUndone {
    /// What people read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotMade => "it was not made, or was taken back already",
            Self::Altered => "it was written, and the system made something else of it: see its detail",
            Self::NoBefore => "what the record held before is not known",
        }
    }
}

/// The plan that takes a repair back: only where the record still holds what was written, and all else that was expected of it.
/// The columns in `changing` are not expected: those that every write changes.
///
/// # Errors
///
/// [`NotUndone`] when there is nothing to be taken back.
pub fn undo(kept: &Kept, changing: Option<&str>) -> Result<RepairPlan, NotUndone> {
    match kept.state {
        RepairState::Repaired => {}
        RepairState::Altered => return Err(NotUndone::Altered),
        _ => return Err(NotUndone::NotMade),
    }
    let plan = &kept.plan;
    let before = |(column, _): &(String, Value<'static>)| {
        let value = value_of(&plan.expected, column).ok_or(NotUndone::NoBefore)?;
        Ok((column.clone(), value.clone()))
    };
    let set: Vec<_> = plan.set.iter().map(before).collect::<Result<_, _>>()?;
    let is_kept = |(column, _): &&(String, Value<'static>)| {
        value_of(&plan.set, column).is_none() && changing.is_none_or(|changing| changing != column)
    };
    let expected = plan.set.iter().chain(plan.expected.iter().filter(is_kept)).cloned().collect();
    Ok(RepairPlan { expected, set, takes_away: false, ..plan.clone() })
}
