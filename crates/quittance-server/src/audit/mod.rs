//! What an auditor takes away: every chain that is kept, record by record, with what each record says, and a seal over all of
//! it that can be signed. It is checked where no Quittance runs ([`check`]).
//!
//! An export is lines of JSON. The first says what it is, the last is the seal, and each between them is a record: the bytes
//! that were chained when it was written, its hash, and the same in words. **What a line says can be made again from its bytes
//! alone**, so a byte that was changed anywhere is found, and named by its line. Journals of customers come first, in the order
//! of their ids; repairs of pairs follow, by name.

mod check;
mod line;
mod seal;
mod words;

pub use check::{AuditError, Checked, Demand, Fault, check};
pub use seal::{SigningKey, read_public_key};

use crate::api::rows;
use crate::clock;
use crate::data::Data;
use line::{Chain, Head, Line};
use quittance_store::records::{Entity, JournalEntry, RepairEntry};
use quittance_store::schema::Table;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{JOURNAL, REPAIR_JOURNAL};
use seal::Sealing;
use std::io::{self, Write};

/// Records that are read at once.
const PAGE: usize = 500;

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Journals of customers and of pairs.
    pub chains: u64,
    /// Their records.
    pub records: u64,
    /// The key that it can be checked with, in hexadecimal; none where it is not signed.
    pub public_key: Option<String>,
}

/// Why there is no export, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The books cannot be read.
    #[error("cannot read the books")]
    Store(#[from] StoreError),
    /// It cannot be written.
    #[error("cannot write the export")]
    Write(#[from] io::Error),
    /// What is kept does not hold, so it is not sealed.
    #[error("record {seq} of {chain}: {what}")]
    Unsound {
        /// The customer, or the pair.
        chain: String,
        /// The record's number.
        seq: i64,
        /// What is wrong with it.
        what: String,
    },
}

/// Writes all that is kept in chains, beside a running server or without one: the books as they are at one moment, then the
/// repairs as they are at another.
///
/// # Errors
///
/// [`ExportError`]; what was written then is a part, and has no seal.
pub fn export(data: &Data, key: Option<&SigningKey>, out: &mut dyn Write) -> Result<Exported, ExportError> {
    let mut sealing = Sealing::default();
    let head = Head::new(clock::now());
    put(out, &mut sealing, &head.text())?;
    let mut books = opened(data)?;
    let mut repairs = opened(&data.runs())?;
    if books.is_none() && repairs.is_none() {
        // Says where nothing is.
        data.open_reader()?;
    }
    if let Some(reader) = &mut books {
        all::<JournalEntry>(reader.as_mut(), &JOURNAL, |entry| record(Line::of_journal(entry), &mut sealing, out))?;
    }
    if let Some(reader) = &mut repairs {
        all::<RepairEntry>(reader.as_mut(), &REPAIR_JOURNAL, |entry| {
            record(Line::of_repairs(entry), &mut sealing, out)
        })?;
    }
    let exported = sealing.exported(key);
    out.write_all(sealing.sealed(head.made_at, key).as_bytes())?;
    out.flush()?;
    Ok(exported)
}

/// What is there at one moment, opened; none where nothing is.
fn opened(data: &Data) -> Result<Option<Box<dyn quittance_store::store::Snapshot>>, StoreError> {
    match data.open_snapshot() {
        Err(StoreError::Missing { .. }) => Ok(None),
        opened => opened.map(Some),
    }
}

fn all<E: Entity>(
    reader: &mut dyn Reader,
    table: &'static Table,
    mut each: impl FnMut(E) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut scan = Scan::forward(table, Vec::new(), PAGE);
    loop {
        let found = reader.scan(&scan)?;
        let is_last = found.len() < PAGE;
        scan.after = found.last().map(|row| table.key_of(row));
        for row in &found {
            each(rows::entity(row)?)?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Writes a record that follows the one before it.
fn record(line: Line, sealing: &mut Sealing, out: &mut dyn Write) -> Result<(), ExportError> {
    let unsound = |chain: &Chain, seq, what| ExportError::Unsound { chain: chain.to_string(), seq, what };
    sealing.follow(&line).map_err(|what| unsound(&line.chain, line.seq, what))?;
    let text = line.text().map_err(|what| unsound(&line.chain, line.seq, what))?;
    Ok(put(out, sealing, &text)?)
}

fn put(out: &mut dyn Write, sealing: &mut Sealing, line: &str) -> io::Result<()> {
    sealing.add(line.as_bytes());
    out.write_all(line.as_bytes())
}
