//! What PostgreSQL and the network report: what it means for a transaction, and the store's errors.

use quittance_store::store::StoreError;
use quittance_store::tables;
use std::error::Error as _;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity, SqlState};

/// Why something did not come about.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The connection is gone: nothing was committed, unless a commit was under way.
    Lost(String),
    /// Nothing was committed, for others were in the way; tried again it may come about.
    Contended(Error),
    /// A constraint or an expected version refused a change.
    Refused(StoreError),
    /// It is of no use to try again.
    Final(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

/// Where something failed.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// What was tried: a transaction's name, or a gerund.
    pub(crate) operation: &'static str,
    /// Host, port and database.
    pub(crate) place: &'a str,
}

impl At<'_> {
    /// A failure of a statement on an open connection.
    pub(crate) fn asking(&self, table: Option<&'static str>, error: Error) -> Trouble {
        let Some(refusal) = error.as_db_error() else { return Trouble::Lost(reason(&error)) };
        if is_goodbye(refusal) {
            return Trouble::Lost(refusal.message().to_owned());
        }
        let named = || refusal.table().and_then(declared).or(table).unwrap_or("a table");
        match *refusal.code() {
            SqlState::UNIQUE_VIOLATION => Trouble::Refused(StoreError::Conflict { table: named() }),
            // How an update says that it changed fewer rows than it was given.
            SqlState::DIVISION_BY_ZERO if table.is_some() => Trouble::Refused(StoreError::Stale { table: named() }),
            // The writer's own row names another connection: this one has been given up.
            SqlState::DIVISION_BY_ZERO => Trouble::Lost("another connection of this writer took its place".to_owned()),
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::LOCK_NOT_AVAILABLE
            | SqlState::QUERY_CANCELED => Trouble::Contended(error),
            _ => Trouble::Final(self.refused(refusal.code().clone(), error)),
        }
    }

    fn refused(&self, code: SqlState, error: Error) -> StoreError {
        let (place, operation) = (self.place.to_owned(), self.operation);
        match code {
            SqlState::DISK_FULL => StoreError::Full { operation },
            SqlState::READ_ONLY_SQL_TRANSACTION => {
                StoreError::ReadOnly { path: format!("the database at {place}"), source: Some(Box::new(error)) }
            }
            SqlState::INVALID_SQL_STATEMENT_NAME => self.unsuitable(POOLER, POOLER_REMEDY),
            SqlState::INSUFFICIENT_PRIVILEGE => self.unsuitable(&message(&error), OWNER_REMEDY),
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
                StoreError::Corrupt { place: format!("the database at {place}"), what: message(&error) }
            }
            _ => StoreError::Failed { operation, source: Box::new(error) },
        }
    }

    /// A failure to connect: whether it may pass by itself is told by its kind, `Unreachable` or `Unsuitable`.
    pub(crate) fn connecting(&self, error: &Error) -> StoreError {
        let unreachable = |reason: String| StoreError::Unreachable { place: self.place.to_owned(), reason };
        let Some(refusal) = error.as_db_error() else {
            let reason = reason(error);
            if error.to_string().contains("TLS") {
                return self.unsuitable(&reason, TLS_REMEDY);
            }
            return unreachable(reason);
        };
        let remedy = match *refusal.code() {
            SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                "check user and password in the address, and pg_hba.conf of the server"
            }
            SqlState::INVALID_CATALOG_NAME => {
                "check the name of the database behind the last / of the address, or create it"
            }
            SqlState::TOO_MANY_CONNECTIONS => "free a connection, or raise max_connections of the server",
            SqlState::INSUFFICIENT_PRIVILEGE => "grant the role CONNECT on the database",
            _ if refusal.message().contains("startup parameter") => return self.unsuitable(POOLER, POOLER_REMEDY),
            _ => return unreachable(refusal.message().to_owned()),
        };
        self.unsuitable(refusal.message(), remedy)
    }

    pub(crate) fn unsuitable(&self, what: &str, remedy: &'static str) -> StoreError {
        StoreError::Unsuitable { place: self.place.to_owned(), what: what.to_owned(), remedy }
    }

    /// What a trouble comes to when nothing more is tried.
    pub(crate) fn given_up(&self, trouble: Trouble) -> StoreError {
        match trouble {
            Trouble::Lost(reason) => StoreError::Unreachable { place: self.place.to_owned(), reason },
            Trouble::Contended(error) => StoreError::Failed { operation: self.operation, source: Box::new(error) },
            Trouble::Refused(error) | Trouble::Final(error) => error,
        }
    }
}

/// What is said of a pooler.
pub(crate) const POOLER: &str =
    "a connection pooler stands before it, which does not pass on the options of a connection";

/// What is right instead of a pooler.
pub(crate) const POOLER_REMEDY: &str = "name the server itself (often port 5432 rather than 6432): Quittance keeps few \
    connections, and each has settings and statements of its own that a pooler would mix up";

const OWNER_REMEDY: &str = "let the role own its schema: CREATE SCHEMA quittance AUTHORIZATION the_role";

const TLS_REMEDY: &str =
    "check sslmode, sslrootcert and the server's certificate; sslmode=disable does without encryption";

/// Whether the server ends the session.
fn is_goodbye(refusal: &DbError) -> bool {
    let is_fatal = matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    let code = refusal.code().code();
    is_fatal || code.starts_with("57P") || code.starts_with("08") || code == "25P03"
}

fn declared(name: &str) -> Option<&'static str> {
    tables::ALL.iter().find(|table| table.name == name).map(|table| table.name)
}

fn message(error: &Error) -> String {
    error.as_db_error().map_or_else(|| reason(error), |refusal| refusal.message().to_owned())
}

/// An error with its causes, the innermost of which says most.
pub(crate) fn reason(error: &Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    reason
}
