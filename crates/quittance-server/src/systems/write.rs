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
use std::time::Duration;

/// Why a record is refused that somebody else holds, and may not hold the next time.
pub const LOCKED: &str = "locked by another transaction";

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
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Write {
    /// What this is the write of, whenever it is tried: the key under which a system that knows such keys does it once. At most
    /// 255 letters, digits and hyphens.
    pub id: String,
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
    /// It does not hold what is expected any more, and whether it was written before somebody changed it is not known: what
    /// would tell was lost.
    Perhaps {
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

/// What came of writes that are made all together, or none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Together {
    /// Whether they were made.
    pub is_made: bool,
    /// For each, in their order, what came of it; where they were not made, what would have.
    pub each: Vec<Written>,
}

impl Together {
    /// Whether all of these can be: each is written as it was to be, or was so already.
    pub(super) fn is_whole(each: &[Written]) -> bool {
        each.iter().all(|written| matches!(written, Written::Done | Written::Already))
    }
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

/// Why a record cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Index of the column in the side; none where it is about the record.
    pub column: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl Fault {
    /// NULL where there has to be a value.
    pub(super) fn null(column: usize) -> Self {
        Self { column: Some(column), what: "NULL, and the column has to hold something (NOT NULL)".to_owned() }
    }
}

fn alone(object: &str) -> SystemError {
    let what = format!("the records of `{object}` cannot be written all together or not at all");
    SystemError::configuration(what, "only the kinds postgres and sqlite can: write them by hand")
}

/// Says why nothing may be committed, or sent, now, if that is so.
pub type Veto = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// Takes back what is not to be committed.
pub(super) fn vetoed(system: &str, veto: Option<&Veto>) -> Result<(), SystemError> {
    veto.and_then(|veto| veto()).map_or(Ok(()), |why| {
        let what = format!("what was written to the system `{system}` was taken back before its commit: {why}");
        Err(SystemError::outside(what, "what was not written is decided anew by the next run"))
    })
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

    /// The same of records that nobody is changing: none of one that somebody holds, for whoever wrote it last may commit
    /// yet. It is waited for as long as for a write.
    ///
    /// # Errors
    ///
    /// As [`Writer::write`].
    fn stand_still(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Option<Stand>>, SystemError> {
        Ok(self.stand(object, side, writes)?.into_iter().map(Some).collect())
    }

    /// How long a write may still be carried out whose sender has ended: none where [`Writer::stand_still`] knows who holds a
    /// record. A record that holds what is expected says nothing before that.
    fn lingers(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether a write of which it is not known whether it was carried out may be decided anew, by a comparison that finds what
    /// it had found: where nobody knows what else a write does, a person has to say so.
    fn may_decide_anew(&self, _object: &str) -> bool {
        true
    }

    /// Has this asked right before each commit, where the system has transactions. What is not to be committed is taken back, and
    /// an error.
    fn ask_before_commit(&mut self, _: Veto) {}

    /// Has this asked right before each request that writes, and before whatever is asked again, where the system has no
    /// transactions. Nothing more is sent then, no pause is waited for to its end, and it is an error.
    fn ask_before_send(&mut self, _: Veto) {}

    /// How many records are best written by one call, at most [`WRITES_MAX`]: fewer where each is written by itself, so that
    /// what became of them is kept soon.
    fn writes_at_once(&self) -> usize {
        WRITES_MAX
    }

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

    /// Changes records of an object in one transaction: all of them, or none where any of them is not as it was to be. Any
    /// number, no record twice. What was written is read back before the commit, once all that fires at it has.
    ///
    /// # Errors
    ///
    /// As [`Writer::write`], and where the system has no transactions of several records.
    fn write_all(&mut self, object: &str, _: &Side, _: &[Write]) -> Result<Together, SystemError> {
        Err(alone(object))
    }

    /// What is known to be wrong with writes before any is made, for each of them: a value that its column cannot hold,
    /// NULL where there has to be one. Nothing is written, and what only a trigger, a constraint or an index refuses
    /// is not found.
    ///
    /// # Errors
    ///
    /// As [`Writer::write_all`].
    fn faults(&mut self, object: &str, _: &Side, _: &[Write]) -> Result<Vec<Option<Fault>>, SystemError> {
        Err(alone(object))
    }
}
