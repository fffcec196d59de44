//! Repairing: what a comparison found is decided by policy, planned, written with compare-and-set, and kept so that it can
//! be taken back.
//!
//! Owns the order of the steps. What is decided is [`quittance_core::pair::repair`]'s to say, how systems are written
//! [`crate::systems::write`]'s. **Nothing is written that was not planned and kept before**: whoever finds a plan without
//! an outcome asks the system what became of it, and writes nothing.

mod apply;
mod journal;
mod list;
mod live;
mod plan;
mod resume;
mod undo;
mod verify;

pub use apply::{Open, WriteError, Writers, carry_out, check};
pub use journal::{Kept, Repairs, run};
pub use list::{Listed, list};
pub use live::spare_live;
pub use plan::{Line, Plan, Proposal, plan};
pub use resume::resume;
pub use undo::{NotUndone, undo};
pub use verify::{BrokenChain, verify};

use quittance_store::records::RepairState;
use std::collections::BTreeMap;

/// Most repairs of one transaction, here and in the system that is written.
pub const BATCH: usize = crate::systems::write::WRITES_MAX;

/// How often in a row a record is given the same values, within [`FLIPS_MS`], before somebody has to ask who changes it back.
pub const FLIPS_MAX: usize = 2;

/// The span in which repairs of one record to the same values are a fight between automations, in milliseconds: a week.
pub const FLIPS_MS: u64 = 7 * 86_400_000;

/// How many repairs came to what.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Counts(pub BTreeMap<RepairState, u64>);

impl Counts {
    /// Counts one more.
    pub fn add(&mut self, state: RepairState) {
        *self.0.entry(state).or_default() += 1;
    }

    /// How many are in one of these states.
    #[must_use]
    pub fn of(&self, states: &[RepairState]) -> u64 {
        states.iter().filter_map(|state| self.0.get(state)).sum()
    }

    /// How many the system refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.of(&[RepairState::Refused])
    }

    /// How many came to nothing, or to something else, because somebody else changed the record.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.of(&[RepairState::Moved, RepairState::Gone, RepairState::Altered])
    }
}
