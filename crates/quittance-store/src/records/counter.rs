//! Counters of the brakes: what a tenant did lately.

use super::codec::{CodecError, Reader, Writer};
use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::COUNTERS;
use crate::value::{Key, Row, Value};
use quittance_core::brake::{Meter, Tally};
use quittance_core::id::TenantId;

/// A tenant's tally of one meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The tenant.
    pub tenant: TenantId,
    /// The meter's name.
    pub name: String,
    /// What was counted.
    pub tally: Tally,
}

impl Counter {
    /// Where a tenant's counter is.
    #[must_use]
    pub fn place(tenant: TenantId, meter: Meter) -> Key {
        vec![tenant.bytes().into(), meter.to_string().into()]
    }
}

impl Entity for Counter {
    fn table() -> &'static Table {
        &COUNTERS
    }

    fn to_row(&self) -> Row {
        vec![self.tenant.bytes().into(), self.name.as_str().into(), encode_tally(&self.tally).into(), Value::Integer(0)]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&COUNTERS, row)?;
        Ok(Self {
            tenant: TenantId::from_bytes(columns.fixed()?),
            name: columns.text()?,
            tally: columns.body(decode_tally)?,
        })
    }
}

/// Writes a tally.
#[must_use]
pub fn encode_tally(tally: &Tally) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(u32::try_from(tally.slots.len()).expect("a tally has as many slots as two windows at most"));
    for (slot, amount) in &tally.slots {
        writer.integer(*slot).integer(*amount);
    }
    writer.finish()
}

/// Reads a tally.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_tally(bytes: &[u8]) -> Result<Tally, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let mut tally = Tally::default();
    for _ in 0..reader.count()? {
        tally.slots.insert(reader.integer()?, reader.integer()?);
    }
    reader.end()?;
    Ok(tally)
}
