//! Reading a backup: rows come out batch by batch, and every count and digest is checked on the way.
//!
//! What comes out before the end is not proven yet: whoever keeps it has to be able to take it back.

use super::format::{self, Header, Prefix, Summary, TableSummary};
use super::frames::{FrameReader, Tag};
use super::output::RowsDigest;
use super::{BackupError, Compression};
use crate::schema::Table;
use crate::store::Batch;
use crate::tables;
use crate::value::{Key, Row};
use std::io::Read;

/// Rows, and about how many bytes, that come out at once.
const BATCH_ROWS: usize = 256;
const BATCH_BYTES: usize = 1 << 20;

/// A backup that is being read.
pub struct BackupInput<R> {
    frames: FrameReader<R>,
    header: Header,
    summaries: Vec<TableSummary>,
    open: Option<OpenTable>,
    summary: Option<Summary>,
}

/// The table whose rows come now.
struct OpenTable {
    table: &'static Table,
    rows: u64,
    digest: RowsDigest,
    last: Option<Key>,
}

impl<R: Read> BackupInput<R> {
    /// Opens what follows a prefix, uncompressed.
    ///
    /// # Errors
    ///
    /// [`BackupError::OtherSchema`], [`BackupError::Cut`], [`BackupError::Damaged`], [`BackupError::Stream`].
    pub fn open(source: R, compression: Compression) -> Result<Self, BackupError> {
        let mut frames = FrameReader::new(source, &Prefix { compression }.to_bytes());
        let body = frames.expect(Tag::Header)?;
        let header = format::decode_header(&body).map_err(|error| frames.damaged(format!("its header: {error}")))?;
        if header.schema != tables::SCHEMA_VERSION {
            let Header { schema, quittance, .. } = header;
            return Err(BackupError::OtherSchema { found: schema, known: tables::SCHEMA_VERSION, quittance });
        }
        Ok(Self { frames, header, summaries: Vec::new(), open: None, summary: None })
    }

    /// What it says of itself. Proven at the end, as everything is.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What it came to; none before its end was reached, and all of it proven whole.
    #[must_use]
    pub const fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }

    /// The next rows, of one table; none at the end. Tables come in declared order, those without rows not at all.
    ///
    /// # Errors
    ///
    /// [`BackupError::Cut`], [`BackupError::Damaged`], [`BackupError::Stream`].
    pub fn next_batch(&mut self) -> Result<Option<Batch>, BackupError> {
        loop {
            if self.summary.is_some() {
                return Ok(None);
            }
            match (self.open.take(), tables::ALL.get(self.summaries.len())) {
                (Some(open), _) => {
                    let batch = self.rows(open)?;
                    if !batch.rows.is_empty() {
                        return Ok(Some(batch));
                    }
                }
                (None, Some(table)) => self.begin(table)?,
                (None, None) => self.end()?,
            }
        }
    }

    /// Reads to the end, for what it came to.
    ///
    /// # Errors
    ///
    /// As [`BackupInput::next_batch`].
    pub fn check(mut self) -> Result<(Header, Summary), BackupError> {
        while self.next_batch()?.is_some() {}
        let what = "no end was reached".to_owned();
        let summary = self.summary.ok_or_else(|| BackupError::Damaged { place: "at its end".to_owned(), what })?;
        Ok((self.header, summary))
    }

    fn begin(&mut self, table: &'static Table) -> Result<(), BackupError> {
        if self.frames.expect(Tag::Table)? != format::encode_table(table) {
            let what = format!("a table that is not {} as this version declares it", table.name);
            return Err(self.frames.damaged(what));
        }
        self.open = Some(OpenTable { table, rows: 0, digest: RowsDigest::default(), last: None });
        Ok(())
    }

    fn rows(&mut self, mut open: OpenTable) -> Result<Batch, BackupError> {
        let (table, mut rows, mut bytes) = (open.table, Vec::new(), 0);
        while rows.len() < BATCH_ROWS && bytes < BATCH_BYTES {
            match self.frames.take()? {
                (Tag::Row, body) => {
                    bytes += body.len();
                    rows.push(self.row(&mut open, &body)?);
                }
                (Tag::TableEnd, body) => {
                    self.end_table(open, &body)?;
                    return Ok(Batch { table, rows });
                }
                _ => return Err(self.frames.damaged(format!("{} does not end where it should", table.name))),
            }
        }
        self.open = Some(open);
        Ok(Batch { table, rows })
    }

    fn row(&self, open: &mut OpenTable, body: &[u8]) -> Result<Row, BackupError> {
        let table = open.table;
        let row = format::decode_row(table, body).map_err(|what| self.frames.damaged(format!("{table:?}: {what}")))?;
        let key = table.key_of(&row);
        if open.last.as_ref().is_some_and(|last| *last >= key) {
            return Err(self.frames.damaged(format!("{table:?}: rows are not in the order of their keys")));
        }
        open.last = Some(key);
        open.digest.add(body);
        open.rows += 1;
        Ok(row)
    }

    fn end_table(&mut self, open: OpenTable, body: &[u8]) -> Result<(), BackupError> {
        let name = open.table.name;
        let (rows, digest) = self.sums(body)?;
        if rows != open.rows {
            let what = format!("{name} should have {rows} rows and has {}", open.rows);
            return Err(self.frames.damaged(what));
        }
        if digest != open.digest.finish() {
            return Err(self.frames.damaged(format!("the rows of {name} are not those that were written")));
        }
        self.summaries.push(TableSummary { name, rows, digest });
        Ok(())
    }

    fn end(&mut self) -> Result<(), BackupError> {
        let body = self.frames.expect(Tag::End)?;
        let (rows, digest) = self.sums(&body)?;
        let counted = self.summaries.iter().map(|table| table.rows).sum();
        if rows != counted || digest != self.frames.digest() {
            return Err(self.frames.damaged("it is not what was written as a whole".to_owned()));
        }
        self.frames.end()?;
        self.summary = Some(Summary { tables: std::mem::take(&mut self.summaries), rows, digest });
        Ok(())
    }

    fn sums(&self, body: &[u8]) -> Result<(u64, [u8; 32]), BackupError> {
        format::decode_sums(body).map_err(|error| self.frames.damaged(format!("its sums: {error}")))
    }
}
