//! Customers.

use super::row::{Columns, Corrupt, Entity, decode_map, encode_map};
use crate::schema::Table;
use crate::tables::CUSTOMERS;
use crate::value::Row;
use quittance_core::currency::Currency;
use quittance_core::customer::Customer;
use quittance_core::id::{CustomerId, TenantId};

impl Entity for Customer {
    fn table() -> &'static Table {
        &CUSTOMERS
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.bytes().into(),
            self.tenant.bytes().into(),
            self.external_id.as_deref().into(),
            self.name.as_deref().into(),
            self.email.as_deref().into(),
            self.currency.map(|currency| currency.code().to_owned()).into(),
            self.timezone.as_deref().into(),
            encode_map(&self.gateway_ids).into(),
            encode_map(&self.metadata).into(),
            self.created_at.0.into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&CUSTOMERS, row)?;
        Ok(Self {
            id: CustomerId::from_bytes(columns.fixed()?),
            tenant: TenantId::from_bytes(columns.fixed()?),
            external_id: columns.maybe_text()?,
            name: columns.maybe_text()?,
            email: columns.maybe_text()?,
            currency: columns.maybe_text()?.and_then(|code| Currency::from_code(&code).ok()),
            timezone: columns.maybe_text()?,
            gateway_ids: columns.body(decode_map)?,
            metadata: columns.body(decode_map)?,
            created_at: columns.time()?,
        })
    }
}
