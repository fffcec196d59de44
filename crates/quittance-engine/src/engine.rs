//! The executor: a batch of submissions becomes one transaction.

pub(crate) mod clocks;
mod deliveries;
mod effects;
mod objects;
mod outlook;
mod questions;
mod recoveries;

use crate::backlog::{self, Backlog};
use crate::batch::BatchWork;
use crate::brakes::Brakes;
use crate::clocks::{Change, Reading, Watched};
use crate::due::Waiting;
use crate::gateways::{Gateway, Gateways, Leases};
use crate::handlers::Handled;
use crate::pause::Paused;
use crate::ports::{Clock, Ids, Render};
use crate::recovery;
use crate::room::Permits;
use crate::submission::{Failure, Job, Look, Outcome, Submission};
use clocks::Moved;
pub use outlook::Outlook;
use quittance_core::effect::Era;
use quittance_core::id::TenantId;
use quittance_core::mutation::{self, Mutation};
use quittance_core::time::Timestamp;
use quittance_store::store::{Patience, Store, StoreError};
use quittance_store::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Submissions decided in one transaction, at most.
pub const BATCH_MAX: usize = 1_000;

/// Times a submission is tried that touches a book which another process writes to, before the book is waited for.
const SKIPS_MAX: usize = 3;

/// Times a submission is tried whose rows were not all loaded, because an earlier one of its batch made them, or because
/// their book was busy.
const TRIES_MAX: usize = SKIPS_MAX + 8;

/// What came of a step: one outcome for each submission, in order, and the work that follows.
#[derive(Debug, Default)]
pub struct Step {
    /// Outcomes.
    pub outcomes: Vec<Outcome>,
    /// Jobs, charged to the permits.
    pub jobs: Vec<Job>,
    /// Looks at objects, charged to the permits, too.
    pub looks: Vec<Look>,
}

/// The engine over one store.
pub struct Engine {
    store: Box<dyn Store>,
    ids: Box<dyn Ids>,
    render: Box<dyn Render>,
    clock: Option<Box<dyn Clock>>,
    gateways: Gateways,
    leases: Leases,
    paused: Paused,
    brakes: Brakes,
    waiting: Waiting,
    backlog: BTreeMap<String, Backlog>,
    era: Era,
    /// How far ahead gateways' clocks ours may be at most, in milliseconds, by what they told.
    ahead_ms_max: u64,
    watched: Option<Watched>,
    /// When the clock of the database was asked, by the steady clock.
    asked_ms: i64,
    /// When it was looked last whether another process is gone.
    released_at: Option<Timestamp>,
    /// The era that another process was found to have begun.
    moved: Option<Moved>,
    /// How often the row of the era had been written when the brakes were last read because of it.
    era_version: i64,
    /// What has ended an era, and nobody was told yet.
    untold: Option<Change>,
    /// The endpoint after which the next look for events that are due begins; none for the first.
    looked_after: Option<Value>,
    /// Tenants whose endpoints were found unreadable, which was said.
    unreadable: BTreeSet<TenantId>,
}

/// What a start found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Effects that earlier processes held.
    pub taken_over: usize,
    /// Why what is under way is doubted, if it is.
    pub doubt: Option<Change>,
}

impl Engine {
    /// An engine over a store that is open for writing.
    #[must_use]
    pub fn new(
        store: Box<dyn Store>,
        ids: Box<dyn Ids>,
        render: Box<dyn Render>,
        gateways: Gateways,
        leases: Leases,
    ) -> Self {
        let (paused, waiting, backlog) = (Paused::default(), Waiting::default(), BTreeMap::new());
        let brakes = Brakes::default();
        let (era, watched) = (Era { number: 0, began_at: Timestamp(0), dated_since: 0, ahead_ms: 0 }, None);
        let (clock, asked_ms, released_at, moved, untold) = (None, i64::MIN, None, None, None);
        let (ahead_ms_max, looked_after, unreadable) = (u64::MAX, None, BTreeSet::new());
        Self {
            store,
            ids,
            render,
            clock,
            gateways,
            leases,
            paused,
            waiting,
            backlog,
            brakes,
            era,
            ahead_ms_max,
            watched,
            asked_ms,
            released_at,
            moved,
            era_version: 0,
            untold,
            looked_after,
            unreadable,
        }
    }

