//! What the columns of a list are for: those that find a record, those that are set, and those that say what it holds.

use super::{ImportError, List};
use crate::config::{ColumnRef, Pair};
use crate::systems::{Description, names};
use quittance_core::pair::{Column, Side, Which};
use quittance_core::record::value::Type;

/// What begins the name of a column that says what a record is expected to hold.
const OLD: &str = "old:";

/// The columns of a list. Columns of the side are named by their index in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// What is read of each record.
    pub(super) side: Side,
    /// Cells that find a record, and the columns they are compared with.
    pub(super) key: Vec<(usize, usize)>,
    /// Cells that are set, and the columns they are set in.
    pub(super) set: Vec<(usize, usize)>,
    /// Cells that say what is expected, and of which columns.
    pub(super) old: Vec<(usize, usize)>,
    /// Columns whose values have to stay until the record is written.
    pub(super) expected: Vec<usize>,
    /// What each column of the side is declared as.
    pub(super) types: Vec<Option<Type>>,
}

/// Which table is meant.
pub(super) struct Table<'a> {
    pub(super) pair: &'a Pair,
    pub(super) which: Which,
    pub(super) description: &'a Description,
}

impl Table<'_> {
    fn place(&self) -> (&str, &str) {
        let side = if self.which == Which::Left { &self.pair.left } else { &self.pair.right };
        (&side.system, &side.object)
    }

    fn has(&self, name: &str) -> bool {
        self.description.columns.iter().any(|(known, _)| known == name)
            || self.description.identity.iter().any(|known| known == name)
    }

    fn check(&self, name: &str) -> Result<(), ImportError> {
        let (system, object) = self.place();
        if !self.has(name) {
            let known: Vec<&str> = self.description.columns.iter().map(|(known, _)| known.as_str()).collect();
            let error = names::no_column(system, object, name, &known);
            return Err(ImportError::list(format!("the list has a column `{name}`: {}", error.what), error.remedy));
        }
        if self.description.unreadable.iter().any(|hidden| hidden == name) {
            let what = format!("the role that writes may not read `{name}` in `{object}` of the system `{system}`");
            return Err(ImportError::list(what, "what is written is read back: grant it SELECT, too"));
        }
        Ok(())
    }

    /// What each column of a list is for.
    ///
    /// # Errors
    ///
    /// [`ImportError::List`] where a column is not there, where nothing would be set, or nothing finds a record.
    pub(super) fn columns(&self, list: &List, key: &[String]) -> Result<Columns, ImportError> {
        let (system, object) = self.place();
        if self.description.identity.is_empty() {
            let what = format!("nothing tells the records of `{object}` of the system `{system}` apart");
            return Err(ImportError::list(what, "give it a primary key, or a unique index that is never NULL"));
        }
        let key = self.key(list, key)?;
        let mut side = Side::default();
        let mut at = |name: &str| side.column(Column::plain(name));
        let identity: Vec<usize> = self.description.identity.iter().map(|name| at(name)).collect();
        let mut columns = (Vec::new(), Vec::new(), Vec::new());
        for (cell, name) in list.header.iter().enumerate() {
            let expected = name.strip_prefix(OLD).filter(|_| !self.has(name));
            self.check(expected.unwrap_or(name))?;
            let column = at(expected.unwrap_or(name));
            match expected {
                Some(_) => columns.2.push((cell, column)),
                None if key.contains(name) => columns.0.push((cell, column)),
                None if identity.contains(&column) => {
                    let what = format!("`{name}` tells the records of `{object}` apart, and stays");
                    return Err(ImportError::list(
                        what,
                        format!("find the records by it (--key {name}), or leave it out"),
                    ));
                }
                None => columns.1.push((cell, column)),
            }
        }
        let (found_by, set, old) = columns;
        if set.is_empty() {
            return Err(ImportError::list("the list has nothing to set", "name the columns that are to be corrected"));
        }
        // Whoever changed the record since it was read is noticed.
        let touched = (if self.which == Which::Left { &self.pair.left } else { &self.pair.right }).updated_at.as_ref();
        let touched =
            touched.filter(|column| is_plain(column) && self.has(&column.name)).map(|column| at(&column.name));
        let named = set.iter().chain(&old).chain(&found_by).map(|(_, column)| *column).chain(touched);
        let mut expected = Vec::new();
        named.filter(|column| !identity.contains(column)).for_each(|column| {
            if !expected.contains(&column) {
                expected.push(column);
            }
        });
        let types = side.columns.iter().map(|column| self.declared(&column.name)).collect();
        Ok(Columns { side: Side { identity, ..side }, key: found_by, set, old, expected, types })
    }

    fn declared(&self, name: &str) -> Option<Type> {
        self.description.columns.iter().find(|(known, _)| known == name).and_then(|(_, declared)| *declared)
    }

    /// The columns that find a record: what somebody named, or what tells records apart, or what the pair matches by.
    fn key(&self, list: &List, named: &[String]) -> Result<Vec<String>, ImportError> {
        let has = |name: &String| list.header.contains(name);
        if !named.is_empty() {
            if let Some(missing) = named.iter().find(|name| !has(name)) {
                let known: Vec<&str> = list.header.iter().map(String::as_str).collect();
                let what = format!("the list has no column `{missing}`, by which its records are to be found");
                return Err(ImportError::list(what, names::remedy(missing, &known)));
            }
            return Ok(named.to_vec());
        }
        let identity = &self.description.identity;
        if identity.iter().all(has) {
            return Ok(identity.clone());
        }
        let (left, right) = &self.pair.rules[0];
        let rule = if self.which == Which::Left { left } else { right };
        let names: Vec<String> = rule.iter().map(|column| column.name.clone()).collect();
        if rule.iter().all(is_plain) && names.iter().all(has) {
            return Ok(names);
        }
        let what = format!("the list has neither `{}` nor `{}`", identity.join(","), names.join(","));
        Err(ImportError::list(what, "name the column by which its records are found: --key COLUMN"))
    }
}

fn is_plain(column: &ColumnRef) -> bool {
    column.pointer.is_none() && column.steps.is_empty()
}
