//! What a failure of a database means to whoever configured it: whose mistake, and what would be right.

use crate::systems::SystemError;
use std::error::Error as _;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// What codes begin with of what is wrong with user and password (PostgreSQL, appendix A, class 28).
const AUTHORISATION: &str = "28";

/// Where a failure happened.
pub(super) struct Place<'a> {
    /// Name of the system.
    pub(super) system: &'a str,
    /// Where it is.
    pub(super) address: &'a str,
}

impl Place<'_> {
    /// A failure to connect.
    pub(super) fn connecting(&self, error: Error) -> SystemError {
        let remedy = match error.as_db_error() {
            Some(refusal) => connecting_remedy(refusal.code()),
            None if is_tls(&error) => {
                "check sslmode, sslrootcert and the server's certificate; sslmode=disable does without encryption"
            }
            None => "check host, port and network, and whether the server runs and listens there",
        };
        let what = format!("the system `{}` cannot be reached at {}: {}", self.system, self.address, reason(&error));
        let is_ours = error.as_db_error().is_some_and(|refusal| refusal.code().code().starts_with(AUTHORISATION));
        let failure = SystemError::outside(what, remedy).because(error);
        if is_ours { failure.unauthorised() } else { failure }
    }

    /// A failure of a statement.
    pub(super) fn reading(&self, error: Error) -> SystemError {
        let Some(refusal) = error.as_db_error().filter(|refusal| !is_goodbye(refusal.code())) else {
            let what = format!(
                "the connection to the system `{}` at {} was lost: {}",
                self.system,
                self.address,
                reason(&error)
            );
            return SystemError::outside(what, "nothing was changed; run it again").because(error);
        };
        self.refusing(refusal).because(error)
    }

    /// A refusal by which a statement ended.
    pub(super) fn refusing(&self, refusal: &DbError) -> SystemError {
        let what = format!("the system `{}` refuses: {}", self.system, refusal.message());
        match *refusal.code() {
            SqlState::INSUFFICIENT_PRIVILEGE if refusal.message().contains("row-level security") => {
                SystemError::configuration(what, ROW_SECURITY)
            }
            SqlState::INSUFFICIENT_PRIVILEGE => {
                let remedy =
                    "a view is read with its owner's rights, and functions in it need EXECUTE: grant what is missing";
                SystemError::configuration(what, remedy)
            }
            _ => SystemError::outside(what, reading_remedy(refusal)),
        }
    }

    /// A table that somebody holds as a whole.
    pub(super) fn held(&self, why: &str) -> SystemError {
        let what = format!("the system `{}` lets nothing be written: {why}", self.system);
        SystemError::outside(what, "nothing was changed; something holds the table: run it again afterwards")
    }

    /// Silence, where even a failure would have been an answer.
    pub(super) fn silent(&self) -> SystemError {
        let what = format!("the system `{}` at {} does not answer any more", self.system, self.address);
        SystemError::outside(what, "nothing was changed; check the server and the network, and run it again")
    }

    /// An answer that makes no sense.
    pub(super) fn nonsense(&self, what: &str) -> SystemError {
        let what = format!("the system `{}` at {} answers what makes no sense: {what}", self.system, self.address);
        SystemError::outside(what, "it has to be PostgreSQL 14 or newer, not something that resembles it")
    }
}

/// What a refusal means to whoever writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Two transactions were in each other's way.
    Conflict,
    /// Somebody holds what is to be written.
    Locked,
    /// No record can be written.
    Stop,
    /// One of the records cannot be.
    Record,
}

impl Verdict {
    pub(super) fn of(refusal: &DbError) -> Self {
        match refusal.code().code() {
            "40001" | "40P01" => Self::Conflict,
            "55P03" => Self::Locked,
            // Connections, state of the transaction, resources, somebody's intervention, the machine, damage.
            code if ["08", "25", "53", "57", "58", "XX001", "XX002"].iter().any(|class| code.starts_with(class)) => {
                Self::Stop
            }
            _ => Self::Record,
        }
    }
}

/// Most letters of what a database says that are repeated.
const SAID_MAX: usize = 500;

/// Why a record is refused, in the database's words: what it says beside them may repeat the whole record.
pub(super) fn why(refusal: &DbError) -> String {
    let said: String = refusal.message().chars().take(SAID_MAX).collect();
    format!("{}: {said}", refusal.code().code())
}

/// What would be right where a policy hides rows.
pub(super) const ROW_SECURITY: &str =
    "rows that a policy hides would look as if they were missing: give the role BYPASSRLS, or compare a view";

fn connecting_remedy(code: &SqlState) -> &'static str {
    match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "check user and password in the url, and pg_hba.conf of the server"
        }
        SqlState::INVALID_CATALOG_NAME => "check the name of the database behind the last / of the url",
        SqlState::TOO_MANY_CONNECTIONS => "free a connection, or raise max_connections of the server",
        SqlState::CANNOT_CONNECT_NOW => "wait until the server has started, and run it again",
        SqlState::INSUFFICIENT_PRIVILEGE => "grant the role CONNECT on the database",
        _ => "see the server's log",
    }
}

fn reading_remedy(refusal: &DbError) -> &'static str {
    let is_replica = refusal.message().contains("conflict with recovery");
    match *refusal.code() {
        _ if is_replica => {
            "the replica had to go on: raise max_standby_streaming_delay, switch hot_standby_feedback on, or read the primary"
        }
        SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE => {
            "nothing was changed; others change the same records: run it again"
        }
        SqlState::QUERY_CANCELED => "raise statement_timeout_s of the system, or see who canceled it",
        SqlState::LOCK_NOT_AVAILABLE => "something changes or empties the table: run it again afterwards",
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => {
            "the other side took long: raise statement_timeout_s of the system"
        }
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => {
            "nothing was changed; run it again when the server is back"
        }
        _ => "see the server's log",
    }
}

/// Whether the server ends the session, which it often has no time to say.
pub(super) fn is_goodbye(code: &SqlState) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::DATABASE_DROPPED].contains(code)
}

fn is_tls(error: &Error) -> bool {
    error.to_string().contains("TLS")
}

/// The innermost cause, which says more than what is around it.
fn reason(error: &Error) -> String {
    if let Some(refusal) = error.as_db_error() {
        return refusal.message().to_owned();
    }
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    reason
}