    /// The same with limits; without this nothing is limited.
    #[must_use]
    pub fn with_brakes(self, brakes: Brakes) -> Self {
        Self { brakes, ..self }
    }

    /// The same with a clock of its own, for [`Engine::time`].
    #[must_use]
    pub fn with_clock(self, clock: Box<dyn Clock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Learns what is paused and what the clock is worth, and takes over what earlier processes left: where the store is
    /// exclusive, their leases end now. Nothing may begin at a gateway before.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn start(&mut self, reading: &Reading) -> Result<Started, StoreError> {
        let now = if self.is_shared() && self.clock.is_some() { self.ask()?.wall } else { reading.wall };
        recovery::prepare(self.store.as_mut(), &self.gateways, now)?;
        let doubt = self.start_clocks(reading)?;
        // After the era: what ended the one before may have pulled a brake.
        self.paused = Paused::load(self.store.as_mut())?;
        // By the clock that others hold their leases by: a machine whose own is wrong takes nothing away from them.
        self.take_over_objects(now)?;
        self.take_over_deliveries(now)?;
        Ok(Started { taken_over: self.take_over_effects(now)?, doubt })
    }

    /// What is paused: at those gateways nothing begins, whatever the permits say. Known from [`Engine::start`] on.
    #[must_use]
    pub fn paused(&self) -> &Paused {
        &self.paused
    }

