//! The one thread that steps the engine.
//!
//! It takes what waits, has it decided and committed, and only then tells anybody. When the store cannot say whether a
//! commit happened, or anything here panics, it stops before it writes again: the next start reads what is stored.

use super::clocks;
use super::deadlines::Deadlines;
use super::gateways::Slot;
use super::handle::Submitted;
use super::jobs;
use super::shared::{End, Shared};
use super::waiters::Watch;
use crate::{clock, metrics};
use quittance_core::id::EffectId;
use quittance_core::time::Timestamp;
use quittance_engine::Engine;
use quittance_engine::engine::{BATCH_MAX, Step};
use quittance_engine::room::Permits;
use quittance_engine::submission::{Failure, Outcome, Submission};
use quittance_store::store::StoreError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often effects that are due are looked for.
const POLL: Duration = Duration::from_millis(50);

/// The same while a gateway has as many requests under way as it may: whatever waits for a place is due at once.
const POLL_WHEN_BUSY: Duration = Duration::from_millis(5);

/// How often it is looked how far behind the gateways are.
const SURVEY: Duration = Duration::from_secs(1);

/// How often effects that are due are looked for while the disk is full, or the database away.
const POLL_WHEN_STUCK: Duration = Duration::from_secs(1);

/// One submission on its way into the engine.
pub(crate) struct Entry {
    pub(crate) submission: Submission,
    /// Who wants the outcome; nobody wants a job's.
    pub(crate) reply: Option<oneshot::Sender<Submitted>>,
    /// The place at its gateway that a job gives back.
    pub(crate) slot: Option<Slot>,
    /// Whether a command that has no answer yet is to be watched.
    pub(crate) is_watched: bool,
}

/// Where an outcome goes.
struct Recipient {
    reply: Option<oneshot::Sender<Submitted>>,
    is_watched: bool,
    /// The effect that a job taught us about.
    lesson_of: Option<EffectId>,
}

pub(super) struct Executor {
    pub(super) engine: Engine,
    pub(super) shared: Arc<Shared>,
    pub(super) tokio: tokio::runtime::Handle,
    next_poll: Instant,
    next_survey: Instant,
    is_stuck: bool,
    deadlines: Deadlines,
}

impl Executor {
    pub(super) fn new(engine: Engine, shared: Arc<Shared>, tokio: tokio::runtime::Handle) -> Self {
        let (now, deadlines) = (clock::monotonic(), Deadlines::new());
        Self { engine, shared, tokio, next_poll: now, next_survey: now, is_stuck: false, deadlines }
    }

