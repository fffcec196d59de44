//! Writing a backup: all rows of all tables, page by page.

use super::format::{self, Header, Prefix, Summary, TableSummary};
use super::frames::{FRAME_BYTES_MAX, FrameWriter, Tag};
use super::{BackupError, Compression};
use crate::schema::Table;
use crate::store::{Scan, StoreError};
use crate::tables;
use crate::value::Row;
use sha2::{Digest, Sha256};
use std::io::Write;

/// Rows that are read at once.
const PAGE_ROWS: usize = 128;

/// Reads a page of whatever holds a table.
pub type Fetch<'a> = dyn FnMut(&Scan) -> Result<Vec<Row>, StoreError> + 'a;

/// Writes everything behind the prefix, which is the caller's to write, for what comes here may be compressed. All
/// pages have to be of one moment. `progress` hears of every page: the table, and its rows so far.
///
/// # Errors
///
/// [`BackupError::Store`], [`BackupError::Stream`], [`BackupError::TooLong`]; what was written is no backup then.
pub fn write(
    out: &mut dyn Write,
    compression: Compression,
    header: &Header,
    fetch: &mut Fetch<'_>,
    progress: &mut dyn FnMut(&'static Table, u64),
) -> Result<Summary, BackupError> {
    let mut frames = FrameWriter::new(out, &Prefix { compression }.to_bytes());
    frames.put(Tag::Header, &format::encode_header(header))?;
    let mut summaries = Vec::new();
    for table in tables::ALL {
        summaries.push(write_table(&mut frames, table, fetch, progress)?);
    }
    let (rows, digest) = (summaries.iter().map(|table| table.rows).sum(), frames.digest());
    frames.put(Tag::End, &format::encode_sums(rows, &digest))?;
    frames.flush()?;
    Ok(Summary { tables: summaries, rows, digest })
}

fn write_table(
    frames: &mut FrameWriter<'_>,
    table: &'static Table,
    fetch: &mut Fetch<'_>,
    progress: &mut dyn FnMut(&'static Table, u64),
) -> Result<TableSummary, BackupError> {
    frames.put(Tag::Table, &format::encode_table(table))?;
    let (mut rows, mut digest) = (0, RowsDigest::default());
    let mut scan = Scan::forward(table, Vec::new(), PAGE_ROWS);
    loop {
        let page = fetch(&scan)?;
        for row in &page {
            let body = format::encode_row(row);
            if body.len() > FRAME_BYTES_MAX {
                return Err(BackupError::TooLong { table: table.name, bytes: body.len() });
            }
            digest.add(&body);
            frames.put(Tag::Row, &body)?;
            rows += 1;
        }
        progress(table, rows);
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS => scan.after = Some(scan.position_of(last)),
            _ => break,
        }
    }
    let digest = digest.finish();
    frames.put(Tag::TableEnd, &format::encode_sums(rows, &digest))?;
    Ok(TableSummary { name: table.name, rows, digest })
}

/// The digest of a table's rows.
#[derive(Default)]
pub(super) struct RowsDigest(Sha256);

impl RowsDigest {
    pub(super) fn add(&mut self, body: &[u8]) {
        self.0.update(u64::try_from(body.len()).unwrap_or(u64::MAX).to_be_bytes());
        self.0.update(body);
    }

    pub(super) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
