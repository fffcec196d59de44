//! Pages of a tenant's records: all of them in the order of their ids, or those that an index leads to.

use super::fields::{Column, Fields};
use crate::systems::{Reading, Wanted};
use quittance_core::id::{CustomerId, DisputeId, PaymentId, RefundId, TenantId};
use quittance_core::record::key::encode_key;
use quittance_core::record::value::Value;
use quittance_store::schema::Index;
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::value::{Row, Value as Stored};
use std::collections::BTreeSet;

/// Rows of one page.
const PAGE: usize = 500;

/// Which pages are left, and what has been read.
pub(super) struct Pages {
    scans: Vec<Scan>,
    /// Columns, and the keys one of which they must make.
    exact: Option<(Vec<usize>, BTreeSet<Vec<u8>>)>,
    reading: Reading,
}

impl Pages {
    pub(super) fn new<T: Fields>(tenant: TenantId, columns: &[Column<T>], wanted: &Wanted) -> Self {
        let all = || vec![page::<T>("tenant", vec![tenant.bytes().into()])];
        let (scans, exact) = match wanted {
            Wanted::All => (all(), None),
            Wanted::Where { columns: searched, values } => {
                let keys = values.iter().filter_map(|tuple| key(tuple.iter())).collect::<BTreeSet<_>>();
                let scans = match lookup::<T>(columns, searched) {
                    _ if keys.is_empty() => Vec::new(),
                    None => all(),
                    Some(name) => {
                        // Two forms of one value must not be read twice.
                        let texts = values.iter().filter_map(|tuple| written(&tuple[0])).collect::<BTreeSet<_>>();
                        texts.iter().filter_map(|text| find::<T>(tenant, name, text)).collect()
                    }
                };
                (scans, Some((searched.clone(), keys)))
            }
        };
        Self { scans, exact, reading: Reading::default() }
    }

    /// Reads the next page; none when there is no more.
    pub(super) fn advance(&mut self, reader: &mut dyn Reader) -> Result<Option<Vec<Row>>, StoreError> {
        let Some(scan) = self.scans.pop() else { return Ok(None) };
        let rows = reader.scan(&scan)?;
        self.reading.requests += 1;
        if rows.len() == scan.limit {
            let after = rows.last().map(|row| scan.position_of(row));
            self.scans.push(Scan { after, ..scan });
        }
        Ok(Some(rows))
    }

    /// Whether a record is wanted; it is counted if so.
    pub(super) fn takes(&mut self, values: &[Value<'_>]) -> bool {
        let is_wanted = self.exact.as_ref().is_none_or(|(columns, keys)| {
            key(columns.iter().map(|at| &values[*at])).is_some_and(|key| keys.contains(&key))
        });
        self.reading.rows += u64::from(is_wanted);
        is_wanted
    }

    pub(super) const fn reading(&self) -> Reading {
        self.reading
    }
}

fn written(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Text(text) | Value::Untyped(text) => Some(text.to_string()),
        _ => None,
    }
}

fn key<'a, 'v: 'a>(values: impl Iterator<Item = &'a Value<'v>>) -> Option<Vec<u8>> {
    let values: Vec<Value<'_>> = values.cloned().collect();
    let mut key = Vec::new();
    encode_key(values.iter(), &mut key).then_some(key)
}

/// The one field by which records can be found without reading all of them.
pub(super) fn lookup<T: Fields>(columns: &[Column<T>], searched: &[usize]) -> Option<&'static str> {
    let [at] = searched else { return None };
    let column = &columns[*at];
    let is_indexed = column.field.name == "id" || index::<T>(column.field.name).is_some();
    (is_indexed && column.pointer.is_empty() && column.field.name != "tenant").then_some(column.field.name)
}

/// The index over a tenant's records by a column.
fn index<T: Fields>(column: &str) -> Option<&'static Index> {
    T::table().indexes.iter().find(|index| index.columns == ["tenant", column])
}

/// The page of an index that begins with these values.
fn page<T: Fields>(column: &str, prefix: Vec<Stored>) -> Scan {
    let indexes = T::table().indexes;
    let by_tenant = || indexes.iter().find(|index| index.columns == ["tenant", "id"] || index.columns == ["tenant"]);
    Scan { index: index::<T>(column).or_else(by_tenant), ..Scan::forward(T::table(), prefix, PAGE) }
}

/// The page of the records with a text in a field; none where no record can have it.
fn find<T: Fields>(tenant: TenantId, name: &str, text: &str) -> Option<Scan> {
    let value: Stored = if name == "id" { id_bytes(text)?.into() } else { text.into() };
    Some(page::<T>(name, vec![tenant.bytes().into(), value]))
}

/// The bytes of an id of any object of the ledger: its prefix says which, and only that one is among the records.
fn id_bytes(text: &str) -> Option<[u8; 16]> {
    let payment = || text.parse::<PaymentId>().map(PaymentId::bytes).ok();
    let refund = || text.parse::<RefundId>().map(RefundId::bytes).ok();
    let dispute = || text.parse::<DisputeId>().map(DisputeId::bytes).ok();
    let customer = || text.parse::<CustomerId>().map(CustomerId::bytes).ok();
    payment().or_else(refund).or_else(dispute).or_else(customer)
}
