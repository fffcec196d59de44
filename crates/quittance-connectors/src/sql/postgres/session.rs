//! The moment of which everything is read: how it begins, and what has to be known of it.

use quittance_core::time::Timestamp;

/// Oldest version that is read, as `server_version_num` says it.
pub const VERSION_MIN: u32 = 140_000;

/// Begins a transaction that sees one moment and cannot write, and sets what the text of values depends on. Nothing
/// outlives the transaction.
///
/// Names of functions and operators mean those of PostgreSQL itself: whoever may create in a schema of the search path could
/// else put their own in the reader's way. Tables alone are looked up under the path that the role has.
///
/// Row security is off: a policy that would hide rows is an error then, because what is hidden looks as if it were
/// missing. `statement_timeout_s` limits each statement, and how long the transaction may lie idle.
#[must_use]
pub fn settings(statement_timeout_s: u64) -> String {
    let timeout_ms = statement_timeout_s * 1_000;
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL standard_conforming_strings = on; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; \
         SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; \
         SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL row_security = off; SET LOCAL jit = off; SET LOCAL statement_timeout = {timeout_ms}; \
         SET LOCAL lock_timeout = {lock_ms}; SET LOCAL idle_in_transaction_session_timeout = {timeout_ms}",
        lock_ms = timeout_ms.min(LOCK_TIMEOUT_MS),
    )
}

/// Begins a transaction that may write, and in which each statement sees what was committed before it. Values are read in
/// it as under [`settings`]; row security is left as it is. What is only checked at the end of a transaction is
/// checked at once, so that it is known which record is refused.
#[must_use]
pub fn write_settings(statement_timeout_s: u64) -> String {
    let timeout_ms = statement_timeout_s * 1_000;
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; \
         SET LOCAL standard_conforming_strings = on{AS_READ}; SET LOCAL jit = off; \
         SET LOCAL statement_timeout = {timeout_ms}; SET LOCAL lock_timeout = {WRITE_LOCK_TIMEOUT_MS}; \
         SET LOCAL idle_in_transaction_session_timeout = {timeout_ms}; SET CONSTRAINTS ALL IMMEDIATE"
    )
}

/// What the text of values depends on, and whose functions are called.
const AS_READ: &str = "; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL TimeZone = 'UTC'; \
     SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL extra_float_digits = 1; \
     SET LOCAL bytea_output = 'hex'";

/// A statement between these runs under the settings that the role has, as those of an application do.
pub(super) const OWN_SETTINGS: (&str, &str) = (
    "SET LOCAL search_path TO DEFAULT; SET LOCAL TimeZone TO DEFAULT; SET LOCAL DateStyle TO DEFAULT; \
     SET LOCAL IntervalStyle TO DEFAULT; SET LOCAL extra_float_digits TO DEFAULT; SET LOCAL bytea_output TO DEFAULT; ",
    AS_READ,
);

/// How long a record that somebody holds is waited for.
const WRITE_LOCK_TIMEOUT_MS: u64 = 5_000;

/// Has the rest of a transaction wait for locks no longer than for a moment: who did not let go before does not soon.
pub const WAIT_NO_MORE: &str = "SET LOCAL lock_timeout = 250";

/// Has no trigger fire in the transaction, and no reference be checked.
pub const SKIP_TRIGGERS: &str = "SET LOCAL session_replication_role = replica";

/// A statement between these is read under the search path of the role.
pub(super) const UNDER_OWN_PATH: (&str, &str) =
    ("SET LOCAL search_path TO DEFAULT; ", "; SET LOCAL search_path = pg_catalog, pg_temp");

/// A reader waits only for those who change or empty a table, and they wait for nobody for long.
const LOCK_TIMEOUT_MS: u64 = 30_000;

/// What is asked first, and takes the snapshot: one row for [`Moment::read`].
///
/// A replica that has replayed all it received from a sender that is still there is not behind, however long ago its
/// primary last committed anything.
pub const MOMENT: &str = "SELECT current_setting('server_version_num'), current_setting('server_encoding'), current_user, \
     trunc(extract(epoch FROM now()) * 1000000), pg_is_in_recovery(), \
     pg_is_in_recovery() AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() \
         AND EXISTS (SELECT FROM pg_stat_wal_receiver), \
     trunc(extract(epoch FROM pg_last_xact_replay_timestamp()) * 1000000), \
     (SELECT datcollate IN ('C', 'POSIX') AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c' \
      FROM pg_database AS d WHERE datname = current_database())";

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// `server_version_num`.
    pub version: u32,
    /// How texts are stored.
    pub encoding: String,
    /// The role that reads.
    pub role: String,
    /// When it began, by the server's clock.
    pub now: Timestamp,
    /// How far a replica is.
    pub replay: Replay,
    /// Whether texts sort by their bytes where nothing else is said.
    pub sorts_by_bytes: bool,
}

/// How far a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// It is no replica.
    Primary,
    /// It has everything it knows of.
    UpToDate,
    /// It is behind; this is when the last transaction it has was committed, if it can tell.
    Behind(Option<Timestamp>),
}

impl Moment {
    /// Reads the row that [`MOMENT`] gives; none where it makes no sense.
    #[must_use]
    pub fn read(row: &[Option<String>]) -> Option<Self> {
        let [version, encoding, role, now, is_replica, is_up_to_date, replayed, sorts_by_bytes] = row else {
            return None;
        };
        let at = |text: &Option<String>| text.as_ref()?.parse().ok().map(Timestamp);
        let is = |text: &Option<String>| text.as_deref() == Some("t");
        let replay = match (is(is_replica), is(is_up_to_date)) {
            (false, _) => Replay::Primary,
            (true, true) => Replay::UpToDate,
            (true, false) => Replay::Behind(at(replayed)),
        };
        Some(Self {
            version: version.as_ref()?.parse().ok()?,
            encoding: encoding.clone()?,
            role: role.clone()?,
            now: at(now)?,
            replay,
            sorts_by_bytes: is(sorts_by_bytes),
        })
    }

    /// Up to when it is complete.
    #[must_use]
    pub fn as_of(&self) -> Timestamp {
        match self.replay {
            Replay::Primary | Replay::UpToDate => self.now,
            Replay::Behind(at) => at.unwrap_or(self.now),
        }
    }

    /// How far a replica is behind, in whole seconds rounded up; none where it cannot tell.
    #[must_use]
    pub fn lag_s(&self) -> Option<u64> {
        match self.replay {
            Replay::Primary | Replay::UpToDate => Some(0),
            Replay::Behind(at) => Some(self.now.ms_since(at?).div_ceil(1_000)),
        }
    }
}
