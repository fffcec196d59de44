//! Repairing: what a comparison found is decided by policy, planned, written with compare-and-set, and kept so that it can
//! be taken back.
//!
//! Owns the order of the steps. What is decided is [`quittance_core::pair::repair`]'s to say, how systems are written
//! [`crate::systems::write`]'s. **Nothing is written that was not planned and kept before**: whoever finds a plan without
//! an outcome asks the system what became of it, and writes nothing.

mod apply;
mod bases;
mod decision;
mod halt;
pub mod import;
mod journal;
mod keeper;
mod known;
mod lease;
mod list;
mod live;
mod pause;
mod plan;
mod replay;
mod resume;
pub mod service;
pub mod session;
mod state;
mod superseded;
mod trace;
mod undo;
mod verify;

pub use apply::{Open, WriteError, Writers, carry_out, check};
pub use bases::keep as keep_agreed;
pub(crate) use decision::{Choice, Decided, Undecided, decide, preview};
pub use halt::{Halt, Why};
pub use journal::{Kept, Repairs, run};
pub use lease::{Guard, Held, LEASE_MS, NotTaken};
pub(crate) use list::counts_of;
pub use list::{Listed, list};
pub use live::spare_live;
pub use pause::{PausedPair, REASON_BYTES_MAX, pause, paused, resume as resume_pair};
pub use plan::{Earlier, Line, Plan, Proposal, plan};
pub use replay::{Replayed, replay};
pub use resume::resume;
pub use trace::trace;
pub(crate) use trace::{is_run, trace_of};
pub use undo::{NotUndone, undo};
pub use verify::{BrokenChain, verify};

use plan::write_side;

use quittance_store::records::RepairState;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most repairs of one transaction, here and in the system that is written.
pub const BATCH: usize = crate::systems::write::WRITES_MAX;

/// Earlier repairs of one record that are looked at.
const EARLIER_MAX: usize = 100;

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

/// What a mutex holds; whoever panicked with it has left a whole value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
