//! Disputes, and what they were answered with.

use super::row::{Columns, Corrupt, Entity, decode_map, encode_map};
use crate::schema::Table;
use crate::tables::{DISPUTES, EVIDENCE};
use crate::value::{Row, Value};
use quittance_core::dispute::{Dispute, DisputeStatus, Evidence, Stage};
use quittance_core::id::{CommandId, CustomerId, DisputeId, EffectId, PaymentId, TenantId};
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
            self.answerable_until().map(|at| at.0).into(),
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
            // The deadline again, while evidence is waited for: it follows from what is read here.
            submissions: columns.maybe_time().and_then(|_| columns.count())?,
            withdrawn_amount: columns.integer()?,
            is_written_off: columns.flag()?,
            created_at: columns.time()?,
        })
    }
}

impl Entity for Evidence {
    fn table() -> &'static Table {
        &EVIDENCE
    }

    fn to_row(&self) -> Row {
        vec![
            self.book.bytes().into(),
            self.effect.bytes().into(),
            self.tenant.bytes().into(),
            self.dispute.bytes().into(),
            self.stage.name().into(),
            self.command.bytes().into(),
            encode_map(&self.texts).into(),
            self.created_at.0.into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&EVIDENCE, row)?;
        Ok(Self {
            book: CustomerId::from_bytes(columns.fixed()?),
            effect: EffectId::from_bytes(columns.fixed()?),
            tenant: TenantId::from_bytes(columns.fixed()?),
            dispute: DisputeId::from_bytes(columns.fixed()?),
            stage: columns.word(Stage::from_name)?,
            command: CommandId::from_bytes(columns.fixed()?),
            texts: columns.body(decode_map)?,
            created_at: columns.time()?,
        })
    }
}
