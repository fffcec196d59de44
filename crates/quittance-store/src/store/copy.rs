//! Copying a store as a whole: a reader of one moment, and rows that fill an empty store.

use super::{Change, Reader};
use crate::schema::Table;
use crate::value::Row;

/// Reads one moment of a store, over as many calls as it takes and whatever is written meanwhile. The writer does not
/// wait for it. Dropping it ends it.
pub trait Snapshot: Reader {
    /// Number of the newest opening for writing, at that moment.
    fn writer_epoch(&self) -> i64;

    /// When that moment was or a little earlier, by the clock of the database, where it has one that all who write to it go
    /// by; microseconds. None where the process's own clock is the only one.
    fn time(&self) -> Option<i64>;
}

/// Rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The table.
    pub table: &'static Table,
    /// Whole rows.
    pub rows: Vec<Row>,
}

/// What fills an empty store.
///
/// An error is the caller's own: it takes everything back, and comes back as [`super::StoreError::Aborted`].
pub trait Load {
    /// What the store's writer epoch is raised above, so that no lease of the rows is taken for one of its own.
    fn writer_epoch(&self) -> i64;

    /// The next rows; none behind the last.
    ///
    /// # Errors
    ///
    /// The caller's own.
    fn next(&mut self) -> Result<Option<Batch>, String>;

    /// Looks at all of the rows before they are committed, and names what is to be changed with them.
    ///
    /// # Errors
    ///
    /// The caller's own.
    fn conclude(&mut self, reader: &mut dyn Reader) -> Result<Vec<Change>, String>;
}
