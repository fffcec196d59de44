//! Quittance's own ledger as a system: what a tenant's API shows, read from the data directory beside a running server.
//!
//! Objects are `payment`, `refund`, `dispute` and `customer`; their fields are named as in the API ([`fields`]). Amounts
//! are in minor units. Pages are of one moment each, a whole reading is not: what is created meanwhile may or may not be
//! read, and everything else is read once.

pub mod fields;
mod pages;

use super::{Description, LOOKUPS_MAX, Reading, Sink, System, SystemError, Wanted, names};
use crate::data::Data;
use fields::Fields;
use pages::Pages;
use quittance_core::customer::Customer;
use quittance_core::dispute::Dispute;
use quittance_core::id::TenantId;
use quittance_core::pair::Side;
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_core::tenant::Tenant;
use quittance_store::records::{Corrupt, Entity};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables;

/// Names of what can be read.
const OBJECTS: [&str; 4] = ["payment", "refund", "dispute", "customer"];

/// Most tenants that are listed where one has to be named.
const TENANTS_LISTED_MAX: usize = 20;

/// The records of one tenant.
pub struct Ledger {
    name: String,
    reader: Box<dyn Reader>,
    tenant: TenantId,
}

/// Calls a function of the type of an object by its name.
macro_rules! with_object {
    ($this:expr, $object:expr, $function:ident($($argument:expr),*)) => {
        match $object {
            "payment" => $function::<Payment>($($argument),*),
            "refund" => $function::<Refund>($($argument),*),
            "dispute" => $function::<Dispute>($($argument),*),
            "customer" => $function::<Customer>($($argument),*),
            other => Err(no_object(&$this.name, other)),
        }
    };
}

impl Ledger {
    /// Opens a data directory for reading. `tenant` is a name or an id, and needed only where there are several.
    ///
    /// # Errors
    ///
    /// [`super::Blame::Configuration`] when there is no data, or not that tenant, or several and none is named;
    /// [`super::Blame::Outside`] when the data cannot be read.
    pub fn open(name: &str, data: &Data, tenant: Option<&str>) -> Result<Self, SystemError> {
        let mut reader = data.open_reader().map_err(|error| stored(name, error))?;
        let page = Scan::forward(&tables::TENANTS, Vec::new(), TENANTS_LISTED_MAX + 1);
        let rows = reader.scan(&page).map_err(|error| stored(name, error))?;
        let first = rows.iter().map(Tenant::from_row).collect::<Result<Vec<_>, Corrupt>>();
        let first = first.map_err(|error| damaged(name, error))?;
        let found = match tenant {
            Some(wanted) => find_tenant(reader.as_mut(), name, wanted)?,
            None => match first.as_slice() {
                [only] => Some(only.id),
                _ => None,
            },
        };
        match found {
            Some(tenant) => Ok(Self { name: name.to_owned(), reader, tenant }),
            None => Err(no_tenant(name, data, tenant, &first)),
        }
    }
}

fn find_tenant(reader: &mut dyn Reader, name: &str, wanted: &str) -> Result<Option<TenantId>, SystemError> {
    let table = &tables::TENANTS;
    let scan = match wanted.parse::<TenantId>() {
        Ok(id) => Scan::forward(table, vec![id.bytes().into()], 1),
        Err(_) => {
            let index = table.indexes.iter().find(|index| index.columns == ["name"]);
            Scan { index, ..Scan::forward(table, vec![wanted.into()], 1) }
        }
    };
    let rows = reader.scan(&scan).map_err(|error| stored(name, error))?;
    let tenant = rows.first().map(Tenant::from_row).transpose().map_err(|error| damaged(name, error))?;
    Ok(tenant.map(|tenant| tenant.id))
}

