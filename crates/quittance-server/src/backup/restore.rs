//! Restoring: a proven file into an empty store, all of it or nothing.
//!
//! The file is read twice. First to its end, so that one that is not whole touches nothing; then into one transaction,
//! which is committed only when every digest came out again, the books were verified, and recovery has begun.

use super::file::{self, Input};
use super::pairs::Pairs;
use super::take::is_kept_apart;
use super::{FileError, Header, Summary, recovery};
use crate::data::Data;
use quittance_engine::verify::{self, Progress, Report};
use quittance_store::master::{self, MasterKey};
use quittance_store::records::Entity;
use quittance_store::store::{Batch, Change, Load, Reader, StoreError};
use std::path::Path;
use std::sync::Arc;

/// What transactions of a restore are called.
const NAME: &str = "restoring a backup";

/// How to restore.
#[derive(Clone, Copy, Debug)]
pub struct Restore<'a> {
    /// The backup.
    pub from: &'a Path,
    /// Where to; there has to be nothing.
    pub to: &'a Data,
    /// Whether books that verification finds something in are restored all the same.
    pub keeps_findings: bool,
}

/// A store that was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says of itself.
    pub header: Header,
    /// What it came to.
    pub summary: Summary,
    /// What verification of the restored books found.
    pub report: Report,
    /// The writer epoch they are at now, greater than that of the backup.
    pub writer_epoch: i64,
    /// The pairs of which anything was restored, in order; each is paused.
    pub paused_pairs: Vec<String>,
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file is not whole, or none.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store cannot be filled.
    #[error("cannot restore into {place}")]
    Store {
        /// Where to.
        place: String,
        /// Cause.
        #[source]
        source: StoreError,
    },
    /// The books in the backup are not sound.
    #[error("the books in the backup are not sound: {first}")]
    Unsound {
        /// What was found first.
        first: String,
        /// All of it.
        report: Box<Report>,
    },
}

/// Restores.
///
/// **Effects**: fills the store, and pauses everything in it. A store that could not be filled is left empty.
///
/// # Errors
///
/// [`RestoreError`]; nothing was restored.
pub fn restore(restore: Restore<'_>, progress: &mut dyn FnMut(Progress)) -> Result<Restored, RestoreError> {
    let Restore { from, to, keeps_findings } = restore;
    super::check(from)?;
    let input = file::open(from)?;
    let failed = |source| RestoreError::Store { place: to.to_string(), source };
    let mut store = to.open_to_fill().map_err(failed)?;
    let runs = to.runs();
    let runs = (runs != *to).then_some(runs);
    let pairs = Pairs::default();
    let mut books = Books { input, to, runs, ahead: None, pairs, keeps_findings, report: None, why: None, progress };
    if let Err(source) = store.load(NAME, &mut books) {
        return Err(books.why.unwrap_or_else(|| failed(source)).at(from));
    }
    let (Some(report), Some(summary)) = (books.report, books.input.summary().cloned()) else {
        return Err(failed(StoreError::Aborted { name: NAME, reason: "it was not read to its end".to_owned() }));
    };
    let (header, paused_pairs) = (books.input.header().clone(), books.pairs.into_names());
    Ok(Restored { header, summary, report, writer_epoch: store.writer_epoch(), paused_pairs })
}

impl RestoreError {
    /// With the file's name, where it is about the file.
    fn at(self, path: &Path) -> Self {
        match self {
            Self::File(FileError::Content { source, .. }) => Self::File(FileError::content(path, source)),
            other => other,
        }
    }
}

/// The tables of the ledger, out of a backup.
struct Books<'a> {
    input: Input,
    to: &'a Data,
    /// Where the other tables go, where they have a store of their own.
    runs: Option<Data>,
    /// The first rows of those tables: they come last.
    ahead: Option<Batch>,
    pairs: Pairs,
    keeps_findings: bool,
    report: Option<Report>,
    /// Why it was given up, which the store knows only as words.
    why: Option<RestoreError>,
    progress: &'a mut dyn FnMut(Progress),
}

