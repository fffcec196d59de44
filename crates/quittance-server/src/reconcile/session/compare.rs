//! Comparing the systems of a pair, telling what came out beside the run before it, and keeping it.

use super::shape::Remembered;
use super::{Session, SessionError, bent_json, new_run, runs, system};
use crate::config::SideRef;
use crate::diff::{self, EventLog, History, Outcome, Settings, Source, Told, When};
use crate::reconcile::keep_agreed;
use crate::systems::System;
use crate::systems::paced::Paced;
use crate::{clock, ids};
use quittance_core::pair::Which;
use quittance_core::pair::detect::shape::BentField;
use quittance_store::records::Run;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is compared, and when it is read again.
pub struct Comparison<'w> {
    /// The records of one key alone, which is no comparison of the pair: it is neither beside the last run nor kept.
    pub only: Option<&'w str>,
    /// Waits before what disagrees is read again; only what is there again is counted.
    pub wait: &'w mut dyn FnMut(),
}

/// What a comparison came to.
pub struct Compared {
    /// The comparison.
    pub outcome: Outcome,
    /// As it is told.
    pub told: Told,
    /// Fields that look other than before, where that is remembered.
    pub bent: Vec<BentField>,
    /// Why it could not be kept, where it was to be.
    pub unkept: Option<SessionError>,
}

/// The systems of a pair, opened for reading.
pub struct Opened {
    left: Box<dyn System>,
    right: Box<dyn System>,
}

impl Opened {
    /// Both sides as a comparison reads them.
    pub fn sources<'s>(&'s mut self, session: &Session<'s>) -> [Source<'s>; 2] {
        let source = |side: &'s SideRef, system: &'s mut dyn System, which| Source {
            name: &side.system,
            system,
            object: &side.object,
            which,
        };
        let pair = session.pair;
        [source(&pair.left, self.left.as_mut(), Which::Left), source(&pair.right, self.right.as_mut(), Which::Right)]
    }

    /// Compares them.
    ///
    /// # Errors
    ///
    /// [`SessionError`]; there is no result then.
    pub fn compare(&mut self, session: &Session<'_>, comparison: &mut Comparison<'_>) -> Result<Outcome, SessionError> {
        let only = comparison.only.map(str::to_owned);
        let settings = Settings { hash_key: ids::random(), only, wait: &mut *comparison.wait };
        let [mut left, mut right] = self.sources(session);
        Ok(diff::diff(session.name, session.pair, &mut left, &mut right, settings)?)
    }
}

impl Session<'_> {
    /// Opens the systems of the pair for reading.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when one cannot be opened.
    pub fn systems(&self) -> Result<Opened, SessionError> {
        let open = |name: &str| {
            let opened = system(self.config, name, self.data)?;
            Ok::<Box<dyn System>, SessionError>(match &self.guard {
                Some(guard) => Box::new(Paced::new(opened, Arc::clone(&guard.halt), self.share_ppm)),
                None => opened,
            })
        };
        Ok(Opened { left: open(&self.pair.left.system)?, right: open(&self.pair.right.system)? })
    }

    /// Compares the systems, tells what came out, and keeps it where that is asked for.
    ///
    /// # Errors
    ///
    /// [`SessionError`] when there is no result. One that cannot be kept is told all the same.
    pub fn compare(&self, mut comparison: Comparison<'_>, is_kept: bool) -> Result<Compared, SessionError> {
        let is_kept = is_kept && comparison.only.is_none();
        if is_kept {
            self.follow()?;
        }
        let started_at = clock::now();
        let outcome = self.systems()?.compare(self, &mut comparison)?;
        let when = When { id: new_run(started_at), started_at, ended_at: clock::now() };
        let mut events = self.received()?;
        let kept = is_kept.then(|| {
            let (told, _) = self.keep(&mut runs(self.data)?, &outcome, when, &mut events)?;
            Ok((told, self.bent(&outcome, &BTreeSet::new(), Remembered::Counts)?))
        });
        let (mut told, bent, unkept) = match kept.transpose() {
            Ok(Some((told, bent))) => (told, bent, None),
            Ok(None) => (untold(&outcome, when, &mut events)?, Vec::new(), None),
            Err(error) => (untold(&outcome, when, &mut events)?, Vec::new(), Some(error)),
        };
        told.json["shape"] = bent_json(&outcome.pair, &bent);
        Ok(Compared { outcome, told, bent, unkept })
    }

    /// Tells a run, and keeps it where runs are kept; with the run before it.
    pub(super) fn tell(
        &self,
        history: Option<&mut History>,
        outcome: &Outcome,
        when: When,
    ) -> Result<(Told, Option<Run>), SessionError> {
        let mut events = self.received()?;
        match history {
            Some(history) => self.keep(history, outcome, when, &mut events),
            None => {
                let told = diff::tell(outcome, when, None, &mut events).map_err(SessionError::store(EVENTS))?;
                Ok((told, None))
            }
        }
    }

    fn received(&self) -> Result<EventLog, SessionError> {
        EventLog::open(self.data).map_err(SessionError::store(EVENTS))
    }

    /// Tells a run beside the one before it, which is given with it, and keeps it.
    fn keep(
        &self,
        history: &mut History,
        outcome: &Outcome,
        when: When,
        events: &mut EventLog,
    ) -> Result<(Told, Option<Run>), SessionError> {
        let previous = history.newest(self.name).map_err(SessionError::store("the run before cannot be read"))?;
        let told = diff::tell(outcome, when, previous.as_ref(), events).map_err(SessionError::store(EVENTS))?;
        history.keep(&told.run, &told.drifts).map_err(SessionError::store("the run cannot be kept"))?;
        if let Some(agreement) = &outcome.agreement {
            keep_agreed(history.store(), self.name, agreement, (when.id, when.started_at))
                .map_err(SessionError::store("what both sides agree on cannot be kept"))?;
        }
        Ok((told, previous.map(|(run, _)| run)))
    }
}

const EVENTS: &str = "the events that were received cannot be read";

/// Tells a run that is not kept: no command will know it by an id.
fn untold(outcome: &Outcome, when: When, events: &mut EventLog) -> Result<Told, SessionError> {
    let mut told = diff::tell(outcome, when, None, events).map_err(SessionError::store(EVENTS))?;
    told.json["run_id"] = Value::Null;
    Ok(told)
}