    /// Runs until the queue is closed and empty, or until something makes going on unsafe.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let worked = || {
            let worked = self.work();
            if let Err(StoreError::WentBack { since, .. }) = &worked {
                self.hold_back(Timestamp(*since));
            }
            worked
        };
        let end = match catch_unwind(AssertUnwindSafe(worked)) {
            Ok(Ok(())) => End::Stopped,
            Ok(Err(error)) => End::Failed(chain(&error)),
            Err(_) => End::Failed("the engine panicked".to_owned()),
        };
        if let End::Failed(reason) = &end {
            tracing::error!(reason, "the engine has stopped before writing anything more");
        }
        // The engine, and the lock on its data with it, is gone before anybody hears of the end.
        let dropped = catch_unwind(AssertUnwindSafe(move || drop(self)));
        if dropped.is_err() {
            tracing::error!("the store panicked while it was closed");
        }
        shared.queue.close();
        // Whoever waits in the queue hears that there is no outcome: the reply is dropped with the entry.
        while !shared.queue.take(BATCH_MAX, Duration::ZERO).is_empty() {}
        shared.end.send_replace(Some(end));
    }

    fn work(&mut self) -> Result<(), StoreError> {
        loop {
            let patience = self.next_poll.saturating_duration_since(clock::monotonic());
            let mut entries = self.shared.queue.take(BATCH_MAX, patience);
            if entries.is_empty() && self.shared.queue.is_drained() {
                return Ok(());
            }
            // Places come back before anything else begins, and when it is time, what is due chooses first: else what
            // is new would take every place for ever.
            for entry in &mut entries {
                entry.slot = None;
            }
            if self.next_poll <= clock::monotonic() {
                self.poll()?;
            }
            if !self.is_stuck && self.next_survey <= clock::monotonic() {
                self.survey()?;
            }
            if !entries.is_empty() {
                self.step(entries)?;
            }
            if self.shared.roles.worker {
                self.deadlines.look(&mut self.engine);
                for gateway in self.shared.gateways.take_probes(clock::now()) {
                    jobs::spawn_probe(&self.tokio, gateway);
                }
            }
        }
    }

    /// Commits that were acknowledged are gone: before anybody sends anything more, what they had sent has to be found.
    fn hold_back(&mut self, since: Timestamp) {
        match self.engine.recover_from_loss(since) {
            Ok(()) => tracing::error!("the database lost commits: nothing is sent until what they had sent is found"),
            Err(error) => tracing::error!(
                error = chain(&error),
                "the database lost commits, and that could not be written down: other processes go on sending"
            ),
        }
    }

    fn step(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut submissions = Vec::with_capacity(entries.len());
        let mut recipients = Vec::with_capacity(entries.len());
        for entry in entries {
            metrics::submitted(&entry.submission);
            let lesson_of = match &entry.submission {
                Submission::Learned(lesson) => Some(lesson.effect.effect),
                _ => None,
            };
            recipients.push(Recipient { reply: entry.reply, is_watched: entry.is_watched, lesson_of });
            submissions.push(entry.submission);
        }
        let now = match self.read_clocks() {
            Err(error) if may_pass(&error) => {
                let failed = || Outcome::Failed(Failure::StoreUnavailable(chain(&error)));
                let outcomes = submissions.iter().map(|_| failed()).collect();
                self.deliver(Step { outcomes, ..Step::default() }, recipients);
                return Ok(());
            }
            now => now?,
        };
        let mut permits = self.permits();
        let started = clock::monotonic();
        let count = submissions.len();
        let step = self.engine.step(now, submissions, &mut permits)?;
        metrics::stepped(count, clock::monotonic().saturating_duration_since(started));
        assert_eq!(step.outcomes.len(), recipients.len(), "every submission has an outcome");
        // Before anybody hears that something is paused, and before the jobs of the same batch can leave.
        self.shared.gateways.follow(self.engine.paused());
        self.deliver(step, recipients);
        self.schedule();
        Ok(())
    }

    /// Works on what is due. A store that cannot be had for a while is asked again later: nothing was written, so there is
    /// nothing to be unsure of; steps report the same as outcomes.
    fn poll(&mut self) -> Result<(), StoreError> {
        let polled = self.read_clocks().and_then(|now| {
            let mut permits = self.permits();
            self.engine.poll(now, &mut permits)
        });
        let step = match polled {
            Err(error) if may_pass(&error) => {
                if !std::mem::replace(&mut self.is_stuck, true) {
                    tracing::error!(error = chain(&error), "the store takes nothing; effects wait until it does");
                }
                self.next_poll = clock::monotonic() + POLL_WHEN_STUCK;
                return Ok(());
            }
            other => other?,
        };
        if std::mem::take(&mut self.is_stuck) {
            tracing::info!("the store takes what it is given again");
        }
        self.shared.gateways.follow(self.engine.paused());
        self.deliver(step, Vec::new());
        self.next_poll = clock::monotonic() + POLL;
        self.schedule();
        Ok(())
    }

    fn survey(&mut self) -> Result<(), StoreError> {
        self.next_survey = clock::monotonic() + SURVEY;
        let surveyed = self.read_clocks().and_then(|now| Ok((self.engine.survey(now)?, now)));
        match surveyed {
            Ok((backlog, now)) => self.shared.gateways.note_backlog(backlog, now),
            Err(error) if may_pass(&error) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// The time, once the engine has seen whether it is to be believed: nothing is decided by a clock that was just set.
    fn read_clocks(&mut self) -> Result<Timestamp, StoreError> {
        let (now, change) = self.engine.time()?;
        if let Some(change) = change {
            clocks::tell(change);
        }
        Ok(now)
    }

    fn permits(&self) -> Permits {
        let begins = self.shared.roles.worker && !self.shared.is_winding_down();
        if begins { self.shared.gateways.permits() } else { Permits::default() }
    }

    /// Brings the next poll forward where effects probably wait for a place. For a gateway that is left alone nothing
    /// has to hurry.
    fn schedule(&mut self) {
        if !self.is_stuck && !self.shared.is_winding_down() && self.shared.gateways.is_any_saturated() {
            self.next_poll = self.next_poll.min(clock::monotonic() + POLL_WHEN_BUSY);
        }
    }

    /// Tells what is durable now: first everybody who has to wait is registered, then answers go out, so that none is
    /// missed whatever the order inside the batch.
    fn deliver(&self, step: Step, recipients: Vec<Recipient>) {
        let watches: Vec<_> =
            step.outcomes.iter().zip(&recipients).map(|(outcome, recipient)| self.watch(outcome, recipient)).collect();
        for outcome in &step.outcomes {
            self.announce(outcome);
        }
        for ((outcome, watch), recipient) in step.outcomes.into_iter().zip(watches).zip(recipients) {
            if let (Some(effect), Outcome::Failed(failure)) = (recipient.lesson_of, &outcome) {
                metrics::lesson_lost();
                tracing::error!(%effect, ?failure, "what a gateway answered was not stored; it is asked again later");
            }
            if let Some(reply) = recipient.reply {
                // Whoever went away meanwhile finds the outcome under the same idempotency key.
                let _ = reply.send(Submitted { outcome, watch });
            }
        }
        for look in step.looks {
            if let Some(gateway) = self.shared.gateways.get(&look.object.gateway) {
                jobs::spawn_look(&self.shared, &self.tokio, gateway, look);
            }
        }
        for job in step.jobs {
            match self.shared.gateways.get(&job.gateway) {
                Some(gateway) => jobs::spawn(&self.shared, &self.tokio, gateway, job),
                None => tracing::error!(gateway = job.gateway, "a job for a gateway that is not configured was left"),
            }
        }
    }

    fn watch(&self, outcome: &Outcome, recipient: &Recipient) -> Option<Watch> {
        match outcome {
            Outcome::Accepted { command, .. } | Outcome::Joined { command, .. } if recipient.is_watched => {
                Some(self.shared.waiters.watch(*command))
            }
            _ => None,
        }
    }

    /// Counts an outcome and tells everybody who waits for it.
    fn announce(&self, outcome: &Outcome) {
        metrics::decided(outcome);
        match outcome {
            Outcome::Answered { command, status, body } => self.shared.waiters.answer(*command, *status, body),
            Outcome::Applied { answered, .. } => {
                for (command, status, body) in answered {
                    self.shared.waiters.answer(*command, *status, body);
                }
            }
            _ => {}
        }
    }
}

/// Whether a store that failed so can be asked again later, nothing being unsure.
fn may_pass(error: &StoreError) -> bool {
    matches!(error, StoreError::Full { .. } | StoreError::Unreachable { .. } | StoreError::Unsuitable { .. })
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
