//! One batch of submissions inside its transaction: reads what they name, decides each, keeps or drops what it wrote.

use crate::backlog::Backlog;
use crate::brakes::Brakes;
use crate::due::Waiting;
use crate::engine::clocks::{Moved, era_read, era_version, stored_era};
use crate::events;
use crate::gateways::{Gateways, Leases};
use crate::handlers::{Context, Handled, Wanted, handle, reads};
use crate::pause::Paused;
use crate::ports::{Ids, Render};
use crate::room::Permits;
use crate::submission::{Failure, Look, Outcome, Submission};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::effect::Era;
use quittance_core::time::Timestamp;
use quittance_store::store::{Change, Loaded, Patience, Read, Work};
use std::collections::BTreeMap;

/// A batch as the work of one transaction.
pub(crate) struct BatchWork<'a> {
    pub(crate) batch: &'a [&'a Submission],
    /// What is done about books that others write to.
    pub(crate) patience: Patience,
    pub(crate) now: Timestamp,
    pub(crate) owner: i64,
    pub(crate) ids: &'a mut dyn Ids,
    pub(crate) render: &'a dyn Render,
    pub(crate) gateways: &'a Gateways,
    pub(crate) brakes: &'a Brakes,
    pub(crate) leases: Leases,
    pub(crate) permits: Permits,
    pub(crate) waiting: &'a Waiting,
    pub(crate) paused: &'a Paused,
    pub(crate) backlog: &'a BTreeMap<String, Backlog>,
    pub(crate) era: Era,
    /// How often its row had been written when the brakes were read.
    pub(crate) era_version: i64,
    /// Whether others may begin another era.
    pub(crate) is_era_shared: bool,
    /// The era that somebody else has begun meanwhile: nothing is decided in one that has ended.
    pub(crate) moved: Option<Moved>,
    pub(crate) ahead_ms: u64,
    /// What is left of the permits.
    pub(crate) left: Permits,
    /// One for each submission; none where it has to be tried again.
    pub(crate) results: Vec<Option<Handled>>,
    /// Looks at objects that begin once this is committed.
    pub(crate) looks: Vec<Look>,
}

impl Work for BatchWork<'_> {
    fn reads(&mut self, loaded: &Loaded) -> Vec<Read> {
        let mut wanted =
            Wanted { loaded, brakes: self.brakes, lost_since: self.paused.lost_since(), reads: Vec::new() };
        if self.is_era_shared {
            wanted.reads.push(era_read());
        }
        for submission in self.batch {
            reads(submission, &mut wanted);
        }
        events::reads(self.batch, &mut wanted);
        wanted.reads
    }

    fn decide(&mut self, loaded: &Loaded) -> Result<Vec<Change>, String> {
        self.moved = self.moved_on(loaded)?;
        let mut rows = WorkingSet::new(loaded);
        let mut context = Context {
            now: self.now,
            ids: self.ids,
            render: self.render,
            gateways: self.gateways,
            brakes: self.brakes,
            leases: self.leases,
            owner: self.owner,
            permits: self.permits.clone(),
            look: None,
            waiting: self.waiting,
            paused: self.paused,
            backlog: self.backlog,
            era: self.era,
            is_era_shared: self.is_era_shared,
            ahead_ms: self.ahead_ms,
        };
        self.results.clear();
        self.looks.clear();
        if self.moved.is_some() {
            self.results.extend(self.batch.iter().map(|_| None));
            self.left = context.permits;
            return Ok(Vec::new());
        }
        for submission in self.batch {
            let result = handle(submission, &mut rows, &mut context);
            let result = result.and_then(|handled| events::tell(&mut rows, &mut context).map(|()| handled));
            let result = settle(result, &mut rows, &mut context);
            self.looks.extend(context.look.take().filter(|_| result.is_some()));
            self.results.push(result);
        }
        self.left = context.permits;
        Ok(rows.changes())
    }

    fn patience(&self) -> Patience {
        self.patience
    }
}

impl BatchWork<'_> {
    /// What is stored of the era, where that is not what is known of it.
    fn moved_on(&self, loaded: &Loaded) -> Result<Option<Moved>, String> {
        if !self.is_era_shared {
            return Ok(None);
        }
        let version = era_version(loaded).unwrap_or(self.era_version);
        let moved = stored_era(loaded)?.map(|era| Moved { era, version });
        Ok(moved.filter(|moved| *moved != Moved { era: self.era, version: self.era_version }))
    }
}

/// Keeps what a command wrote, or drops it; none means that it has to be tried again.
fn settle(result: Result<Handled, Miss>, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Option<Handled> {
    match result {
        Ok(handled) => {
            rows.keep();
            let look = context.look.as_ref().map(|look| (&look.object.gateway, look.lane));
            let begun = handled.job.as_ref().map(|job| (&job.gateway, job.lane)).or(look);
            if let Some((gateway, lane)) = begun {
                context.permits.0.get_mut(gateway).map(|room| room.take(lane));
            }
            Some(handled)
        }
        Err(miss) => {
            rows.drop_stage();
            context.look = None;
            match miss {
                Miss::NotLoaded => None,
                Miss::Corrupt(what) => {
                    tracing::error!(what, "damaged data; the command was not carried out");
                    Some(Outcome::Failed(Failure::Damaged(what)).into())
                }
            }
        }
    }
}
