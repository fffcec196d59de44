//! Verification: every journal is replayed and every chain recomputed, and all that was derived from them is compared.
//!
//! Only reads, beside a running server or without one. A book that changes while it is read is looked at again before
//! anything is said about it.

mod book;
mod commands;
mod cursor;
mod effects;
mod events;
mod finding;
mod history;
mod keys;
mod movements;
mod objects;
mod refunds;
mod rows;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

pub use finding::{Aspect, FINDINGS_MAX, Finding};

use book::{Checked, Shelf};
use finding::Findings;
use history::name_of;
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::BOOKS;
use quittance_store::value::{Row, Value};

/// How often a book that changes while it is read is looked at.
const LOOKS_MAX: usize = 6;

/// How far verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Books checked.
    pub books: u64,
    /// Records replayed.
    pub records: u64,
}

/// What verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Books checked.
    pub books: u64,
    /// Records replayed.
    pub records: u64,
    /// Books that changed at every look, of which the journal was checked and the rows derived from it were not.
    pub unsettled: u64,
    /// Books whose balances could not be shown to follow from their records and to sum to zero.
    pub unbalanced: u64,
    /// Things found; [`Report::findings`] holds the first [`FINDINGS_MAX`] of them.
    pub findings_count: u64,
    /// What was found, in the order of books.
    pub findings: Vec<Finding>,
    is_chain_broken: bool,
}

impl Report {
    /// Whether every book's balances follow from its records and sum to zero.
    #[must_use]
    pub const fn is_balanced(&self) -> bool {
        self.unbalanced == 0
    }

    /// Whether no record of any journal is missing, changed, moved or unreadable.
    #[must_use]
    pub const fn is_chain_whole(&self) -> bool {
        !self.is_chain_broken
    }

    /// Whether nothing at all was found.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.findings_count == 0
    }

    /// The first finding that breaks the chain, or the first of all where none does.
    #[must_use]
    pub fn first_broken(&self) -> Option<&Finding> {
        let breaks = |finding: &&Finding| finding.aspect == Aspect::Chain;
        self.findings.iter().find(breaks).or_else(|| self.findings.first())
    }

    /// Adds a finding that was made outside of any book, such as damage in the file below the tables.
    pub fn add(&mut self, finding: Finding) {
        self.findings_count += 1;
        self.is_chain_broken |= finding.aspect == Aspect::Chain;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    fn include(&mut self, checked: Checked) {
        let is_unbalanced = !checked.is_replayed || checked.findings.found.iter().any(|f| f.aspect == Aspect::Ledger);
        self.books += 1;
        self.records += u64::try_from(checked.records).unwrap_or(0);
        self.unbalanced += u64::from(is_unbalanced);
        self.include_findings(checked.findings);
    }

    fn include_findings(&mut self, findings: Findings) {
        self.findings_count += findings.count - findings.found.len() as u64;
        findings.found.into_iter().for_each(|finding| self.add(finding));
    }
}

/// Checks all books, and then what belongs to none. Memory is bounded by the largest book.
///
/// Data that cannot be read as what it should be is a finding. So is damage that the store itself reports: it ends the
/// check, with what was found until then.
///
/// # Errors
///
/// [`StoreError`] when the store cannot be read for other reasons.
pub fn verify(reader: &mut dyn Reader, progress: &mut dyn FnMut(Progress)) -> Result<Report, StoreError> {
    let mut report = Report::default();
    let mut last = "the first book".to_owned();
    match check_all(reader, &mut report, &mut last, progress) {
        Err(StoreError::Corrupt { place, what }) => {
            let book = last;
            let what = format!("damaged data in {place} at or soon after it: {what}; nothing behind it was checked");
            report.unbalanced += 1;
            report.add(Finding { book, seq: None, aspect: Aspect::Chain, what });
            Ok(report)
        }
        other => other.map(|()| report),
    }
}

fn check_all(
    reader: &mut dyn Reader,
    report: &mut Report,
    last: &mut String,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), StoreError> {
    let mut shelf = Shelf::whole();
    while let Some(book) = shelf.next_book(reader)? {
        *last = name_of(&book);
        let mut checked = shelf.check(reader, &book)?;
        if checked.findings.count > 0 {
            let (again, is_settled) = look_again(reader, &book)?;
            report.unsettled += u64::from(!is_settled);
            checked = again;
        }
        report.include(checked);
        progress(Progress { books: report.books, records: report.records });
    }
    "none (idempotency keys)".clone_into(last);
    keys::check(reader, &mut |findings| report.include_findings(findings))?;
    "none (movements)".clone_into(last);
    movements::check_rows(reader, &mut |findings| report.include_findings(findings))?;
    "none (events)".clone_into(last);
    events::check(reader, &mut |findings| report.include_findings(findings))
}

/// Checks one book by itself, until its row is the same before and after. Says whether that was reached; where not, only
/// findings about the journal are kept, for its records never change.
fn look_again(reader: &mut dyn Reader, book: &Value) -> Result<(Checked, bool), StoreError> {
    let mut looks = 1;
    loop {
        let before = row_of(reader, book)?;
        let mut checked = Shelf::of(book).check(reader, book)?;
        if row_of(reader, book)? == before {
            return Ok((checked, true));
        }
        if looks == LOOKS_MAX {
            checked.keep_certain(before.as_ref());
            return Ok((checked, false));
        }
        looks += 1;
    }
}

fn row_of(reader: &mut dyn Reader, book: &Value) -> Result<Option<Row>, StoreError> {
    let mut rows = reader.get_many(&BOOKS, std::slice::from_ref(&vec![book.clone()]))?;
    Ok(rows.pop().flatten())
}
