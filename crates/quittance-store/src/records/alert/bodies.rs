//! What alerts and messages say, as bytes.

use crate::records::codec::{CodecError, Reader, Writer};
use quittance_core::alert::{Cause, Kind, Line, Message, Severity, Told};
use quittance_core::currency::Currency;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;

type Amounts = Vec<(Currency, i64)>;

/// What was said of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What is wrong.
    pub what: String,
    /// Where more is to be seen.
    pub link: Option<String>,
    /// What is at stake, minor units.
    pub amounts: Amounts,
}

/// Writes what was said of an alert.
#[must_use]
pub fn encode_said(said: &Said) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.text(&said.what);
    write_link(&mut writer, said.link.as_ref());
    write_amounts(&mut writer, &said.amounts);
    writer.finish()
}

/// Reads what was said of an alert.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_said(bytes: &[u8]) -> Result<Said, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let said = Said { what: reader.text()?, link: reader.option(Reader::text)?, amounts: read_amounts(&mut reader)? };
    reader.end()?;
    Ok(said)
}

/// Writes what each channel was told.
#[must_use]
pub fn encode_told(told: &BTreeMap<String, Told>) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(bounded(told.len()));
    for (channel, told) in told {
        writer.text(channel).integer(told.at.0).flag(told.is_firing).flag(told.is_lost).integer(told.message);
        writer.text(told.severity.name()).integer(told.count.cast_signed());
        write_amounts(&mut writer, &told.amounts);
    }
    writer.finish()
}

/// Reads what each channel was told.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_told(bytes: &[u8]) -> Result<BTreeMap<String, Told>, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let mut told = BTreeMap::new();
    for _ in 0..reader.count()? {
        let channel = reader.text()?;
        let one = Told {
            at: Timestamp(reader.integer()?),
            is_firing: reader.flag()?,
            is_lost: reader.flag()?,
            message: reader.integer()?,
            severity: reader.word(Severity::named)?,
            count: reader.integer()?.cast_unsigned(),
            amounts: read_amounts(&mut reader)?,
        };
        told.insert(channel, one);
    }
    reader.end()?;
    Ok(told)
}

/// Writes a message.
#[must_use]
pub fn encode_message(message: &Message) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.integer(message.at.0).integer(message.more.cast_signed()).count(bounded(message.lines.len()));
    for line in &message.lines {
        writer.text(line.cause.name()).text(&line.subject).text(line.kind.name()).text(line.severity.name());
        writer.text(&line.what).integer(line.count.cast_signed()).integer(line.since.0);
        writer.option(line.until, |writer, until| {
            writer.integer(until.0);
        });
        write_link(&mut writer, line.link.as_ref());
        write_amounts(&mut writer, &line.amounts);
    }
    writer.finish()
}

/// Reads a message.
///
/// # Errors
///
/// [`CodecError`].
pub fn decode_message(bytes: &[u8]) -> Result<Message, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let (at, more) = (Timestamp(reader.integer()?), reader.integer()?.cast_unsigned());
    let lines = (0..reader.count()?).map(|_| read_line(&mut reader)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(Message { at, lines, more })
}

fn read_line(reader: &mut Reader<'_>) -> Result<Line, CodecError> {
    let (cause, subject) = (reader.word(Cause::named)?, reader.text()?);
    let (kind, severity) = (reader.word(Kind::named)?, reader.word(Severity::named)?);
    let (what, count, since) = (reader.text()?, reader.integer()?.cast_unsigned(), Timestamp(reader.integer()?));
    let until = reader.option(|reader| reader.integer().map(Timestamp))?;
    let (link, amounts) = (reader.option(Reader::text)?, read_amounts(reader)?);
    Ok(Line { cause, subject, kind, severity, what, count, amounts, since, until, link })
}

fn write_link(writer: &mut Writer, link: Option<&String>) {
    writer.option(link, |writer, link| {
        writer.text(link);
    });
}

fn write_amounts(writer: &mut Writer, amounts: &[(Currency, i64)]) {
    writer.count(bounded(amounts.len()));
    for (currency, amount) in amounts {
        writer.text(currency.code()).integer(*amount);
    }
}

fn read_amounts(reader: &mut Reader<'_>) -> Result<Amounts, CodecError> {
    let count = reader.count()?;
    (0..count).map(|_| Ok((reader.word(|code| Currency::from_code(code).ok())?, reader.integer()?))).collect()
}

fn bounded(length: usize) -> u32 {
    u32::try_from(length).expect("channels, currencies and lines of a message are bounded")
}
