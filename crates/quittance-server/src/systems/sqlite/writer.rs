//! Changing rows of an SQLite file: all of one call in one transaction that keeps other writers out, and read back after
//! its end. Does not own how values are stored: that is in the connectors.
//!
//! References to other tables are checked, which SQLite does only where it is asked to.

mod job;
mod together;

use super::error::{self, At, WRITABLE, WRITING};
use super::rows::{self, Raw};
use crate::config::Triggers;
use crate::systems::SystemError;
use crate::systems::write::{
    Fault, Stand, Standing, Together, Veto, WRITES_MAX, Write, WriteOptions, Writer, Written, after, stand, standing,
    vetoed,
};
use job::Job;
use quittance_connectors::sql::sqlite::write::{Put, update};
use quittance_core::pair::Side;
use rusqlite::types::ToSql;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SETTINGS: &str = "
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA foreign_keys = ON;
";

const KEPT: &str = "a trigger keeps it from being changed";
const SEVERAL: &str = "several records have this identity";

/// One SQLite file whose rows are changed.
pub struct SqliteWriter {
    name: String,
    path: PathBuf,
    connection: Connection,
    options: WriteOptions,
    veto: Option<Veto>,
}

/// What came of a row within a transaction.
enum Outcome {
    /// It was changed; this finds it.
    Applied(Vec<Raw>),
    Said(Written),
}

/// Why a transaction did not come to its commit.
enum Broken {
    System(SystemError),
    /// A trigger took all of it back because of this record.
    RolledBack(usize, String),
}

impl From<SystemError> for Broken {
    fn from(error: SystemError) -> Self {
        Self::System(error)
    }
}

impl SqliteWriter {
    /// Opens the file of a system; a lock of another process is waited for as long as `patience`.
    ///
    /// # Errors
    ///
    /// [`crate::systems::Blame::Configuration`] when there is no such file, when it cannot be written, or triggers are to
    /// be skipped; [`crate::systems::Blame::Outside`] when it is no database.
    pub fn open(name: &str, path: &Path, patience: Duration, options: WriteOptions) -> Result<Self, SystemError> {
        if !path.is_file() {
            return Err(error::missing(name, path));
        }
        if options.triggers == Triggers::Skip {
            let what = format!("triggers of the system `{name}` cannot be skipped: SQLite always fires them");
            return Err(SystemError::configuration(what, "write triggers = \"fire\""));
        }
        let at = At { system: name, path, doing: "opening" };
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(patience)?;
            connection.execute_batch(SETTINGS)?;
            let is_readonly = connection.is_readonly("main")?;
            Ok((connection, is_readonly))
        };
        let (connection, is_readonly) = open().map_err(|error| at.error(error))?;
        if is_readonly {
            let what = format!("{} of the system `{name}` cannot be written", path.display());
            return Err(SystemError::configuration(what, WRITABLE));
        }
        Ok(Self { name: name.to_owned(), path: path.to_owned(), connection, options, veto: None })
    }

    fn at(&self) -> At<'_> {
        At { system: &self.name, path: &self.path, doing: WRITING }
    }

    fn run(&self, statement: &str) -> Result<(), SystemError> {
        self.connection.execute_batch(statement).map_err(|error| self.at().error(error))
    }

    /// Lets nothing of a transaction stay that did not come to its end.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // Where this fails there is no connection any more that anything could stay on.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Writes these of the writes in one transaction; where what is only checked at its end refuses it, each in one of
    /// its own.
    fn batch(&self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
        let mut refused = BTreeMap::new();
        let (job, outcomes) = loop {
            self.run("BEGIN IMMEDIATE")?;
            let job = Job::new(self.at(), &self.connection, &self.options, (object, side, writes))?;
            match self.transaction(&job, &refused) {
                Ok(outcomes) => break (job, outcomes),
                Err(Broken::System(error)) => return Err(error),
                Err(Broken::RolledBack(at, why)) => {
                    self.roll_back();
                    refused.insert(at, why);
                }
            }
        };
        vetoed(&self.name, self.veto.as_ref())?;
        if let Err(error) = self.connection.execute_batch("COMMIT") {
            self.roll_back();
            return match (self.refusal(error)?, writes.len()) {
                (why, 1) => Ok(vec![Written::Refused { why }]),
                _ => {
                    let each = writes.iter().map(|write| self.batch(object, side, std::slice::from_ref(write)));
                    Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
                }
            };
        }
        self.watched(&job, outcomes)
    }

    fn transaction(&self, job: &Job<'_>, refused: &BTreeMap<usize, String>) -> Result<Vec<Outcome>, Broken> {
        let located = job.located(self.at(), &self.connection)?;
        let mut outcomes = Vec::with_capacity(job.writes.len());
        for (at, write) in job.writes.iter().enumerate() {
            let found = job.keys[at].as_ref().and_then(|key| located.get(key)).map_or(&[][..], Vec::as_slice);
            outcomes.push(match found {
                [] => Outcome::Said(Written::Gone),
                [locator] => self.one(job, (at, write), locator, refused.get(&at))?,
                _ => Outcome::Said(Written::Refused { why: SEVERAL.to_owned() }),
            });
        }
        Ok(outcomes)
    }

    fn one(
        &self,
        job: &Job<'_>,
        (at, write): (usize, &Write),
        locator: &[Raw],
        refused: Option<&String>,
    ) -> Result<Outcome, Broken> {
        let said = |written| Ok(Outcome::Said(written));
        // A trigger of a record before it may have changed it.
        let found = job.row(self.at(), &self.connection, locator)?;
        let Some((row, raw)) = found.filter(|(row, _)| job.narrow.key(row) == job.keys[at]) else {
            return said(Written::Gone);
        };
        match standing(write, &row, &job.narrow) {
            Standing::Done => return said(Written::Already),
            Standing::Moved(now) => return said(Written::Moved { now }),
            Standing::AsExpected => {}
        }
        let puts = match refused.map_or_else(|| job.puts(write, &raw), |why| Err(why.clone())) {
            Ok(puts) => puts,
            Err(why) => return said(Written::Refused { why }),
        };
        self.run("SAVEPOINT w")?;
        match self.change(job, &puts, locator) {
            Ok(0) => {
                self.run("ROLLBACK TO w; RELEASE w")?;
                said(Written::Refused { why: KEPT.to_owned() })
            }
            Ok(_) => {
                self.run("RELEASE w")?;
                Ok(Outcome::Applied(locator.to_vec()))
            }
            Err(error) => {
                let why = self.refusal(error)?;
                if self.connection.is_autocommit() {
                    return Err(Broken::RolledBack(at, why));
                }
                self.run("ROLLBACK TO w; RELEASE w")?;
                said(Written::Refused { why })
            }
        }
    }

    fn change(&self, job: &Job<'_>, puts: &[(&str, Put)], locator: &[Raw]) -> rusqlite::Result<usize> {
        let set: Vec<(&str, &Put)> = puts.iter().map(|(name, put)| (*name, put)).collect();
        let mut statement = self.connection.prepare_cached(&update(&job.object.name, &set, &job.locator()))?;
        let bound: Vec<Option<rows::Parameter<'_>>> =
            puts.iter().map(|(_, put)| put.bound.as_ref().map(rows::Parameter)).collect();
        let values = bound.iter().map(|value| value as &dyn ToSql);
        statement.execute(params_from_iter(values.chain(locator.iter().map(|raw| raw as &dyn ToSql))))
    }

    /// Why one record is refused, in SQLite's words.
    ///
    /// # Errors
    ///
    /// When no record can be written.
    fn refusal(&self, error: rusqlite::Error) -> Result<String, SystemError> {
        use ErrorCode::{ConstraintViolation, TooBig, TypeMismatch, Unknown};
        match &error {
            // What a trigger raises and what is wrong inside it is `Unknown`.
            rusqlite::Error::SqliteFailure(failure, Some(said))
                if matches!(failure.code, ConstraintViolation | TooBig | TypeMismatch | Unknown) =>
            {
                Ok(said.clone())
            }
            _ => Err(self.at().error(error)),
        }
    }

    /// Reads what the rows hold that were written.
    fn watched(&self, job: &Job<'_>, outcomes: Vec<Outcome>) -> Result<Vec<Written>, SystemError> {
        let unread = |error: SystemError| {
            let what = format!("what was written to the system `{}` cannot be read back: {error}", self.name);
            SystemError::outside(what, "do the same again, which finds out").because(error)
        };
        self.run("BEGIN DEFERRED").map_err(unread)?;
        let mut written = Vec::with_capacity(outcomes.len());
        for (outcome, write) in outcomes.into_iter().zip(job.writes) {
            written.push(match outcome {
                Outcome::Said(written) => written,
                Outcome::Applied(locator) => {
                    let row = job.row(self.at(), &self.connection, &locator).map_err(unread)?;
                    after(write, row.as_ref().map(|(row, _)| row.as_slice()), &job.narrow)
                }
            });
        }
        self.run("COMMIT").map_err(unread)?;
        Ok(written)
    }
}

