//! The condition of one gateway as the runtime watches it: behind a lock, with alarms and gauges for what changes.
//!
//! Owns when something is said about a gateway. Does not own what follows from an answer: that is the engine's.

use crate::clock;
use crate::metrics;
use quittance_core::fact::Fact;
use quittance_core::time::Timestamp;
use quittance_engine::backlog::Backlog;
use quittance_engine::breaker::Trouble;
use quittance_engine::condition::{Class, Condition, Limits};
use quittance_engine::room::Room;
use quittance_store::records::Lane;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is wrong with a gateway, for those who watch it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Stable word: `paused`, `unauthorised`, `unanswered` or `backlogged`.
    pub code: &'static str,
    /// The same as a sentence's end.
    pub reason: &'static str,
    /// The operations that wait, where not all do: `payments`, `refunds`, `reads`.
    pub operations: Vec<&'static str>,
}

impl Complaint {
    pub(super) fn of_all(code: &'static str, reason: &'static str) -> Self {
        Self { code, reason, operations: Vec::new() }
    }
}

/// A gateway's condition.
pub(super) struct Health {
    name: String,
    backlog_age_max_ms: Option<u64>,
    state: Mutex<State>,
}

struct State {
    condition: Condition,
    backlog: Backlog,
    is_backlogged: bool,
}

/// What is said of a condition.
#[derive(PartialEq, Eq)]
struct Seen {
    is_unauthorised: bool,
    silent: [bool; Class::ALL.len()],
}

impl Seen {
    fn of(condition: &Condition) -> Self {
        let silent = Class::ALL.map(|class| condition.trouble(class) == Some(Trouble::Silent));
        Self { is_unauthorised: condition.is_unauthorised(), silent }
    }
}

impl Health {
    pub(super) fn new(name: &str, limits: Limits, backlog_age_max_ms: Option<u64>) -> Self {
        metrics::unauthorised(name, false);
        Class::ALL.into_iter().for_each(|class| metrics::breaker(name, class.name(), false));
        let condition = Condition::new(limits, clock::now());
        let state = State { condition, backlog: Backlog::default(), is_backlogged: false };
        Self { name: name.to_owned(), backlog_age_max_ms, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A condition is a small pure machine; nothing under the lock panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn room(&self, places: usize, read_places: usize) -> Room {
        self.change(|condition, now| condition.room(places, read_places, now))
    }

    pub(super) fn takes_work(&self) -> bool {
        self.lock().condition.takes_work()
    }

    /// A request begins.
    pub(super) fn begin(&self, lane: Lane) {
        self.change(|condition, now| condition.begin(lane, now));
    }

    /// A request that had begun does not leave.
    pub(super) fn withdraw(&self, lane: Lane) {
        self.change(|condition, now| condition.withdraw(lane, now));
    }

    /// Reports what a request taught us.
    pub(super) fn report(&self, lane: Lane, fact: &Fact) {
        self.change(|condition, now| condition.report(lane, fact, now));
    }

    /// Whether a probe is due; it has to be sent by the caller.
    pub(super) fn take_probe(&self, now: Timestamp) -> bool {
        self.change(|condition, _| condition.take_probe(now))
    }

    /// Reports what a probe taught us.
    pub(super) fn probed(&self, fact: &Fact) {
        self.change(|condition, now| condition.probed(fact, now));
    }

    /// Notes how far behind the gateway is. One that is paused is not behind.
    pub(super) fn note_backlog(&self, backlog: Backlog, is_paused: bool, now: Timestamp) {
        let age_ms = backlog.excess_ms(self.backlog_age_max_ms, now).filter(|_| !is_paused);
        let mut state = self.lock();
        state.backlog = backlog;
        if std::mem::replace(&mut state.is_backlogged, age_ms.is_some()) != age_ms.is_some() {
            match age_ms {
                Some(age_ms) => {
                    tracing::error!(gateway = self.name, age_ms, "payments wait too long; new ones are refused")
                }
                None => {
                    tracing::warn!(gateway = self.name, "payments do not wait too long any more; new ones are taken")
                }
            }
        }
    }

    pub(super) fn backlog(&self) -> Backlog {
        self.lock().backlog
    }

    pub(super) fn report_gauges(&self, now: Timestamp) {
        let mut state = self.lock();
        metrics::backlog(&self.name, state.backlog, now);
        metrics::retries_left(&self.name, state.condition.retries_left(now));
    }

    /// What is wrong now.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        let state = self.lock();
        let of = |wanted: &[Trouble]| -> Vec<&'static str> {
            let is_wanted = |class: &Class| state.condition.trouble(*class).is_some_and(|it| wanted.contains(&it));
            Class::ALL.into_iter().filter(is_wanted).map(Class::name).collect()
        };
        let refused = of(&[Trouble::Unauthorised, Trouble::Suspected]);
        let silent = of(&[Trouble::Silent]);
        let found =
            [("unauthorised", "it refuses our credentials", refused), ("unanswered", "it does not answer", silent)];
        let mut complaints: Vec<Complaint> = found
            .into_iter()
            .filter(|(_, _, operations)| !operations.is_empty())
            .map(|(code, reason, operations)| Complaint { code, reason, operations })
            .collect();
        if state.is_backlogged {
            complaints.push(Complaint::of_all("backlogged", "payments wait too long for it; new ones are refused"));
        }
        complaints
    }

    /// Lets something happen to the condition, and says what that changed: one alarm when something begins, one when it
    /// ends.
    fn change<T>(&self, act: impl FnOnce(&mut Condition, Timestamp) -> T) -> T {
        let mut state = self.lock();
        let before = Seen::of(&state.condition);
        let result = act(&mut state.condition, clock::now());
        let after = Seen::of(&state.condition);
        if before != after {
            self.tell(&before, &after);
        }
        result
    }

    fn tell(&self, before: &Seen, after: &Seen) {
        let gateway = &self.name;
        if before.is_unauthorised != after.is_unauthorised {
            metrics::unauthorised(gateway, after.is_unauthorised);
            match after.is_unauthorised {
                true => tracing::error!(gateway, "the gateway refuses our credentials; its effects wait"),
                false => tracing::warn!(gateway, "the gateway accepts our credentials again"),
            }
        }
        for ((class, was_silent), is_silent) in Class::ALL.into_iter().zip(before.silent).zip(after.silent) {
            if was_silent == is_silent {
                continue;
            }
            let operations = class.name();
            metrics::breaker(gateway, operations, is_silent);
            match is_silent {
                true => tracing::warn!(gateway, operations, "the gateway does not answer; its effects wait"),
                false => tracing::info!(gateway, operations, "what was held back from the gateway goes on"),
            }
        }
    }
}