    /// Looks how far behind each gateway is. Until it is looked again, payments at one that is too far behind are refused
    /// before anything of them is stored.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn survey(&mut self, now: Timestamp) -> Result<&BTreeMap<String, Backlog>, StoreError> {
        self.backlog = backlog::survey(self.store.as_mut(), &self.gateways, now)?;
        Ok(&self.backlog)
    }

    /// The longest of the configured waits.
    fn longest_wait_ms(&self) -> u64 {
        let waits = |gateway: &Gateway| {
            let policy = &gateway.policy;
            policy.backoff_max_ms.max(policy.pending_ms(u32::MAX)).max(gateway.timeout_ms)
        };
        self.gateways.0.values().map(waits).fold(self.leases.lease_ms, u64::max)
    }

    /// Decides and commits submissions. When this returns, everything the outcomes say is durable, and every ticket of
    /// the jobs is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the outcome of the commit is unknown or the store cannot go on: the engine must not be used
    /// any more, and a new one starts from what is stored.
    pub fn step(
        &mut self,
        mut now: Timestamp,
        submissions: Vec<Submission>,
        permits: &mut Permits,
    ) -> Result<Step, StoreError> {
        self.hear(now, &submissions);
        let mut slots: Vec<Option<Outcome>> = submissions.iter().map(|_| None).collect();
        let (mut jobs, mut looks) = (Vec::new(), Vec::new());
        for chunk in chunks(submissions.len()) {
            let mut open: Vec<usize> = chunk.collect();
            for tried in 0..TRIES_MAX {
                if open.is_empty() {
                    break;
                }
                let batch: Vec<&Submission> = open.iter().map(|at| &submissions[*at]).collect();
                let patience = if tried < SKIPS_MAX { Patience::Skip } else { Patience::Wait };
                let results = self.transact((now, patience), &batch, permits, &mut looks)?;
                let mut again = Vec::new();
                for (at, result) in open.iter().zip(results) {
                    match result {
                        Some(handled) => {
                            slots[*at] = Some(handled.outcome);
                            jobs.extend(handled.job);
                        }
                        None => again.push(*at),
                    }
                }
                open = again;
                let Some(moved) = self.moved.take() else { continue };
                match self.adopt(moved, now) {
                    Ok(then) => now = then,
                    Err(error) if is_final(&error) => return Err(error),
                    // Nothing of these was decided. What was decided before them is committed, and goes on.
                    Err(error) => {
                        tracing::error!(%error, commands = open.len(), "a new era began, and nobody can say why");
                        open.drain(..).for_each(|at| slots[at] = Some(Outcome::Failed(failure(&error))));
                    }
                }
            }
        }
        let lost = || Outcome::Failed(Failure::Damaged("the rows of a command could not be loaded".into()));
        Ok(Step { outcomes: slots.into_iter().map(|slot| slot.unwrap_or_else(lost)).collect(), jobs, looks })
    }

    /// Runs one batch; where a constraint refuses it, each of its submissions alone, so that only the culprit fails.
    fn transact(
        &mut self,
        now: (Timestamp, Patience),
        batch: &[&Submission],
        permits: &mut Permits,
        looks: &mut Vec<Look>,
    ) -> Result<Vec<Option<Handled>>, StoreError> {
        let error = match self.run(now, batch, permits, looks) {
            Ok(results) => return Ok(results),
            Err(error) => error,
        };
        match error {
            error if is_final(&error) => Err(error),
            StoreError::Conflict { .. } | StoreError::Stale { .. } if batch.len() > 1 => {
                tracing::warn!(%error, commands = batch.len(), "a batch was refused; its commands are tried one by one");
                let mut results = Vec::with_capacity(batch.len());
                for submission in batch {
                    results.extend(self.transact(now, &[submission], permits, looks)?);
                }
                Ok(results)
            }
            error => {
                tracing::error!(%error, commands = batch.len(), "nothing of a batch was stored");
                let failure = failure(&error);
                Ok(batch.iter().map(|_| Some(Outcome::Failed(failure.clone()).into())).collect())
            }
        }
    }

    fn run(
        &mut self,
        (now, patience): (Timestamp, Patience),
        batch: &[&Submission],
        permits: &mut Permits,
        looks: &mut Vec<Look>,
    ) -> Result<Vec<Option<Handled>>, StoreError> {
        let is_era_shared = self.is_shared() && self.era.number > 0;
        let mut work = BatchWork {
            batch,
            patience,
            now,
            owner: self.store.writer_epoch(),
            ids: self.ids.as_mut(),
            render: self.render.as_ref(),
            gateways: &self.gateways,
            brakes: &self.brakes,
            leases: self.leases,
            permits: self.paused.permitted(permits),
            waiting: &self.waiting,
            paused: &self.paused,
            backlog: &self.backlog,
            era: self.era,
            era_version: self.era_version,
            is_era_shared,
            moved: None,
            ahead_ms: self.era.ahead_ms.min(self.ahead_ms_max),
            left: Permits::default(),
            results: Vec::new(),
            looks: Vec::new(),
        };
        let stored = self.store.transact("commands", &mut work);
        if !(mutation::is(Mutation::AnsweredUncommitted) && work.results.len() == batch.len()) {
            stored?;
        }
        self.moved = work.moved;
        *permits = work.left;
        looks.append(&mut work.looks);
        let results = work.results;
        for (submission, result) in batch.iter().zip(&results) {
            if let (Submission::SetSwitch(switch), Some(Outcome::Done)) =
                (submission, result.as_ref().map(|r| &r.outcome))
            {
                self.paused.apply(switch);
            }
        }
        Ok(results)
    }
}

fn chunks(count: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..count).step_by(BATCH_MAX).map(move |from| from..count.min(from + BATCH_MAX))
}

/// Whether a store has failed so that nothing may be decided over it any more.
fn is_final(error: &StoreError) -> bool {
    matches!(error, StoreError::CommitUnknown { .. } | StoreError::Locked { .. } | StoreError::WentBack { .. })
}

fn failure(error: &StoreError) -> Failure {
    match error {
        StoreError::Full { .. } => Failure::StoreFull,
        StoreError::Corrupt { .. } | StoreError::Conflict { .. } | StoreError::Stale { .. } => {
            Failure::Damaged(error.to_string())
        }
        _ => Failure::StoreUnavailable(error.to_string()),
    }
}
