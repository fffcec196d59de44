//! What both sides of a pair last agreed on: a row for each record, where a field is merged.

use super::codec::{CodecError, Reader, Writer};
use super::repair::{read_value, write_value};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::BASES;
use crate::value::Row;
use quittance_core::id::RunId;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;

/// What both sides last agreed on of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The pair, as it is configured.
    pub pair: String,
    /// Digest of where both sides are read, of what each calls its record, and of the rule and the key under which they met.
    pub record: [u8; 32],
    /// Whether a repair was begun since all of it was seen: then it is looked up what that wrote.
    pub is_touched: bool,
    /// The fields that are merged, so far as anything is known of them.
    pub agreed: Vec<Agreed>,
}

/// What both sides last agreed on in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The field, by its name with a digest of what is compared under it.
    pub field: String,
    /// What both say, as it is compared.
    pub value: Value<'static>,
    /// The run that was the first to see it.
    pub run: RunId,
    /// When that run began.
    pub seen_at: Timestamp,
}

impl Entity for Base {
    fn table() -> &'static Table {
        &BASES
    }

    fn to_row(&self) -> Row {
        let agreed = encode_agreed(&self.agreed);
        vec![self.pair.as_str().into(), self.record.as_slice().into(), i64::from(self.is_touched).into(), agreed.into()]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&BASES, row)?;
        Ok(Self {
            pair: columns.text()?,
            record: columns.fixed()?,
            is_touched: columns.flag()?,
            agreed: columns.body(decode_agreed)?,
        })
    }
}

/// Writes what is agreed on.
#[must_use]
pub fn encode_agreed(agreed: &[Agreed]) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(u32::try_from(agreed.len()).expect("fields are bounded"));
    for one in agreed {
        writer.text(&one.field).bytes(&one.run.bytes()).integer(one.seen_at.0);
        write_value(&mut writer, &one.value);
    }
    writer.finish()
}

/// Reads what is agreed on.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_agreed(bytes: &[u8]) -> Result<Vec<Agreed>, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let mut agreed = Vec::new();
    for _ in 0..reader.count()? {
        let field = reader.text()?;
        let run = reader.bytes()?.try_into().map_err(|_| CodecError::OutOfRange)?;
        let seen_at = Timestamp(reader.integer()?);
        let value = read_value(&mut reader)?;
        agreed.push(Agreed { field, value, run: RunId::from_bytes(run), seen_at });
    }
    reader.end()?;
    Ok(agreed)
}
