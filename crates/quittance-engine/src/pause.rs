//! What is paused, and what recovers from a restore: the rows of the switches, kept in memory between commits.
//!
//! Says for which gateways nothing may begin. Does not own the rows, nor what was sent already.

use crate::room::{Permits, Room};
use quittance_core::time::Timestamp;
use quittance_store::records::{Corrupt, Entity, Switch};
use quittance_store::store::{Scan, Store, StoreError};
use quittance_store::tables::SWITCHES;
use std::collections::BTreeSet;

/// Switches that are read at once. One is kept for each gateway that was ever paused, so one page holds them all.
const PAGE: usize = 10_000;

/// The gateways, or everything, for which nothing begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paused {
    names: BTreeSet<String>,
    /// Gateways of which a restore lost what was sent last.
    recovering: BTreeSet<String>,
    /// When the backup was taken that the store was restored from last, or the newest commit that a failover left.
    lost_since: Option<Timestamp>,
}

impl Paused {
    /// Reads what is stored.
    pub(crate) fn load(store: &mut dyn Store) -> Result<Self, StoreError> {
        let corrupt = |Corrupt { table, column, what }| {
            let place = format!("{table}, column {column}");
            StoreError::Corrupt { place, what }
        };
        let mut paused = Self::default();
        for row in store.scan(&Scan::forward(&SWITCHES, Vec::new(), PAGE))? {
            paused.apply(&Switch::from_row(&row).map_err(corrupt)?);
        }
        Ok(paused)
    }

    /// Follows a switch that is committed.
    pub(crate) fn apply(&mut self, switch: &Switch) {
        if switch.name == Switch::RESTORED {
            self.lost_since = Some(switch.changed_at);
        }
        let (names, name) = match switch.recovers() {
            Some(gateway) => (&mut self.recovering, gateway),
            None => (&mut self.names, switch.name.as_str()),
        };
        if switch.is_paused {
            names.insert(name.to_owned());
        } else {
            names.remove(name);
        }
    }

    /// Whether this gateway recovers from a restore: it is read, and nothing is sent to it.
    #[must_use]
    pub fn is_recovering(&self, gateway: &str) -> bool {
        self.recovering.contains(gateway)
    }

    /// The gateways that recover from a restore.
    pub(crate) fn recovering(&self) -> impl Iterator<Item = &str> {
        self.recovering.iter().map(String::as_str)
    }

    /// Since when records may be lost: from the time of the newest restore, or failover, on.
    pub(crate) const fn lost_since(&self) -> Option<Timestamp> {
        self.lost_since
    }

    /// Whether nothing may leave for this gateway: it is paused, or everything is.
    #[must_use]
    pub fn holds_back(&self, gateway: &str) -> bool {
        self.names.contains(gateway) || self.names.contains(Switch::EVERYTHING)
    }

    /// The permits of gateways that are not paused; of those that recover, the permits to read.
    pub(crate) fn permitted(&self, permits: &Permits) -> Permits {
        let goes_on = permits.0.iter().filter(|(gateway, _)| !self.holds_back(gateway));
        let room_of = |gateway: &str, room: &Room| match self.is_recovering(gateway) {
            true => Room { sends: 0, ..room.clone() },
            false => room.clone(),
        };
        Permits(goes_on.map(|(gateway, room)| (gateway.clone(), room_of(gateway, room))).collect())
    }
}
