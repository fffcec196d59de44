//! The clock: what it said when it was last written down, and since when it is believed.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::CLOCKS;
use crate::value::{Key, Row, Value};
use quittance_core::effect::Era;
use quittance_core::time::Timestamp;

/// What the clocks of a machine said at one moment, and the era that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockMark {
    /// Its row: [`ClockMark::ERA`], or a start of a machine that shares the books with others.
    pub name: String,
    /// The wall clock.
    pub wall: Timestamp,
    /// Which start of which machine the steady clock counts from.
    pub boot: String,
    /// The steady clock, in milliseconds: it is never set.
    pub steady_ms: i64,
    /// The era.
    pub era: Era,
}

impl ClockMark {
    /// The name of the row that says which era it is.
    pub const ERA: &'static str = "wall";

    /// The place of a mark.
    #[must_use]
    pub fn key(name: &str) -> Key {
        vec![name.into()]
    }
}

impl Entity for ClockMark {
    fn table() -> &'static Table {
        &CLOCKS
    }

    fn to_row(&self) -> Row {
        vec![
            self.name.as_str().into(),
            self.wall.0.into(),
            self.boot.as_str().into(),
            self.steady_ms.into(),
            i64::from(self.era.number).into(),
            self.era.began_at.0.into(),
            i64::from(self.era.dated_since).into(),
            i64::try_from(self.era.ahead_ms).unwrap_or(i64::MAX).into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&CLOCKS, row)?;
        Ok(Self {
            name: columns.text()?,
            wall: columns.time()?,
            boot: columns.text()?,
            steady_ms: columns.integer()?,
            era: Era {
                number: columns.count()?,
                began_at: columns.time()?,
                dated_since: columns.count()?,
                ahead_ms: u64::try_from(columns.integer()?).unwrap_or(0),
            },
        })
    }
}
