//! One run of a pair by schedule: the lease, the comparison, what is repaired by policy, and what is kept of it.

use super::ended::{Ended, Failure, PutOff};
use super::observe::observe;
use super::{BY, alarms};
use crate::config::{Apply, Config};
use crate::data::Data;
use crate::reconcile::halt::{Halt, Why};
use crate::reconcile::keeper::{Keeper, PATIENCE};
use crate::reconcile::lease::{Held, Watch};
use crate::reconcile::session::{Comparison, Fault, Request, Session, SessionError};
use crate::{alerts, metrics};
use quittance_core::pair::schedule::Schedule;
use quittance_core::time::Timestamp;
use quittance_store::records::{PairState, RepairCause};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// A run that is due.
pub(super) struct Run {
    pub(super) config: Arc<Config>,
    pub(super) data: Data,
    pub(super) name: String,
    pub(super) schedule: Schedule,
    pub(super) halt: Arc<Halt>,
    /// What was seen of its lease so far.
    pub(super) watch: Watch,
}

impl Run {
    /// Carries it out, if nobody else does.
    pub(super) fn carry_out(mut self) {
        let Some(pair) = self.config.pairs.get(&self.name) else { return };
        let jitter_ppm = pair.service.jitter_ppm;
        let (mut known, mut watch) = (PairState::default(), std::mem::take(&mut self.watch));
        let taken = Held::take(&self.data, &self.name, BY, &self.halt, &mut watch, |state, now| {
            let is_due = self.schedule.is_due(&self.name, jitter_ppm, state.due_at, now);
            if is_due {
                known = state.clone();
                state.started_at = Some(now);
            }
            is_due
        });
        let held = match taken {
            Ok(Ok(held)) => held,
            Ok(Err(_)) => return,
            Err(error) => return tracing::warn!(pair = self.name, %error, "the lease of a pair cannot be taken"),
        };
        // A bug must not keep the pair from ever being run again, nor have it run without end.
        let ended = catch_unwind(AssertUnwindSafe(|| self.compare(&held, &known))).unwrap_or_else(|_| Ended::Failed {
            detail: "the run ended badly; the log says where".to_owned(),
            why: Failure::Passing,
        });
        metrics::pair_run(&self.name, ended.word());
        ended.log(&self.name);
        // Whoever ends here has told nobody, and the lease runs out: the next run judges it again.
        self.tell(&held, &ended);
        match held.release(|state, now| self.settle(&ended, state, now)) {
            Ok(true) => {}
            Ok(false) => tracing::warn!(pair = self.name, "the lease of a pair was lost during its run"),
            Err(error) => tracing::warn!(pair = self.name, %error, "what came of a run cannot be kept"),
        }
    }

    fn settle(&self, ended: &Ended, state: &mut PairState, now: Timestamp) {
        let jitter_ppm = self.config.pairs.get(&self.name).map_or(0, |pair| pair.service.jitter_ppm);
        ended.settle(state, now, &|now| self.schedule.next_due(&self.name, jitter_ppm, now));
    }

    /// Has people told, before the pair is let go of. What cannot be kept of it is judged again by the next run.
    fn tell(&self, held: &Held, ended: &Ended) {
        let told = held.row().and_then(|row| {
            let Some((mut state, now)) = row else { return Ok(()) };
            self.settle(ended, &mut state, now);
            let (judged, firing) = alarms::judge(&self.name, ended, &state, now);
            let mut keeper = Keeper::new(&self.data);
            keeper.with_patience(PATIENCE, Some(&self.halt), |store| {
                alerts::observe(store, &self.name, &judged, &firing, now)
            })
        });
        if let Err(error) = told {
            tracing::warn!(pair = self.name, %error, "what is wrong with a pair cannot be kept");
        }
    }

    fn compare(&self, held: &Held, known: &PairState) -> Ended {
        match self.repair(held, known) {
            Ok(ended) => ended,
            Err(error) => self.told(&error),
        }
    }

    fn repair(&self, held: &Held, known: &PairState) -> Result<Ended, SessionError> {
        let session = Session::new(&self.config, &self.name, &self.data, BY)?;
        let service = &session.pair.service;
        let session = session.under(held, service.load_share_ppm);
        let repaired = session.repair(Request {
            comparison: Comparison {
                only: None,
                wait: &mut || self.halt.wait(Duration::from_millis(service.settle_ms)),
            },
            is_applied: session.pair.repairs.apply != Apply::Report,
            is_retry: false,
            is_kept: true,
            repairs_max: None,
            accepted: BTreeSet::new(),
            cause: RepairCause::Reconcile,
        })?;
        let observed = observe(&self.config, &session, &repaired, &known.memory);
        match &repaired.failed {
            Some(error) => {
                Ok(Ended::Unwritten { ended: Box::new(self.told(error)), memory: Box::new(observed.memory) })
            }
            None => Ok(Ended::Compared(Box::new(observed))),
        }
    }

    /// What ended a run before its end.
    fn told(&self, error: &SessionError) -> Ended {
        let detail = error.whole();
        match (self.halt.why(), error.fault()) {
            (Some(Why::Paused(why)), _) => Ended::PutOff { why: PutOff::Paused, detail: why },
            (Some(Why::Lost(why)), _) => Ended::PutOff { why: PutOff::Lost, detail: why },
            (Some(Why::Ending), _) => Ended::PutOff { why: PutOff::Ending, detail: Why::Ending.to_string() },
            (None, Some(Fault::Lagging)) => Ended::PutOff { why: PutOff::Lagging, detail },
            (None, _) if error.is_unauthorised() => Ended::Failed { detail, why: Failure::Unauthorised },
            (None, Some(Fault::Asked)) => Ended::Failed { detail, why: Failure::Refused },
            (None, _) => Ended::Failed { detail, why: Failure::Passing },
        }
    }
}
