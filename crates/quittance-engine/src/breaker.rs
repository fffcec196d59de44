//! The circuit breaker of a gateway: a pure machine over reported results and the time.
//!
//! Open, it keeps effects where they are: nothing was sent, so nothing is unknown. It closes again through a harmless
//! read, never through a charge.

use quittance_core::time::Timestamp;

/// Limits of a breaker.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Results that are looked back on.
    pub window: usize,
    /// Failures among them that open it.
    pub failures_max: usize,
    /// How long it stays open before a probe.
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

/// What the breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything.
    Closed,
    /// Nothing until then.
    Open {
        /// When a probe may be sent.
        until: Timestamp,
    },
    /// One probe is under way.
    Probing {
        /// When it counts as gone, and another may be sent.
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
}

/// A circuit breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    limits: Limits,
    state: State,
    recent: std::collections::VecDeque<Health>,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, state: State::Closed, recent: std::collections::VecDeque::with_capacity(limits.window) }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Whether requests may be sent.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Takes the right to send one probe, if it is time for one.
    pub fn take_probe(&mut self, now: Timestamp) -> bool {
        match self.state {
            State::Open { until } | State::Probing { until } if until <= now => {
                self.state = State::Probing { until: now.plus_ms(PROBE_MS) };
                true
            }
            State::Open { .. } | State::Closed | State::Probing { .. } => false,
        }
    }

    /// Reports a probe's result. One that comes after another probe has closed the breaker changes nothing.
    pub fn probed(&mut self, health: Health, now: Timestamp) {
        if self.is_closed() {
            return;
        }
        self.recent.clear();
        self.state = match health {
            Health::Answered => State::Closed,
            Health::Failing => State::Open { until: now.plus_ms(self.limits.cool_down_ms) },
        };
    }

    /// Reports a request's result.
    pub fn report(&mut self, health: Health, now: Timestamp) {
        if !self.is_closed() {
            return;
        }
        if self.recent.len() == self.limits.window {
            self.recent.pop_front();
        }
        self.recent.push_back(health);
        let failures = self.recent.iter().filter(|health| **health == Health::Failing).count();
        if failures >= self.limits.failures_max {
            self.state = State::Open { until: now.plus_ms(self.limits.cool_down_ms) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::default().plus_ms(ms)
    }

    fn small() -> Breaker {
        Breaker::new(Limits { window: 4, failures_max: 3, cool_down_ms: 100 })
    }

    #[test]
    fn it_opens_on_failures_and_closes_through_a_probe() {
        let mut breaker = small();
        for health in [Health::Failing, Health::Answered, Health::Failing] {
            breaker.report(health, at(0));
            assert!(breaker.is_closed());
        }
        breaker.report(Health::Failing, at(0));
        assert_eq!(breaker.state(), State::Open { until: at(100) });
        assert!(!breaker.take_probe(at(99)));
        assert!(breaker.take_probe(at(100)));
        assert!(!breaker.take_probe(at(100)), "one probe at a time");
        breaker.probed(Health::Failing, at(150));
        assert!(breaker.take_probe(at(250)));
        breaker.probed(Health::Answered, at(260));
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_probe_that_never_ends_is_followed_by_another() {
        let mut breaker = small();
        for _ in 0..3 {
            breaker.report(Health::Failing, at(0));
        }
        assert!(breaker.take_probe(at(100)));
        assert_eq!(breaker.state(), State::Probing { until: at(100 + PROBE_MS) });
        assert!(!breaker.take_probe(at(99 + PROBE_MS)));
        assert!(breaker.take_probe(at(100 + PROBE_MS)));
        breaker.probed(Health::Answered, at(101 + PROBE_MS));
        breaker.probed(Health::Failing, at(102 + PROBE_MS));
        assert!(breaker.is_closed(), "the first probe's late result is no news");
    }

    #[test]
    fn old_failures_are_forgotten() {
        let mut breaker = small();
        for _ in 0..2 {
            breaker.report(Health::Failing, at(0));
            breaker.report(Health::Failing, at(0));
            for _ in 0..3 {
                breaker.report(Health::Answered, at(0));
            }
        }
        assert!(breaker.is_closed());
    }
}
