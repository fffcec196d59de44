//! Values to parameters and result rows to values.
//!
//! PostgreSQL's text cannot hold U+0000. It is kept as U+0001 U+0001, and U+0001 as U+0001 U+0002: nothing else changes,
//! nothing is lost, and the order by bytes stays what it is.

use quittance_store::schema::{Kind, Table};
use quittance_store::value::{Row, Value};
use std::borrow::Cow;
use tokio_postgres::types::ToSql;

/// A parameter of a statement: one value, or a column of many.
#[derive(Debug)]
pub(crate) enum Parameter<'a> {
    Integer(i64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    Integers(Vec<Option<i64>>),
    Texts(Vec<Option<Cow<'a, str>>>),
    ManyBytes(Vec<Option<&'a [u8]>>),
}

impl<'a> Parameter<'a> {
    /// A value that is compared with, which is never null.
    pub(crate) fn one(value: &'a Value) -> Self {
        match value {
            Value::Integer(integer) => Self::Integer(*integer),
            Value::Text(text) => Self::Text(escape(text)),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Null => panic!("a comparison with null was refused before"),
        }
    }

    /// A column of values of one kind.
    pub(crate) fn many(kind: Kind, values: impl Iterator<Item = &'a Value>) -> Self {
        match kind {
            Kind::Integer => Self::Integers(
                values.map(|value| if let Value::Integer(integer) = value { Some(*integer) } else { None }).collect(),
            ),
            Kind::Text => Self::Texts(
                values.map(|value| if let Value::Text(text) = value { Some(escape(text)) } else { None }).collect(),
            ),
            Kind::Bytes => Self::ManyBytes(
                values
                    .map(|value| if let Value::Bytes(bytes) = value { Some(bytes.as_slice()) } else { None })
                    .collect(),
            ),
        }
    }

    /// For the driver.
    pub(crate) fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Integer(integer) => integer,
            Self::Text(text) => text,
            Self::Bytes(bytes) => bytes,
            Self::Integers(column) => column,
            Self::Texts(column) => column,
            Self::ManyBytes(column) => column,
        }
    }
}

/// The columns of rows, one parameter each. Each row has at least the columns at `positions`.
pub(crate) fn columns<'a>(
    table: &Table,
    positions: impl Iterator<Item = usize>,
    rows: &[&'a [Value]],
) -> Vec<Parameter<'a>> {
    let column = |(at, position): (usize, usize)| {
        Parameter::many(table.columns[position].kind, rows.iter().map(move |row| &row[at]))
    };
    positions.enumerate().map(column).collect()
}

/// Reads a whole row of a table, whose columns begin at `first`.
///
/// # Errors
///
/// In words, when a column holds what is not of its kind: somebody changed the schema.
pub(crate) fn decode(table: &Table, found: &tokio_postgres::Row, first: usize) -> Result<Row, String> {
    let value = |(position, column): (usize, &quittance_store::schema::Column)| {
        let at = first + position;
        let value = match column.kind {
            Kind::Integer => found.try_get::<_, Option<i64>>(at).map(Value::from),
            Kind::Text => found.try_get::<_, Option<&str>>(at).map(|text| Value::from(text.map(unescape))),
            Kind::Bytes => found.try_get::<_, Option<&[u8]>>(at).map(Value::from),
        };
        value.map_err(|error| format!("column {} cannot be read: {error}", column.name))
    };
    table.columns.iter().enumerate().map(value).collect()
}

fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', '\u{1}']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\u{1}', "\u{1}\u{2}").replace('\0', "\u{1}\u{1}"))
}

fn unescape(text: &str) -> String {
    if !text.contains('\u{1}') {
        return text.to_owned();
    }
    let mut whole = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1}' => whole.push(if letters.next() == Some('\u{1}') { '\0' } else { '\u{1}' }),
            other => whole.push(other),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_comes_back_and_keeps_its_place() {
        let letters = ["", "\0", "\u{1}", "\u{2}", "a", "é"];
        let mut texts = Vec::new();
        for first in letters {
            for second in letters {
                texts.extend(letters.map(|third| format!("{first}{second}{third}")));
            }
        }
        texts.sort_unstable();
        let kept: Vec<String> = texts.iter().map(|text| escape(text).into_owned()).collect();
        assert!(kept.is_sorted(), "{kept:?}");
        assert!(kept.iter().all(|text| !text.contains('\0')));
        let back: Vec<String> = kept.iter().map(|text| unescape(text)).collect();
        assert_eq!(back, texts);
    }
}
