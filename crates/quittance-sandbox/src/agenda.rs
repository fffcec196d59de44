//! Owns: what the gateway will do by itself, and when: refunds that settle, payouts that move on. Does not own: what
//! each of it does to the books (`execution`).

use std::collections::BTreeMap;
use std::time::Instant;

use crate::clock;
use crate::execution::Task;
use crate::lock::lock;
use crate::objects::Origin;
use crate::shared::{Core, Shared};

/// By the time they are due, then by the order of arrival. It stands under the same lock as the books.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    waiting: BTreeMap<(Instant, u64), Task>,
    arrivals: u64,
}

// Each is an id and a word. What does not fit waits for the control interface for ever.
const TASKS_MAX: usize = 100_000;

impl Agenda {
    pub(crate) fn add(&mut self, due: Instant, tasks: Vec<Task>) {
        for task in tasks {
            if self.waiting.len() >= TASKS_MAX {
                tracing::warn!(?task, "given up: the agenda is full");
                continue;
            }
            self.arrivals += 1;
            self.waiting.insert((due, self.arrivals), task);
        }
    }
}

/// Carries out everything that waits now, though not what follows from it, and says how much it was.
pub(crate) fn flush(shared: &Shared) -> usize {
    let mut core = lock(&shared.core);
    let waiting = std::mem::take(&mut core.agenda.waiting);
    let count = waiting.len();
    for task in waiting.into_values() {
        carry_out(shared, &mut core, &task);
    }
    count
}

/// Carries out what is due and returns when the next is.
fn carry_out_due(shared: &Shared) -> Option<Instant> {
    let mut core = lock(&shared.core);
    loop {
        let (due, arrival) = core.agenda.waiting.first_key_value().map(|(key, _)| *key)?;
        if due > clock::monotonic() {
            return Some(due);
        }
        if let Some(task) = core.agenda.waiting.remove(&(due, arrival)) {
            carry_out(shared, &mut core, &task);
        }
    }
}

/// A refusal means that the object has gone another way meanwhile.
fn carry_out(shared: &Shared, core: &mut Core, task: &Task) {
    shared.execute(core, Origin::default(), 0, "localhost", |execution| execution.perform(task));
}

/// Carries out each at its time, until it is dropped.
pub(crate) async fn carry_out_when_due(shared: &Shared) -> std::convert::Infallible {
    loop {
        match carry_out_due(shared) {
            None => shared.agenda_added.notified().await,
            Some(due) => tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = shared.agenda_added.notified() => {}
            },
        }
    }
}
