//! A PostgreSQL database as a system: any table or view of it, read in one transaction that sees one moment and cannot
//! write. Does not own statements, nor what their answers mean: those are in the connectors.

mod failure;
mod session;
mod sums;
mod tables;
mod writer;

use super::{Checksums, Description, Reading, Sink, System, SystemError, Wanted};
use crate::config::Secret;
use quittance_connectors::sql::postgres::catalog::Table;
use quittance_connectors::sql::postgres::{Reader, lookup};
use quittance_core::pair::Side;
use quittance_core::record::key::encode_key;
use quittance_core::record::value::{Type, Value};
use quittance_postgres::address::{Address, AddressError};
use session::{Limits, Session};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use tables::Tables;
pub use writer::PostgresWriter;

/// A PostgreSQL database. It is reached when it is first needed.
pub struct Postgres {
    session: Session,
    tables: Tables,
}

impl Postgres {
    /// A database under the name of its system, at `postgres://user:password@host/database`. A replica may be behind
    /// by `lag_max_s` seconds, and one statement may take `statement_timeout_s` seconds.
    ///
    /// # Errors
    ///
    /// When the address cannot be read. It is not repeated.
    pub fn new(system: &str, url: &Secret, lag_max_s: u64, statement_timeout_s: u64) -> Result<Self, SystemError> {
        let address = address(system, url)?;
        let session = Session::new(system, address, Limits { lag_max_s, statement_timeout_s, writes: false })?;
        Ok(Self { session, tables: Tables::default() })
    }

    /// Reads what a query finds, which selects what a reader reads, as far as `is_wanted` wants it.
    fn rows(
        &mut self,
        query: &str,
        reader: &Reader,
        is_wanted: impl Fn(&[Value<'_>]) -> bool,
        sink: &mut Sink<'_>,
    ) -> Result<u64, SystemError> {
        let system = self.session.system().to_owned();
        let mut rows = 0;
        self.session.copy(query, |line| {
            let row = reader.row(line).map_err(|error| {
                let remedy = "leave the column out, or compare a view that casts it to what can be compared";
                SystemError::configuration(format!("the system `{system}`: {error}"), remedy)
            })?;
            if !is_wanted(&row) {
                return Ok(ControlFlow::Continue(()));
            }
            rows += 1;
            Ok(sink(&row))
        })?;
        Ok(rows)
    }
}

impl System for Postgres {
    fn objects(&mut self) -> Result<Vec<String>, SystemError> {
        tables::listed(&mut self.session)
    }

    fn describe(&mut self, object: &str) -> Result<Description, SystemError> {
        let table = self.tables.described(&mut self.session, object)?;
        let columns = table.columns.iter().map(|column| (column.name.clone(), Some(column.kind.value_type())));
        let hidden = table.columns.iter().filter(|column| !column.may_select).map(|column| column.name.clone());
        Ok(Description { columns: columns.collect(), identity: table.identity(), unreadable: hidden.collect() })
    }

    fn read(
        &mut self,
        object: &str,
        side: &Side,
        wanted: &Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError> {
        let table = self.tables.described(&mut self.session, object)?.clone();
        let reader = self.reader(object, &table, side)?;
        let as_of = Some(self.session.moment()?.as_of());
        let select = format!("SELECT {} FROM {}", reader.selected(), table.quoted());
        let rows = match wanted {
            Wanted::All => self.rows(&select, &reader, |_| true, sink)?,
            Wanted::Where { columns, values } => {
                let query = match lookup(&table, side, columns, values) {
                    Some(condition) => format!("{select} WHERE {condition}"),
                    None => select,
                };
                let wanted = Keys::new(&table, side, columns, values);
                self.rows(&query, &reader, |row| wanted.has(columns.iter().map(|at| &row[*at])), sink)?
            }
        };
        Ok(Reading { rows, requests: 1, as_of, ..Reading::default() })
    }

    fn can_find(&self, object: &str, side: &Side, columns: &[usize]) -> bool {
        let is_plain = columns.iter().all(|at| side.columns[*at].pointer.is_none());
        let names: Vec<&str> = columns.iter().map(|at| side.columns[*at].name.as_str()).collect();
        is_plain && self.tables.known(object).is_some_and(|table| table.can_find(&names))
    }

    fn refresh(&mut self) -> Result<(), SystemError> {
        self.session.refresh()
    }

    fn estimate(&mut self, object: &str) -> Result<Option<u64>, SystemError> {
        let table = self.tables.described(&mut self.session, object)?;
        // A table that was never looked at has none, or that of when it was empty.
        if !table.is_sampled || table.estimate.is_some_and(|rows| rows > 0) {
            return Ok(table.estimate);
        }
        let count = format!("SELECT count(*) FROM {}", table.quoted());
        self.count(&count).map(Some)
    }

    fn checksums(&mut self) -> Option<&mut dyn Checksums> {
        Some(self)
    }
}

/// Keys that are looked for. A condition in SQL may find more than what is equal, where a column's own equality is
/// another one.
struct Keys {
    encoded: BTreeSet<Vec<u8>>,
}

impl Keys {
    fn new(table: &Table, side: &Side, columns: &[usize], values: &[Vec<Value<'static>>]) -> Self {
        let types = columns.iter().map(|at| {
            let column = &side.columns[*at];
            let known = table.column(&column.name).map(|(_, known)| known.kind.value_type());
            known.filter(|known| *known != Type::Json)
        });
        let types: Vec<Option<Type>> = types.collect();
        let encoded = values.iter().flat_map(|key| readings(key, &types)).filter_map(|key| encoded(key.iter()));
        Self { encoded: encoded.collect() }
    }

    fn has<'a>(&self, key: impl Iterator<Item = &'a Value<'a>>) -> bool {
        encoded(key).is_some_and(|key| self.encoded.contains(&key))
    }
}

/// Reads an address, which is never repeated: a password may stand anywhere in it.
fn address(system: &str, url: &Secret) -> Result<Address, SystemError> {
    Address::parse(url.expose()).map_err(|error| {
        SystemError::configuration(format!("the address of the system `{system}` {error}"), AddressError::REMEDY)
    })
}

/// What a key may be once each of its values has a type: that of its column, or any, where a column holds JSON.
fn readings(key: &[Value<'static>], types: &[Option<Type>]) -> Vec<Vec<Value<'static>>> {
    const OF_JSON: [Type; 3] = [Type::Text, Type::Number, Type::Boolean];
    let mut keys = vec![Vec::new()];
    for (value, known) in key.iter().zip(types) {
        let values: Vec<Value<'static>> = match (value, known) {
            // What cannot be read, such as `NaN` in a column of numbers, is there without a type.
            (Value::Untyped(_), Some(known)) => vec![value.read_as(*known).unwrap_or_else(|| value.clone())],
            (Value::Untyped(_), None) => OF_JSON.iter().filter_map(|of| value.read_as(*of)).collect(),
            _ => vec![value.clone()],
        };
        keys = keys
            .iter()
            .flat_map(|key| values.iter().map(|value| [key.as_slice(), std::slice::from_ref(value)].concat()))
            .collect();
    }
    keys
}

fn encoded<'a>(key: impl Iterator<Item = &'a Value<'a>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    encode_key(key, &mut bytes).then_some(bytes)
}
