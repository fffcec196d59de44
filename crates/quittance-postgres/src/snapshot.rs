//! A read-only transaction on a connection of its own: every call sees the moment at which it was opened.
//!
//! Writers do not wait for it; what they remove meanwhile is only cleaned away later. Where the connection is lost the
//! moment is lost with it, so nothing is tried again.

use crate::errors::{At, Trouble};
use crate::link::{Ask, Link};
use crate::reader::{self, Statements};
use quittance_store::schema::Table;
use quittance_store::store::{Reader, Scan, Snapshot, StoreError};
use quittance_store::value::{Key, Row};

/// Reads one moment of a database; see [`crate::PostgresDatabase::open_snapshot`].
pub struct PostgresSnapshot {
    link: Link,
    place: String,
    statements: Statements,
    epoch: i64,
    time: i64,
}

/// Whoever reads may take as long as it takes to write down what was read.
const BEGIN: &str =
    "SET idle_in_transaction_session_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY, NOT DEFERRABLE";

/// What time it is, asked before the moment is fixed. A replica shows what it has received, which may be hours behind: there
/// it is the time of the newest commit that it has; where it has replayed none since it was started, of the newest that a
/// writer noted.
const TIME: &str = "SELECT (extract(epoch FROM CASE WHEN pg_is_in_recovery() \
    THEN coalesce(pg_last_xact_replay_timestamp(), (SELECT max(committed_at) FROM writers), to_timestamp(0)) \
    ELSE clock_timestamp() END) * 1000000)::bigint";

/// The first statement of the transaction fixes the moment.
const EPOCH: &str = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM writer_epochs";

impl PostgresSnapshot {
    /// Begins the transaction, which ends with the connection.
    pub(crate) fn begin(mut link: Link, place: String) -> Result<Self, StoreError> {
        let at = At { operation: "opening a snapshot", place: &place };
        let asked = link.ask(at, &[Ask::control(TIME)]).and_then(|time| {
            link.run(at, BEGIN)?;
            Ok((link.ask(at, &[Ask::control(EPOCH)])?, time))
        });
        let (epoch, time) = asked.map_err(|trouble| at.given_up(trouble))?;
        let number = |rows: &[Vec<tokio_postgres::Row>]| rows.iter().flatten().next()?.try_get::<_, i64>(0).ok();
        let silent = || at.given_up(Trouble::Lost("it does not say who writes, and what time it is".to_owned()));
        let (epoch, time) = number(&epoch).zip(number(&time)).ok_or_else(silent)?;
        Ok(Self { link, place, statements: Statements::new(), epoch, time })
    }
}

impl Reader for PostgresSnapshot {
    fn get_many(&mut self, table: &'static Table, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        let at = At { operation: "reading rows", place: &self.place };
        let rows = reader::get_many(&mut self.link, &self.statements, table, keys, at);
        rows.map_err(|trouble| at.given_up(trouble))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        let at = At { operation: "scanning rows", place: &self.place };
        reader::page(&mut self.link, scan, at).map_err(|trouble| at.given_up(trouble))
    }
}

impl Snapshot for PostgresSnapshot {
    fn writer_epoch(&self) -> i64 {
        self.epoch
    }

    fn time(&self) -> Option<i64> {
        Some(self.time)
    }
}
