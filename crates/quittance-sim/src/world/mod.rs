//! The world: everything that is, and one event after the other. Nothing here runs beside anything else.
//!
//! Owns what happens next and who is told. Does not own whether it was right: that is the auditor's.

mod clients;
mod ending;
mod faults;
mod network;
mod operators;
mod sabotage;
mod setup;
mod webhooks;

pub(crate) use network::{Flight, Purpose};
pub(crate) use setup::tenant;
pub(crate) use webhooks::Delivery as WebhookDelivery;

use crate::agenda::Agenda;
use crate::auditor::{Auditor, Failure};
use crate::clock::Clock;
use crate::coverage::Coverage;
use crate::dice::{Dice, mix};
use crate::gateway::Gateway;
use crate::matrix::steps::{Step, StepFault};
use crate::plan::{Blow, On, Plan, WebhookBlow};
use crate::process::Process;
use crate::store::SharedDisk;
use clients::Clients;
use quittance_connectors::message::{Delivery, Request};
use quittance_core::time::Timestamp;
use quittance_store::memory::MemoryDatabase;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Events after which a world is said to go round in circles.
const EVENTS_MAX: u64 = 400_000;

/// Something that happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// A client or an operator does what the plan has.
    Begin(usize),
    /// A fault begins.
    Fault(usize),
    /// A command arrives at the process.
    ClientArrives(usize),
    /// A client hears an answer.
    ClientHears { call: usize, reply: clients::Reply },
    /// A client has waited long enough.
    ClientAsksAgain { call: usize, attempt: u32 },
    /// The process looks at its queue.
    Turn(u32),
    /// A sweep of a gateway is due.
    Sweep { process: u32, gateway: usize },
    /// A request leaves the process.
    Leave { process: u32, flight: u64 },
    /// A request arrives at a gateway.
    AtGateway { flight: u64, gateway: usize, request: Arc<Request>, blow: Option<Blow> },
    /// What became of a request is known to the process.
    Back { process: u32, flight: u64, delivery: Delivery },
    /// Something may be due at a gateway.
    Tasks(usize),
    /// A webhook arrives at the process.
    Webhook(WebhookDelivery),
    /// A process starts.
    Start,
    /// The operators look around.
    Round,
    /// Faults end.
    Calm,
    /// It is looked whether everything has come to its end.
    Check,
}

/// The way to one gateway.
#[derive(Debug, Default)]
pub(crate) struct Way {
    strikes: Vec<(On, Blow, u32)>,
    cut: Option<(u64, bool)>,
    webhooks: Vec<(WebhookBlow, u32)>,
    /// Secrets that the endpoint takes.
    pub(crate) secrets: Vec<String>,
    /// Events that were sent on.
    sent: usize,
    tasks_at: Option<u64>,
}

/// A world.
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) clock: Clock,
    pub(crate) agenda: Agenda<Event>,
    pub(crate) dice: Dice,
    pub(crate) database: MemoryDatabase,
    pub(crate) disk: SharedDisk,
    pub(crate) process: Option<Process>,
    pub(crate) processes: u32,
    /// Until when the process stands still.
    pub(crate) stalled_until: u64,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) ways: Vec<Way>,
    pub(crate) network: network::Network,
    clients: Clients,
    pub(crate) auditor: Auditor,
    pub(crate) coverage: Coverage,
    tale: Option<Vec<String>>,
    hash: u64,
    /// How the next death is followed by a start: how long nobody is there, and whether the machine is started anew.
    pub(crate) next_absence: (u64, bool),
    /// How often a gateway is swept while clients are there.
    pub(crate) sweep_every_ms: u64,
    /// Whether the machine is being started anew.
    pub(crate) is_off: bool,
    is_calm: bool,
    /// The newest copy of the data, and when it was made.
    backup: Option<(MemoryDatabase, Timestamp)>,
    /// What each process that died left, where steps are written down.
    pub(crate) found: Vec<Vec<String>>,
    /// Since when nothing has happened, and how often each object had been looked at by then.
    settled_since: Option<(u64, BTreeMap<String, i64>)>,
    is_over: bool,
}

/// What a world came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What the auditor says, if anything is wrong.
    pub failure: Option<Failure>,
    /// Every rule that is broken.
    pub broken: BTreeSet<&'static str>,
    /// What was reached.
    pub coverage: Coverage,
    /// A hash of everything that happened, in order.
    pub hash: u64,
    /// The story, where it was asked for.
    pub tale: Vec<String>,
    /// The final answer that each key had, as status and body.
    pub answers: BTreeMap<String, (u16, String)>,
    /// Steps, where they were to be written down.
    pub steps: Vec<Step>,
    /// What each process that died left to the next, where steps were to be written down.
    pub found: Vec<Vec<String>>,
    /// Faults that struck a step.
    pub struck: Vec<(u64, StepFault)>,
}

