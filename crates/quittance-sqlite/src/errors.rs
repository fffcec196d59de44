//! What SQLite and the file system report, as the store's errors.

use quittance_store::store::StoreError;
use rusqlite::ErrorCode;
use rusqlite::ffi;
use std::io;
use std::path::Path;

/// Where something failed: enough to name the operation and its subject.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// What was tried; a transaction's name, or a gerund.
    pub(crate) operation: &'static str,
    /// The data directory.
    pub(crate) directory: &'a Path,
    /// The table, where it is known.
    pub(crate) table: Option<&'static str>,
}

impl At<'_> {
    pub(crate) fn path(&self) -> String {
        self.directory.display().to_string()
    }

    pub(crate) fn sqlite(&self, error: rusqlite::Error) -> StoreError {
        let Some(failure) = error.sqlite_error() else { return self.failed(error) };
        match (failure.code, self.table) {
            (ErrorCode::ConstraintViolation, Some(table)) if is_duplicate(failure) => StoreError::Conflict { table },
            (ErrorCode::DiskFull, _) => StoreError::Full { operation: self.operation },
            (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => StoreError::Locked { path: self.path() },
            (ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen, _) => {
                StoreError::ReadOnly { path: self.path(), source: Some(Box::new(error)) }
            }
            (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => self.corrupt(error.to_string()),
            _ => self.failed(error),
        }
    }

    /// As [`At::sqlite`], for the commit itself. No space, a lock and a broken constraint are found before the log is
    /// complete. After any other error the log may hold the whole transaction already, which only reading again tells.
    pub(crate) fn commit(&self, error: rusqlite::Error) -> StoreError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation) => self.sqlite(error),
            _ => StoreError::CommitUnknown { name: self.operation },
        }
    }

    pub(crate) fn file(&self, error: io::Error) -> StoreError {
        use io::ErrorKind::{NotADirectory, PermissionDenied, ReadOnlyFilesystem, StorageFull};
        match error.kind() {
            PermissionDenied | ReadOnlyFilesystem | NotADirectory => {
                StoreError::ReadOnly { path: self.path(), source: Some(Box::new(error)) }
            }
            StorageFull => StoreError::Full { operation: self.operation },
            _ => self.failed(error),
        }
    }

    pub(crate) fn corrupt(&self, what: String) -> StoreError {
        StoreError::Corrupt { place: self.table.map_or_else(|| self.path(), str::to_owned), what }
    }

    pub(crate) fn failed(&self, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
        StoreError::Failed { operation: self.operation, source: Box::new(source) }
    }
}

fn is_duplicate(failure: &ffi::Error) -> bool {
    matches!(failure.extended_code, ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a commit that ends with this code becomes.
    fn commit(code: i32) -> StoreError {
        let at = At { operation: "test", directory: Path::new("data"), table: None };
        at.commit(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn commit_is_unknown_unless_it_surely_did_not_happen() {
        assert!(matches!(commit(ffi::SQLITE_FULL), StoreError::Full { operation: "test" }));
        assert!(matches!(commit(ffi::SQLITE_BUSY), StoreError::Locked { .. }));
        assert!(matches!(commit(ffi::SQLITE_CONSTRAINT_FOREIGNKEY), StoreError::Failed { .. }));
        let unsure = [
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_PROTOCOL,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_INTERRUPT,
            ffi::SQLITE_ERROR,
        ];
        for code in unsure {
            assert!(matches!(commit(code), StoreError::CommitUnknown { name: "test" }), "code {code}");
        }
    }
}
