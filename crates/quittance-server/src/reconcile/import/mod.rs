//! A list of corrections that somebody has: every row of it is a record of one side and what it is to hold. Written in one
//! transaction, all of it or nothing.
//!
//! Owns what a list says (`list`), which records it means (`records`) and whether all of it can be written. **A list with
//! one bad row is not written at all.** What is written is kept before and after as every repair is.

mod list;
mod plan;
mod records;
mod rows;
mod values;
mod write;

pub use list::{FILE_BYTES_MAX, Form, List, ROWS_MAX, read};
pub use plan::{Asked, Prepared, prepare};
pub use write::{settle_together, torn, write_together};

use crate::systems::SystemError;

/// Bad rows that are named; more are counted.
pub const BAD_MAX: usize = 100;

/// A row that cannot be written, which keeps the others from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Line of the file on which it begins, from 1.
    pub line: u64,
    /// The key, as the list has it.
    pub key: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// All bad rows of a list.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct BadRows {
    /// The first of them.
    pub named: Vec<Bad>,
    /// How many there are.
    pub many: u64,
}

impl BadRows {
    fn add(&mut self, bad: Bad) {
        self.many += 1;
        if self.named.len() < BAD_MAX {
            self.named.push(bad);
        }
    }
}

/// Why a list cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole is not a list of corrections of this table.
    #[error("{what}")]
    List {
        /// What is wrong, and where.
        what: String,
        /// What would be right.
        remedy: String,
    },
    /// The system cannot be read.
    #[error("{0}")]
    System(#[from] SystemError),
}

impl ImportError {
    fn list(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::List { what: what.into(), remedy: remedy.into() }
    }
}
