//! What a backup says: prefix, header, tables, rows, sums. One encoding for each.

use super::BackupError;
use crate::records::codec::{CodecError, Reader, Writer};
use crate::schema::{Kind, Nullability, Table};
use crate::value::{Row, Value};
use quittance_core::time::Timestamp;

/// Newest version of the format.
const FORMAT: u8 = 1;
/// First bytes of every backup of every version.
const MAGIC: [u8; 16] = *b"QUITTANCE-BACKUP";
/// Version of the bodies of frames.
const BODY: u8 = 1;

/// How the frames are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// One frame of Zstandard (RFC 8878).
    Zstd,
}

/// The first bytes, which say how to read the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// How what follows is compressed.
    pub compression: Compression,
}

impl Prefix {
    /// How many bytes it has.
    pub const BYTES: usize = MAGIC.len() + 2;

    /// Its bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
        bytes[MAGIC.len()] = FORMAT;
        bytes[MAGIC.len() + 1] = match self.compression {
            Compression::None => 0,
            Compression::Zstd => 1,
        };
        bytes
    }

    /// Reads it from the first bytes of a file, of which there may be fewer.
    ///
    /// # Errors
    ///
    /// [`BackupError::NotABackup`], [`BackupError::NewerFormat`], [`BackupError::Cut`], [`BackupError::Damaged`].
    pub fn parse(bytes: &[u8]) -> Result<Self, BackupError> {
        let place = || "in its first bytes".to_owned();
        match (bytes.strip_prefix(&MAGIC), bytes.is_empty()) {
            (Some([format, ..]), _) if *format > FORMAT => {
                Err(BackupError::NewerFormat { found: *format, known: FORMAT })
            }
            (Some([FORMAT, 0]), _) => Ok(Self { compression: Compression::None }),
            (Some([FORMAT, 1]), _) => Ok(Self { compression: Compression::Zstd }),
            (Some([_, _, ..]), _) => {
                Err(BackupError::Damaged { place: place(), what: "no such format or compression".to_owned() })
            }
            (Some(_), _) => Err(BackupError::Cut { place: place() }),
            (None, false) if MAGIC.starts_with(bytes) => Err(BackupError::Cut { place: place() }),
            (None, _) => Err(BackupError::NotABackup),
        }
    }
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the tables' declarations.
    pub schema: i64,
    /// Version of the program that wrote it.
    pub quittance: String,
    /// The moment it shows.
    pub taken_at: Timestamp,
    /// What kind of store it came from.
    pub store: String,
    /// Newest writer epoch of that store.
    pub writer_epoch: i64,
}

/// What a table came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSummary {
    /// Its name.
    pub name: &'static str,
    /// Its rows.
    pub rows: u64,
    /// SHA-256 over its rows' encodings, each behind its length.
    pub digest: [u8; 32],
}

/// What a whole backup came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Every table, in declared order.
    pub tables: Vec<TableSummary>,
    /// Rows of all tables.
    pub rows: u64,
    /// SHA-256 over everything before it, as it is without compression.
    pub digest: [u8; 32],
}

pub(super) fn encode_header(header: &Header) -> Vec<u8> {
    let mut body = Writer::version(BODY);
    body.integer(header.schema).text(&header.quittance).integer(header.taken_at.0).text(&header.store);
    body.integer(header.writer_epoch).finish()
}

pub(super) fn decode_header(bytes: &[u8]) -> Result<Header, CodecError> {
    let mut body = Reader::open(bytes, BODY)?;
    let (schema, quittance, taken_at) = (body.integer()?, body.text()?, Timestamp(body.integer()?));
    let header = Header { schema, quittance, taken_at, store: body.text()?, writer_epoch: body.integer()? };
    body.end()?;
    Ok(header)
}

/// A table as it is declared, so that a file is readable by what it says itself.
pub(super) fn encode_table(table: &Table) -> Vec<u8> {
    let count = |count: usize| u32::try_from(count).expect("declarations are short");
    let mut body = Writer::version(BODY);
    body.text(table.name).count(count(table.key_columns)).count(count(table.columns.len()));
    for column in table.columns {
        let kind = match column.kind {
            Kind::Integer => 1,
            Kind::Text => 2,
            Kind::Bytes => 3,
        };
        body.text(column.name).byte(kind).flag(column.nullability == Nullability::Optional);
    }
    body.finish()
}

pub(super) fn encode_row(row: &Row) -> Vec<u8> {
    let mut body = Writer::version(BODY);
    for value in row {
        match value {
            Value::Null => body.byte(0),
            Value::Integer(integer) => body.byte(1).integer(*integer),
            Value::Text(text) => body.byte(2).text(text),
            Value::Bytes(bytes) => body.byte(3).bytes(bytes),
        };
    }
    body.finish()
}

/// Reads a row that fits the declaration of its table.
pub(super) fn decode_row(table: &Table, bytes: &[u8]) -> Result<Row, String> {
    let read = || -> Result<Row, CodecError> {
        let mut body = Reader::open(bytes, BODY)?;
        let mut row = Row::with_capacity(table.columns.len());
        for _ in table.columns {
            row.push(match body.byte()? {
                0 => Value::Null,
                1 => Value::Integer(body.integer()?),
                2 => Value::Text(body.text()?),
                3 => Value::Bytes(body.bytes()?.to_vec()),
                _ => return Err(CodecError::OutOfRange),
            });
        }
        body.end()?;
        Ok(row)
    };
    let row = read().map_err(|error| error.to_string())?;
    match table.columns.iter().zip(&row).find(|(column, value)| !column.can_hold(value)) {
        Some((column, _)) => Err(format!("column {} holds what it cannot", column.name)),
        None => Ok(row),
    }
}

pub(super) fn encode_sums(rows: u64, digest: &[u8; 32]) -> Vec<u8> {
    let rows = i64::try_from(rows).expect("no store has so many rows");
    Writer::version(BODY).integer(rows).fixed(digest).finish()
}

pub(super) fn decode_sums(bytes: &[u8]) -> Result<(u64, [u8; 32]), CodecError> {
    let mut body = Reader::open(bytes, BODY)?;
    let rows = u64::try_from(body.integer()?).map_err(|_| CodecError::OutOfRange)?;
    let sums = (rows, body.fixed()?);
    body.end()?;
    Ok(sums)
}
