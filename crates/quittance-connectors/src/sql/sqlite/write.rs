//! Statements that change a row, and how a value is stored so that reading it gives the same value: in the form that the
//! column has now.

mod moment;

pub use moment::touched;

use super::{Bound, Declared, Read, Stored, bound, decode, quoted, select};
use crate::record::holds;
use quittance_core::record::value::Value;

/// Names of the columns of the table `?1` that SQLite makes itself.
pub const GENERATED: &str = "SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden IN (2, 3)";

/// What is stored in a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// The value; none for NULL.
    pub bound: Option<Bound>,
    /// Whether it is text that is made SQLite's binary JSON.
    pub is_jsonb: bool,
}

impl Put {
    const NULL: Self = Self { bound: None, is_jsonb: false };

    fn text(text: impl Into<String>) -> Self {
        Bound::Text(text.into()).into()
    }

    fn stored(&self) -> Stored<'_> {
        match &self.bound {
            None => Stored::Null,
            Some(Bound::Integer(integer)) => Stored::Integer(*integer),
            Some(Bound::Real(real)) => Stored::Real(*real),
            Some(Bound::Text(text)) => Stored::Text(text),
            Some(Bound::Blob(bytes)) => Stored::Blob(bytes),
        }
    }
}

impl From<Bound> for Put {
    fn from(bound: Bound) -> Self {
        Self { bound: Some(bound), is_jsonb: false }
    }
}

/// How a value is stored in a column that is declared so, and holds `was` now. None where nothing that is stored there
/// would be read as it: a decimal that no double holds, half a second where whole ones are counted.
#[must_use]
pub fn put(value: &Value<'_>, declared: Declared, was: Stored<'_>) -> Option<Put> {
    if value.is_nothing() {
        return matches!(value, Value::Null).then_some(Put::NULL);
    }
    let put = match (value, declared) {
        (_, Declared::Json) => json(value, was)?,
        (Value::Boolean(it), _) => boolean(*it, declared, was),
        (Value::Number(number), Declared::Text) => Put::text(number.as_str()),
        (Value::Number(_) | Value::Bytes(_), _) => bound(value)?.into(),
        (Value::Timestamp(at), _) => moment::put(*at, declared, was)?,
        (Value::Text(_) | Value::Untyped(_), Declared::Number | Declared::Boolean | Declared::Timestamp) => {
            // What reads as one of them is stored as one.
            return match declared.value_type().and_then(|of| value.read_as(of)) {
                Some(read) => put(&read, declared, was),
                None => checked(bound(value)?.into(), value, declared),
            };
        }
        (Value::Text(text) | Value::Untyped(text) | Value::Date(text) | Value::Json(text), _) => {
            Put::text(text.as_ref())
        }
        (Value::Absent | Value::Null, _) => return None,
    };
    checked(put, value, declared)
}

fn checked(put: Put, value: &Value<'_>, declared: Declared) -> Option<Put> {
    holds(value, &decode(put.stored(), declared)).then_some(put)
}

/// The words of booleans: what is stored as one stays one.
const WORDS: [(&str, &str); 5] = [("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off")];

fn boolean(it: bool, declared: Declared, was: Stored<'_>) -> Put {
    let pick = |(yes, no): &(&str, &str)| (if it { *yes } else { *no }).to_owned();
    let Stored::Text(was) = was else {
        return if declared == Declared::Text { Put::text(pick(&WORDS[0])) } else { Bound::Integer(it.into()).into() };
    };
    let said = was.trim().to_ascii_lowercase();
    let word = WORDS.iter().find(|(yes, no)| said == *yes || said == *no);
    let text = word.map_or_else(|| pick(&("1", "0")), pick);
    let is_upper = was.chars().any(char::is_alphabetic) && !was.chars().any(char::is_lowercase);
    Put::text(if is_upper { text.to_ascii_uppercase() } else { text })
}

/// Texts are quoted; what is no text is JSON already. What is stored in the binary form stays so.
fn json(value: &Value<'_>, was: Stored<'_>) -> Option<Put> {
    let text = match value {
        Value::Boolean(_) | Value::Number(_) | Value::Json(_) => value.to_string(),
        Value::Untyped(text) if serde_json::from_str::<serde_json::Value>(text).is_ok() => text.to_string(),
        Value::Text(_) | Value::Untyped(_) | Value::Date(_) | Value::Timestamp(_) => {
            serde_json::Value::from(value.to_string()).to_string()
        }
        Value::Bytes(bytes) => return Some(Bound::Blob(bytes.to_vec()).into()),
        Value::Absent | Value::Null => return None,
    };
    Some(Put { is_jsonb: matches!(was, Stored::Blob(_)), ..Put::text(text) })
}

/// Reads one of the values of a column that are not NULL.
#[must_use]
pub fn sample(object: &str, column: &str) -> String {
    let column = quoted(column);
    format!("SELECT t.{column} FROM \"main\".{} AS t WHERE t.{column} IS NOT NULL LIMIT 1", quoted(object))
}

/// Reads the values of these columns of one row, and then the same columns as they are stored, and more of them. The row
/// is found by what is stored in the columns of its `locator`, which are the parameters.
#[must_use]
pub fn select_row(object: &str, columns: &[Read], stored: &[&str], locator: &[&str]) -> String {
    let plain = |name: &&str| Read { name: (*name).to_owned(), declared: Declared::Dynamic, pointer: None };
    let listed: Vec<Read> = columns.iter().cloned().chain(stored.iter().map(plain)).collect();
    format!("{} WHERE {}", select(object, &listed, &[], 0), found(locator))
}

/// Changes columns of one row, and no other, whatever a constraint says of conflicts: the parameters are their values, and then what is stored in the columns of its `locator`.
#[must_use]
pub fn update(object: &str, set: &[(&str, &Put)], locator: &[&str]) -> String {
    let assigned = |(name, put): &(&str, &Put)| {
        format!("{} = {}", quoted(name), if put.is_jsonb && put.bound.is_some() { "jsonb(?)" } else { "?" })
    };
    let assigned: Vec<String> = set.iter().map(assigned).collect();
    format!("UPDATE OR ABORT \"main\".{} AS t SET {} WHERE {}", quoted(object), assigned.join(", "), found(locator))
}

fn found(locator: &[&str]) -> String {
    locator.iter().map(|name| format!("t.{} IS ?", quoted(name))).collect::<Vec<_>>().join(" AND ")
}

#[cfg(test)]
mod tests;
