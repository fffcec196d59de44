//! Owns: writes that are carried out after their client has gone: the queue of them and its end.
//! Does not own: which writes these are (`faults`) and what carrying out means (`writing`, `rail`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::clock;
use crate::dialect::rail::TransferDraft;
use crate::fault::Fault;
use crate::lock::lock;
use crate::rail;
use crate::shared::{Core, Shared};
use crate::verdict::Verdict;
use crate::writing::{self, Write};

/// What is pending. It stands under the same lock as books and keys, so that what is no longer
/// pending is in the books.
#[derive(Debug)]
pub(crate) struct Late {
    /// By the time they are due, then by the order of arrival.
    waiting: BTreeMap<(Instant, u64), Postponed>,
    arrivals: u64,
    max: usize,
}

/// What is to be carried out.
#[derive(Debug)]
pub(crate) enum Postponed {
    /// It holds its key, where keys are honoured.
    Write {
        write: Box<Write>,
        incarnation: u64,
    },
    Transfer(Box<TransferDraft>),
}

impl Late {
    pub(crate) fn new(max: usize) -> Self {
        Self { waiting: BTreeMap::new(), arrivals: 0, max }
    }

    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < self.max
    }

    pub(crate) fn pending(&self) -> usize {
        self.waiting.len()
    }

    fn add(&mut self, due: Instant, postponed: Postponed) {
        self.arrivals += 1;
        self.waiting.insert((due, self.arrivals), postponed);
    }

    fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    fn take_first(&mut self) -> Option<Postponed> {
        self.waiting.pop_first().map(|(_, postponed)| postponed)
    }
}

/// Gives a write its effect after `delay`, and its client no answer. Without room the request is lost altogether.
pub(crate) fn postpone(shared: &Shared, core: &mut Core, postponed: Postponed, delay: Duration) -> Verdict {
    if core.late.has_room() {
        core.late.add(clock::monotonic() + delay, postponed);
        shared.faults.count(Fault::LateEffect { delay });
        shared.late_added.notify_one();
    } else {
        shared.faults.count(Fault::TimeoutBeforeEffect);
    }
    Verdict::timeout(shared)
}

/// Carries out everything that is pending, in the order in which it is due, and says how much it was.
pub(crate) fn flush(shared: &Shared) -> usize {
    let mut core = lock(&shared.core);
    let pending = core.late.pending();
    while let Some(postponed) = core.late.take_first() {
        carry_out(shared, &mut core, postponed);
    }
    pending
}

/// Whatever the books say by now decides.
fn carry_out(shared: &Shared, core: &mut Core, postponed: Postponed) {
    match postponed {
        Postponed::Write { write, incarnation } => writing::carry_out_late(shared, core, *write, incarnation),
        Postponed::Transfer(draft) => {
            rail::carry_out(shared, core, *draft);
        }
    }
}

/// Carries out what is due and returns when the next one is.
fn carry_out_due(shared: &Shared) -> Option<Instant> {
    let mut core = lock(&shared.core);
    loop {
        let due = core.late.next_due()?;
        if due > clock::monotonic() {
            return Some(due);
        }
        if let Some(postponed) = core.late.take_first() {
            carry_out(shared, &mut core, postponed);
        }
    }
}

/// Carries out each at its time, until it is dropped.
pub(crate) async fn carry_out_when_due(shared: &Shared) -> std::convert::Infallible {
    loop {
        match carry_out_due(shared) {
            None => shared.late_added.notified().await,
            Some(due) => tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = shared.late_added.notified() => {}
            },
        }
    }
}
