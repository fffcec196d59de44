//! Opening: the data directory, its lock, and the settings of a connection.

use crate::errors::At;
use crate::migrations::{self, Contents};
use crate::reader::SqliteReader;
use crate::snapshot::SqliteSnapshot;
use crate::store::SqliteStore;
use quittance_store::store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How a data directory is opened: it holds `quittance.db`, its write-ahead log, and `lock`.
pub struct SqliteDatabase;

/// Longest wait for another connection: readers and writers do not wait for each other, only for a moment when the log
/// is recovered after a crash or reset.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Distinct statements kept prepared: five for each table and the shapes of scans in use.
const STATEMENTS_KEPT_MAX: usize = 256;

/// Settings of every connection. `cell_size_check` finds damaged pages when they are read; `trusted_schema` keeps a
/// schema that someone else wrote from calling functions.
const SETTINGS: &str = "
    PRAGMA temp_store = MEMORY;
    PRAGMA cell_size_check = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA foreign_keys = OFF;
";

/// Settings of the writer. FULL syncs the log at every commit: that is what makes an answer a promise. The log is folded
/// back into the database every 8,000 pages (32 MiB): a page that many transactions touch is then copied once. Measured
/// with batches of 100 payments: 16,000 pages give 1.4 times as many as 4,000, but the commit that folds takes 130 ms
/// rather than 70. The log's file is cut to 64 MiB when a burst has made it larger. The cache is 64 MiB.
const WRITER_SETTINGS: &str = "
    PRAGMA locking_mode = NORMAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 8000;
    PRAGMA journal_size_limit = 67108864;
";

/// Settings of a reader: it cannot write, and keeps 8 MiB.
const READER_SETTINGS: &str = "
    PRAGMA query_only = ON;
    PRAGMA cache_size = -8192;
";

