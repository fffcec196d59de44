//! Typed reads: one row by its key or a unique index, and one page of a scan.

use crate::problem::{Problem, catalogue};
use crate::runtime::ReadError;
use quittance_core::customer::Customer;
use quittance_core::dispute::Dispute;
use quittance_core::id::{CustomerId, DisputeId, PaymentId, RefundId, TenantId};
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_engine::submission::CustomerRef;
use quittance_store::records::{Corrupt, Entity};
use quittance_store::schema::Index;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::{CUSTOMERS, DISPUTES, PAYMENTS, REFUNDS};
use quittance_store::value::{Key, Row, Value};

/// Rows that one request looks at, at most; a list that needs more says where to go on.
pub(crate) const EXAMINED_MAX: usize = 1_000;

/// The row of a primary key.
pub(crate) fn get<T: Entity>(reader: &mut dyn Reader, key: Key) -> Result<Option<T>, StoreError> {
    let row = reader.get_many(T::table(), &[key])?.into_iter().next().flatten();
    row.map(|row| entity(&row)).transpose()
}

/// The rows of primary keys, as far as they are there.
pub(crate) fn many<T: Entity>(reader: &mut dyn Reader, keys: &[Key]) -> Result<Vec<T>, StoreError> {
    reader.get_many(T::table(), keys)?.iter().flatten().map(entity).collect()
}

/// The row that a unique index leads to.
pub(crate) fn unique<T: Entity>(
    reader: &mut dyn Reader,
    index: &'static Index,
    values: Vec<Value>,
) -> Result<Option<T>, StoreError> {
    let scan = Scan {
        table: T::table(),
        index: Some(index),
        prefix: values,
        after: None,
        until: None,
        direction: Direction::Forward,
        limit: 1,
    };
    Ok(page(reader, &scan)?.into_iter().next())
}

/// The rows of a page.
pub(crate) fn page<T: Entity>(reader: &mut dyn Reader, scan: &Scan) -> Result<Vec<T>, StoreError> {
    reader.scan(scan)?.iter().map(entity).collect()
}

/// What a row holds.
pub(crate) fn entity<T: Entity>(row: &Row) -> Result<T, StoreError> {
    T::from_row(row).map_err(|Corrupt { table, column, what }| StoreError::Corrupt {
        place: format!("{table}, column {column}"),
        what,
    })
}

/// A tenant's payment.
pub(crate) fn payment(reader: &mut dyn Reader, tenant: TenantId, id: PaymentId) -> Result<Option<Payment>, StoreError> {
    unique(reader, &PAYMENTS.indexes[0], vec![tenant.bytes().into(), id.bytes().into()])
}

/// A tenant's refund.
pub(crate) fn refund(reader: &mut dyn Reader, tenant: TenantId, id: RefundId) -> Result<Option<Refund>, StoreError> {
    unique(reader, &REFUNDS.indexes[0], vec![tenant.bytes().into(), id.bytes().into()])
}

/// A tenant's dispute.
pub(crate) fn dispute(reader: &mut dyn Reader, tenant: TenantId, id: DisputeId) -> Result<Option<Dispute>, StoreError> {
    unique(reader, &DISPUTES.indexes[0], vec![tenant.bytes().into(), id.bytes().into()])
}

/// A tenant's customer, by our id or by the tenant's own.
pub(crate) fn customer(
    reader: &mut dyn Reader,
    tenant: TenantId,
    named: &CustomerRef,
) -> Result<Option<Customer>, StoreError> {
    let found: Option<Customer> = match named {
        CustomerRef::Id(id) => get(reader, vec![id.bytes().into()])?,
        CustomerRef::External(external_id) => {
            unique(reader, &CUSTOMERS.indexes[0], vec![tenant.bytes().into(), external_id.as_str().into()])?
        }
    };
    Ok(found.filter(|customer| customer.tenant == tenant))
}

/// How a text names a customer: by our id where it is one, else by the tenant's own.
pub(crate) fn customer_ref(text: &str) -> CustomerRef {
    match text.parse::<CustomerId>() {
        Ok(id) => CustomerRef::Id(id),
        Err(_) => CustomerRef::External(text.to_owned()),
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Overloaded => Self::new(&catalogue::OVERLOADED, "too many reads are waiting").retry_after(1),
            ReadError::GivenUp => Self::internal(&error),
            ReadError::Store(StoreError::Corrupt { place, what }) => {
                Self::internal(&format!("damaged data in {place}: {what}"))
            }
            ReadError::Store(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store cannot be read");
                Self::new(&catalogue::STORAGE_UNAVAILABLE, "the store cannot be read now").retry_after(5)
            }
        }
    }
}
