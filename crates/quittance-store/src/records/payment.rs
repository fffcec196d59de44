//! Payments.

use super::row::{Columns, Corrupt, Entity, decode_map, encode_map};
use crate::schema::Table;
use crate::tables::PAYMENTS;
use crate::value::{Row, Value};
use quittance_core::brake::Limit;
use quittance_core::fact::{Decline, ObjectKind};
use quittance_core::id::{CommandId, CustomerId, EffectId, PaymentId, TenantId};
use quittance_core::money::Money;
use quittance_core::payment::{CaptureMethod, Payment, Status};

impl Entity for Payment {
    fn table() -> &'static Table {
        &PAYMENTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.id.bytes().into(),
            self.tenant.bytes().into(),
            self.command.bytes().into(),
            self.effect.bytes().into(),
            self.money.amount.into(),
            self.money.currency.code().into(),
            self.gateway.as_str().into(),
            self.payment_method.as_str().into(),
            self.capture_method.name().into(),
            self.return_url.as_deref().into(),
            self.reference.as_str().into(),
            self.status.name().into(),
            self.captured_amount.into(),
            self.refunded_amount.into(),
            self.refunding_amount.into(),
            self.disputed_amount.into(),
            self.returned_amount.into(),
            self.parked_by.map(Limit::name).into(),
            self.gateway_object.as_deref().into(),
            self.object_kind.name().into(),
            self.decline.as_ref().map(|decline| decline.code.as_str()).into(),
            self.decline.as_ref().map(|decline| i64::from(decline.is_retryable)).into(),
            self.next_action.as_deref().into(),
            self.description.as_deref().into(),
            encode_map(&self.metadata).into(),
            self.created_at.0.into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&PAYMENTS, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            id: PaymentId::from_bytes(columns.fixed()?),
            tenant: TenantId::from_bytes(columns.fixed()?),
            command: CommandId::from_bytes(columns.fixed()?),
            effect: EffectId::from_bytes(columns.fixed()?),
            money: Money::new(columns.integer()?, columns.currency()?),
            gateway: columns.text()?,
            payment_method: columns.text()?,
            capture_method: columns.word(CaptureMethod::from_name)?,
            return_url: columns.maybe_text()?,
            reference: columns.text()?,
            status: columns.word(Status::from_name)?,
            captured_amount: columns.integer()?,
            refunded_amount: columns.integer()?,
            refunding_amount: columns.integer()?,
            disputed_amount: columns.integer()?,
            returned_amount: columns.integer()?,
            parked_by: columns.maybe_word(Limit::from_name)?,
            gateway_object: columns.maybe_text()?,
            object_kind: columns.word(ObjectKind::from_name)?,
            decline: decline(columns.maybe_text()?, columns.maybe_integer()?),
            next_action: columns.maybe_text()?,
            description: columns.maybe_text()?,
            metadata: columns.body(decode_map)?,
            created_at: columns.time()?,
        })
    }
}

fn decline(code: Option<String>, is_retryable: Option<i64>) -> Option<Decline> {
    code.map(|code| Decline { code, is_retryable: is_retryable == Some(1) })
}
