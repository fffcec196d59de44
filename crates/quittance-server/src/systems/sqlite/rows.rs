//! Rows of one statement, one at a time.

use super::error::At;
use super::schema::Object;
use crate::systems::{Reading, Sink, SystemError};
use quittance_connectors::sql::sqlite::{self as sql, Bound, Declared, Read, Stored};
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};
use std::collections::BTreeSet;

/// Longest value that is read, in bytes.
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Which rows are wanted.
#[derive(Default)]
pub(super) struct Condition {
    /// Indexes of the columns that a statement searches, and what it looks for in them, tuple by tuple.
    searched: Vec<usize>,
    bound: Vec<Bound>,
    /// All the columns, and the keys one of which they must make. A statement finds these and perhaps more: what is equal
    /// in SQLite (`'A'` and `'a'` under NOCASE) may differ in canonical form.
    exact: Option<(Vec<usize>, BTreeSet<Vec<u8>>)>,
    lookups: usize,
}

impl Condition {
    /// Rows whose columns hold one of these.
    pub(super) fn new(read: &[Read], columns: &[usize], values: &[Vec<Value<'static>>]) -> Self {
        let bound = |place: usize, tuple: &Vec<Value<'static>>| read[columns[place]].bound(&tuple[place]);
        let can_search = |place: &usize| values.iter().all(|tuple| bound(*place, tuple).is_some());
        let places: Vec<usize> = (0..columns.len()).filter(can_search).collect();
        let bound = values.iter().flat_map(|tuple| places.iter().filter_map(|place| bound(*place, tuple)));
        let keys = values.iter().filter_map(|tuple| key(tuple.iter()));
        Self {
            searched: places.iter().map(|place| columns[*place]).collect(),
            bound: bound.collect(),
            exact: Some((columns.to_vec(), keys.collect())),
            lookups: values.len(),
        }
    }

    fn wants(&self, values: &[Value<'_>]) -> bool {
        let Some((columns, keys)) = &self.exact else { return true };
        key(columns.iter().map(|at| &values[*at])).is_some_and(|key| keys.contains(&key))
    }
}

fn key<'a, 'v: 'a>(values: impl Iterator<Item = &'a Value<'v>>) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    let values: Vec<Value<'_>> = values.cloned().collect();
    encode_key(values.iter(), &mut key).then_some(key)
}

/// What is read.
pub(super) struct Query<'a> {
    pub(super) object: &'a Object,
    pub(super) columns: &'a [Read],
    pub(super) condition: &'a Condition,
}

/// What is bound to a statement.
pub(super) struct Parameter<'a>(pub(super) &'a Bound);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Bound::Integer(integer) => ValueRef::Integer(*integer),
            Bound::Real(real) => ValueRef::Real(*real),
            Bound::Text(text) => ValueRef::Text(text.as_bytes()),
            Bound::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Reads rows to the end, or until nobody wants more.
pub(super) fn read(
    connection: &Connection,
    at: At<'_>,
    query: &Query<'_>,
    sink: &mut Sink<'_>,
) -> Result<Reading, SystemError> {
    let condition = query.condition;
    if condition.exact.as_ref().is_some_and(|(_, keys)| keys.is_empty()) {
        return Ok(Reading::default());
    }
    let searched: Vec<&str> = condition.searched.iter().map(|at| query.columns[*at].name.as_str()).collect();
    let statement = sql::select(&query.object.name, query.columns, &searched, condition.lookups);
    let mut statement = connection.prepare(&statement).map_err(|error| at.error(error))?;
    let parameters = params_from_iter(condition.bound.iter().map(Parameter));
    let mut rows = statement.query(parameters).map_err(|error| at.error(error))?;
    let mut reading = Reading { requests: 1, ..Reading::default() };
    while let Some(row) = rows.next().map_err(|error| at.error(error))? {
        let values = values(row, at, query)?;
        if !condition.wants(&values) {
            continue;
        }
        reading.rows += 1;
        if sink(&values).is_break() {
            break;
        }
    }
    Ok(reading)
}

/// A value as it is stored.
pub(super) type Raw = rusqlite::types::Value;

