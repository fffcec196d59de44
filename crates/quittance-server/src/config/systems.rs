//! Systems that can be compared: `[systems.NAME]`.

mod http;

pub use http::{Auth, HttpApi, HttpObject};

use super::Dialect;
use super::errors::{Mistakes, Origin};
use super::secrets::{self, SecretRef};
use super::section::Section;
use quittance_connectors::stripe::Flow;
use std::path::PathBuf;

/// Where a system's records are, and how they are reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum System {
    /// A PostgreSQL database.
    Postgres {
        /// How it is reached: `postgres://user:password@host/database`.
        url: SecretRef,
        /// How it is reached by who writes; none where nobody may. Nothing is read for a comparison by it.
        write_url: Option<SecretRef>,
        /// How far a replica may be behind, in seconds.
        lag_max_s: u64,
        /// How long one statement may take, in seconds.
        statement_timeout_s: u64,
    },
    /// An SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Whether repairs may write it.
        writable: bool,
    },
    /// CSV files with headers; an object is a file's name in the folder.
    Csv {
        /// The folder.
        path: PathBuf,
        /// What stands between cells.
        delimiter: u8,
        /// The cell that means NULL.
        null: String,
    },
    /// Stripe, or what speaks its dialect.
    Stripe {
        /// The credential; a restricted key that may only read suffices.
        api_key: SecretRef,
        /// The credential of who writes; none where nobody may. Nothing is read for a comparison by it.
        write_api_key: Option<SecretRef>,
        /// Scheme, host and port, without a trailing slash.
        api_base: String,
        /// Requests in a second, at most.
        requests_per_second_max: u32,
        /// How long a request may take, in milliseconds.
        timeout_ms: u64,
    },
    /// Any JSON API that lists objects.
    Http(HttpApi),
    /// Quittance's own ledger.
    Ledger {
        /// The data directory; none for the one the command is given.
        data: Option<PathBuf>,
        /// The tenant whose records these are; none where there is one only.
        tenant: Option<String>,
    },
}

impl System {
    /// Its kind, as it is configured.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Postgres { .. } => "postgres",
            Self::Sqlite { .. } => "sqlite",
            Self::Csv { .. } => "csv",
            Self::Stripe { .. } => "stripe",
            Self::Http(_) => "http",
            Self::Ledger { .. } => "ledger",
        }
    }

    /// Whether it was said that a list may be written to it.
    #[must_use]
    pub const fn may_be_written(&self) -> bool {
        matches!(self, Self::Postgres { write_url: Some(_), .. } | Self::Sqlite { writable: true, .. })
    }
}

const KINDS: [&str; 6] = ["postgres", "sqlite", "csv", "stripe", "http", "ledger"];

/// Reads a system's table; nothing when something is wrong that has no default.
pub(super) fn parse(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<System> {
    let Some(kind) = section.text("kind", mistakes) else {
        let remedy = format!("add kind = \"postgres\"; known are {}", KINDS.join(", "));
        mistakes.add(origin.clone(), &section.setting("kind"), "missing", remedy);
        return None;
    };
    match kind.value.as_str() {
        "postgres" => postgres(section, origin, mistakes),
        "sqlite" => {
            section.refuse_unknown(&["kind", "path", "writable"], mistakes);
            let writable = section.flag("writable", mistakes);
            Some(System::Sqlite { path: path(section, origin, mistakes)?, writable })
        }
        "csv" => csv(section, origin, mistakes),
        "stripe" => stripe(section, origin, mistakes),
        "http" => http::parse(section, origin, mistakes).map(System::Http),
        "ledger" => {
            section.refuse_unknown(&["kind", "data", "tenant"], mistakes);
            let data = section.text("data", mistakes).map(|found| PathBuf::from(found.value));
            Some(System::Ledger { data, tenant: section.text("tenant", mistakes).map(|found| found.value) })
        }
        _ => {
            let remedy = super::section::unknown_remedy(&kind.value, &KINDS);
            mistakes.add(kind.origin, &section.setting("kind"), "not a kind of system", remedy);
            None
        }
    }
}

fn postgres(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<System> {
    section.refuse_unknown(&["kind", "url", "write_url", "lag_max_s", "statement_timeout_s"], mistakes);
    let lag_max_s = section.number("lag_max_s", 60, 0..=86_400, mistakes).value;
    let statement_timeout_s = section.number("statement_timeout_s", 3_600, 1..=86_400, mistakes).value;
    let remedy = "add url = \"env:APP_DATABASE_URL\", a role that may only SELECT suffices";
    let write_url = secret_if_given(section, "write_url", mistakes);
    let url = secret(section, "url", origin, remedy, mistakes)?;
    Some(System::Postgres { url, write_url, lag_max_s, statement_timeout_s })
}

fn csv(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<System> {
    section.refuse_unknown(&["kind", "path", "delimiter", "null"], mistakes);
    let delimiter = match section.text("delimiter", mistakes) {
        None => b',',
        Some(found) => match found.value.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => *byte,
            _ => {
                let remedy = "write one character, as \",\" or \";\" or \"\\t\"";
                mistakes.add(found.origin, &section.setting("delimiter"), "not a delimiter", remedy);
                b','
            }
        },
    };
    let null = section.text("null", mistakes).map(|found| found.value).unwrap_or_default();
    Some(System::Csv { path: path(section, origin, mistakes)?, delimiter, null })
}

fn stripe(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<System> {
    const KEYS: [&str; 6] = ["kind", "api_key", "write_api_key", "api_base", "requests_per_second_max", "timeout_ms"];
    section.refuse_unknown(&KEYS, mistakes);
    // Half of what Stripe allows a live key for reads, so that the business is not in its way.
    let rate = section.number("requests_per_second_max", 25, 1..=1_000, mistakes).value;
    let timeout_ms = section.number("timeout_ms", 30_000, 100..=600_000, mistakes).value;
    let dialect = Some(Dialect::Stripe(Flow::PaymentIntents));
    let api_base = super::gateway::api_base(section, dialect, origin, mistakes)?;
    let write_api_key = secret_if_given(section, "write_api_key", mistakes);
    let remedy = "add api_key = \"env:STRIPE_API_KEY\", a restricted key that may only read suffices";
    let api_key = secret(section, "api_key", origin, remedy, mistakes)?;
    // The range fits 32 bits.
    Some(System::Stripe { api_key, write_api_key, api_base, requests_per_second_max: rate as u32, timeout_ms })
}

fn path(section: &Section<'_>, origin: &Origin, mistakes: &mut Mistakes) -> Option<PathBuf> {
    let found = section.text("path", mistakes).filter(|found| !found.value.is_empty());
    if found.is_none() {
        mistakes.add(origin.clone(), &section.setting("path"), "missing", "add path = \"FILE\"");
    }
    found.map(|found| PathBuf::from(found.value))
}

fn secret(
    section: &Section<'_>,
    key: &str,
    origin: &Origin,
    remedy: &str,
    mistakes: &mut Mistakes,
) -> Option<SecretRef> {
    if !section.has(key) {
        mistakes.add(origin.clone(), &section.setting(key), "missing", remedy);
    }
    secret_if_given(section, key, mistakes)
}

fn secret_if_given(section: &Section<'_>, key: &str, mistakes: &mut Mistakes) -> Option<SecretRef> {
    let found = section.text(key, mistakes)?;
    secrets::reference(&found, &section.setting(key), mistakes)
}
