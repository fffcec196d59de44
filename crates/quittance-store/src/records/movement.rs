//! Movements at gateways that are booked: their key lets each be booked once.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::MOVEMENTS;
use crate::value::Row;
use quittance_core::id::CustomerId;

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
