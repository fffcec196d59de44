//! Why a backup cannot be written or read.

use crate::store::StoreError;
use std::io;

/// Why a backup cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The bytes do not begin as a backup does.
    #[error("this is no backup: it does not begin as one")]
    NotABackup,
    /// The format is of a version unknown here.
    #[error("the backup has format {found}, and this quittance reads formats up to {known}")]
    NewerFormat {
        /// Version in the prefix.
        found: u8,
        /// Newest version known here.
        known: u8,
    },
    /// The tables are of another version than here.
    #[error("the backup was made by quittance {quittance} with schema {found}, and this one has schema {known}")]
    OtherSchema {
        /// Version of the schema in the header.
        found: i64,
        /// Version here.
        known: i64,
        /// Version of the program that wrote it.
        quittance: String,
    },
    /// The bytes end before the backup does.
    #[error("the backup is cut: it ends {place}")]
    Cut {
        /// Where.
        place: String,
    },
    /// The bytes are not those that were written.
    #[error("the backup is damaged {place}: {what}")]
    Damaged {
        /// Where.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// A row is longer than a backup can hold.
    #[error("a row of {table} has {bytes} bytes, more than a backup can hold")]
    TooLong {
        /// The table.
        table: &'static str,
        /// Its length, encoded.
        bytes: usize,
    },
    /// The file, or the stream, failed.
    #[error("cannot {doing} the backup")]
    Stream {
        /// `read` or `write`.
        doing: &'static str,
        /// Cause.
        #[source]
        source: io::Error,
    },
    /// The store failed.
    #[error("cannot read what is to be backed up")]
    Store(#[from] StoreError),
}

impl BackupError {
    pub(super) const fn writing(source: io::Error) -> Self {
        Self::Stream { doing: "write", source }
    }

    /// What a reader meets where bytes should be. An end that comes too early is a cut; what a decompressor or a checksum
    /// refuses is damage.
    pub(super) fn reading(source: io::Error, place: impl Fn() -> String) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::Cut { place: place() },
            io::ErrorKind::InvalidData | io::ErrorKind::Other => {
                Self::Damaged { place: place(), what: source.to_string() }
            }
            _ => Self::Stream { doing: "read", source },
        }
    }
}
