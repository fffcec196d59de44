//! The port through which a repair changes records of a system, and what came of each.
//!
//! Every write is a compare-and-set: a record is changed only where it still holds what was seen. What was written is read
//! back. Does not own what is to be written, nor who may.

mod standing;

pub(super) use standing::{Narrow, Standing, after, key, stand, standing};

use super::SystemError;
use crate::config::SideRef;
pub use crate::config::Triggers;
use quittance_core::pair::Side;
use quittance_core::record::value::Value;

/// Most records of one call.
pub const WRITES_MAX: usize = 500;

/// What else a write does to a record.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct WriteOptions {
    /// The column that is set to the system's own time with it; none leaves all others as they are.
    pub updated_at: Option<String>,
    /// What becomes of triggers.
    pub triggers: Triggers,
}

impl WriteOptions {
    /// What a side of a pair says.
    #[must_use]
    pub fn of(side: &SideRef) -> Self {
        Self { updated_at: side.touched().map(str::to_owned), triggers: side.triggers }
    }
}

/// One record to be changed. Columns are named by their index in the side, and have no transform and no pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which record: the values of the side's identity, none of them nothing.
    pub identity: Vec<Value<'static>>,
    /// What it has to hold still.
    pub expected: Vec<(usize, Value<'static>)>,
    /// What it is to hold.
    pub set: Vec<(usize, Value<'static>)>,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It holds what it was to hold, as a reading after the commit shows.
    Done,
    /// It did not hold what was expected any more, and held all that was to be set: somebody else had done it, and nothing was
    /// written.
    Already,
    /// It does not hold what was expected any more, and nothing was written.
    Moved {
        /// What it holds instead, in the order of what was expected.
        now: Vec<Value<'static>>,
    },
    /// There is no such record, and nothing was written.
    Gone,
    /// It was written, and holds something else: a trigger, a rule or another automation changed it, or its column
    /// holds less than the value (a scale of two digits). All absent where it is gone since.
    Altered {
        /// What it holds, in the order of what was set.
        now: Vec<Value<'static>>,
    },
    /// The system refused this record, and nothing of it was written.
    Refused {
        /// Why, in the system's words.
        why: String,
    },
}

/// How a record stands that is to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It holds what is expected.
    AsExpected,
    /// It does not, and holds all that is to be set.
    Already,
    /// It holds neither: this, in the order of what is expected.
    Moved {
        /// What it holds.
        now: Vec<Value<'static>>,
    },
    /// There is no such record, or several.
    Gone,
}

/// Something that records can be changed in.
pub trait Writer: Send {
    /// Says how records stand, as the system itself has it and not a replica, and changes nothing. Whether they could be
    /// changed at all is found out too.
    ///
    /// # Errors
    ///
    /// As [`Writer::write`].
    fn stand(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError>;

    /// Changes records of an object: those of one call in one transaction, where the system has transactions; each of them
    /// whole, or not at all. One that the system refuses does not keep the others from being written. At most
    /// [`WRITES_MAX`] at once, no record twice. The outcomes are in the order of the writes.
    ///
    /// A record that does not hold what is expected, and already holds all that is to be set, is done: so a call whose
    /// answer was lost can be repeated. One whose identity several records have is refused.
    ///
    /// # Errors
    ///
    /// When a column does not exist or may not be written, when the system cannot be reached. Whether the writes of this
    /// call happened is not known then, unless the error says so: the same call again finds out.
    fn write(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Written>, SystemError>;
}