impl SqliteWriter {
    /// `begin` says whether other writers are kept out.
    fn stands(&self, begin: &str, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError> {
        self.run(begin)?;
        let job = Job::new(self.at(), &self.connection, &self.options, (object, side, writes))?;
        let located = job.located(self.at(), &self.connection)?;
        let mut stands = Vec::with_capacity(writes.len());
        for (at, write) in writes.iter().enumerate() {
            let locators = job.keys[at].as_ref().and_then(|key| located.get(key)).map_or(&[][..], Vec::as_slice);
            let mut found = Vec::new();
            for locator in locators {
                found.extend(job.row(self.at(), &self.connection, locator)?.map(|(row, _)| row));
            }
            stands.push(stand(write, &found, &job.narrow));
        }
        self.run("COMMIT")?;
        Ok(stands)
    }
}

impl Writer for SqliteWriter {
    fn stand(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Stand>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} records at once, at most {WRITES_MAX}", writes.len());
        let stands = self.stands("BEGIN DEFERRED", object, side, writes);
        self.roll_back();
        stands
    }

    fn stand_still(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Option<Stand>>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} records at once, at most {WRITES_MAX}", writes.len());
        let stands = self.stands("BEGIN IMMEDIATE", object, side, writes);
        self.roll_back();
        Ok(stands?.into_iter().map(Some).collect())
    }

    fn ask_before_commit(&mut self, veto: Veto) {
        self.veto = Some(veto);
    }

    fn write(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
        assert!(writes.len() <= WRITES_MAX, "{} writes at once, at most {WRITES_MAX}", writes.len());
        if writes.is_empty() {
            return Ok(Vec::new());
        }
        let written = self.batch(object, side, writes);
        self.roll_back();
        written
    }

    fn write_all(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Together, SystemError> {
        let together = self.together(object, side, writes);
        self.roll_back();
        together
    }

    fn faults(&mut self, object: &str, side: &Side, writes: &[Write]) -> Result<Vec<Option<Fault>>, SystemError> {
        let faults = self.find_faults(object, side, writes);
        self.roll_back();
        faults
    }
}
