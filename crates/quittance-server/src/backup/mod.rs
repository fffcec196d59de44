//! Backups as files: taking one beside a running server, proving one whole, and restoring one into an empty store.
//!
//! What the bytes say is `quittance_store::backup`'s; here are the files, their compression, and what is to be true of a
//! store before and after. **A file under its final name is whole, and a store that is restored was proven before it was
//! committed.**

mod file;
mod pairs;
mod recovery;
mod restore;
mod take;

pub use quittance_store::backup::{BackupError, Compression, Header, Summary, TableSummary};
pub use restore::{Restore, RestoreError, Restored, restore};
pub use take::{Taken, take};

use quittance_store::store::StoreError;
use std::io;
use std::path::{Path, PathBuf};

/// Why a file is no backup, or cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is something under the name already.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another backup is being written to the same name.
    #[error("{} is being written by another process", path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },
    /// The file system refuses.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// What is in it, or what was to be.
    #[error("{}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: BackupError,
    },
}

impl FileError {
    fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { doing, path: path.to_owned(), source }
    }

    fn content(path: &Path, source: BackupError) -> Self {
        Self::Content { path: path.to_owned(), source }
    }
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The books cannot be opened.
    #[error("cannot open what is to be backed up")]
    Open(#[from] StoreError),
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Reads a backup to its end and proves that it is whole, without a store.
///
/// # Errors
///
/// [`FileError`]: it is not.
pub fn check(path: &Path) -> Result<(Header, Summary), FileError> {
    let input = file::open(path)?;
    input.check().map_err(|source| FileError::content(path, source))
}
