//! Sweeps: how far a list of a gateway was followed.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::SWEEPS;
use crate::value::{Row, Value};
use quittance_core::time::Timestamp;

/// The state of one sweep: what is complete, and where the one under way goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The configured gateway.
    pub gateway: String,
    /// What is swept: `events`, or the kind of the objects.
    pub sweep: String,
    /// Everything made before this second was looked at.
    pub cursor: Option<i64>,
    /// The second from which the sweep under way looks.
    pub created_from: Option<i64>,
    /// The second to which the sweep under way will have looked.
    pub newest: Option<i64>,
    /// Where the sweep under way goes on; none when none is under way.
    pub resume_after: Option<String>,
    /// Whether the sweep under way, or the next one, looks at everything there ever was.
    pub is_full: bool,
    /// When the last one began.
    pub started_at: Option<Timestamp>,
    /// When the last one came to its end.
    pub completed_at: Option<Timestamp>,
}

impl Sweep {
    /// Name of the sweep of the log of events.
    pub const EVENTS: &'static str = "events";

    /// A sweep that never ran.
    #[must_use]
    pub const fn new(gateway: String, sweep: String) -> Self {
        Self {
            gateway,
            sweep,
            cursor: None,
            created_from: None,
            newest: None,
            resume_after: None,
            is_full: false,
            started_at: None,
            completed_at: None,
        }
    }
}

impl Entity for Sweep {
    fn table() -> &'static Table {
        &SWEEPS
    }

    fn to_row(&self) -> Row {
        vec![
            self.gateway.as_str().into(),
            self.sweep.as_str().into(),
            self.cursor.into(),
            self.created_from.into(),
            self.newest.into(),
            self.resume_after.as_deref().into(),
            i64::from(self.is_full).into(),
            self.started_at.map(|at| at.0).into(),
            self.completed_at.map(|at| at.0).into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&SWEEPS, row)?;
        Ok(Self {
            gateway: columns.text()?,
            sweep: columns.text()?,
            cursor: columns.maybe_integer()?,
            created_from: columns.maybe_integer()?,
            newest: columns.maybe_integer()?,
            resume_after: columns.maybe_text()?,
            is_full: columns.flag()?,
            started_at: columns.maybe_time()?,
            completed_at: columns.maybe_time()?,
        })
    }
}
