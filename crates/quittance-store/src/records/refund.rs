//! Refunds.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::REFUNDS;
use crate::value::{Row, Value};
use quittance_core::brake::Limit;
use quittance_core::id::{CommandId, CustomerId, EffectId, PaymentId, RefundId, TenantId};
use quittance_core::money::Money;
use quittance_core::refund::{Refund, RefundStatus};

impl Entity for Refund {
    fn table() -> &'static Table {
        &REFUNDS
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.id.bytes().into(),
            self.tenant.bytes().into(),
            self.payment.bytes().into(),
            self.command.bytes().into(),
            self.effect.bytes().into(),
            self.money.amount.into(),
            self.money.currency.code().into(),
            self.gateway.as_str().into(),
            self.reference.as_deref().into(),
            self.reason.as_deref().into(),
            self.status.name().into(),
            self.parked_by.map(Limit::name).into(),
            self.gateway_object.as_deref().into(),
            self.failure_code.as_deref().into(),
            self.created_at.0.into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&REFUNDS, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            id: RefundId::from_bytes(columns.fixed()?),
            tenant: TenantId::from_bytes(columns.fixed()?),
            payment: PaymentId::from_bytes(columns.fixed()?),
            command: CommandId::from_bytes(columns.fixed()?),
            effect: EffectId::from_bytes(columns.fixed()?),
            money: Money::new(columns.integer()?, columns.currency()?),
            gateway: columns.text()?,
            reference: columns.maybe_text()?,
            reason: columns.maybe_text()?,
            status: columns.word(RefundStatus::from_name)?,
            parked_by: columns.maybe_word(Limit::from_name)?,
            gateway_object: columns.maybe_text()?,
            failure_code: columns.maybe_text()?,
            created_at: columns.time()?,
        })
    }
}
