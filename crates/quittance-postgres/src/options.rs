//! What a connection is limited by, and how long a lost one is sought. Does not own where the database is.

use std::time::Duration;

/// How the store uses a database. The defaults are those of production.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the server's own lists name this connection.
    pub application_name: String,
    /// Longest wait for a row that another transaction holds.
    pub lock_timeout: Duration,
    /// Longest run of one statement.
    pub statement_timeout: Duration,
    /// How long a transaction of ours may be silent before the server ends it: a process that was stopped must not hold
    /// its books for ever.
    pub idle_timeout: Duration,
    /// How long a connection that was lost is sought before the transaction fails.
    pub reconnect_for: Duration,
    /// The same, where a commit is in doubt and only the database knows.
    pub doubt_for: Duration,
    /// How long a writer that finds another server than before, or the same started anew, waits before it goes on: whoever
    /// had commits that this one lacks says so meanwhile.
    pub regroup_for: Duration,
    /// How long another writer's session has to be over before its leases end: one that only lost its connection is back
    /// by then.
    pub gone_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            application_name: "quittance".to_owned(),
            lock_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            reconnect_for: Duration::from_secs(5),
            doubt_for: Duration::from_secs(60),
            regroup_for: Duration::from_secs(2),
            gone_after: Duration::from_secs(2),
        }
    }
}
