//! What one call is about: which columns are read and written, what finds a row, and whether it can be written at all.

use crate::clock;
use crate::systems::sqlite::error::At;
use crate::systems::sqlite::rows::{self, Condition, Found, Query, Raw, stored};
use crate::systems::sqlite::schema::{self, Object};
use crate::systems::write::{Narrow, Write, WriteOptions, key};
use crate::systems::{SystemError, names};
use quittance_connectors::sql::sqlite::Read;
use quittance_connectors::sql::sqlite::write::{Put, put, sample, select_row, touched};
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

/// One call.
pub(super) struct Job<'a> {
    pub(super) object: Object,
    pub(super) narrow: Narrow,
    pub(super) writes: &'a [Write],
    /// The identities of the writes as they are read; none for what no record has.
    pub(super) keys: Vec<Option<Vec<u8>>>,
    columns: Vec<Read>,
    identities: Vec<Vec<Value<'static>>>,
    touched: Option<Touched>,
    /// Reads one row: its columns, and what is stored in them and in the touched one.
    select: String,
    now: Timestamp,
}

/// The column that is set to now.
struct Touched {
    name: String,
    /// What it holds in some row: the form of times where a row has none.
    sample: Raw,
}

impl<'a> Job<'a> {
    /// Prepares a call, within its transaction.
    pub(super) fn new(
        at: At<'_>,
        connection: &Connection,
        options: &WriteOptions,
        (name, side, writes): (&str, &Side, &'a [Write]),
    ) -> Result<Self, SystemError> {
        let object = schema::object(connection, at, name)?;
        let narrow = Narrow::new(at.system, name, side, writes)?;
        let columns = schema::columns(at, &object, &narrow.side)?;
        let locator = object.locator();
        if object.is_view() || locator.is_empty() {
            let what = format!("`{name}` of the system `{}` cannot be written: it has no rows of its own", at.system);
            return Err(SystemError::configuration(what, "name the table that the view is of"));
        }
        let set = writes.iter().flat_map(|write| &write.set).map(|(column, _)| narrow.at(*column));
        let touched =
            options.updated_at.as_deref().map(|name| find_touched(at, connection, &object, name)).transpose()?;
        let written: Vec<&str> =
            set.map(|place| columns[place].name.as_str()).chain(touched.as_ref().map(|it| it.name.as_str())).collect();
        if let Some(made) =
            schema::generated(connection, at, &object)?.iter().find(|made| written.contains(&made.as_str()))
        {
            let what = format!("SQLite makes `{made}` in `{name}` of the system `{}` itself", at.system);
            return Err(SystemError::configuration(
                what,
                "leave it out of what is repaired: repair what it is made of",
            ));
        }
        let raw = columns.iter().map(|column| column.name.as_str()).chain(touched.as_ref().map(|it| it.name.as_str()));
        let select = select_row(&object.name, &columns, &raw.collect::<Vec<_>>(), &locator);
        let typed = |write: &Write| identity(&columns, &narrow, write);
        let identities: Vec<Vec<Value<'static>>> = writes.iter().map(typed).collect();
        let keys = identities.iter().map(|identity| key(identity.iter())).collect();
        Ok(Self { object, narrow, writes, keys, columns, identities, touched, select, now: clock::now() })
    }

    /// The columns by which a row is found again.
    pub(super) fn locator(&self) -> Vec<&str> {
        self.object.locator()
    }

    /// What finds the rows of the writes, by their identities.
    pub(super) fn located(
        &self,
        at: At<'_>,
        connection: &Connection,
    ) -> Result<BTreeMap<Vec<u8>, Vec<Vec<Raw>>>, SystemError> {
        let condition = Condition::new(&self.columns, &self.narrow.side.identity, &self.identities);
        let query = Query { object: &self.object, columns: &self.columns, condition: &condition };
        let mut located: BTreeMap<Vec<u8>, Vec<Vec<Raw>>> = BTreeMap::new();
        for (row, locator) in rows::located(connection, at, &query, &self.locator())? {
            if let Some(key) = self.narrow.key(&row) {
                located.entry(key).or_default().push(locator);
            }
        }
        Ok(located)
    }

    /// A row that was located, and what is stored in it; none where it is gone.
    pub(super) fn row(
        &self,
        at: At<'_>,
        connection: &Connection,
        locator: &[Raw],
    ) -> Result<Option<Found>, SystemError> {
        let query = Query { object: &self.object, columns: &self.columns, condition: &Condition::default() };
        let more = self.columns.len() + usize::from(self.touched.is_some());
        rows::one(connection, at, &query, (&self.select, more), locator)
    }

    /// What is stored in which column, in the form of what is stored there now; or why a value cannot be.
    pub(super) fn puts(&self, write: &Write, raw: &[Raw]) -> Result<Vec<(&str, Put)>, String> {
        let mut puts = Vec::with_capacity(write.set.len() + 1);
        for (column, value) in &write.set {
            let place = self.narrow.at(*column);
            let Read { name, declared, .. } = &self.columns[place];
            let put = put(value, *declared, stored(&raw[place]));
            puts.push((name.as_str(), put.ok_or_else(|| format!("`{name}` cannot hold {value} as it stores values"))?));
        }
        if let Some(column) = self.touched.as_ref().filter(|it| !puts.iter().any(|(name, _)| *name == it.name)) {
            let own = raw.last().and_then(|raw| touched(self.now, stored(raw)));
            let usual = || touched(self.now, stored(&column.sample));
            puts.extend(own.or_else(usual).map(|put| (column.name.as_str(), put)));
        }
        Ok(puts)
    }
}

fn identity(columns: &[Read], narrow: &Narrow, write: &Write) -> Vec<Value<'static>> {
    let typed = |(value, at): (&Value<'static>, &usize)| {
        let declared = columns[*at].declared.value_type();
        declared.and_then(|of| value.read_as(of)).unwrap_or_else(|| value.clone())
    };
    write.identity.iter().zip(&narrow.side.identity).map(typed).collect()
}

fn find_touched(at: At<'_>, connection: &Connection, object: &Object, name: &str) -> Result<Touched, SystemError> {
    let Some(column) = object.column(name) else {
        let known: Vec<&str> = object.columns.iter().map(|column| column.name.as_str()).collect();
        return Err(names::no_column(at.system, &object.name, name, &known));
    };
    let sample = connection.query_row(&sample(&object.name, &column.name), [], |row| row.get(0)).optional();
    let sample: Option<Raw> = sample.map_err(|error| at.error(error))?;
    match sample.filter(|sample| touched(Timestamp(0), stored(sample)).is_some()) {
        Some(sample) => Ok(Touched { name: column.name, sample }),
        None => {
            let what = format!(
                "in which form `{name}` in `{}` of the system `{}` holds times cannot be told",
                object.name, at.system
            );
            Err(SystemError::configuration(what, "write on_repair = \"keep\", or see that a record has a time in it"))
        }
    }
}
