//! The circuit breaker of one kind of operation at a gateway: a pure machine over reported results and the time.
//!
//! Open, it keeps effects where they are: nothing was sent, so nothing is unknown. A harmless read, never a charge, tells
//! whether the gateway is there again; since that says little about writes, a few of those are then tried before all.

use quittance_core::time::Timestamp;
use std::collections::VecDeque;

#[cfg(test)]
mod tests;

/// Limits of a breaker.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Results that are looked back on.
    pub window: usize,
    /// Failures among them that open it.
    pub failures_max: usize,
    /// How long it stays open before a probe; doubles each time that what is tried after a probe fails.
    pub cool_down_ms: u64,
}

impl Default for Limits {
    /// Four fifths of the last fifty: a gateway that loses one answer in three is still worth talking to.
    fn default() -> Self {
        Self { window: 50, failures_max: 40, cool_down_ms: 2_000 }
    }
}

/// How long a probe is waited for, longer than any takes. After it another one may be sent: whoever carried the first
/// out may be gone.
const PROBE_MS: u64 = 10_000;

/// How long the results of a trial are waited for, longer than any request takes.
const TRIAL_MS: u64 = 60_000;

/// Longest cool-down.
const COOL_DOWN_MS_MAX: u64 = 60_000;

/// Why a breaker is not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The gateway does not answer, or not with sense.
    Silent,
    /// It refuses our credentials.
    Unauthorised,
    /// It refused our credentials in another operation: they are the same, so nothing is sent until a probe has told.
    Suspected,
}

/// What the breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything.
    Closed,
    /// Nothing until then.
    Open {
        /// Why.
        trouble: Trouble,
        /// When a probe may be sent.
        until: Timestamp,
    },
    /// One probe is under way.
    Probing {
        /// Why.
        trouble: Trouble,
        /// When it counts as gone, and another may be sent.
        until: Timestamp,
    },
    /// A probe succeeded: a few requests are tried.
    Trial {
        /// What it was open for.
        trouble: Trouble,
        /// Requests that may still begin.
        left: usize,
        /// Those that were answered.
        good: usize,
        /// Those that were not.
        bad: usize,
        /// When those that have begun count as gone.
        until: Timestamp,
    },
}

/// Result of a request, as far as the gateway's health is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answered; a decline is a good answer.
    Answered,
    /// It did not, or not with sense.
    Failing,
    /// It refused our credentials.
    Unauthorised,
}

/// What a probe, which is a read, is to the requests of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// One of them: its success is theirs.
    Alike,
    /// Something else: its success lets a few of them be tried.
    Hint,
}

/// How many are tried after a probe, and what is needed to go on or to give up. All results together decide.
struct Trial {
    requests: usize,
    good_min: usize,
    bad_max: usize,
}

impl Trial {
    const fn after(trouble: Trouble) -> Self {
        match trouble {
            // As for the window: four failures of five.
            Trouble::Silent => Self { requests: 5, good_min: 2, bad_max: 4 },
            // Each refusal costs a ticket, and one answer is proof.
            Trouble::Unauthorised | Trouble::Suspected => Self { requests: 1, good_min: 1, bad_max: 1 },
        }
    }
}

