//! Rows of a table as rows of a side: which columns are read, and what each value of a row is made of.

use super::catalog::{Table, TableColumn};
use super::{Kind, Malformed, copy};
use crate::record::{value_at, value_of};
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use std::borrow::Cow;

/// A column that a side names and a table has not got, or that cannot be what the side wants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownColumn {
    /// There is none of that name.
    #[error("there is no column `{0}`")]
    Missing(String),
    /// It holds no JSON, and a pointer points into it.
    #[error("the column `{0}` holds no JSON that a pointer could point into")]
    NoJson(String),
}

/// Reads rows.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Columns that are read, each once.
    sources: Vec<(String, Kind)>,
    /// For each column of the side, which of them it comes from, and where in it.
    values: Vec<(usize, Option<String>)>,
}

impl Reader {
    /// A reader of the columns of a side.
    ///
    /// # Errors
    ///
    /// [`UnknownColumn`].
    pub fn new(table: &Table, side: &Side) -> Result<Self, UnknownColumn> {
        let mut reader = Self { sources: Vec::new(), values: Vec::new() };
        for column in &side.columns {
            let missing = || UnknownColumn::Missing(column.name.clone());
            let (_, TableColumn { name, kind, .. }) = table.column(&column.name).ok_or_else(missing)?;
            if column.pointer.is_some() && *kind != Kind::Json {
                return Err(UnknownColumn::NoJson(name.clone()));
            }
            let known = reader.sources.iter().position(|(known, _)| known == name);
            let source = known.unwrap_or_else(|| {
                reader.sources.push((name.clone(), *kind));
                reader.sources.len() - 1
            });
            reader.values.push((source, column.pointer.clone()));
        }
        Ok(reader)
    }

    /// What is selected, in order.
    #[must_use]
    pub fn selected(&self) -> String {
        let expressions = self.sources.iter().map(|(name, kind)| kind.expression(name));
        expressions.collect::<Vec<_>>().join(", ")
    }

    /// The values of a line of `COPY`, in the order of the side's columns.
    ///
    /// # Errors
    ///
    /// [`Malformed`].
    pub fn row<'a>(&self, line: &'a str) -> Result<Vec<Value<'a>>, Malformed> {
        let mut values = Vec::with_capacity(self.values.len());
        let mut fields = copy::fields(line);
        let is_one_to_one = self.values.len() == self.sources.len();
        if is_one_to_one {
            for ((name, kind), (_, pointer)) in self.sources.iter().zip(&self.values) {
                let field = fields.next().ok_or_else(|| cut_short(name, line))?;
                values.push(Source::read(name, *kind, field)?.value(pointer.as_deref()));
            }
            return Ok(values);
        }
        let mut sources = Vec::with_capacity(self.sources.len());
        for (name, kind) in &self.sources {
            let field = fields.next().ok_or_else(|| cut_short(name, line))?;
            sources.push(Source::read(name, *kind, field)?);
        }
        values.extend(self.values.iter().map(|(at, pointer)| sources[*at].value(pointer.as_deref())));
        Ok(values)
    }
}

fn cut_short(column: &str, line: &str) -> Malformed {
    Malformed::new(column, line, "is a row that is cut short")
}

/// What a column holds in one row.
enum Source<'a> {
    Value(Value<'a>),
    Json(serde_json::Value),
}

impl<'a> Source<'a> {
    fn read(column: &str, kind: Kind, field: Option<Cow<'a, str>>) -> Result<Self, Malformed> {
        match field {
            None => Ok(Self::Value(Value::Null)),
            Some(text) if kind == Kind::Json => {
                let why = |error| format!("cannot be read as JSON ({error})");
                serde_json::from_str(&text).map(Self::Json).map_err(|error| Malformed::new(column, &text, why(error)))
            }
            Some(text) => kind.value(column, text).map(Self::Value),
        }
    }

    /// In a NULL, a pointer finds nothing at all.
    fn value(&self, pointer: Option<&str>) -> Value<'a> {
        match (self, pointer) {
            (Self::Value(_), Some(_)) => Value::Absent,
            (Self::Value(value), None) => value.clone(),
            (Self::Json(json), Some(pointer)) => value_at(json, pointer),
            (Self::Json(json), None) => value_of(json),
        }
    }
}
