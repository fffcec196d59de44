//! How a store fails.

/// How a store fails. Nothing was written unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row to insert exists already, by key or by a unique index.
    #[error("row already exists in {table}")]
    Conflict {
        /// Where.
        table: &'static str,
    },
    /// A row to update is not there at the expected version.
    #[error("row in {table} changed since it was read")]
    Stale {
        /// Where.
        table: &'static str,
    },
    /// The caller's decision refused the transaction.
    #[error("transaction {name} aborted: {reason}")]
    Aborted {
        /// Name of the transaction.
        name: &'static str,
        /// The caller's reason.
        reason: String,
    },
    /// The commit was sent and its answer lost: it may or may not have happened.
    #[error("outcome of committing {name} is unknown")]
    CommitUnknown {
        /// Name of the transaction.
        name: &'static str,
    },
    /// The database cannot be reached, or was lost and is not back yet.
    #[error("the database at {place} cannot be reached: {reason}")]
    Unreachable {
        /// Host, port and name of the database.
        place: String,
        /// Why, as far as it is known.
        reason: String,
    },
    /// The database turns us away, or is not fit to keep books.
    #[error("the database at {place} cannot be used: {what}")]
    Unsuitable {
        /// Host, port and name of the database.
        place: String,
        /// What is wrong.
        what: String,
        /// What would be right.
        remedy: &'static str,
    },
    /// The database has less than it had acknowledged, as after a change to a replica that was behind. What was decided
    /// since must be read anew.
    #[error("the database at {place} went back: {what}")]
    WentBack {
        /// Host, port and name of the database.
        place: String,
        /// What is missing.
        what: String,
        /// The time of the newest transaction of this writer that is still there, by the clock of the database;
        /// microseconds. Whatever is missing was committed later.
        since: i64,
    },
    /// Another process writes here.
    #[error("{path} is in use by another process")]
    Locked {
        /// The data directory.
        path: String,
    },
    /// The data was written by a newer version.
    #[error("schema version {found} needs a newer quittance; this one knows versions up to {known}")]
    NewerSchema {
        /// Version in the data.
        found: i64,
        /// Newest version known here.
        known: i64,
    },
    /// A store to be filled has something in it.
    #[error("{place} is not empty: there are rows in {table}")]
    NotEmpty {
        /// Where.
        place: String,
        /// The first table with rows.
        table: &'static str,
    },
    /// No store is there to be read.
    #[error("no quittance data in {path}")]
    Missing {
        /// The data directory.
        path: String,
    },
    /// The place cannot be written to.
    #[error("{path} cannot be written")]
    ReadOnly {
        /// The data directory.
        path: String,
        /// Cause.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The disk is full.
    #[error("no space left while {operation}")]
    Full {
        /// What was tried.
        operation: &'static str,
    },
    /// The data contradicts itself.
    #[error("damaged data in {place}: {what}")]
    Corrupt {
        /// Table or file.
        place: String,
        /// What is wrong with it.
        what: String,
    },
    /// Stored values are sealed under a key that is not configured.
    #[error("stored values are sealed under the key {key:?}, which the configuration does not have in [encryption]")]
    KeyMissing {
        /// Its id.
        key: String,
    },
    /// The configured key is not the one that the values are sealed under.
    #[error("the key {key:?} in [encryption] is not the one that stored values are sealed under")]
    KeyDiffers {
        /// Its id.
        key: String,
    },
    /// Anything else the engine below reports.
    #[error("cannot complete {operation}")]
    Failed {
        /// What was tried.
        operation: &'static str,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
