//! What looking at the whole teaches: one engine of a process looks, the others of the process are told.

use super::Engine;
use crate::backlog::Backlog;
use crate::due::Waiting;
use crate::pause::Paused;
use quittance_store::store::StoreError;
use std::collections::BTreeMap;

/// What an engine knows of the brakes, of what waits, and of how far behind the gateways are.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    /// The number of the era in which it knows that.
    era: u32,
    /// How often the row of the era had been written when it learned that.
    era_version: i64,
    paused: Paused,
    waiting: Waiting,
    backlog: BTreeMap<String, Backlog>,
}

impl Engine {
    /// What it knows now.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        let (paused, waiting, backlog) = (self.paused.clone(), self.waiting.clone(), self.backlog.clone());
        Outlook { era: self.era.number, era_version: self.era_version, paused, waiting, backlog }
    }

    /// Goes by what another engine of this process knows. To be called before each step by one that neither polls nor surveys.
    /// Where that has not heard yet that an era has ended, or that a brake was pulled, the brakes are read.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when they have to be read and cannot be: nothing may be decided then.
    pub fn follow(&mut self, outlook: Outlook) -> Result<(), StoreError> {
        let Outlook { era, era_version, paused, waiting, backlog } = outlook;
        let knows_less = era < self.era.number || era_version < self.era_version;
        self.paused = if knows_less { Paused::load(self.store.as_mut())? } else { paused };
        (self.waiting, self.backlog) = (waiting, backlog);
        Ok(())
    }
}