/// What a stored value is to who decodes it.
pub(super) fn stored(raw: &Raw) -> Stored<'_> {
    match raw {
        Raw::Null => Stored::Null,
        Raw::Integer(integer) => Stored::Integer(*integer),
        Raw::Real(real) => Stored::Real(*real),
        Raw::Text(text) => Stored::Text(text),
        Raw::Blob(bytes) => Stored::Blob(bytes),
    }
}

/// A row's values, and those of more columns as they are stored.
pub(super) type Found = (Vec<Value<'static>>, Vec<Raw>);

/// Reads rows together with what is stored in the columns of a locator.
pub(super) fn located(
    connection: &Connection,
    at: At<'_>,
    query: &Query<'_>,
    locator: &[&str],
) -> Result<Vec<Found>, SystemError> {
    let condition = query.condition;
    if condition.exact.as_ref().is_some_and(|(_, keys)| keys.is_empty()) {
        return Ok(Vec::new());
    }
    let searched: Vec<&str> = condition.searched.iter().map(|at| query.columns[*at].name.as_str()).collect();
    let plain = |name: &&str| Read { name: (*name).to_owned(), declared: Declared::Dynamic, pointer: None };
    let listed: Vec<Read> = query.columns.iter().cloned().chain(locator.iter().map(plain)).collect();
    let statement = sql::select(&query.object.name, &listed, &searched, condition.lookups);
    let mut statement = connection.prepare(&statement).map_err(|error| at.error(error))?;
    let parameters = params_from_iter(condition.bound.iter().map(Parameter));
    let mut rows = statement.query(parameters).map_err(|error| at.error(error))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(|error| at.error(error))? {
        let values = values(row, at, query)?;
        if condition.wants(&values) {
            found.push((values.into_iter().map(Value::into_owned).collect(), raw(row, at, query, locator.len())?));
        }
    }
    Ok(found)
}

/// Reads one row that was located before, by a statement of [`sql::write::select_row`]; none where it is gone.
pub(super) fn one(
    connection: &Connection,
    at: At<'_>,
    query: &Query<'_>,
    (statement, more): (&str, usize),
    locator: &[Raw],
) -> Result<Option<Found>, SystemError> {
    let mut statement = connection.prepare_cached(statement).map_err(|error| at.error(error))?;
    let mut rows = statement.query(params_from_iter(locator)).map_err(|error| at.error(error))?;
    let Some(row) = rows.next().map_err(|error| at.error(error))? else { return Ok(None) };
    let values = values(row, at, query)?.into_iter().map(Value::into_owned).collect();
    Ok(Some((values, raw(row, at, query, more)?)))
}

fn raw(row: &Row<'_>, at: At<'_>, query: &Query<'_>, count: usize) -> Result<Vec<Raw>, SystemError> {
    let first = query.columns.len().max(usize::from(count == 0));
    (first..first + count).map(|place| row.get(place)).collect::<rusqlite::Result<_>>().map_err(|error| at.error(error))
}

fn values<'r>(row: &'r Row<'_>, at: At<'_>, query: &Query<'_>) -> Result<Vec<Value<'r>>, SystemError> {
    let value = |(place, column): (usize, &Read)| {
        let unreadable = |what: &str, remedy| Err(at.unreadable(&query.object.name, &column.name, what, remedy));
        let stored = match row.get_ref(place).map_err(|error| at.error(error))? {
            ValueRef::Null => Stored::Null,
            ValueRef::Integer(integer) => Stored::Integer(integer),
            ValueRef::Real(real) => Stored::Real(real),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) if bytes.len() > VALUE_BYTES_MAX => {
                let what = format!("a value of {} bytes, at most {VALUE_BYTES_MAX} are read", bytes.len());
                return unreadable(&what, "leave the column out");
            }
            ValueRef::Blob(bytes) => Stored::Blob(bytes),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Stored::Text(text),
                Err(_) => return unreadable("text that is not UTF-8", "correct it, or leave the column out"),
            },
        };
        Ok(column.decode(stored))
    };
    query.columns.iter().enumerate().map(value).collect()
}
