//! What a repair writes, as bytes. Columns are named, so that it can be taken back under another configuration.

use crate::records::codec::{CodecError, Reader, Writer};
use quittance_core::record::key::encode_value;
use quittance_core::record::number::Number;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use sha2::{Digest, Sha256};

/// Columns and their values.
type Values = Vec<(String, Value<'static>)>;

/// What is written where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairPlan {
    /// Name of the system that is written.
    pub system: String,
    /// Table or list in it.
    pub object: String,
    /// `left` or `right`.
    pub side: String,
    /// The key of the record, as people read it.
    pub key: String,
    /// What tells the record apart.
    pub identity: Values,
    /// What it has to hold still.
    pub expected: Values,
    /// What it is to hold.
    pub set: Values,
    /// Whether it takes something away from a customer.
    pub takes_away: bool,
    /// Digest of the rule and the key under which the records met ([`crate::records::Base`]); none where no comparison decided it.
    pub place: Option<[u8; 32]>,
}

/// Writes a plan.
#[must_use]
pub fn encode_plan(plan: &RepairPlan) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.text(&plan.system).text(&plan.object).text(&plan.side).text(&plan.key).flag(plan.takes_away);
    for values in [&plan.identity, &plan.expected, &plan.set] {
        writer.count(u32::try_from(values.len()).expect("columns are bounded"));
        for (column, value) in values {
            writer.text(column);
            write_value(&mut writer, value);
        }
    }
    writer.bytes(plan.place.as_ref().map_or(&[], |place| &place[..]));
    writer.finish()
}

/// What repairs of one record have in common: a digest of its system, its object and what tells it apart.
#[must_use]
pub fn record_digest(plan: &RepairPlan) -> [u8; 32] {
    record_digest_of(&plan.system, &plan.object, plan.identity.iter().map(|(_, value)| value))
}

/// The same, of a record of an object that is told apart by these values.
pub fn record_digest_of<'v, 'i: 'v>(
    system: &str,
    object: &str,
    identity: impl Iterator<Item = &'v Value<'i>>,
) -> [u8; 32] {
    let mut bytes = Vec::new();
    for text in [system, object] {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    identity.for_each(|value| encode_value(value, &mut bytes));
    Sha256::digest(&bytes).into()
}

/// Reads a plan.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_plan(bytes: &[u8]) -> Result<RepairPlan, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let (system, object, side, key) = (reader.text()?, reader.text()?, reader.text()?, reader.text()?);
    let takes_away = reader.flag()?;
    let mut values = || -> Result<Values, CodecError> {
        (0..reader.count()?).map(|_| Ok((reader.text()?, read_value(&mut reader)?))).collect()
    };
    let (identity, expected, set) = (values()?, values()?, values()?);
    let place = Some(reader.bytes()?).filter(|place| !place.is_empty());
    let place = place.map(|place| place.try_into().map_err(|_| CodecError::OutOfRange)).transpose()?;
    reader.end()?;
    Ok(RepairPlan { system, object, side, key, identity, expected, set, takes_away, place })
}

pub(in crate::records) fn write_value(writer: &mut Writer, value: &Value<'_>) {
    match value {
        Value::Absent => writer.byte(0),
        Value::Null => writer.byte(1),
        Value::Boolean(it) => writer.byte(2).flag(*it),
        Value::Number(number) => writer.byte(3).text(number.as_str()),
        Value::Text(text) => writer.byte(4).text(text),
        Value::Untyped(text) => writer.byte(5).text(text),
        Value::Timestamp(at) => writer.byte(6).integer(at.0),
        Value::Date(day) => writer.byte(7).text(day),
        Value::Bytes(bytes) => writer.byte(8).bytes(bytes),
        Value::Json(text) => writer.byte(9).text(text),
    };
}

pub(in crate::records) fn read_value(reader: &mut Reader<'_>) -> Result<Value<'static>, CodecError> {
    Ok(match reader.byte()? {
        0 => Value::Absent,
        1 => Value::Null,
        2 => Value::Boolean(reader.flag()?),
        3 => Value::Number(Number::parse(&reader.text()?).ok_or(CodecError::OutOfRange)?.into_owned()),
        4 => Value::Text(reader.text()?.into()),
        5 => Value::Untyped(reader.text()?.into()),
        6 => Value::Timestamp(Timestamp(reader.integer()?)),
        7 => Value::Date(reader.text()?.into()),
        8 => Value::Bytes(reader.bytes()?.to_vec().into()),
        9 => Value::Json(reader.text()?.into()),
        _ => return Err(CodecError::OutOfRange),
    })
}
