//! The process: what drives the engine in production, without threads. It takes what waits, has it decided, and only then
//! tells anybody; it may die at any named point, and the next one goes on from what is stored.

mod death;
pub(crate) mod find;
mod jobs;
pub(crate) mod ports;
pub(crate) mod sweep;

pub(crate) use jobs::WITHDRAWN;

use crate::plan::Point;
use crate::store::look;
use crate::world::{Event, WebhookDelivery, World};
use quittance_core::time::Timestamp;
use quittance_engine::condition::{Condition, Limits};
use quittance_engine::engine::{Engine, Step};
use quittance_engine::room::Permits;
use quittance_engine::submission::{Failure, Outcome, Submission};
use quittance_store::store::StoreError;
use sweep::Sweeping;

/// Requests under way at one gateway, at most; reads have some more.
const PLACES: usize = 8;
const READ_PLACES: usize = PLACES + 2;

/// How long a turn that cannot do anything about what is due is followed by the next, in milliseconds.
const IDLE_MS: u64 = 250;
const IDLE_MS_MAX: u64 = 16_000;

/// How often it is looked how far behind the gateways are, in milliseconds.
const SURVEY_MS: u64 = 300_000;

/// The process is dead.
#[derive(Debug)]
pub(crate) struct Died;

/// What the process knows of one gateway.
pub(crate) struct Line {
    pub(crate) condition: Condition,
    pub(crate) in_flight: usize,
    pub(crate) sweeping: Option<Sweeping>,
}

/// Something that waits to be decided.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) submission: Submission,
    pub(crate) origin: Origin,
}

/// Who wants to know what becomes of it.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A client's command.
    Call(usize),
    /// A webhook.
    Webhook(WebhookDelivery),
    /// What a job or a look taught.
    Lesson,
    /// The sweep of a gateway.
    Sweep(usize),
    /// An operator.
    Operator,
}

/// One process.
pub(crate) struct Process {
    pub(crate) engine: Engine,
    pub(crate) lines: Vec<Line>,
    pub(crate) inbox: Vec<Entry>,
    pub(crate) turn_at: Option<u64>,
    survey_at: u64,
    idle_ms: u64,
}

impl World {
    /// Starts a process on what is stored.
    pub(crate) fn start_process(&mut self) {
        if self.process.is_some() {
            return;
        }
        self.processes += 1;
        self.is_off = false;
        let mut engine = self.new_engine();
        let reading = self.clock.reading();
        let started = engine.start(&reading);
        self.note_store();
        let doubt = match started {
            Ok(started) => started.doubt,
            Err(error) => return self.bury(&format!("while it starts: {error}")),
        };
        let number = self.processes;
        self.tell(&number.to_le_bytes(), || format!("process {number} starts; doubts: {doubt:?}"));
        let now = self.clock.wall();
        let line = |_| Line { condition: Condition::new(Limits::default(), now), in_flight: 0, sweeping: None };
        let lines = (0..self.gateways.len()).map(line).collect();
        let (survey_at, idle_ms) = (self.clock.now_ms, IDLE_MS);
        self.process = Some(Process { engine, lines, inbox: Vec::new(), turn_at: None, survey_at, idle_ms });
        self.begin_sweeps();
        self.turn_in(0);
        if self.is_calm() {
            self.resume_all();
        }
    }

    /// Puts something into the queue of the process; false where nobody is there.
    pub(crate) fn submit(&mut self, submission: Submission, origin: Origin) -> bool {
        let Some(process) = &mut self.process else { return false };
        process.inbox.push(Entry { submission, origin });
        let wait_ms = self.dice.below(4);
        self.turn_in(wait_ms);
        true
    }

    /// Sees to it that the process has a turn that soon.
    pub(crate) fn turn_in(&mut self, wait_ms: u64) {
        let at_ms = self.clock.now_ms + wait_ms;
        let Some(process) = &mut self.process else { return };
        if process.turn_at.is_none_or(|planned| at_ms < planned) {
            process.turn_at = Some(at_ms);
            self.agenda.plan(at_ms, Event::Turn(self.processes));
        }
    }

    pub(crate) fn turn_of(&mut self, number: u32) {
        let is_now = |process: &Process| process.turn_at == Some(self.clock.now_ms);
        if number != self.processes || !self.process.as_ref().is_some_and(is_now) {
            return;
        }
        let Some(mut process) = self.process.take() else { return };
        process.turn_at = None;
        let end = self.turn(&mut process);
        // Who is killed is dead, whatever the engine makes of it.
        let end = if look(&self.disk).steps.is_dead() { Err(Died) } else { end };
        self.process = Some(process);
        self.note_store();
        match end {
            Ok(()) => self.schedule_turn(),
            Err(Died) => self.bury("in its turn"),
        }
    }

    fn turn(&mut self, process: &mut Process) -> Result<(), Died> {
        let entries = std::mem::take(&mut process.inbox);
        if !entries.is_empty() {
            process.idle_ms = IDLE_MS;
            self.pass(Point::Taken)?;
        }
        let now = self.read_clocks(process)?;
        if look(&self.disk).first_due().is_some_and(|due| due <= now.0) {
            self.poll(process, now)?;
        }
        if process.survey_at <= self.clock.now_ms {
            process.engine.survey(now).map_err(|_| Died)?;
            process.survey_at = self.clock.now_ms + SURVEY_MS;
        }
        if !entries.is_empty() {
            self.step(process, entries)?;
        }
        self.probe(process, now);
        Ok(())
    }

