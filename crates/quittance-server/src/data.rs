//! Where the books lie: a directory of this machine, or a database that several processes share. Opens them, and says
//! where they are.
//!
//! Does not own what is in them, nor who may write when.

use crate::config::{self, ConfigErrors, Secret};
use crate::{admin, clock, ids};
use quittance_postgres::address::Address;
use quittance_postgres::{Options, PostgresDatabase, Risk};
use quittance_sqlite::SqliteDatabase;
use quittance_store::master;
use quittance_store::seal::Keyring;
use quittance_store::sealed::{SealedReader, SealedStore};
use quittance_store::store::{Reader, Snapshot, Store, StoreError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The books of one installation, and the keys that open what is sealed in them.
#[derive(Clone, Debug)]
pub struct Data {
    place: Place,
    keys: Option<Arc<Keyring>>,
}

/// Where books lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A data directory, with one writer at a time.
    Directory(PathBuf),
    /// A PostgreSQL database, with any number of writers.
    Postgres(Secret),
}

impl Data {
    /// A data directory.
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self { place: Place::Directory(path.into()), keys: None }
    }

    /// A database: `env:NAME` or `file:PATH`, where its address is, or the address itself.
    ///
    /// # Errors
    ///
    /// [`ConfigErrors`] when the reference leads nowhere.
    pub fn database(url: &str) -> Result<Self, ConfigErrors> {
        let place = config::secret_at(url, "--database-url").map(Place::Postgres)?;
        Ok(Self { place, keys: None })
    }

    /// The same, with keys: what is read is opened, what is written is sealed under the first.
    #[must_use]
    pub fn with_keys(self, keys: Option<Arc<Keyring>>) -> Self {
        Self { keys, ..self }
    }

    /// Where they lie.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> Option<&Arc<Keyring>> {
        self.keys.as_ref()
    }

    /// Opens the books for reading, beside whoever writes.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: [`StoreError::Missing`] where there are none, [`StoreError::KeyMissing`] where a key is in use that is
    /// not here.
    pub fn open_reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        let mut reader = self.open_stored_reader()?;
        self.check(reader.as_mut())?;
        Ok(match &self.keys {
            Some(keys) => Box::new(SealedReader::new(reader, Arc::clone(keys))),
            None => reader,
        })
    }

    /// The same over what is stored, sealed values as they are.
    ///
    /// # Errors
    ///
    /// [`StoreError`], as above.
    pub fn open_stored_reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        match &self.place {
            Place::Directory(path) => Ok(Box::new(SqliteDatabase::open_reader(path)?)),
            Place::Postgres(url) => {
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
        let mut snapshot = self.open_stored_snapshot()?;
        self.check(&mut *snapshot)?;
        Ok(match &self.keys {
            Some(keys) => Box::new(SealedReader::new(snapshot, Arc::clone(keys))),
            None => snapshot,
        })
    }

    /// The same over what is stored, sealed values as they are.
    ///
    /// # Errors
    ///
    /// As [`Data::open_stored_reader`].
    pub fn open_stored_snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        match &self.place {
            Place::Directory(path) => Ok(Box::new(SqliteDatabase::open_snapshot(path)?)),
            Place::Postgres(url) => {
                let open = || PostgresDatabase::open_snapshot(url.expose(), &Options::default());
                Ok(Box::new(apart(open)?))
            }
        }
    }

    /// The kind of store that keeps them.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match &self.place {
            Place::Directory(_) => "sqlite",
            Place::Postgres(_) => "postgres",
        }
    }

    /// Opens the books for writing, and makes them where there are none. The first key is written down as in use.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: [`StoreError::Locked`] where only one may write, and another does; [`StoreError::KeyMissing`] and
    /// [`StoreError::KeyDiffers`] without a key that is in use.
    pub fn open_for_writing(&self) -> Result<Box<dyn Store>, StoreError> {
        let mut store = self.open_stored()?;
        self.check(store.as_mut())?;
        if let Some(keys) = &self.keys {
            apart(|| master::begin(store.as_mut(), keys, clock::now(), ids::random()))?;
        }
        Ok(self.sealed(store))
    }

    /// Opens a place that is to be filled with rows as they were stored elsewhere.
    ///
    /// # Errors
    ///
    /// [`StoreError`], as [`Data::open_for_writing`], but for the keys: which are needed is known when the rows are there.
    pub fn open_to_fill(&self) -> Result<Box<dyn Store>, StoreError> {
        self.open_stored().map(|store| self.sealed(store))
    }

    /// Refuses to go on without a key that is in use.
    fn check(&self, reader: &mut dyn Reader) -> Result<(), StoreError> {
        apart(|| master::check(reader, self.keys.as_deref()))
    }

    fn sealed(&self, store: Box<dyn Store>) -> Box<dyn Store> {
        match &self.keys {
            Some(keys) => Box::new(SealedStore::new(store, Arc::clone(keys), Box::new(ids::random))),
            None => store,
        }
    }

    fn open_stored(&self) -> Result<Box<dyn Store>, StoreError> {
        match &self.place {
            Place::Directory(path) => Ok(Box::new(SqliteDatabase::open_for_writing(path)?)),
            Place::Postgres(url) => {
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
        match &self.place {
            Place::Directory(_) => Ok(Vec::new()),
            Place::Postgres(url) => apart(|| PostgresDatabase::risks(url.expose(), &Options::default())),
        }
    }

    /// Has the engine below check what it keeps.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] with the first findings; else as [`Data::open_reader`].
    pub fn check_integrity(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(path) => SqliteDatabase::check_integrity(path),
            // A server checks its own pages, where it was set up to.
            Place::Postgres(_) => Ok(()),
        }
    }

    /// Where comparisons are kept: beside the books where those have one writer, so that one can be kept meanwhile.
    #[must_use]
    pub fn runs(&self) -> Self {
        match &self.place {
            Place::Directory(path) => Self { place: Place::Directory(path.join("drift")), keys: self.keys.clone() },
            Place::Postgres(_) => self.clone(),
        }
    }

    /// The socket at which a running server takes operators' commands, where it listens at one.
    #[must_use]
    pub fn socket(&self) -> Option<PathBuf> {
        match &self.place {
            Place::Directory(path) => Some(admin::socket_path(path)),
            // Operators' commands go to the database, beside all servers.
            Place::Postgres(_) => None,
        }
    }

    /// Whether there is anything, as far as can be told without opening it.
    #[must_use]
    pub fn may_exist(&self) -> bool {
        match &self.place {
            Place::Directory(path) => path.join("quittance.db").is_file() || admin::socket_path(path).exists(),
            Place::Postgres(_) => true,
        }
    }
}

/// Whether they are the same books.
impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Data {}

/// Does something on a thread of its own: a database is waited for by blocking, which a thread of the server must not be.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// For people: where it is, and never how to get in.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Directory(path) => path.display().fmt(f),
            Place::Postgres(url) => match Address::parse(url.expose()) {
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
