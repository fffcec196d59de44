//! Where a contestant keeps its books. Makes such a place, opens it for the engine, and takes it away; the limit program
//! opens it by itself.

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use quittance_server::data::Data;
use quittance_store::store::{Reader, Store};
use std::path::PathBuf;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// Which store is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The embedded one
    Sqlite,
    /// The production one
    Postgres,
}

/// Which store is measured, and where.
#[derive(Args, Debug)]
pub(crate) struct Stores {
    /// The store to measure
    #[arg(long = "store", value_enum, value_name = "STORE", default_value_t = Kind::Sqlite)]
    pub(super) kind: Kind,
    /// A PostgreSQL in which databases can be made; they are dropped afterwards
    #[arg(long, value_name = "URL", required_if_eq("kind", "postgres"))]
    database_url: Option<String>,
}

/// Books of one contestant.
#[derive(Clone)]
pub(crate) enum Place {
    /// A data directory.
    Directory(PathBuf),
    /// The address of a database.
    Database(String),
}

/// Places for the contestants of one measurement. They go with it.
pub(super) struct Ground {
    root: TempDir,
    /// Where databases are made, and those that were.
    server: Option<(String, Vec<String>)>,
}

impl Kind {
    /// Its name in a measurement.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

impl Ground {
    pub(super) fn new(stores: &Stores) -> Result<Self> {
        let server = match (stores.kind, &stores.database_url) {
            (Kind::Postgres, Some(url)) => Some((url.clone(), Vec::new())),
            (Kind::Postgres, None) => bail!("--store postgres needs --database-url"),
            (Kind::Sqlite, _) => None,
        };
        Ok(Self { root: tempfile::tempdir()?, server })
    }

    /// A directory for whatever else a measurement needs.
    pub(super) fn root(&self) -> &std::path::Path {
        self.root.path()
    }

    /// An empty place of this name.
    pub(super) fn place(&mut self, name: &str) -> Result<Place> {
        let Some((url, made)) = &mut self.server else {
            return Ok(Place::Directory(self.root.path().join(name)));
        };
        let database = format!("quittance_bench_{}_{}", std::process::id(), name.replace('-', "_"));
        run_sql(url, &format!("CREATE DATABASE {database}"))?;
        made.push(database.clone());
        let (base, parameters) = url.split_once('?').map_or((url.as_str(), ""), |(base, rest)| (base, rest));
        let scheme = base.find("://").map_or(0, |at| at + 3);
        let server = base[scheme..].find('/').map_or(base, |at| &base[..scheme + at]);
        ensure!(scheme > 0, "--database-url is no postgres:// address");
        Ok(Place::Database(format!("{server}/{database}?{parameters}")))
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        let Some((url, made)) = &self.server else { return };
        for database in made {
            if let Err(error) = run_sql(url, &format!("DROP DATABASE {database} WITH (FORCE)")) {
                tracing::error!(database, error = format!("{error:#}"), "a database of the benchmark is left");
            }
        }
    }
}

impl Place {
    /// Opens it for the engine, and makes the tables where there are none.
    pub(super) fn open_for_writing(&self) -> Result<Box<dyn Store>> {
        Ok(self.data()?.open_for_writing()?)
    }

    /// Opens it for reading.
    pub(super) fn open_reader(&self) -> Result<Box<dyn Reader>> {
        Ok(self.data()?.open_reader()?)
    }

    /// As the product names it.
    pub(super) fn data(&self) -> Result<Data> {
        Ok(match self {
            Self::Directory(path) => Data::directory(path),
            Self::Database(url) => Data::database(url)?,
        })
    }

    /// As it is told to a worker, over its input: an address may hold a password.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Directory(path) => path.display().to_string(),
            Self::Database(url) => url.clone(),
        }
    }
}

impl From<&str> for Place {
    fn from(text: &str) -> Self {
        match text.starts_with("postgres://") || text.starts_with("postgresql://") {
            true => Self::Database(text.to_owned()),
            false => Self::Directory(text.into()),
        }
    }
}

fn run_sql(url: &str, sql: &str) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a thread")?;
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, NoTls).await.context("the database cannot be reached")?;
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await.with_context(|| sql.to_owned())?;
        drop(client);
        connection.await.context("the connection's task")?.context("the connection")
    })
}
