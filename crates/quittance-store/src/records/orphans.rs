//! Orphans: objects at gateways that carry the reference of a payment whose records were lost.
//!
//! One row for each gateway and reference of a book; the rows of a book are written under its lock, so that nothing is
//! charged while one appears. What a lost customer has is kept once more under no book, for whoever was made anew.

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::ORPHANS;
use crate::value::{Key, Row, Value};
use quittance_core::effect::Orphan;
use quittance_core::id::CustomerId;

/// What is known of one reference. Stays when nothing is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanEntry {
    /// The book that the objects carry, or [`OrphanEntry::NO_BOOK`].
    pub book: CustomerId,
    /// The configured gateway.
    pub gateway: String,
    /// The client's reference that they carry.
    pub reference: String,
    /// The objects that have not provably ended without money, in the order in which they were found.
    pub found: Vec<Orphan>,
    /// Whether there were once more than are kept.
    pub is_more: bool,
}

impl OrphanEntry {
    /// Objects that are kept of one reference, at most.
    pub const FOUND_MAX: usize = 16;

    /// Stands for the book where it is not known here.
    pub const NO_BOOK: CustomerId = CustomerId::from_bytes([0; 16]);

    /// A reference of which nothing is known.
    #[must_use]
    pub const fn new(book: CustomerId, gateway: String, reference: String) -> Self {
        Self { book, gateway, reference, found: Vec::new(), is_more: false }
    }

    /// Where the row of a reference is.
    #[must_use]
    pub fn place(book: CustomerId, gateway: &str, reference: &str) -> Key {
        vec![book.bytes().into(), gateway.into(), reference.into()]
    }

    /// Notes an object as it was last seen.
    pub fn note(&mut self, orphan: Orphan) {
        match self.found.iter().position(|known| known.object == orphan.object) {
            Some(at) => self.found[at] = orphan,
            None if self.found.len() < Self::FOUND_MAX => self.found.push(orphan),
            None => self.is_more = true,
        }
    }

    /// Forgets an object that is somebody's, or has ended without money.
    pub fn forget(&mut self, object: &str) {
        self.found.retain(|known| known.object != object);
    }
}

impl Entity for OrphanEntry {
    fn table() -> &'static Table {
        &ORPHANS
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.gateway.as_str().into(),
            self.reference.as_str().into(),
            encode(&self.found).into(),
            i64::from(self.is_more).into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&ORPHANS, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            gateway: columns.text()?,
            reference: columns.text()?,
            found: columns.body(decode)?,
            is_more: columns.flag()?,
        })
    }
}

fn encode(found: &[Orphan]) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(u32::try_from(found.len()).expect("few are kept"));
    for orphan in found {
        writer.text(&orphan.object).flag(orphan.is_inert);
    }
    writer.finish()
}

fn decode(bytes: &[u8]) -> Result<Vec<Orphan>, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let count = reader.count()?;
    let found = (0..count).map(|_| Ok(Orphan { object: reader.text()?, is_inert: reader.flag()? }));
    let found: Vec<Orphan> = found.collect::<Result<_, CodecError>>()?;
    reader.end()?;
    Ok(found)
}
