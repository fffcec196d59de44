//! Names of rows on their way to the server that writes them again.

use quittance_store::value::{Key, Value};
use serde::{Deserialize, Serialize};

/// Rows that are written again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// Name of their table.
    pub table: String,
    /// Their keys.
    pub keys: Vec<Vec<Cell>>,
}

/// A value of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes, in hexadecimal.
    Bytes(String),
}

impl Rows {
    /// Rows of a table by their keys.
    pub(super) fn of(table: &str, keys: &[Key]) -> Self {
        Self { table: table.to_owned(), keys: keys.iter().map(|key| key.iter().map(cell).collect()).collect() }
    }

    /// The keys; none where what was sent is none.
    pub(super) fn keys(&self) -> Option<Vec<Key>> {
        self.keys.iter().map(|key| key.iter().map(value).collect()).collect()
    }
}

/// How long a key is on its way, about.
pub(super) fn length(key: &Key) -> usize {
    key.iter().map(length_of).sum()
}

fn length_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Integer(_) => 24,
        Value::Text(text) => text.len() + 16,
        Value::Bytes(bytes) => 2 * bytes.len() + 16,
    }
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Integer(number) => Cell::Integer(*number),
        Value::Text(text) => Cell::Text(text.clone()),
        Value::Bytes(bytes) => Cell::Bytes(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        // No column of a key is nullable.
        Value::Null => Cell::Text(String::new()),
    }
}

fn value(cell: &Cell) -> Option<Value> {
    Some(match cell {
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.clone()),
        Cell::Bytes(digits) => {
            let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(pair).collect();
            Value::Bytes(bytes?)
        }
    })
}
