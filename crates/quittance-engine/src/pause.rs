//! What is paused: the rows of the switches, kept in memory between commits.
//!
//! Says for which gateways nothing may begin. Does not own the rows, nor what was sent already.

use crate::room::Permits;
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
        if switch.is_paused {
            self.names.insert(switch.name.clone());
        } else {
            self.names.remove(&switch.name);
        }
    }

    /// Whether nothing may leave for this gateway: it is paused, or everything is.
    #[must_use]
    pub fn holds_back(&self, gateway: &str) -> bool {
        self.names.contains(gateway) || self.names.contains(Switch::EVERYTHING)
    }

    /// The permits of gateways that are not paused.
    pub(crate) fn permitted(&self, permits: &Permits) -> Permits {
        let goes_on = permits.0.iter().filter(|(gateway, _)| !self.holds_back(gateway));
        Permits(goes_on.map(|(gateway, room)| (gateway.clone(), room.clone())).collect())
    }
}