fn no_tenant(name: &str, data: &Data, wanted: Option<&str>, known: &[Tenant]) -> SystemError {
    let place = format!("{data} of the system `{name}`");
    let known: Vec<&str> = known.iter().map(|tenant| tenant.name.as_str()).collect();
    match wanted {
        Some(wanted) => SystemError::configuration(
            format!("there is no tenant `{wanted}` in {place}"),
            names::remedy(wanted, &known),
        ),
        None if known.is_empty() => SystemError::configuration(format!("there is no tenant in {place}"), ""),
        None => SystemError::configuration(
            format!("there are several tenants in {place}"),
            format!("name one with tenant = \"{}\"; {}", known[0], names::remedy("", &known)),
        ),
    }
}

fn no_object(name: &str, object: &str) -> SystemError {
    let what = format!("there is no object `{object}` in the system `{name}`, which is Quittance's ledger");
    SystemError::configuration(what, names::remedy(object, &OBJECTS))
}

/// What the store says of itself.
fn stored(name: &str, error: StoreError) -> SystemError {
    let what = format!("the data of the system `{name}` cannot be read");
    let remedy = "look whether `quittance verify` finds more";
    match error {
        StoreError::Missing { .. } => {
            SystemError::configuration(what, "name the data directory of a server with data = \"DIRECTORY\" or --data")
        }
        StoreError::NewerSchema { .. } => {
            SystemError::configuration(what, "use the version of quittance that wrote the data, or a newer one")
        }
        _ => SystemError::outside(what, remedy),
    }
    .because(error)
}

fn damaged(name: &str, error: Corrupt) -> SystemError {
    let place = error.table.to_owned();
    stored(name, StoreError::Corrupt { place, what: error.to_string() })
}

fn describe<T: Fields>() -> Result<Description, SystemError> {
    let columns = T::FIELDS.iter().map(|field| (field.name.to_owned(), Some(field.declared))).collect();
    Ok(Description { columns, identity: vec!["id".to_owned()], ..Description::default() })
}

fn read<T: Fields>(
    this: &mut Ledger,
    side: &Side,
    wanted: &Wanted,
    sink: &mut Sink<'_>,
) -> Result<Reading, SystemError> {
    if let Wanted::Where { values, .. } = wanted {
        assert!(values.len() <= LOOKUPS_MAX, "{} lookups at once, at most {LOOKUPS_MAX}", values.len());
    }
    let columns = fields::columns::<T>(&this.name, side)?;
    let name = &this.name;
    let mut pages = Pages::new(this.tenant, &columns, wanted);
    while let Some(records) = pages.advance(this.reader.as_mut()).map_err(|error| stored(name, error))? {
        for row in records {
            let record = T::from_row(&row).map_err(|error| damaged(name, error))?;
            let values: Vec<_> = columns.iter().map(|column| column.value(&record)).collect();
            if pages.takes(&values) && sink(&values).is_break() {
                return Ok(pages.reading());
            }
        }
    }
    Ok(pages.reading())
}

fn can_find<T: Fields>(name: &str, side: &Side, searched: &[usize]) -> Result<bool, SystemError> {
    Ok(pages::lookup::<T>(&fields::columns::<T>(name, side)?, searched).is_some())
}

impl System for Ledger {
    fn objects(&mut self) -> Result<Vec<String>, SystemError> {
        Ok(OBJECTS.iter().map(|object| (*object).to_owned()).collect())
    }

    fn describe(&mut self, object: &str) -> Result<Description, SystemError> {
        with_object!(self, object, describe())
    }

    fn read(
        &mut self,
        object: &str,
        side: &Side,
        wanted: &Wanted,
        sink: &mut Sink<'_>,
    ) -> Result<Reading, SystemError> {
        with_object!(self, object, read(self, side, wanted, sink))
    }

    fn can_find(&self, object: &str, side: &Side, columns: &[usize]) -> bool {
        with_object!(self, object, can_find(&self.name, side, columns)).unwrap_or(false)
    }

    fn refresh(&mut self) -> Result<(), SystemError> {
        Ok(())
    }

    fn estimate(&mut self, _object: &str) -> Result<Option<u64>, SystemError> {
        Ok(None)
    }
}
