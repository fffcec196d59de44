//! Why there is no result.

use crate::systems::SystemError;
use quittance_core::pair::compare::Incomparable;
use std::io;

/// Why two systems could not be compared. There is no result then: part of a comparison is none.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A system cannot be read.
    #[error("system `{system}`")]
    System {
        /// Its name.
        system: String,
        /// Why.
        source: SystemError,
    },
    /// The pair's configuration does not fit what is there.
    #[error("pair `{pair}`: {what}")]
    Pair {
        /// Its name.
        pair: String,
        /// What is wrong.
        what: String,
        /// What would be right.
        remedy: String,
    },
    /// A temporary file cannot be written or read.
    #[error("a temporary file cannot be used")]
    Spool(#[source] io::Error),
}

/// What ends a join.
#[derive(Debug)]
pub(super) enum Halt {
    Spool(io::Error),
    Incomparable(Incomparable),
    TooMany,
}

impl From<io::Error> for Halt {
    fn from(error: io::Error) -> Self {
        Self::Spool(error)
    }
}

impl From<Incomparable> for Halt {
    fn from(error: Incomparable) -> Self {
        Self::Incomparable(error)
    }
}