/// Why a read-only connection may fail in a place that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the log beside the database cannot be indexed without write access; read a copy of the directory instead")]
struct LogNeedsWriteAccess {
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SqliteDatabase {
    /// Opens a data directory as its one writer, creating it and migrating its schema as needed. Raises the writer
    /// epoch. The directory is locked until the store is dropped; the lock ends with the process, however it ends.
    ///
    /// # Errors
    ///
    /// - [`StoreError::Locked`] when another writer has it, in this process or another;
    /// - [`StoreError::NewerSchema`], [`StoreError::Corrupt`] when what is there is newer or not ours;
    /// - [`StoreError::ReadOnly`], [`StoreError::Full`], [`StoreError::Failed`] when it cannot be created or opened.
    pub fn open_for_writing(directory: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        let directory = directory.as_ref().to_owned();
        let at = At { operation: "opening the database for writing", directory: &directory, table: None };
        let lock = lock_directory(at)?;
        let mut connection = connect(at, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Before the first setting that writes: a file that is not ours stays as it was.
        migrations::identify(&connection, at)?;
        let mode: String = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(|error| at.sqlite(error))?;
        if mode != "wal" {
            return Err(at.failed(io::Error::other(format!("journal mode is {mode}: no shared memory for a log here"))));
        }
        connection.execute_batch(WRITER_SETTINGS).map_err(|error| at.sqlite(error))?;
        let epoch = migrations::prepare(&mut connection, at)?;
        mark_used(&lock, at)?;
        Ok(SqliteStore::new(connection, lock, epoch, directory))
    }

    /// Opens a data directory for reading, beside a running writer or without one; what a killed writer left in the log
    /// is read too.
    ///
    /// # Errors
    ///
    /// - [`StoreError::Missing`] when there is no data;
    /// - [`StoreError::NewerSchema`], [`StoreError::Corrupt`] when what is there is newer or not ours;
    /// - [`StoreError::ReadOnly`] when reading needs the log indexed first and nothing may be written there.
    pub fn open_reader(directory: impl AsRef<Path>) -> Result<SqliteReader, StoreError> {
        let directory = directory.as_ref().to_owned();
        let at = At { operation: "opening the database for reading", directory: &directory, table: None };
        let connection = connect_reader(at)?;
        Ok(SqliteReader::new(connection, directory))
    }

    /// Opens what a data directory holds at this moment, beside a running writer or without one. The log of a running
    /// writer grows until it is dropped.
    ///
    /// # Errors
    ///
    /// As [`SqliteDatabase::open_reader`].
    pub fn open_snapshot(directory: impl AsRef<Path>) -> Result<SqliteSnapshot, StoreError> {
        let directory = directory.as_ref().to_owned();
        let at = At { operation: "opening the database for a snapshot", directory: &directory, table: None };
        let connection = connect_reader(at)?;
        SqliteSnapshot::begin(connection, directory)
    }

    /// Has SQLite check the structure of the whole file: pages, order of keys, types. Beside a running writer or without
    /// one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] with the first findings; else as [`SqliteDatabase::open_reader`].
    pub fn check_integrity(directory: impl AsRef<Path>) -> Result<(), StoreError> {
        let at = At { operation: "checking the database", directory: directory.as_ref(), table: None };
        let connection = connect_reader(at)?;
        let mut findings: Vec<String> = Vec::new();
        connection
            .pragma(None, "quick_check", 10, |row| row.get(0).map(|finding| findings.push(finding)))
            .map_err(|error| at.sqlite(error))?;
        match findings.as_slice() {
            [finding] if finding == "ok" => Ok(()),
            _ => Err(at.corrupt(findings.join("; "))),
        }
    }
}

fn database_path(directory: &Path) -> PathBuf {
    directory.join("quittance.db")
}

fn connect(at: At<'_>, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(database_path(at.directory), flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        // Without it, SQLite looks at what a limit is bound to when it plans, and prepares every scan anew.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.execute_batch(SETTINGS)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
        Ok(connection)
    };
    open().map_err(|error| at.sqlite(error))
}

fn connect_reader(at: At<'_>) -> Result<Connection, StoreError> {
    if !database_path(at.directory).is_file() {
        return Err(StoreError::Missing { path: at.path() });
    }
    let open = || {
        let connection = connect(at, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.execute_batch(READER_SETTINGS).map_err(|error| at.sqlite(error))?;
        match migrations::identify(&connection, at)? {
            Contents::Empty => Err(StoreError::Missing { path: at.path() }),
            Contents::Schema(_) => Ok(connection),
        }
    };
    open().map_err(|error| match error {
        StoreError::ReadOnly { path, source } => {
            StoreError::ReadOnly { path, source: Some(Box::new(LogNeedsWriteAccess { source })) }
        }
        other => other,
    })
}

fn is_empty(file: &Path) -> bool {
    std::fs::metadata(file).map_or(true, |file| file.len() == 0)
}

/// Writes into the lock that there is a database now, so that its loss is noticed.
fn mark_used(mut lock: &File, at: At<'_>) -> Result<(), StoreError> {
    let mut mark = || -> io::Result<()> {
        if lock.metadata()?.len() == 0 {
            lock.write_all(b"there is a database here\n")?;
            lock.sync_all()?;
        }
        Ok(())
    };
    mark().map_err(|error| at.file(error))
}

/// Creates the directory and its files as needed, for the owner's eyes only, and locks it.
fn lock_directory(at: At<'_>) -> Result<File, StoreError> {
    let create = || -> io::Result<File> {
        if !at.directory.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(at.directory)?;
            sync_parent(at.directory)?;
        }
        open_file(&at.directory.join("lock"))
    };
    let lock = create().map_err(|error| at.file(error))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::Locked { path: at.path() }),
        Err(TryLockError::Error(error)) => return Err(at.file(error)),
    }
    let database = database_path(at.directory);
    let is_used = lock.metadata().is_ok_and(|lock| lock.len() > 0);
    // Whatever lies in a log beside it: a log without its database is a part of the books, sold as the whole.
    if is_used && is_empty(&database) {
        let what = "the database that was here is gone; restore it, or begin anew in another directory";
        return Err(at.corrupt(what.to_owned()));
    }
    open_file(&database).and_then(|_| sync_parent(&database)).map_err(|error| at.file(error))?;
    Ok(lock)
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Makes a new name durable: without this a power cut may take the file away with everything committed to it.
fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;

    #[test]
    fn a_scan_stays_prepared_whatever_its_limit() {
        let directory = tempfile::tempdir().unwrap();
        let at = At { operation: "testing", directory: directory.path(), table: None };
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = connect(at, access).unwrap();
        connection.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY)").unwrap();
        connection.execute_batch("INSERT INTO numbers VALUES (1), (2), (3)").unwrap();
        let mut statement = connection.prepare("SELECT number FROM numbers ORDER BY number LIMIT ?1").unwrap();
        for limit in [1, 3, 2] {
            let found: Vec<i64> =
                statement.query_map([limit], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
            assert_eq!(found, Vec::from_iter(1..=limit));
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }
}
