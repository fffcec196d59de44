//! The threads that step the engine, one for each lane.
//!
//! Each takes what waits, has it decided and committed, and only then tells anybody. When the store cannot say whether a
//! commit happened, or anything here panics, all stop before they write again: the next start reads what is stored.
//!
//! The first lane looks at the whole: it polls what is due, pulls the brakes, surveys. Where there are more, they take their
//! part of what comes in from clients and from gateways, and go by what the first knows.

use super::claims::Claim;
use super::clocks;
use super::deadlines::Deadlines;
use super::delivery::Recipient;
use super::gateways::Slot;
use super::grants::Grant;
use super::handle::Submitted;
use super::jobs;
use super::shared::{End, Shared};
use crate::{clock, metrics};
use quittance_core::time::Timestamp;
use quittance_engine::Engine;
use quittance_engine::engine::{BATCH_MAX, Step};
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

/// Times it is tried to write down that commits were lost; each looks for the database as long as one that is in doubt does.
const HOLDS_MAX: usize = 10;

/// How often a lane that has nothing to do looks at the clock.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(1);

/// Uses of credentials that are written down with one step.
const USES_MAX: usize = 100;

/// One submission on its way into the engine.
pub(crate) struct Entry {
    pub(crate) submission: Submission,
    /// Who wants the outcome; nobody wants a job's.
    pub(crate) reply: Option<oneshot::Sender<Submitted>>,
    /// The place at its gateway that a job gives back.
    pub(crate) slot: Option<Slot>,
    /// Whether a command that has no answer yet is to be watched.
    pub(crate) is_watched: bool,
    /// The key that is claimed with it, until it is decided.
    pub(crate) claim: Option<Claim>,
}

pub(super) struct Executor {
    /// Its number; 0 is the first.
    lane: usize,
    pub(super) engine: Engine,
    pub(super) shared: Arc<Shared>,
    pub(super) tokio: tokio::runtime::Handle,
    next_poll: Instant,
    next_survey: Instant,
    is_stuck: bool,
    /// Whether more events are due than there was a place for.
    pub(super) has_more_to_tell: bool,
    deadlines: Deadlines,
}

impl Executor {
    pub(super) fn new(lane: usize, engine: Engine, shared: Arc<Shared>, tokio: tokio::runtime::Handle) -> Self {
        let (now, deadlines) = (clock::monotonic(), Deadlines::new());
        let (is_stuck, has_more_to_tell) = (false, false);
        Self { lane, engine, shared, tokio, next_poll: now, next_survey: now, is_stuck, has_more_to_tell, deadlines }
    }

