//! Between rows and domain values: one conversion each way, with a clear word for data that cannot be read.

use super::codec::{CodecError, Reader, Writer};
use crate::schema::Table;
use crate::seal::{is_sealed, key_of};
use crate::value::{Key, Row, Value};
use quittance_core::currency::Currency;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;

/// A row that does not hold what its table declares.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged row in {table}, column {column}: {what}")]
pub struct Corrupt {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// What is wrong.
    pub what: String,
}

/// A domain value that is stored as one row.
///
/// The column `version`, where a table has one, is the store's affair: it is written as 0 here and set by whoever
/// writes the change.
pub trait Entity: Sized {
    /// The table.
    fn table() -> &'static Table;

    /// The row.
    fn to_row(&self) -> Row;

    /// The value of a row.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] when a column cannot be what it is.
    fn from_row(row: &Row) -> Result<Self, Corrupt>;

    /// The primary key.
    fn key(&self) -> Key {
        Self::table().key_of(&self.to_row())
    }
}

/// What another process has sealed under a key that this one was not started with is no value: taken for one it would be
/// sent to a gateway in the place of a request, or to a client in the place of an answer.
fn refuse_sealed(table: &'static Table, row: &Row) -> Result<(), Corrupt> {
    for at in table.sealed() {
        if let Value::Bytes(stored) = &row[at]
            && is_sealed(stored)
        {
            let key = key_of(stored).ok().flatten().unwrap_or("?");
            let what = format!("it is sealed under the key {key:?}, with which this process was not started");
            return Err(Corrupt { table: table.name, column: table.columns[at].name, what });
        }
    }
    Ok(())
}

/// Reads a row's columns in order.
pub(crate) struct Columns<'a> {
    table: &'static Table,
    row: &'a Row,
    at: usize,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(table: &'static Table, row: &'a Row) -> Result<Self, Corrupt> {
        if row.len() != table.columns.len() {
            let what = format!("{} columns where {} are declared", row.len(), table.columns.len());
            return Err(Corrupt { table: table.name, column: "", what });
        }
        refuse_sealed(table, row)?;
        Ok(Self { table, row, at: 0 })
    }

    pub(crate) fn wrong(&self, what: &str) -> Corrupt {
        let column = self.table.columns[self.at - 1].name;
        Corrupt { table: self.table.name, column, what: what.to_owned() }
    }

    fn next(&mut self) -> &'a Value {
        self.at += 1;
        &self.row[self.at - 1]
    }

    pub(crate) fn integer(&mut self) -> Result<i64, Corrupt> {
        match self.next() {
            Value::Integer(value) => Ok(*value),
            _ => Err(self.wrong("not an integer")),
        }
    }

    pub(crate) fn count(&mut self) -> Result<u32, Corrupt> {
        u32::try_from(self.integer()?).map_err(|_| self.wrong("not a count"))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Corrupt> {
        match self.integer()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.wrong("not a flag")),
        }
    }

    pub(crate) fn maybe_integer(&mut self) -> Result<Option<i64>, Corrupt> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Integer(value) => Ok(Some(*value)),
            _ => Err(self.wrong("not an integer")),
        }
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, Corrupt> {
        Ok(Timestamp(self.integer()?))
    }

    pub(crate) fn maybe_time(&mut self) -> Result<Option<Timestamp>, Corrupt> {
        Ok(self.maybe_integer()?.map(Timestamp))
    }

    pub(crate) fn text(&mut self) -> Result<String, Corrupt> {
        match self.next() {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.wrong("not a text")),
        }
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>, Corrupt> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text.clone())),
            _ => Err(self.wrong("not a text")),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Corrupt> {
        match self.next() {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong("not bytes")),
        }
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        self.bytes()?.try_into().map_err(|_| self.wrong("wrong length"))
    }

    pub(crate) fn maybe_fixed<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Corrupt> {
        match &self.row[self.at] {
            Value::Null => {
                self.at += 1;
                Ok(None)
            }
            _ => self.fixed().map(Some),
        }
    }

    pub(crate) fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, Corrupt> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes.clone())),
            _ => Err(self.wrong("not bytes")),
        }
    }

    pub(crate) fn word<T>(&mut self, look_up: impl FnOnce(&str) -> Option<T>) -> Result<T, Corrupt> {
        let text = self.text()?;
        look_up(&text).ok_or_else(|| self.wrong("not a known word"))
    }

    pub(crate) fn maybe_word<T>(&mut self, look_up: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Corrupt> {
        let text = self.maybe_text()?;
        text.map(|text| look_up(&text).ok_or_else(|| self.wrong("not a known word"))).transpose()
    }

    pub(crate) fn currency(&mut self) -> Result<Currency, Corrupt> {
        self.word(|code| Currency::from_code(code).ok())
    }

    pub(crate) fn body<T>(&mut self, read: impl FnOnce(&'a [u8]) -> Result<T, CodecError>) -> Result<T, Corrupt> {
        let bytes = self.bytes()?;
        read(bytes).map_err(|error| self.wrong(&error.to_string()))
    }
}

/// Writes a map of texts.
pub(crate) fn encode_map(map: &BTreeMap<String, String>) -> Vec<u8> {
    let mut writer = Writer::version(1);
    writer.count(u32::try_from(map.len()).expect("maps of clients are bounded"));
    for (name, value) in map {
        writer.text(name).text(value);
    }
    writer.finish()
}

/// Reads a map of texts.
pub(crate) fn decode_map(bytes: &[u8]) -> Result<BTreeMap<String, String>, CodecError> {
    let mut reader = Reader::open(bytes, 1)?;
    let mut map = BTreeMap::new();
    for _ in 0..reader.count()? {
        map.insert(reader.text()?, reader.text()?);
    }
    reader.end()?;
    Ok(map)
}