    fn read_clocks(&mut self, process: &mut Process) -> Result<Timestamp, Died> {
        let reading = self.clock.reading();
        let change = process.engine.read_clocks(&reading).map_err(|_| Died)?;
        if let Some(change) = change {
            self.tell(&[1], || format!("the clock is doubted: {change:?}"));
        }
        Ok(reading.wall)
    }

    fn poll(&mut self, process: &mut Process, now: Timestamp) -> Result<(), Died> {
        self.name_poll();
        let mut permits = self.permits(process, now);
        match process.engine.poll(now, &mut permits) {
            Ok(step) => {
                self.deliver(process, step, Vec::new())?;
                if look(&self.disk).steps.take_repeat() { self.poll(process, now) } else { Ok(()) }
            }
            Err(StoreError::Full { .. }) => Ok(()),
            Err(_) => Err(Died),
        }
    }

    fn step(&mut self, process: &mut Process, entries: Vec<Entry>) -> Result<(), Died> {
        let now = self.read_clocks(process)?;
        self.name_step(&entries);
        let copies = self.copy_of(&entries);
        let mut permits = self.permits(process, now);
        let (submissions, origins): (Vec<_>, Vec<_>) =
            entries.into_iter().map(|entry| (entry.submission, entry.origin)).unzip();
        let step = process.engine.step(now, submissions, &mut permits).map_err(|_| Died)?;
        self.submit_again(process, copies);
        self.deliver(process, step, origins)
    }

    fn permits(&self, process: &mut Process, now: Timestamp) -> Permits {
        let lines = self.gateways.iter().zip(&mut process.lines);
        let rooms = lines.map(|(gateway, line)| {
            let left = |places: usize| places.saturating_sub(line.in_flight);
            let room = line.condition.room(left(PLACES), left(READ_PLACES), now);
            (gateway.profile.name().to_owned(), room)
        });
        Permits(rooms.collect())
    }

    /// Tells what is durable now: answers first, then what goes to the gateways.
    fn deliver(&mut self, process: &mut Process, step: Step, origins: Vec<Origin>) -> Result<(), Died> {
        for outcome in &step.outcomes {
            self.note_outcome(outcome);
        }
        if !step.outcomes.is_empty() {
            self.pass(Point::BeforeAnswers)?;
        }
        for outcome in &step.outcomes {
            if let Outcome::Applied { answered, .. } = outcome {
                for (command, status, body) in answered {
                    self.answer_waiting(*command, *status, body);
                }
            }
        }
        for (outcome, origin) in step.outcomes.into_iter().zip(origins) {
            self.report(process, outcome, origin)?;
            self.pass(Point::BetweenAnswers)?;
        }
        if !step.jobs.is_empty() || !step.looks.is_empty() {
            self.pass(Point::BeforeJobs)?;
        }
        for look in step.looks {
            self.begin_look(process, look);
        }
        for job in step.jobs {
            self.begin_job(process, job);
            self.pass(Point::BetweenJobs)?;
        }
        Ok(())
    }

    fn report(&mut self, process: &mut Process, outcome: Outcome, origin: Origin) -> Result<(), Died> {
        match origin {
            Origin::Call(call) => return self.answer_call(call, outcome),
            Origin::Webhook(delivery) => return self.webhook_taken(delivery, &outcome),
            Origin::Sweep(gateway) => return self.sweep_stored(process, gateway, &outcome),
            Origin::Lesson | Origin::Operator => {}
        }
        Ok(())
    }

    /// What contradicts itself is a mistake of ours, always.
    fn note_outcome(&mut self, outcome: &Outcome) {
        if let Outcome::Failed(Failure::Damaged(what)) = outcome {
            self.auditor.fail("damaged", what.clone());
        }
        if matches!(outcome, Outcome::Fenced) {
            self.coverage.count("outcome", "fenced");
        }
    }

    /// Passes a point at which the process may die.
    pub(crate) fn pass(&self, point: Point) -> Result<(), Died> {
        if look(&self.disk).pass(point) { Err(Died) } else { Ok(()) }
    }

    /// The next turn is when something is due. What is due already, and could not be begun, is looked at ever less often.
    fn schedule_turn(&mut self) {
        let Some(due) = look(&self.disk).first_due() else { return };
        let at_ms = self.clock.true_ms(due);
        let Some(process) = &mut self.process else { return };
        if at_ms > self.clock.now_ms {
            process.idle_ms = IDLE_MS;
            return self.turn_in(at_ms - self.clock.now_ms);
        }
        let wait_ms = process.idle_ms;
        process.idle_ms = (wait_ms * 2).min(IDLE_MS_MAX);
        self.turn_in(wait_ms);
    }

    /// Counts what the store did.
    fn note_store(&mut self) {
        let struck = std::mem::take(&mut look(&self.disk).struck);
        for failure in struck {
            self.struck(match failure {
                crate::plan::StoreFailure::Full => "store_full",
                crate::plan::StoreFailure::Failed => "store_failed",
                crate::plan::StoreFailure::CommitLostIn => "commit_lost_in",
                crate::plan::StoreFailure::CommitLostOut => "commit_lost_out",
            });
        }
    }
}
