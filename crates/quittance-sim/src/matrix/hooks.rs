//! Where a world takes its steps: what each is called, and what becomes of the one that is struck.

use super::steps::{Kind, StepFault};
use crate::process::{Entry, Origin, Process};
use crate::store::look;
use crate::world::{Event, Purpose, World};
use quittance_connectors::message::Request;
use quittance_core::effect::Stimulus;
use quittance_engine::submission::Submission;
use quittance_store::records::EventSource;

/// How much later a request arrives for the second time, in milliseconds.
pub(crate) const TWICE_MS: u64 = 30;

impl World {
    /// A step begins that is no transaction: its number, and what happens to it.
    pub(crate) fn step_begins(
        &mut self,
        kind: Kind,
        what: impl FnOnce() -> (String, bool),
    ) -> (u64, Option<StepFault>) {
        look(&self.disk).steps.begin(kind, what)
    }

    /// A step is struck.
    pub(crate) fn step_struck(&mut self, number: u64, fault: StepFault) {
        look(&self.disk).steps.strike(number, fault);
        let words = format!("step {number} is struck: {}", fault.name());
        self.tell(words.as_bytes(), || words.clone());
    }

    /// The process dies between two turns.
    pub(crate) fn die_at_step(&mut self, number: u64, fault: StepFault) {
        self.step_struck(number, fault);
        look(&self.disk).steps.die();
        self.bury("at a step");
    }

    /// Says what the transactions are for that these submissions are decided in.
    pub(crate) fn name_step(&self, entries: &[Entry]) {
        look(&self.disk).steps.name(|| {
            let mut words: Vec<String> = entries.iter().map(|entry| word_of(&entry.submission)).collect();
            words.dedup();
            (words.join(" + "), entries.iter().all(|entry| is_upkeep(&entry.submission)))
        });
    }

    /// The same for what is due.
    pub(crate) fn name_poll(&self) {
        look(&self.disk).steps.name(|| ("begins what is due".to_owned(), false));
    }

    /// What these submissions are, where they may have to be submitted again.
    pub(crate) fn copy_of(&self, entries: &[Entry]) -> Vec<Entry> {
        let is_aimed = look(&self.disk).steps.is_aimed();
        entries.iter().filter(|_| is_aimed).map(|entry| entry.again()).collect()
    }

    /// Submits once more what was decided, where that is what happens to the step.
    pub(crate) fn submit_again(&mut self, process: &mut Process, copies: Vec<Entry>) {
        if !look(&self.disk).steps.take_repeat() || copies.is_empty() {
            return;
        }
        process.inbox.extend(copies);
        let at_ms = self.clock.now_ms + 1;
        if process.turn_at.is_none_or(|planned| at_ms < planned) {
            process.turn_at = Some(at_ms);
            self.agenda.plan(at_ms, Event::Turn(self.processes));
        }
    }

    /// An answer has taught something, and is about to be submitted; it may be so twice.
    pub(crate) fn step_teaches(&mut self, aimed: Option<(u64, StepFault)>, submission: &Submission) {
        let Some((number, fault)) = aimed else { return };
        look(&self.disk).steps.took_effect(number);
        if fault == StepFault::AnswerTwice {
            self.step_struck(number, fault);
            self.submit(submission.clone(), Origin::Lesson);
        }
    }

    /// What a request is called, and whether it is upkeep.
    pub(crate) fn name_of_request(request: &Request, purpose: &Purpose) -> (String, bool) {
        let path = request.target.split('?').next().unwrap_or_default();
        let is_id = |part: &&str| part.contains('_') && part.bytes().any(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = path.split('/').map(|part| if is_id(&part) { "{id}" } else { part }).collect();
        let (why, is_upkeep) = match purpose {
            Purpose::Job(_) => ("", false),
            Purpose::Look(_) => (", a look", false),
            Purpose::Page(_) => (", a search", false),
            Purpose::Sweep => (", a sweep", true),
            Purpose::Probe => (", a probe", true),
        };
        (format!("{} {}{why}", request.method.as_str(), parts.join("/")), is_upkeep)
    }
}

impl Entry {
    /// The same once more. Nobody waits twice for a page of a sweep.
    fn again(&self) -> Self {
        let origin = match &self.origin {
            Origin::Call(call) => Origin::Call(*call),
            Origin::Webhook(delivery) => Origin::Webhook(*delivery),
            Origin::Lesson => Origin::Lesson,
            Origin::Sweep(_) | Origin::Operator => Origin::Operator,
        };
        Self { submission: self.submission.clone(), origin }
    }
}

pub(crate) fn word_of(submission: &Submission) -> String {
    match submission {
        Submission::Client(command) => format!("command {}", command.operation),
        Submission::Learned(lesson) => match &lesson.stimulus {
            Stimulus::Answered(_) => "the answer to a send",
            Stimulus::Read(_) => "what a read showed",
            _ => "what a search found",
        }
        .to_owned(),
        Submission::Webhook(event) => match event.source {
            EventSource::Webhook => format!("event {}", event.event.kind),
            EventSource::Sweep | EventSource::Operator => format!("event {} from the log", event.event.kind),
        },
        Submission::Looked(_) => "what a look showed".to_owned(),
        Submission::Swept(swept) if swept.listed.is_some() => "a page of a list".to_owned(),
        Submission::Swept(_) => "how far a sweep has come".to_owned(),
        _ => "an operator's word".to_owned(),
    }
}

const fn is_upkeep(submission: &Submission) -> bool {
    matches!(submission, Submission::Swept(_) | Submission::SetSwitch(_))
}
