//! Where the books lie: a directory of this machine, or a database that several processes share. Opens them, and says
//! where they are.
//!
//! Does not own what is in them, nor who may write when.

use crate::admin;
use crate::config::{self, ConfigErrors, Secret};
use quittance_postgres::address::Address;
use quittance_postgres::{Options, PostgresDatabase, Risk};
use quittance_sqlite::SqliteDatabase;
use quittance_store::store::{Reader, Snapshot, Store, StoreError};
use std::fmt;
use std::path::{Path, PathBuf};

/// The books of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A data directory, with one writer at a time.
    Directory(PathBuf),
    /// A PostgreSQL database, with any number of writers.
    Postgres(Secret),
}

impl Data {
    /// A data directory.
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self::Directory(path.into())
    }

    /// A database: `env:NAME` or `file:PATH`, where its address is, or the address itself.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] when the reference leads nowhere.
    pub fn database(url: &str) -> Result<Self, ConfigErrors> {
        config::secret_at(url, "--database-url").map(Self::Postgres)
    }

    /// Opens the books for reading, beside whoever writes.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: [`StoreError::Missing`] where there are none.
    pub fn open_reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        match self {
            Self::Directory(path) => Ok(Box::new(SqliteDatabase::open_reader(path)?)),
            Self::Postgres(url) => {
                let open = || PostgresDatabase::open_reader(url.expose(), &Options::default());
                Ok(Box::new(apart(open)?))
            }
        }
    }

    /// Opens the books as they are at this moment, beside whoever writes.
    ///
    /// # Errors
    ///
    /// As [`Data::open_reader`].
    pub fn open_snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        match self {
            Self::Directory(path) => Ok(Box::new(SqliteDatabase::open_snapshot(path)?)),
            Self::Postgres(url) => {
                let open = || PostgresDatabase::open_snapshot(url.expose(), &Options::default());
                Ok(Box::new(apart(open)?))
            }
        }
    }

    /// The kind of store that keeps them.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Directory(_) => "sqlite",
            Self::Postgres(_) => "postgres",
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
            Self::Postgres(url) => {
                let open = || PostgresDatabase::open_for_writing(url.expose(), &Options::default());
                Ok(Box::new(apart(open)?))
            }
        }
    }

    /// What a database may lose of what it acknowledges, by how its server is set up; a directory loses nothing.
    ///
    /// # Errors
    ///
    /// As [`Data::open_reader`].
    pub fn risks(&self) -> Result<Vec<Risk>, StoreError> {
        match self {
            Self::Directory(_) => Ok(Vec::new()),
            Self::Postgres(url) => apart(|| PostgresDatabase::risks(url.expose(), &Options::default())),
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
            // A server checks its own pages, where it was set up to.
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Where comparisons are kept: beside the books where those have one writer, so that one can be kept meanwhile.
    #[must_use]
    pub fn runs(&self) -> Self {
        match self {
            Self::Directory(path) => Self::Directory(path.join("drift")),
            Self::Postgres(_) => self.clone(),
        }
    }

    /// The socket at which a running server takes operators' commands, where it listens at one.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        match self {
            Self::Directory(path) => Some(admin::socket_path(path)),
            // Operators' commands go to the database, beside all servers.
            Self::Postgres(_) => None,
        }
    }

    /// Whether there is anything, as far as can be told without opening it.
    #[must_use]
    pub fn may_exist(&self) -> bool {
        match self {
            Self::Directory(path) => path.join("quittance.db").is_file() || admin::socket_path(path).exists(),
            Self::Postgres(_) => true,
        }
    }
}

/// Does something on a thread of its own: a database is waited for by blocking, which a thread of the server must not be.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// For people: where it is, and never how to get in.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => path.display().fmt(f),
            Self::Postgres(url) => match Address::parse(url.expose()) {
                Ok(address) => write!(f, "the database at {}", address.shown),
                Err(_) => f.write_str("a database whose address cannot be read"),
            },
        }
    }
}

impl From<&Path> for Data {
    fn from(path: &Path) -> Self {
        Self::directory(path)
    }
}
