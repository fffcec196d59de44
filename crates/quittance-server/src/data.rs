//! Where the books lie: a directory of this machine. Opens them, and says where they are.
//!
//! Does not own what is in them, nor who may write when.

use crate::admin;
use quittance_sqlite::SqliteDatabase;
use quittance_store::store::{Reader, Store, StoreError};
use std::fmt;
use std::path::{Path, PathBuf};

/// The books of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A data directory, with one writer at a time.
    Directory(PathBuf),
}

impl Data {
    /// A data directory.
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self::Directory(path.into())
    }

    /// Opens the books for reading, beside whoever writes.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: [`StoreError::Missing`] where there are none.
    pub fn open_reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        match self {
            Self::Directory(path) => Ok(Box::new(SqliteDatabase::open_reader(path)?)),
        }
    }

    /// Opens the books for writing, and makes them where there are none.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: [`StoreError::Locked`] where only one may write, and another does.
    pub fn open_for_writing(&self) -> Result<Box<dyn Store>, StoreError> {
        match self {
            Self::Directory(path) => Ok(Box::new(SqliteDatabase::open_for_writing(path)?)),
        }
    }

    /// Has the engine below check what it keeps.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] with the first findings; else as [`Data::open_reader`].
    pub fn check_integrity(&self) -> Result<(), StoreError> {
        match self {
            Self::Directory(path) => SqliteDatabase::check_integrity(path),
        }
    }

    /// Where comparisons are kept: beside the books where those have one writer, so that one can be kept meanwhile.
    #[must_use]
    pub fn runs(&self) -> Self {
        match self {
            Self::Directory(path) => Self::Directory(path.join("drift")),
        }
    }

    /// The socket at which a running server takes operators' commands, where it listens at one.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        match self {
            Self::Directory(path) => Some(admin::socket_path(path)),
        }
    }

    /// Whether there is anything, as far as can be told without opening it.
    #[must_use]
    pub fn may_exist(&self) -> bool {
        match self {
            Self::Directory(path) => path.join("quittance.db").is_file() || admin::socket_path(path).exists(),
        }
    }
}

/// For people: where it is, and never how to get in.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
        }
    }
}

impl From<&Path> for Data {
    fn from(path: &Path) -> Self {
        Self::directory(path)
    }
}
