//! What looking at the whole teaches: one engine of a process looks, the others of the process are told.

use super::Engine;
use crate::backlog::Backlog;
use crate::due::Waiting;
use crate::pause::Paused;
use std::collections::BTreeMap;

/// What an engine knows of the brakes, of what waits, and of how far behind the gateways are.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    paused: Paused,
    waiting: Waiting,
    backlog: BTreeMap<String, Backlog>,
}

impl Engine {
    /// What it knows now.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        let (paused, waiting, backlog) = (self.paused.clone(), self.waiting.clone(), self.backlog.clone());
        Outlook { paused, waiting, backlog }
    }

    /// Goes by what another engine of this process knows. To be called before each step by one that neither polls nor surveys.
    pub fn follow(&mut self, outlook: Outlook) {
        let Outlook { paused, waiting, backlog } = outlook;
        (self.paused, self.waiting, self.backlog) = (paused, waiting, backlog);
    }
}
