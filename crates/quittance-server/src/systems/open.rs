//! From a system's configuration to the system itself.

use super::csv::Csv;
use super::ledger::Ledger;
use super::sqlite::{self, Sqlite};
use super::{System, SystemError};
use crate::config::{Secret, System as Configured};
use std::path::Path;

/// Opens a configured system for reading, with its secret where it has one. `data` is the data directory of the command,
/// for the ledger where none is configured.
///
/// # Errors
///
/// [`SystemError`] when what is configured is not there or cannot be reached.
pub fn open(
    name: &str,
    system: &Configured,
    secret: Option<Secret>,
    data: &Path,
) -> Result<Box<dyn System>, SystemError> {
    Ok(match system {
        Configured::Sqlite { path } => Box::new(Sqlite::open(name, path, sqlite::PATIENCE)?),
        Configured::Csv { path, delimiter, null } => Box::new(Csv::open(name, path, *delimiter, null)?),
        Configured::Ledger { data: own, tenant } => {
            Box::new(Ledger::open(name, own.as_deref().unwrap_or(data), tenant.as_deref())?)
        }
        // The arms of these two kinds take the secret, and go here.
        Configured::Postgres { .. } | Configured::Stripe { .. } => {
            drop(secret);
            let what = format!("the system `{name}` is of the kind {}, which cannot be opened yet", system.kind());
            return Err(SystemError::configuration(what, "name one of the kinds sqlite, csv or ledger"));
        }
    })
}
