//! Rows whose keys are promises about gateways: whose object is whose, and which movements are booked.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{GATEWAY_OBJECTS, MOVEMENTS};
use crate::value::Row;
use quittance_core::fact::ObjectKind;
use quittance_core::id::{CustomerId, EffectId, PaymentId};

/// Which effect a gateway's object belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayObject {
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's id of the object.
    pub object: String,
    /// What kind of object it is.
    pub kind: ObjectKind,
    /// The book.
    pub book: CustomerId,
    /// The newest effect that used it.
    pub effect: EffectId,
    /// That effect's payment.
    pub payment: PaymentId,
}

impl Entity for GatewayObject {
    fn table() -> &'static Table {
        &GATEWAY_OBJECTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.gateway.as_str().into(),
            self.object.as_str().into(),
            self.kind.name().into(),
            self.book.bytes().into(),
            self.effect.bytes().into(),
            self.payment.bytes().into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&GATEWAY_OBJECTS, row)?;
        Ok(Self {
            gateway: columns.text()?,
            object: columns.text()?,
            kind: columns.word(ObjectKind::from_name)?,
            book: CustomerId::from_bytes(columns.fixed()?),
            effect: EffectId::from_bytes(columns.fixed()?),
            payment: PaymentId::from_bytes(columns.fixed()?),
        })
    }
}

/// A movement of money at a gateway that was booked by itself, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedMovement {
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's id of the movement.
    pub movement: String,
    /// The book.
    pub book: CustomerId,
    /// Number of the journal record that booked it.
    pub seq: i64,
}

impl Entity for BookedMovement {
    fn table() -> &'static Table {
        &MOVEMENTS
    }

    fn to_row(&self) -> Row {
        vec![self.gateway.as_str().into(), self.movement.as_str().into(), self.book.bytes().into(), self.seq.into()]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&MOVEMENTS, row)?;
        Ok(Self {
            gateway: columns.text()?,
            movement: columns.text()?,
            book: CustomerId::from_bytes(columns.fixed()?),
            seq: columns.integer()?,
        })
    }
}