/// A circuit breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    limits: Limits,
    state: State,
    recent: VecDeque<Health>,
    cool_down_ms: u64,
    probe: Probe,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(limits: Limits, probe: Probe) -> Self {
        let recent = VecDeque::with_capacity(limits.window);
        Self { limits, state: State::Closed, recent, cool_down_ms: limits.cool_down_ms, probe }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether requests may be sent, as many as there are.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// What is wrong, until a trial has shown that nothing is.
    #[must_use]
    pub const fn trouble(&self) -> Option<Trouble> {
        match self.state {
            State::Closed => None,
            State::Open { trouble, .. } | State::Probing { trouble, .. } | State::Trial { trouble, .. } => {
                Some(trouble)
            }
        }
    }

    /// How many requests may begin.
    #[must_use]
    pub const fn left(&self) -> usize {
        match self.state {
            State::Closed => usize::MAX,
            State::Trial { left, .. } => left,
            State::Open { .. } | State::Probing { .. } => 0,
        }
    }

    /// A request begins.
    pub fn begin(&mut self, now: Timestamp) {
        if let State::Trial { left, until, .. } = &mut self.state {
            *left = left.saturating_sub(1);
            *until = now.plus_ms(TRIAL_MS);
        }
    }

    /// A request that had begun did not leave, and has no result.
    pub fn withdraw(&mut self) {
        if let State::Trial { left, .. } = &mut self.state {
            *left += 1;
        }
    }

    /// Takes the right to send one probe, if it is time for one. A trial that nobody had enough requests for ends.
    pub fn take_probe(&mut self, now: Timestamp) -> bool {
        let (State::Open { trouble, until } | State::Probing { trouble, until } | State::Trial { trouble, until, .. }) =
            self.state
        else {
            return false;
        };
        // A clock that was set back must not put it off.
        let is_time = until <= now || until > now.plus_ms(self.limits.cool_down_ms.max(COOL_DOWN_MS_MAX));
        match self.state {
            _ if !is_time => return false,
            State::Trial { left, .. } if left > 0 => self.close(),
            // Also where everything that was tried is gone without a result.
            _ => self.state = State::Probing { trouble, until: now.plus_ms(PROBE_MS) },
        }
        !self.is_closed()
    }

    /// Reports a probe's result. One that comes when requests are sent again changes nothing.
    pub fn probed(&mut self, health: Health, now: Timestamp) {
        let (State::Open { trouble, .. } | State::Probing { trouble, .. }) = self.state else { return };
        match (health, trouble) {
            (Health::Answered, Trouble::Suspected) => self.close(),
            (Health::Answered, _) if self.probe == Probe::Alike => self.close(),
            (Health::Answered, _) => {
                let left = Trial::after(trouble).requests;
                self.state = State::Trial { trouble, left, good: 0, bad: 0, until: now.plus_ms(TRIAL_MS) };
            }
            (Health::Failing, _) => self.open(trouble, self.cool_down_ms, now),
            (Health::Unauthorised, Trouble::Silent) => self.open_longer(Trouble::Unauthorised, now),
            (Health::Unauthorised, _) => self.open_longer(trouble, now),
        }
    }

    /// Reports a request's result.
    pub fn report(&mut self, health: Health, now: Timestamp) {
        match &mut self.state {
            State::Closed if health == Health::Unauthorised => self.open(Trouble::Unauthorised, 0, now),
            State::Closed => self.look_back(health, now),
            State::Open { trouble, .. } | State::Probing { trouble, .. } => {
                // From before it opened; only a refusal is still news.
                if health == Health::Unauthorised {
                    *trouble = Trouble::Unauthorised;
                }
            }
            State::Trial { good, bad, trouble, .. } => {
                let (trial, trouble) = (Trial::after(*trouble), *trouble);
                match health {
                    Health::Answered => *good += 1,
                    Health::Failing => *bad += 1,
                    Health::Unauthorised => return self.open_longer(Trouble::Unauthorised, now),
                }
                if *good >= trial.good_min {
                    self.close();
                } else if *bad >= trial.bad_max {
                    self.open_longer(trouble, now);
                }
            }
        }
    }

    /// Another operation was refused our credentials: a probe is due before anything else is sent.
    pub fn suspect(&mut self, now: Timestamp) {
        if self.is_closed() {
            self.open(Trouble::Suspected, 0, now);
        }
    }

    fn look_back(&mut self, health: Health, now: Timestamp) {
        if self.recent.len() == self.limits.window {
            self.recent.pop_front();
        }
        self.recent.push_back(health);
        let failures = self.recent.iter().filter(|health| **health == Health::Failing).count();
        if failures >= self.limits.failures_max {
            self.open(Trouble::Silent, self.cool_down_ms, now);
        }
    }

    fn open(&mut self, trouble: Trouble, wait_ms: u64, now: Timestamp) {
        self.recent.clear();
        self.state = State::Open { trouble, until: now.plus_ms(wait_ms) };
    }

    fn open_longer(&mut self, trouble: Trouble, now: Timestamp) {
        self.open(trouble, self.cool_down_ms, now);
        let longest = COOL_DOWN_MS_MAX.max(self.limits.cool_down_ms);
        self.cool_down_ms = self.cool_down_ms.saturating_mul(2).min(longest);
    }

    fn close(&mut self) {
        self.recent.clear();
        self.state = State::Closed;
        self.cool_down_ms = self.limits.cool_down_ms;
    }
}
