//! Disputes.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::DISPUTES;
use crate::value::{Row, Value};
use quittance_core::dispute::{Dispute, DisputeStatus};
use quittance_core::id::{CustomerId, DisputeId, PaymentId, TenantId};
use quittance_core::money::Money;

impl Entity for Dispute {
    fn table() -> &'static Table {
        &DISPUTES
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.id.bytes().into(),
            self.tenant.bytes().into(),
            self.payment.bytes().into(),
            self.gateway.as_str().into(),
            self.object_id.as_str().into(),
            self.status.name().into(),
            self.money.amount.into(),
            self.money.currency.code().into(),
            self.reason.as_str().into(),
            self.evidence_due_by.map(|at| at.0).into(),
            i64::from(self.submissions).into(),
            self.withdrawn_amount.into(),
            i64::from(self.is_written_off).into(),
            self.created_at.0.into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&DISPUTES, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            id: DisputeId::from_bytes(columns.fixed()?),
            tenant: TenantId::from_bytes(columns.fixed()?),
            payment: PaymentId::from_bytes(columns.fixed()?),
            gateway: columns.text()?,
            object_id: columns.text()?,
            status: DisputeStatus::from_word(&columns.text()?),
            money: Money::new(columns.integer()?, columns.currency()?),
            reason: columns.text()?,
            evidence_due_by: columns.maybe_time()?,
            submissions: columns.count()?,
            withdrawn_amount: columns.integer()?,
            is_written_off: columns.flag()?,
            created_at: columns.time()?,
        })
    }
}
