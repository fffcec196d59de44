//! What an SQLite file has: tables and views, their columns, and what tells their rows apart.

use super::error::At;
use crate::systems::{SystemError, names};
use quittance_connectors::sql::sqlite::write::GENERATED;
use quittance_connectors::sql::sqlite::{self as sql, Declared, Read};
use quittance_core::pair::{Column, Side};
use rusqlite::Connection;

/// The names under which SQLite knows the number of a row, unless a column has them.
const ROWIDS: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// A table or view.
pub(super) struct Object {
    /// As it was created.
    pub(super) name: String,
    pub(super) columns: Vec<Read>,
    /// The primary key in its order; for each whether it may hold NULL.
    key: Vec<(String, bool)>,
    /// The name of the row's number, where it has one.
    rowid: Option<&'static str>,
    is_view: bool,
}

impl Object {
    /// A column of this name, as SQLite finds it: whatever the case.
    pub(super) fn column(&self, name: &str) -> Option<Read> {
        let exact = self.columns.iter().find(|column| column.name == name);
        let column = exact.or_else(|| self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)));
        column.cloned().or_else(|| {
            let is_rowid = self.rowid.is_some() && ROWIDS.iter().any(|rowid| rowid.eq_ignore_ascii_case(name));
            is_rowid.then(|| Read { name: name.to_ascii_lowercase(), declared: Declared::Number, pointer: None })
        })
    }

    /// Whether this is the name of the row's number, and of no column.
    pub(super) fn is_rowid(&self, name: &str) -> bool {
        self.rowid == Some(name)
    }

    /// Whether it is a view, which has no rows of its own.
    pub(super) const fn is_view(&self) -> bool {
        self.is_view
    }

    /// The columns whose stored values are those of one row alone; none where there are none.
    pub(super) fn locator(&self) -> Vec<&str> {
        match self.rowid {
            Some(rowid) => vec![rowid],
            None => self.key.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }

    /// The statement that says how many rows there are, if a quick one does.
    pub(super) fn estimate(&self) -> Option<String> {
        (!self.is_view).then(|| sql::estimate(&self.name, self.rowid))
    }
}

/// Finds a table or view by its name.
pub(super) fn object(connection: &Connection, at: At<'_>, name: &str) -> Result<Object, SystemError> {
    let found = objects(connection).map_err(|error| at.error(error))?;
    let exact = found.iter().find(|found| found.0 == name);
    let Some((name, kind, is_without_rowid)) =
        exact.or_else(|| found.iter().find(|it| it.0.eq_ignore_ascii_case(name)))
    else {
        let known: Vec<&str> = found.iter().map(|found| found.0.as_str()).collect();
        let what = format!("there is no table or view `{name}` in {} of the system `{}`", at.path.display(), at.system);
        return Err(SystemError::configuration(what, names::remedy(name, &known)));
    };
    let (columns, key) = columns_of(connection, name).map_err(|error| at.error(error))?;
    let is_free = |rowid: &&&str| !columns.iter().any(|column: &Read| column.name.eq_ignore_ascii_case(rowid));
    let has_rowid = kind != "view" && !is_without_rowid;
    let rowid = ROWIDS.iter().find(is_free).copied().filter(|_| has_rowid);
    Ok(Object { name: name.clone(), columns, key, rowid, is_view: kind == "view" })
}

/// The names of all tables and views.
pub(super) fn names(connection: &Connection, at: At<'_>) -> Result<Vec<String>, SystemError> {
    let found = objects(connection).map_err(|error| at.error(error))?;
    let mut names: Vec<String> = found.into_iter().map(|(name, ..)| name).collect();
    names.sort();
    Ok(names)
}

fn objects(connection: &Connection) -> rusqlite::Result<Vec<(String, String, bool)>> {
    let mut statement = connection.prepare_cached(sql::OBJECTS)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

type Columns = (Vec<Read>, Vec<(String, bool)>);

fn columns_of(connection: &Connection, object: &str) -> rusqlite::Result<Columns> {
    let mut statement = connection.prepare_cached(sql::COLUMNS)?;
    let mut rows = statement.query([object])?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (name, declared): (String, String) = (row.get(0)?, row.get(1)?);
        let (refuses_null, place): (bool, i64) = (row.get(2)?, row.get(3)?);
        if place > 0 {
            key.push((place, name.clone(), !refuses_null));
        }
        columns.push(Read { name, declared: Declared::of(&declared), pointer: None });
    }
    key.sort();
    Ok((columns, key.into_iter().map(|(_, name, may_be_null)| (name, may_be_null)).collect()))
}

/// What tells rows apart: the primary key, unless a row has NULL in it, which SQLite allows; then, and without a primary
/// key, the number of the row. Nothing does in a view.
pub(super) fn identity(connection: &Connection, at: At<'_>, object: &Object) -> Result<Vec<String>, SystemError> {
    let rowid = || object.rowid.map(str::to_owned).into_iter().collect();
    if object.key.is_empty() {
        return Ok(rowid());
    }
    let nullable: Vec<&str> = object.key.iter().filter(|(_, may_be)| *may_be).map(|(name, _)| name.as_str()).collect();
    if object.rowid.is_some() && !nullable.is_empty() {
        let statement = sql::has_null(&object.name, &nullable);
        let has_null = connection.query_row(&statement, [], |row| row.get::<_, bool>(0));
        if has_null.map_err(|error| at.error(error))? {
            return Ok(rowid());
        }
    }
    Ok(object.key.iter().map(|(name, _)| name.clone()).collect())
}

/// What has to be read for a side, in the order of its columns.
pub(super) fn columns(at: At<'_>, object: &Object, side: &Side) -> Result<Vec<Read>, SystemError> {
    let read = |column: &Column| match object.column(&column.name) {
        Some(read) => Ok(Read { pointer: column.pointer.clone(), ..read }),
        None => {
            let known: Vec<&str> = object.columns.iter().map(|column| column.name.as_str()).collect();
            Err(names::no_column(at.system, &object.name, &column.name, &known))
        }
    };
    side.columns.iter().map(read).collect()
}

/// Columns that SQLite makes itself.
pub(super) fn generated(connection: &Connection, at: At<'_>, object: &Object) -> Result<Vec<String>, SystemError> {
    let names = || {
        let mut statement = connection.prepare_cached(GENERATED)?;
        let names = statement.query_map([&object.name], |row| row.get(0))?;
        names.collect::<rusqlite::Result<_>>()
    };
    names().map_err(|error| at.error(error))
}

/// Whether an index, or the row's number, leads to rows by one of these columns.
pub(super) fn is_indexed(
    connection: &Connection,
    at: At<'_>,
    object: &Object,
    columns: &[&str],
) -> Result<bool, SystemError> {
    let is_wanted = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    if object.is_view {
        return Ok(false);
    }
    // The row's number, which a primary key that is one whole number is too.
    let is_numbered = object.rowid.is_some() && ROWIDS.iter().any(|rowid| is_wanted(rowid));
    if is_numbered || object.key.first().is_some_and(|(name, _)| is_wanted(name)) {
        return Ok(true);
    }
    let indexed = || {
        let mut statement = connection.prepare_cached(sql::INDEXED)?;
        let names = statement.query_map([&object.name], |row| row.get::<_, Option<String>>(0))?;
        names.collect::<rusqlite::Result<Vec<_>>>()
    };
    let indexed = indexed().map_err(|error| at.error(error))?;
    Ok(indexed.iter().flatten().any(|name| is_wanted(name)))
}
