//! How a table is declared: columns, key, constraints, queue. Data only; each store renders it in its own way.

use crate::value::{Key, Row, Value};
use std::fmt;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 64-bit integer.
    Integer,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
}

/// Whether a column may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nullability {
    /// Always has a value.
    Required,
    /// May be null.
    Optional,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name in every dialect.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullability: Nullability,
    /// Whether it is encrypted where there are keys: bytes that are in no key, no index and no lane.
    pub is_sealed: bool,
}

/// Whether an index is a constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// At most one row for each combination of values.
    Unique,
    /// Any number of rows.
    Many,
}

/// A secondary index. Rows in which any of its columns is null are not in it.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Name, unique in the database.
    pub name: &'static str,
    /// Indexed columns, in order.
    pub columns: &'static [&'static str],
    /// Whether it is a constraint.
    pub uniqueness: Uniqueness,
}

/// One table.
pub struct Table {
    /// Name in every dialect.
    pub name: &'static str,
    /// Columns, in order; the first `key_columns` are the primary key.
    pub columns: &'static [Column],
    /// How many leading columns make the primary key.
    pub key_columns: usize,
    /// Secondary indexes.
    pub indexes: &'static [Index],
    /// Whether rows can be claimed by workers. A queue table declares the columns `due_at` (nullable), `lease_owner` and
    /// `lease_epoch`, columns that make the lane (required), and an index over these and `due_at`. Rows are claimed lane
    /// by lane, so that a lane whose rows cannot be worked on costs the others nothing.
    pub queue: Queue,
    /// How its rows change once they are there.
    pub rows: Rows,
}

/// How the rows of a table change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Never: they are inserted and stay as they are, but for how what they hold is sealed. Whoever reads one needs no lock
    /// to decide over it.
    Fixed,
    /// They are written over as a whole, whatever was there.
    Replaced,
    /// As `Replaced`, or over a known version, which a column of that name counts.
    Versioned,
    /// As `Versioned`, and whoever only reads one goes by what it said a moment ago: that keeps nobody from changing it.
    /// The version alone guards what is written over it.
    Glanced,
}

/// Whether a table is a work queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Rows are claimed through [`crate::store::Store::claim`].
    Claimed {
        /// The columns whose values together name a lane.
        lane: &'static [&'static str],
    },
    /// Not a queue.
    No,
}

/// A table appears by its name, so that changes and scans can be read in a message.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Table {
    /// Position of a column by name.
    ///
    /// # Panics
    ///
    /// When the declaration has no such column: a mistake in the source, not in data.
    #[must_use]
    pub fn position(&self, column: &str) -> usize {
        self.find(column).unwrap_or_else(|| panic!("table {} declares no column {column}", self.name))
    }

    /// Position of a column by name, if it is declared.
    #[must_use]
    pub fn find(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }

    /// Positions of the columns that are encrypted where there are keys.
    pub fn sealed(&self) -> impl Iterator<Item = usize> + use<> {
        let columns = self.columns;
        (0..columns.len()).filter(move |at| columns[*at].is_sealed)
    }

    /// The primary key of a row.
    #[must_use]
    pub fn key_of(&self, row: &Row) -> Key {
        row[..self.key_columns].to_vec()
    }

    /// The row's values of an index, or none when one of them is null and the row is therefore not in the index.
    #[must_use]
    pub fn index_values(&self, index: &Index, row: &Row) -> Option<Vec<Value>> {
        let values: Vec<Value> = index.columns.iter().map(|c| row[self.position(c)].clone()).collect();
        (!values.contains(&Value::Null)).then_some(values)
    }
}