    /// Runs until the queue is closed and empty, or until something makes going on unsafe.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let worked = || {
            let worked = if self.lane == 0 { self.work() } else { self.work_beside() };
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
            tracing::error!(lane = self.lane, reason, "the engine has stopped before writing anything more");
        }
        // The engine, and the lock on its data with it, is gone before anybody hears of the end.
        let dropped = catch_unwind(AssertUnwindSafe(move || drop(self)));
        if dropped.is_err() {
            tracing::error!("the store panicked while it was closed");
        }
        shared.queue.close();
        if let End::Failed(_) = end {
            // Whoever waits in the queue hears that there is no outcome: the reply is dropped with the entry.
            while !shared.queue.take(BATCH_MAX, Duration::ZERO).is_empty() {}
        }
        shared.lane_ended(end);
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
            self.add_uses(&mut entries);
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

    /// Has uses of credentials written down with whatever else is: they take nobody's place in the queue.
    fn add_uses(&self, entries: &mut Vec<Entry>) {
        let at = clock::now();
        let used = self.shared.caps.take_noted(USES_MAX).into_iter().map(|id| Submission::KeyUsed { id, at });
        entries.extend(used.map(|submission| Entry {
            submission,
            reply: None,
            slot: None,
            is_watched: false,
            claim: None,
        }));
    }

    /// Commits that were acknowledged are gone: before anybody sends anything more, what they had sent has to be found.
    fn hold_back(&mut self, since: Timestamp) {
        for _ in 0..HOLDS_MAX {
            match self.engine.recover_from_loss(since) {
                Ok(()) => {
                    tracing::error!("the database lost commits: nothing is sent until what they had sent is found");
                    return;
                }
                Err(error) => tracing::error!(
                    error = chain(&error),
                    "the database lost commits, and that could not be written down: other processes go on sending"
                ),
            }
        }
    }

    /// The work of a lane that is not the first.
    fn work_beside(&mut self) -> Result<(), StoreError> {
        loop {
            let mut entries = self.shared.queue.take_only(BATCH_MAX, LOOK_AT_CLOCK, may_be_shared);
            for entry in &mut entries {
                entry.slot = None;
            }
            if !entries.is_empty() {
                self.step(entries)?;
            } else if self.shared.queue.is_closed() {
                return Ok(());
            } else if let Err(error) = self.read_clocks() {
                // The next step hears of it, too.
                if !may_pass(&error) {
                    return Err(error);
                }
            }
        }
    }

    fn step(&mut self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut submissions = Vec::with_capacity(entries.len());
        let mut recipients = Vec::with_capacity(entries.len());
        for entry in entries {
            metrics::submitted(&entry.submission);
            if self.has_more_to_tell && matches!(entry.submission, Submission::Delivered(_)) {
                // A place has become free for the next event.
                self.next_poll = clock::monotonic();
            }
            let lesson_of = match &entry.submission {
                Submission::Learned(lesson) => Some(lesson.effect.effect),
                _ => None,
            };
            let (reply, is_watched, _claim) = (entry.reply, entry.is_watched, entry.claim);
            recipients.push(Recipient { reply, is_watched, lesson_of, _claim });
            submissions.push(entry.submission);
        }
        let now = match self.follow_first().and_then(|()| self.read_clocks()) {
            Err(error) if may_pass(&error) => {
                let failed = || Outcome::Failed(Failure::StoreUnavailable(chain(&error)));
                let outcomes = submissions.iter().map(|_| failed()).collect();
                self.deliver(Step { outcomes, ..Step::default() }, recipients);
                return Ok(());
            }
            now => now?,
        };
        let count = submissions.len();
        let shared = Arc::clone(&self.shared);
        let mut grant = self.permits(&shared, count);
        let started = clock::monotonic();
        let step = self.engine.step(now, submissions, &mut grant.permits)?;
        metrics::stepped(count, clock::monotonic().saturating_duration_since(started));
        assert_eq!(step.outcomes.len(), recipients.len(), "every submission has an outcome");
        self.show();
        self.deliver(step, recipients);
        self.schedule();
        Ok(())
    }

    /// Goes by what the first lane knows, if it is another.
    fn follow_first(&mut self) -> Result<(), StoreError> {
        if self.lane == 0 { Ok(()) } else { self.engine.follow(self.shared.outlook()) }
    }

    /// Works on what is due. A store that cannot be had for a while is asked again later: nothing was written, so there is
    /// nothing to be unsure of; steps report the same as outcomes.
    fn poll(&mut self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let mut grant = None;
        let polled = self.read_clocks().and_then(|now| {
            let grant = grant.insert(self.permits(&shared, usize::MAX));
            Ok((self.engine.poll(now, &mut grant.permits)?, now))
        });
        let (step, now) = match polled {
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
        self.show();
        self.deliver(step, Vec::new());
        self.next_poll = clock::monotonic() + POLL;
        self.schedule();
        match self.tell(now) {
            // What is due to be told stays due.
            Err(error) if may_pass(&error) => Ok(()),
            other => other,
        }
    }

    fn survey(&mut self) -> Result<(), StoreError> {
        self.next_survey = clock::monotonic() + SURVEY;
        let surveyed = self.read_clocks().and_then(|now| Ok((self.engine.survey(now)?, now)));
        match surveyed {
            Ok((backlog, now)) => {
                self.shared.gateways.note_backlog(backlog, now);
                self.show();
            }
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

    /// What may begin now, for at most so many requests.
    fn permits<'a>(&self, shared: &'a Shared, requests: usize) -> Grant<'a> {
        let begins = shared.roles.worker && !shared.is_winding_down();
        match begins {
            true => shared.grants.take(self.lane, &shared.gateways, requests),
            false => shared.grants.nothing(self.lane),
        }
    }

    /// Shows what the first lane knows: before anybody hears that something is paused, and before the jobs of the same batch
    /// can leave. The others know no more than they were shown.
    fn show(&self) {
        if self.lane == 0 {
            self.shared.gateways.follow(self.engine.paused());
            self.shared.show(self.engine.outlook());
        }
    }

    /// Brings the next poll forward where effects probably wait for a place. For a gateway that is left alone nothing
    /// has to hurry.
    fn schedule(&mut self) {
        if self.lane == 0 && !self.is_stuck && !self.shared.is_winding_down() && self.shared.gateways.is_any_saturated()
        {
            self.next_poll = self.next_poll.min(clock::monotonic() + POLL_WHEN_BUSY);
        }
    }
}

/// Whether any lane may take it. What pulls a brake, and what goes by what came before it, is for the first.
fn may_be_shared(entry: &Entry) -> bool {
    matches!(entry.submission, Submission::Client(_) | Submission::Learned(_))
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
