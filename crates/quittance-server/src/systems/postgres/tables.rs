//! The tables of a database that are compared, as its catalogue describes them, and what is said where it does not.

use super::failure::ROW_SECURITY;
use super::session::{Row, Session};
use crate::systems::{SystemError, names};
use quittance_connectors::sql::postgres::catalog::{self, LISTED_MAX, Table};
use quittance_connectors::sql::postgres::quote::{identifier, table_names};
use quittance_connectors::sql::postgres::{Reader, UnknownColumn};
use quittance_core::pair::Side;
use std::collections::BTreeMap;

/// Tables by the names they are configured under.
#[derive(Default)]
pub(super) struct Tables {
    known: BTreeMap<String, Table>,
}

impl Tables {
    /// A table that was described before.
    pub(super) fn known(&self, object: &str) -> Option<&Table> {
        self.known.get(object)
    }

    /// A table, described when it is first asked for.
    ///
    /// # Errors
    ///
    /// When there is none, when the role that reads may not, or when the database cannot be reached.
    pub(super) fn described(&mut self, session: &mut Session, object: &str) -> Result<&Table, SystemError> {
        if !self.known.contains_key(object) {
            let table = describe(session, object)?;
            self.known.insert(object.to_owned(), table);
        }
        Ok(&self.known[object])
    }
}

/// Reads what a side wants of a table.
///
/// # Errors
///
/// When a column is missing, holds no JSON for a pointer, or may not be read.
pub(super) fn reader(
    system: &str,
    role: &str,
    object: &str,
    table: &Table,
    side: &Side,
) -> Result<Reader, SystemError> {
    let reader = Reader::new(table, side).map_err(|error| match &error {
        UnknownColumn::Missing(column) => {
            let known: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            names::no_column(system, object, column, &known)
        }
        UnknownColumn::NoJson(_) => {
            let what = format!("`{object}` of the system `{system}`: {error}");
            SystemError::configuration(what, "leave json_pointer out, or cast the column to jsonb in a view")
        }
    })?;
    let wanted = side.columns.iter().filter_map(|column| table.column(&column.name));
    let hidden: Vec<String> =
        wanted.filter(|(_, column)| !column.may_select).map(|(_, column)| identifier(&column.name)).collect();
    if hidden.is_empty() {
        return Ok(reader);
    }
    let what = format!("the role `{role}` may not read {} of `{object}` of the system `{system}`", hidden.join(", "));
    let grant = format!("GRANT SELECT ({}) ON {} TO {}", hidden.join(", "), table.quoted(), identifier(role));
    Err(SystemError::configuration(what, grant))
}

fn describe(session: &mut Session, object: &str) -> Result<Table, SystemError> {
    let role = session.moment()?.role;
    let nonsense = |session: &Session| session.place().nonsense("its catalogue cannot be read");
    let Some(found) = session.rows(&catalog::tables(object))?.pop() else {
        return Err(missing(session, &role, object)?);
    };
    let mut table = catalog::table(&found).ok_or_else(|| nonsense(session))?;
    if !table.has_usage {
        return Err(no_usage(session.system(), &role, &table.schema));
    }
    // Who writes changes what is shown, and is told of no record that is hidden.
    if table.hides_rows && !session.writes() {
        let what =
            format!("a policy hides rows of `{object}` of the system `{}` from the role `{role}`", session.system());
        return Err(SystemError::configuration(what, ROW_SECURITY));
    }
    let read = |rows: Vec<Row>| rows.iter().map(|row| catalog::column(row)).collect::<Option<Vec<_>>>();
    table.columns = read(session.rows(&catalog::columns(table.oid))?).ok_or_else(|| nonsense(session))?;
    let read = |rows: Vec<Row>| rows.iter().map(|row| catalog::index(row)).collect::<Option<Vec<_>>>();
    table.indexes = read(session.rows(&catalog::indexes(table.oid))?).ok_or_else(|| nonsense(session))?;
    if table.columns.iter().any(|column| column.may_select) {
        return Ok(table);
    }
    let what = format!("the role `{role}` may not read `{object}` of the system `{}`", session.system());
    let grant = format!("GRANT SELECT ON {} TO {}", table.quoted(), identifier(&role));
    Err(SystemError::configuration(what, grant))
}

/// The names of all tables and views in schemas that may be looked into, those of the search path first.
///
/// # Errors
///
/// When the database cannot be reached.
pub(super) fn listed(session: &mut Session) -> Result<Vec<String>, SystemError> {
    session.moment()?;
    let rows = session.rows(&catalog::everything())?;
    let named = |row: &Row| match row.as_slice() {
        [Some(_), Some(name), Some(is_visible), Some(has_usage)] if is_visible == "t" && has_usage == "t" => {
            Some(name.clone())
        }
        [Some(schema), Some(name), _, Some(has_usage)] if has_usage == "t" => Some(format!("{schema}.{name}")),
        _ => None,
    };
    Ok(rows.iter().filter_map(named).collect())
}

fn no_usage(system: &str, role: &str, schema: &str) -> SystemError {
    let what = format!("the role `{role}` may not look into the schema `{schema}` of the system `{system}`");
    SystemError::configuration(what, format!("GRANT USAGE ON SCHEMA {} TO {}", identifier(schema), identifier(role)))
}

/// Says that there is no such table, and which there are. One in a schema that the role may not look into is hidden from
/// its search path, so that is said instead.
fn missing(session: &mut Session, role: &str, object: &str) -> Result<SystemError, SystemError> {
    let listed = session.rows(&catalog::everything())?;
    let wanted = table_names(object);
    let mut tables = Vec::new();
    for row in &listed {
        let [Some(schema), Some(name), is_visible, has_usage] = row.as_slice() else { continue };
        let has_usage = has_usage.as_deref() == Some("t");
        if !has_usage && wanted.iter().any(|wanted| wanted.name == *name) {
            return Ok(no_usage(session.system(), role, schema));
        }
        if has_usage {
            let is_visible = is_visible.as_deref() == Some("t");
            tables.push(if is_visible { name.clone() } else { format!("{schema}.{name}") });
        }
    }
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    // The same name in a schema that nobody looks into by themselves is likelier than a similar one.
    let elsewhere = tables.iter().find(|table| table.rsplit_once('.').is_some_and(|(_, name)| name == object));
    let remedy = match elsewhere {
        Some(table) => format!("did you mean `{table}`?"),
        None => names::remedy(object, &tables),
    };
    let more = if listed.len() == LISTED_MAX { " among the first 1,000" } else { "" };
    let what = format!("there is no table or view `{object}`{more} in the system `{}`", session.system());
    Ok(SystemError::configuration(what, remedy))
}