impl World {
    /// The same, with every step of it written down.
    #[must_use]
    pub fn with_steps(self) -> Self {
        crate::store::look(&self.disk).steps.keep();
        self
    }

    /// Lives the world to its end.
    #[must_use]
    pub fn live(self) -> Outcome {
        self.live_with(|_, _| {})
    }

    /// The same, where somebody changes what is stored, or what a gateway's books say, before the last look at it.
    #[must_use]
    pub fn live_with(mut self, forge: impl FnOnce(&MemoryDatabase, &mut [Gateway])) -> Outcome {
        let mut events = 0;
        while self.auditor.failures().is_empty() && !self.is_over {
            let Some((at_ms, event)) = self.agenda.pop() else { break };
            self.clock.now_ms = self.clock.now_ms.max(at_ms);
            events += 1;
            if events > EVENTS_MAX {
                self.auditor.fail("livelock", format!("{events} events, and no end"));
                break;
            }
            self.happen(event);
        }
        if self.auditor.failures().is_empty() {
            forge(&self.database, &mut self.gateways);
            self.audit_end();
        }
        let mut coverage = self.coverage;
        let disk = crate::store::look(&self.disk);
        for (point, count) in &disk.passed {
            if *count > 0 {
                coverage.count("passed", point.name());
            }
        }
        Outcome {
            failure: self.auditor.failures().first().cloned(),
            broken: self.auditor.failures().iter().map(|failure| failure.rule).collect(),
            coverage,
            hash: self.hash,
            tale: self.tale.unwrap_or_default(),
            answers: self.auditor.answers(),
            steps: disk.steps.log().to_vec(),
            found: self.found,
            struck: disk.steps.struck().to_vec(),
        }
    }

    fn happen(&mut self, event: Event) {
        let event = match self.put_off(event) {
            Ok(()) => return,
            Err(event) => event,
        };
        match event {
            Event::Begin(at) => self.begin_operation(at),
            Event::Fault(at) => self.begin_fault(at),
            Event::ClientArrives(call) => self.client_arrives(call),
            Event::ClientHears { call, reply } => self.client_hears(call, reply),
            Event::ClientAsksAgain { call, attempt } => self.client_asks_again(call, attempt),
            Event::Turn(process) => self.turn_of(process),
            Event::Sweep { process, gateway } => self.sweep_due(process, gateway),
            Event::Leave { process, flight } => self.leave(process, flight),
            Event::AtGateway { flight, gateway, request, blow } => self.at_gateway(flight, gateway, &request, blow),
            Event::Back { process, flight, delivery } => self.back(process, flight, &delivery),
            Event::Tasks(gateway) => self.run_tasks(gateway),
            Event::Webhook(delivery) => self.webhook_arrives(delivery),
            Event::Start => self.start_process(),
            Event::Round => self.operators_look(),
            Event::Calm => self.calm_down(),
            Event::Check => self.check_end(),
        }
    }

    /// Puts off what the process does while it stands still.
    fn put_off(&mut self, event: Event) -> Result<(), Event> {
        let is_of_process = matches!(
            event,
            Event::ClientArrives(_)
                | Event::Turn(_)
                | Event::Sweep { .. }
                | Event::Leave { .. }
                | Event::Back { .. }
                | Event::Webhook(_)
        );
        if !is_of_process || self.stalled_until <= self.clock.now_ms || self.process.is_none() {
            return Err(event);
        }
        let until = self.stalled_until;
        if let (Event::Turn(number), Some(process)) = (&event, &mut self.process)
            && *number == self.processes
            && process.turn_at == Some(self.clock.now_ms)
        {
            process.turn_at = Some(until);
        }
        self.agenda.plan(until, event);
        Ok(())
    }

    /// Plans an event so many milliseconds from now.
    pub(crate) fn after(&mut self, wait_ms: u64, event: Event) {
        self.agenda.plan(self.clock.now_ms + wait_ms, event);
    }

    /// Writes something into the history: its hash always, its words where somebody wants to read them.
    pub(crate) fn tell(&mut self, mark: &[u8], words: impl FnOnce() -> String) {
        self.mark(mark);
        if let Some(tale) = &mut self.tale {
            let ms = self.clock.now_ms;
            let (days, hours, minutes) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60);
            tale.push(format!("{days}d {hours:02}:{minutes:02}:{:02}.{:03}  {}", ms / 1_000 % 60, ms % 1_000, words()));
        }
    }

    /// Writes something into the history that nobody wants to read.
    pub(crate) fn mark(&mut self, mark: &[u8]) {
        let mut hash = mix(self.hash ^ self.clock.now_ms);
        for chunk in mark.chunks(8) {
            let mut eight = [0; 8];
            eight[..chunk.len()].copy_from_slice(chunk);
            hash = mix(hash ^ u64::from_le_bytes(eight));
        }
        self.hash = hash;
    }

    /// Counts a fault that came about.
    pub(crate) fn struck(&mut self, fault: &'static str) {
        self.coverage.count("fault", fault);
    }
}
