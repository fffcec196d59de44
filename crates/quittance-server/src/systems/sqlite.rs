//! An SQLite file of the user's, opened for reading only.
//!
//! Owns the connection, its one moment and the reading of rows; statements and the meaning of stored values are
//! [`quittance_connectors::sql::sqlite`]. The file is never created and never written. With a write-ahead log SQLite
//! itself may put its index of the log (`-shm`) beside the file, as every reader does.
//!
//! With a write-ahead log everything is read of one moment until [`System::refresh`]; writers go on meanwhile, and the
//! log grows until then. Without one a reader keeps writers out, so each reading is a moment of its own and lets go at
//! its end.

mod error;
mod rows;
mod schema;
mod writer;

use super::{Description, LOOKUPS_MAX, Reading, Sink, System, SystemError, Wanted};
use error::At;
use quittance_core::pair::Side;
use quittance_core::record::value::Type;
use rusqlite::{Connection, OpenFlags};
use schema::Object;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub use writer::SqliteWriter;

/// How long another process may keep the file locked before reading is given up.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Settings of the connection: it cannot write, finds damaged pages, and lets no schema of somebody else's call
/// functions that do more than compute.
const SETTINGS: &str = "
    PRAGMA query_only = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
";

/// One SQLite file.
pub struct Sqlite {
    name: String,
    path: PathBuf,
    connection: Connection,
    /// Whether reading leaves writers alone.
    has_log: bool,
    is_in_moment: bool,
}

impl Sqlite {
    /// Opens the file of a system; a lock of another process is waited for as long as `patience`.
    ///
    /// # Errors
    ///
    /// [`super::Blame::Configuration`] when there is no such file; [`super::Blame::Outside`] when it is no database or
    /// cannot be read.
    pub fn open(name: &str, path: &Path, patience: Duration) -> Result<Self, SystemError> {
        if !path.is_file() {
            return Err(error::missing(name, path));
        }
        let at = At { system: name, path, doing: "opening" };
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(patience)?;
            connection.execute_batch(SETTINGS)?;
            let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            Ok((connection, mode == "wal"))
        };
        let (connection, has_log) = open().map_err(|error| at.error(error))?;
        Ok(Self { name: name.to_owned(), path: path.to_owned(), connection, has_log, is_in_moment: false })
    }

    fn at(&self, doing: &'static str) -> At<'_> {
        At { system: &self.name, path: &self.path, doing }
    }

    /// Runs a reading within the moment, and ends it where keeping it would keep writers out.
    fn within_moment<T>(&mut self, read: impl FnOnce(&Self) -> Result<T, SystemError>) -> Result<T, SystemError> {
        if !self.is_in_moment {
            self.connection.execute_batch("BEGIN DEFERRED").map_err(|error| self.at("opening").error(error))?;
            self.is_in_moment = true;
        }
        let read = read(self);
        if !self.has_log {
            self.refresh()?;
        }
        read
    }

    fn object(&self, name: &str) -> Result<Object, SystemError> {
        schema::object(&self.connection, self.at("reading the schema"), name)
    }
}

impl System for Sqlite {
    fn objects(&mut self) -> Result<Vec<String>, SystemError> {
        self.within_moment(|this| schema::names(&this.connection, this.at("reading the schema")))
    }

    fn describe(&mut self, object: &str) -> Result<Description, SystemError> {
        self.within_moment(|this| {
            let object = this.object(object)?;
            let identity = schema::identity(&this.connection, this.at("reading the schema"), &object)?;
            let declared = object.columns.iter().map(|column| (column.name.clone(), column.declared.value_type()));
            let mut columns: Vec<_> = declared.collect();
            // The number of the row is a column where it is all that tells rows apart.
            for name in identity.iter().filter(|name| object.is_rowid(name)) {
                columns.push((name.clone(), Some(Type::Number)));
            }
            Ok(Description { columns, identity, ..Description::default() })
        })
    }

    fn read(
        &mut self,
        object: &str,
        side: &Side,
        wanted: &Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError> {
        self.within_moment(|this| {
            let object = this.object(object)?;
            let columns = schema::columns(this.at("reading the schema"), &object, side)?;
            let condition = match wanted {
                Wanted::All => rows::Condition::default(),
                Wanted::Where { columns: searched, values } => {
                    assert!(values.len() <= LOOKUPS_MAX, "{} lookups at once, at most {LOOKUPS_MAX}", values.len());
                    rows::Condition::new(&columns, searched, values)
                }
            };
            let query = rows::Query { object: &object, columns: &columns, condition: &condition };
            rows::read(&this.connection, this.at("reading"), &query, sink)
        })
    }

    fn can_find(&self, object: &str, side: &Side, columns: &[usize]) -> bool {
        let find = || {
            let object = self.object(object)?;
            let known = schema::columns(self.at("reading the schema"), &object, side)?;
            let is_searchable = |at: &usize| known[*at].is_searchable();
            let names: Vec<&str> = columns.iter().map(|at| known[*at].name.as_str()).collect();
            let is_indexed = schema::is_indexed(&self.connection, self.at("reading the schema"), &object, &names)?;
            Ok::<_, SystemError>(columns.iter().all(is_searchable) && is_indexed)
        };
        find().unwrap_or(false)
    }

    fn refresh(&mut self) -> Result<(), SystemError> {
        if std::mem::take(&mut self.is_in_moment) {
            self.connection.execute_batch("COMMIT").map_err(|error| self.at("reading").error(error))?;
        }
        Ok(())
    }

    fn estimate(&mut self, object: &str) -> Result<Option<u64>, SystemError> {
        self.within_moment(|this| {
            let object = this.object(object)?;
            let at = this.at("estimating");
            let Some(statement) = object.estimate() else { return Ok(None) };
            let count: Option<i64> =
                this.connection.query_row(&statement, [], |row| row.get(0)).map_err(|error| at.error(error))?;
            Ok(Some(u64::try_from(count.unwrap_or(0)).unwrap_or(0)))
        })
    }
}
