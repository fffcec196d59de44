//! From a system's configuration to the system itself, and to what writes it.

use super::csv::Csv;
use super::http::{Http, HttpWriter};
use super::ledger::Ledger;
use super::postgres::{Postgres, PostgresWriter};
use super::sqlite::{self, Sqlite, SqliteWriter};
use super::stripe::{Account, Stripe, StripeWriter};
use super::write::{Triggers, WriteOptions, Writer};
use super::{Patience, System, SystemError};
use crate::config::{Auth, HttpApi, Secret, System as Configured};
use crate::data::Data;
use std::time::Duration;

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
    data: &Data,
) -> Result<Box<dyn System>, SystemError> {
    open_with(name, system, secret, data, Patience::default())
}

/// The same, bothered so long where it does not answer as it should.
///
/// # Errors
///
/// As [`open`].
pub(crate) fn open_with(
    name: &str,
    system: &Configured,
    secret: Option<Secret>,
    data: &Data,
    patience: Patience,
) -> Result<Box<dyn System>, SystemError> {
    Ok(match system {
        Configured::Sqlite { path, .. } => Box::new(Sqlite::open(name, path, sqlite::PATIENCE)?),
        Configured::Csv { path, delimiter, null } => Box::new(Csv::open(name, path, *delimiter, null)?),
        Configured::Ledger { data: own, tenant } => {
            let own = own.as_deref().map(Data::from);
            Box::new(Ledger::open(name, own.as_ref().unwrap_or(data), tenant.as_deref())?)
        }
        Configured::Http(api) => Box::new(Http::open(name, api, secret.as_ref(), patience)?),
        Configured::Stripe { .. } => {
            let api_key = secret.ok_or_else(|| without_secret(name))?;
            let account = account(name, system, &api_key).ok_or_else(|| without_secret(name))?;
            Box::new(Stripe::open(&Account { patience, ..account })?)
        }
        Configured::Postgres { lag_max_s, statement_timeout_s, .. } => {
            let url = secret.ok_or_else(|| without_secret(name))?;
            Box::new(Postgres::new(name, &url, *lag_max_s, *statement_timeout_s)?)
        }
    })
}

/// Opens a configured system for writing, where it was said that it may be, with the secret of
/// [`crate::config::Config::write_secret`]. What [`open`] reads by is never used.
///
/// # Errors
///
/// [`SystemError`] when nobody said that it may be written, when it cannot be, or not yet.
pub fn writer(
    name: &str,
    system: &Configured,
    secret: Option<&Secret>,
    options: WriteOptions,
) -> Result<Box<dyn Writer>, SystemError> {
    let refused = |remedy: &str| {
        SystemError::configuration(format!("nobody said that the system `{name}` may be written"), remedy)
    };
    match system {
        Configured::Postgres { write_url: None, .. } => {
            Err(refused("add write_url = \"env:APP_WRITE_URL\", of a role that may SELECT and UPDATE what is repaired"))
        }
        Configured::Postgres { statement_timeout_s, .. } => {
            let url = secret.ok_or_else(|| without_secret(name))?;
            Ok(Box::new(PostgresWriter::new(name, url, *statement_timeout_s, options)?))
        }
        Configured::Sqlite { writable: false, .. } => Err(refused("add writable = true")),
        Configured::Sqlite { path, .. } => Ok(Box::new(SqliteWriter::open(name, path, sqlite::PATIENCE, options)?)),
        Configured::Stripe { write_api_key: None, .. } => Err(refused(
            "add write_api_key = \"env:STRIPE_WRITE_KEY\", a restricted key with Write on what is repaired",
        )),
        Configured::Stripe { .. } => {
            refuse_triggers(name, system, &options)?;
            let api_key = secret.ok_or_else(|| without_secret(name))?;
            Ok(Box::new(StripeWriter::open(&account(name, system, api_key).ok_or_else(|| without_secret(name))?)?))
        }
        Configured::Http(api) if api.objects.values().all(|object| object.update.is_none()) => {
            Err(refused("add write = \"/…/{key}\" and writable_fields to what is repaired of its objects"))
        }
        Configured::Http(HttpApi { auth, write_token: None, .. }) if *auth != Auth::None => {
            Err(refused("add write_token = \"env:CRM_WRITE_TOKEN\", which may read and write what is repaired"))
        }
        Configured::Http(api) => {
            refuse_triggers(name, system, &options)?;
            Ok(Box::new(HttpWriter::open(name, api, secret, Patience::default())?))
        }
        Configured::Csv { .. } | Configured::Ledger { .. } => {
            let what = format!("the system `{name}` is of the kind {}, which cannot be written yet", system.kind());
            Err(SystemError::configuration(what, "repair the other side, or this one by hand"))
        }
    }
}

/// How the account of a system that is one is reached, with this key.
fn account<'a>(name: &'a str, system: &'a Configured, api_key: &'a Secret) -> Option<Account<'a>> {
    let Configured::Stripe { api_base, requests_per_second_max, timeout_ms, .. } = system else { return None };
    Some(Account {
        name,
        api_base,
        api_key,
        requests_per_second_max: *requests_per_second_max,
        timeout: Duration::from_millis(*timeout_ms),
        patience: Patience::default(),
    })
}

fn refuse_triggers(name: &str, system: &Configured, options: &WriteOptions) -> Result<(), SystemError> {
    if options.triggers == Triggers::Fire {
        return Ok(());
    }
    let what = format!("the system `{name}` is of the kind {}, whose automations cannot be skipped", system.kind());
    Err(SystemError::configuration(what, "write triggers = \"fire\""))
}

/// Opens a configured system that may be written for reading, as [`writer`] has it: the primary, which no replica is behind.
///
/// # Errors
///
/// As [`writer`].
pub fn primary(name: &str, system: &Configured, secret: Option<&Secret>) -> Result<Box<dyn System>, SystemError> {
    match system {
        Configured::Postgres { write_url: Some(_), statement_timeout_s, .. } => {
            let url = secret.ok_or_else(|| without_secret(name))?;
            Ok(Box::new(Postgres::new(name, url, 0, *statement_timeout_s)?))
        }
        Configured::Sqlite { writable: true, path, .. } => Ok(Box::new(Sqlite::open(name, path, sqlite::PATIENCE)?)),
        // It says why it may not be written.
        _ => writer(name, system, secret, WriteOptions::default()).and_then(|_| {
            let what = format!("a list cannot be written to the system `{name}`, of the kind {}", system.kind());
            Err(SystemError::configuration(what, "only the kinds postgres and sqlite write all of it or nothing"))
        }),
    }
}

fn without_secret(name: &str) -> SystemError {
    SystemError::configuration(format!("system `{name}` has no credential"), "set the variable that it refers to")
}
