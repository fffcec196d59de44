//! Opening: for writing, with the schema brought up to date, and for reading.

use crate::address::{Address, AddressError};
use crate::durability::{self, Risk};
use crate::errors::At;
use crate::facts::{self, Purpose};
use crate::lane::Lane;
use crate::link::Link;
use crate::migrations::{self, Contents};
use crate::options::Options;
use crate::reader::PostgresReader;
use crate::snapshot::PostgresSnapshot;
use crate::store::PostgresStore;
use quittance_store::store::StoreError;
use tokio_postgres::config::TargetSessionAttrs;

/// How a database is opened: by an address such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
/// Everything lies in a schema `quittance` of its own.
pub struct PostgresDatabase;

impl PostgresDatabase {
    /// Opens a database as one more of its writers, creating and migrating the schema as needed, under the next writer
    /// epoch.
    ///
    /// # Errors
    ///
    /// - [`StoreError::Unreachable`] when nobody answers, or it is only starting;
    /// - [`StoreError::Unsuitable`] when it turns us away (password, name of the database, connections), or is not fit: too
    ///   old, a replica, not UTF8, behind a pooler, the schema somebody else's; with what would be right;
    /// - [`StoreError::NewerSchema`] when it was written by a newer version that this one cannot live with.
    ///
    /// # Panics
    ///
    /// On a thread of an asynchronous runtime, which it would block.
    pub fn open_for_writing(url: &str, options: &Options) -> Result<PostgresStore, StoreError> {
        let mut address = address(url, options)?;
        find_primary(&mut address);
        Lane::open(address, options.clone(), "opening the database for writing").map(PostgresStore::new)
    }

    /// Opens a database for reading, also a replica where the address names it alone. Of several hosts the one that can be
    /// written to is read: what another shows may be older than what was acknowledged.
    ///
    /// # Errors
    ///
    /// As [`PostgresDatabase::open_for_writing`], and [`StoreError::Missing`] when there is nothing of ours.
    ///
    /// # Panics
    ///
    /// On a thread of an asynchronous runtime, which it would block.
    pub fn open_reader(url: &str, options: &Options) -> Result<PostgresReader, StoreError> {
        let (mut address, options) = (address(url, options)?, options.clone());
        find_primary(&mut address);
        let place = address.shown.clone();
        let connect = move || connect_reader(&address, &options);
        let link = connect()?;
        Ok(PostgresReader::new(link, Box::new(connect), place))
    }
}

impl PostgresDatabase {
    /// Opens what a database holds at this moment, beside its writers, also on a replica where the address names it alone.
    ///
    /// # Errors
    ///
    /// As [`PostgresDatabase::open_reader`].
    ///
    /// # Panics
    ///
    /// On a thread of an asynchronous runtime, which it would block.
    pub fn open_snapshot(url: &str, options: &Options) -> Result<PostgresSnapshot, StoreError> {
        let mut address = address(url, options)?;
        find_primary(&mut address);
        PostgresSnapshot::begin(connect_reader(&address, options)?, address.shown)
    }
}

impl PostgresDatabase {
    /// What can be lost of what the server acknowledges, by how it is set up now.
    ///
    /// # Errors
    ///
    /// As [`PostgresDatabase::open_for_writing`], for connecting.
    ///
    /// # Panics
    ///
    /// On a thread of an asynchronous runtime, which it would block.
    pub fn risks(url: &str, options: &Options) -> Result<Vec<Risk>, StoreError> {
        let mut address = address(url, options)?;
        find_primary(&mut address);
        let at = At { operation: "asking how a database keeps what it acknowledges", place: &address.shown };
        let mut link = Link::connect(&address, options.statement_timeout, at)?;
        // Before its settings are made: they would hide those of the role.
        durability::risks(&mut link, at)
    }
}

/// Of several hosts, the one that can be written to is meant, unless the address says that a replica is.
fn find_primary(address: &mut Address) {
    let means_replica = address.config.get_target_session_attrs() == TargetSessionAttrs::ReadOnly;
    if address.config.get_hosts().len() > 1 && !means_replica {
        address.config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
}

fn address(url: &str, options: &Options) -> Result<Address, StoreError> {
    let unsuitable = |error: AddressError| StoreError::Unsuitable {
        place: "the address that is configured".to_owned(),
        what: error.to_string(),
        remedy: AddressError::REMEDY,
    };
    let mut address = Address::parse(url).map_err(unsuitable)?;
    facts::mark(&mut address.config, options);
    Ok(address)
}

fn connect_reader(address: &Address, options: &Options) -> Result<Link, StoreError> {
    let at = At { operation: "opening the database for reading", place: &address.shown };
    let mut link = Link::connect(address, options.statement_timeout, at)?;
    facts::settle(&mut link, Purpose::Reading, options, at).map_err(|trouble| at.given_up(trouble))?;
    match migrations::identify(&mut link, at).map_err(|trouble| at.given_up(trouble))? {
        Contents::Empty => Err(StoreError::Missing { path: format!("the database at {}", address.shown) }),
        Contents::Schema(_) => Ok(link),
    }
}
