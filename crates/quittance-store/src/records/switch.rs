//! Switches: what operators paused.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::SWITCHES;
use crate::value::{Row, Value};
use quittance_core::time::Timestamp;

/// Whether a gateway, or everything, is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// A gateway's configured name, or [`Switch::EVERYTHING`].
    pub name: String,
    /// Whether nothing leaves for it.
    pub is_paused: bool,
    /// Why, in the words of who set it.
    pub reason: Option<String>,
    /// Who set it: the id of a credential, or `operator` for whoever may write to the data itself.
    pub by: String,
    /// When it was set to what it is.
    pub changed_at: Timestamp,
}

impl Switch {
    /// The name of the switch that stands before all gateways. No gateway can be configured under it.
    pub const EVERYTHING: &'static str = "*";

    /// The name of the row that says of which backup the store was restored: `changed_at` is when that was taken. It pauses
    /// nothing itself.
    pub const RESTORED: &'static str = "*restored";

    /// What the name of a switch begins with that holds sends back while its gateway recovers from a restore.
    const RECOVERY: &'static str = "*recovery/";

    /// The name of the switch under which a gateway recovers. No gateway can be configured under it.
    #[must_use]
    pub fn recovery_of(gateway: &str) -> String {
        format!("{}{gateway}", Self::RECOVERY)
    }

    /// The gateway that recovers under this switch; none where it is another switch.
    #[must_use]
    pub fn recovers(&self) -> Option<&str> {
        self.name.strip_prefix(Self::RECOVERY)
    }
}

impl Entity for Switch {
    fn table() -> &'static Table {
        &SWITCHES
    }

    fn to_row(&self) -> Row {
        vec![
            self.name.as_str().into(),
            i64::from(self.is_paused).into(),
            self.reason.as_deref().into(),
            self.by.as_str().into(),
            self.changed_at.0.into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&SWITCHES, row)?;
        Ok(Self {
            name: columns.text()?,
            is_paused: columns.integer()? != 0,
            reason: columns.maybe_text()?,
            by: columns.text()?,
            changed_at: columns.time()?,
        })
    }
}