impl Books<'_> {
    fn turn(&mut self) -> Result<Option<Batch>, RestoreError> {
        let batch = next(&mut self.input, &mut self.pairs)?;
        let is_ours = |batch: &Batch| self.runs.is_none() || !is_kept_apart(batch.table);
        match batch {
            Some(batch) if is_ours(&batch) => Ok(Some(batch)),
            other => {
                self.ahead = other;
                Ok(None)
            }
        }
    }

    fn prove(&mut self, reader: &mut dyn Reader) -> Result<Vec<Change>, RestoreError> {
        let place = self.input.header().taken_at;
        let failed = |source| RestoreError::Store { place: "the restored books".to_owned(), source };
        master::check(reader, self.to.keys().map(Arc::as_ref)).map_err(failed)?;
        let report = verify::verify(reader, self.progress).map_err(failed)?;
        if let Some(first) = report.first_broken().filter(|_| !self.keeps_findings) {
            let first = format!("book {}: {}", first.book, first.what);
            return Err(RestoreError::Unsound { first, report: Box::new(report) });
        }
        self.report = Some(report);
        let keys = master::in_use(reader).map_err(failed)?;
        self.load_runs(&keys)?;
        let mut changes = recovery::begin(reader, place).map_err(failed)?;
        if self.runs.is_none() {
            changes.extend(self.pairs.paused(reader).map_err(failed)?);
        }
        Ok(changes)
    }

    /// Loads what has a store of its own. It is committed just before the books are: whoever dies in between finds it there
    /// when starting over, and is told.
    fn load_runs(&mut self, keys: &[MasterKey]) -> Result<(), RestoreError> {
        let (Some(data), Some(_)) = (&self.runs, &self.ahead) else { return Ok(()) };
        let failed = |source| RestoreError::Store { place: data.to_string(), source };
        let mut store = data.open_to_fill().map_err(failed)?;
        let (input, ahead, pairs) = (&mut self.input, &mut self.ahead, &mut self.pairs);
        let mut runs = Runs { input, ahead, pairs, keys, why: None };
        let loaded = store.load(NAME, &mut runs);
        match runs.why {
            Some(why) => Err(why),
            None => loaded.map_err(failed),
        }
    }
}

impl Load for Books<'_> {
    fn writer_epoch(&self) -> i64 {
        self.input.header().writer_epoch
    }

    fn next(&mut self) -> Result<Option<Batch>, String> {
        self.turn().map_err(|error| give_up(error, &mut self.why))
    }

    fn conclude(&mut self, reader: &mut dyn Reader) -> Result<Vec<Change>, String> {
        self.prove(reader).map_err(|error| give_up(error, &mut self.why))
    }
}

/// The tables that have a store of their own.
struct Runs<'a> {
    input: &'a mut Input,
    ahead: &'a mut Option<Batch>,
    pairs: &'a mut Pairs,
    /// The keys that anything of the backup is sealed under.
    keys: &'a [MasterKey],
    why: Option<RestoreError>,
}

impl Load for Runs<'_> {
    fn writer_epoch(&self) -> i64 {
        self.input.header().writer_epoch
    }

    fn next(&mut self) -> Result<Option<Batch>, String> {
        match self.ahead.take() {
            Some(batch) => Ok(Some(batch)),
            None => next(self.input, self.pairs).map_err(|error| give_up(error, &mut self.why)),
        }
    }

    fn conclude(&mut self, reader: &mut dyn Reader) -> Result<Vec<Change>, String> {
        let change = |key: &MasterKey| Change::Upsert { table: MasterKey::table(), row: key.to_row() };
        let paused = self.pairs.paused(reader).map_err(|error| error.to_string())?;
        Ok(self.keys.iter().map(change).chain(paused).collect())
    }
}

/// The next rows that are restored; the file's name is put to an error where it is known.
fn next(input: &mut Input, pairs: &mut Pairs) -> Result<Option<Batch>, RestoreError> {
    loop {
        let batch = input.next_batch().map_err(|source| FileError::content(Path::new(""), source))?;
        let Some(batch) = batch else { return Ok(None) };
        if pairs.is_restored(&batch) {
            return Ok(Some(batch));
        }
    }
}

fn give_up(error: RestoreError, why: &mut Option<RestoreError>) -> String {
    let text = error.to_string();
    *why = Some(error);
    text
}
