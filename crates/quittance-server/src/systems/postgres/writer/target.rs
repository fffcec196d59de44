//! Whether what is to be written can be: what is known before anything is.

use crate::systems::postgres::session::Session;
use crate::systems::write::Write;
use crate::systems::{SystemError, names};
use quittance_connectors::sql::postgres::catalog::Table;
use quittance_connectors::sql::postgres::quote::identifier;
use quittance_connectors::sql::postgres::write::{self, Target};
use quittance_core::pair::Side;
use std::collections::BTreeSet;

/// What the catalogue says of a table that is to be written.
///
/// # Errors
///
/// When the database cannot be reached.
pub(super) fn target(session: &mut Session, table: &Table) -> Result<Target, SystemError> {
    let rows = session.rows(&write::target(table.oid))?;
    let columns = rows.iter().map(|row| write::target_column(row)).collect::<Option<Vec<_>>>();
    let columns = columns.ok_or_else(|| session.place().nonsense("its catalogue cannot be read"))?;
    Ok(Target { columns })
}

/// A table that somebody wants to write.
pub(super) struct Asked<'a> {
    pub(super) system: &'a str,
    pub(super) role: &'a str,
    pub(super) object: &'a str,
    pub(super) table: &'a Table,
    pub(super) target: &'a Target,
}

impl Asked<'_> {
    /// Refuses what cannot be written, or may not be.
    ///
    /// # Errors
    ///
    /// With what would be right.
    pub(super) fn check(&self, side: &Side, writes: &[Write], touched: Option<&str>) -> Result<(), SystemError> {
        if let Some(touched) = touched {
            self.check_touched(touched)?;
        }
        let set = writes.iter().flat_map(|write| &write.set).map(|(at, _)| side.columns[*at].name.as_str());
        let set: BTreeSet<&str> = set.chain(touched).collect();
        let mut forbidden = Vec::new();
        for name in set {
            let known = self.target.column(name).ok_or_else(|| self.unknown(name))?;
            let place = format!("`{name}` in `{}` of the system `{}`", self.object, self.system);
            if known.is_generated {
                let remedy = "leave it out of what is repaired: repair what it is made of";
                return Err(SystemError::configuration(format!("PostgreSQL makes {place} itself"), remedy));
            }
            if !known.is_updatable {
                let remedy = "name the table that the view is of, or give the view an INSTEAD OF UPDATE trigger";
                return Err(SystemError::configuration(format!("{place} cannot be written: it is of a view"), remedy));
            }
            if !known.may_update {
                forbidden.push(identifier(name));
            }
        }
        if forbidden.is_empty() {
            return Ok(());
        }
        let columns = forbidden.join(", ");
        let what = format!(
            "the role `{}` may not change {columns} of `{}` of the system `{}`",
            self.role, self.object, self.system
        );
        let grant = format!("GRANT UPDATE ({columns}) ON {} TO {}", self.table.quoted(), identifier(self.role));
        Err(SystemError::configuration(what, grant))
    }

    fn check_touched(&self, name: &str) -> Result<(), SystemError> {
        let (_, column) = self.table.column(name).ok_or_else(|| self.unknown(name))?;
        if column.kind.now().is_some() {
            return Ok(());
        }
        let what = format!(
            "`{name}` in `{}` of the system `{}` holds no times, and cannot be set to now",
            self.object, self.system
        );
        Err(SystemError::configuration(what, "write on_repair = \"keep\", or name a timestamp or date as updated_at"))
    }

    fn unknown(&self, name: &str) -> SystemError {
        let known: Vec<&str> = self.target.columns.iter().map(|column| column.name.as_str()).collect();
        names::no_column(self.system, self.object, name, &known)
    }
}
