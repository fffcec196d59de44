//! Samples of a table: its columns, and some of its rows.

use crate::pair::Column;
use crate::record::value::{Type, Value};
use std::collections::BTreeSet;

/// Longest text that can be a key or a word, in bytes; longer ones are no column's to compare.
pub const TEXT_BYTES_MAX: usize = 512;

/// A column of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleColumn {
    /// Its name; what starts with `/` is a pointer into the object.
    pub name: String,
    /// Its type, where it is declared.
    pub declared: Option<Type>,
}

/// Some rows of a table.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The columns, in order.
    pub columns: Vec<SampleColumn>,
    /// Rows, each with a value for every column.
    pub rows: Vec<Vec<Value<'static>>>,
    /// How many of them, from the first, were drawn from all over the table. The others were looked up because the other
    /// side has them, and say nothing about how many there are.
    pub drawn: usize,
    /// Names of the columns that tell two records apart.
    pub identity: Vec<String>,
    /// Which identities are decided: that a record with one of them is not among the rows means that there is none.
    pub decided: Decided,
}

/// Which records are known to be there or not.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Decided {
    /// All of them: every record is in the sample.
    #[default]
    All,
    /// Those that were looked up, by the text of their identity: keys that were drawn from all over the other side.
    Only(BTreeSet<String>),
}

impl Decided {
    /// Whether every record is in the sample.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }
}

impl Sample {
    /// Where a column is.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The rows that were drawn.
    pub(super) fn fair_rows(&self) -> &[Vec<Value<'static>>] {
        &self.rows[..self.drawn.min(self.rows.len())]
    }

    /// The values of a column.
    pub(super) fn values(&self, at: usize) -> impl Iterator<Item = &Value<'static>> {
        self.rows.iter().map(move |row| &row[at])
    }

    /// A column as it is, for a pair.
    pub(super) fn column(&self, at: usize) -> Column {
        Column::plain(self.columns[at].name.clone())
    }

    /// The type of all values that are something: the declared one, or the one all of them have.
    pub(super) fn type_of(&self, at: usize) -> Option<Type> {
        let mut types = self.values(at).filter_map(Value::value_type);
        let first = types.next()?;
        types.all(|other| other == first).then_some(first)
    }
}
