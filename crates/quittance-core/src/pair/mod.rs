//! Pairs: two systems that should agree, and how their records are matched and compared.
//!
//! Everything here is pure. Rows come in as values in the order of a side's columns, and leave as encoded records
//! ([`row`]); sorted streams of them are joined ([`join`]) and compared ([`compare`]), and what differs is suspect until
//! it was seen twice ([`settle`]); rules say what is then written ([`repair`]). Does not own where rows come from, nor the
//! writing.

pub mod compare;
pub mod detect;
pub mod digest;
pub mod groups;
pub mod join;
pub mod lag;
pub mod proof;
pub mod repair;
pub mod row;
pub mod run;
pub mod schedule;
pub mod settle;
pub mod transform;
pub mod value_map;

#[cfg(test)]
mod tests;

use crate::pair::groups::Unit;
use transform::Transform;
use value_map::ValueMap;

/// Which of the two systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    /// The first that is named, by custom one's own.
    Left,
    /// The other.
    Right,
}

impl Which {
    /// The name in configuration and results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// Two systems that should agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its name in the configuration.
    pub name: String,
    /// What is read of the left system.
    pub left: Side,
    /// What is read of the right system.
    pub right: Side,
    /// What is compared, in the order of both sides' [`Side::fields`].
    pub fields: Vec<Field>,
}

/// What is read of one system, and what each value of a row is for. Indexes are into `columns`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Side {
    /// The values of a row, in order.
    pub columns: Vec<Column>,
    /// What tells two records of this system apart: its primary key. Empty where nothing does: then every row is a record
    /// of its own.
    pub identity: Vec<usize>,
    /// One key for each rule of matching, in the order the rules are tried. The other side has as many.
    pub rules: Vec<Vec<usize>>,
    /// What is compared.
    pub fields: Vec<usize>,
    /// When a record was last modified, where the system tells.
    pub modified: Option<usize>,
    /// What records are counted by.
    pub groups: Vec<(usize, Unit)>,
    /// Whose record it is, where that is said: a customer may have several.
    pub customer: Option<usize>,
}

/// One value of a row: where it is found, and what is made of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// A column's name, or a field's of an object. What starts with `/` is a JSON pointer (RFC 6901) into the object.
    pub name: String,
    /// Inside a column that holds JSON: where. `*` stands for every element of an array.
    pub pointer: Option<String>,
    /// What is done to it, in order.
    pub transforms: Vec<Transform>,
}

impl Column {
    /// A column as it is.
    #[must_use]
    pub fn plain(name: impl Into<String>) -> Self {
        Self { name: name.into(), pointer: None, transforms: Vec::new() }
    }
}

/// What is compared under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The left name, which results use.
    pub name: String,
    /// Which words of the right mean which of the left; without, values are compared as they are.
    pub values: Option<ValueMap>,
}

impl Side {
    /// The index of a column, which is added where it is new.
    pub fn column(&mut self, column: Column) -> usize {
        self.columns.iter().position(|known| *known == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }
}

impl Pair {
    /// One of its sides.
    #[must_use]
    pub const fn side(&self, which: Which) -> &Side {
        match which {
            Which::Left => &self.left,
            Which::Right => &self.right,
        }
    }
}
