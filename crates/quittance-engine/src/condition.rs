//! The condition of one gateway: its breakers, its rates and its retry budget, as one pure machine over results and time.
//!
//! Says what may begin, learns from what came of it. Owns no request, no clock and no alarm: whoever drives it compares
//! what it said before and after.

use crate::breaker::{self, Breaker, Health, Probe, Trouble};
use crate::bucket::Bucket;
use crate::budget::{self, RetryBudget};
use crate::room::Room;
use quittance_core::effect::Step;
use quittance_core::fact::{Fact, Loss};
use quittance_core::time::Timestamp;
use quittance_store::records::{Lane, Operation};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Operations that fail apart, each with a breaker of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Sends of an operation.
    Sends(Operation),
    /// Reads and searches.
    Reads,
}

impl Class {
    /// Every class, in order.
    pub const ALL: [Self; 3] = [Self::Sends(Operation::Payments), Self::Sends(Operation::Refunds), Self::Reads];

    /// Stable name, shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sends(operation) => operation.name(),
            Self::Reads => "reads",
        }
    }

    const fn probe(self) -> Probe {
        match self {
            Self::Sends(_) => Probe::Hint,
            Self::Reads => Probe::Alike,
        }
    }

    /// The class of the requests of a lane.
    #[must_use]
    pub const fn of(lane: Lane) -> Self {
        match lane {
            Lane::Send { operation, .. } => Self::Sends(operation),
            Lane::Read | Lane::Pending => Self::Reads,
        }
    }
}

/// Requests in a second, at most; none where there is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// All requests to the gateway's account; a quarter of them is kept for reading back.
    pub per_second: Option<u32>,
    /// Requests to one endpoint.
    pub per_second_per_endpoint: Option<u32>,
}

/// Limits of a gateway.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Of each of its breakers.
    pub breaker: breaker::Limits,
    /// Of its rates.
    pub rates: Rates,
    /// Of its retry budget.
    pub retries: budget::Limits,
}

/// The condition of one gateway.
#[derive(Clone, Debug)]
pub struct Condition {
    breakers: BTreeMap<Class, Breaker>,
    sends: Option<Bucket>,
    reads: Option<Bucket>,
    endpoints: BTreeMap<(Operation, Step), Bucket>,
    retries: RetryBudget,
}

impl Condition {
    /// A gateway of which nothing bad is known.
    #[must_use]
    pub fn new(limits: Limits, now: Timestamp) -> Self {
        let Rates { per_second, per_second_per_endpoint } = limits.rates;
        let kept = per_second.map(|rate| (rate / 4).max(1));
        let sends = per_second.zip(kept).map(|(rate, kept)| rate - kept);
        // Reads of an object and pages of a list are two endpoints; together they keep the rate of one.
        let reads = kept.into_iter().chain(per_second_per_endpoint).min();
        let bucket = |rate| Bucket::new(rate, now);
        let all = Operation::ALL.into_iter().flat_map(|operation| Step::ALL.map(|step| (operation, step)));
        let endpoints = per_second_per_endpoint.into_iter().flat_map(|rate| all.clone().map(move |at| (at, rate)));
        Self {
            breakers: Class::ALL.map(|class| (class, Breaker::new(limits.breaker, class.probe()))).into(),
            sends: sends.map(bucket),
            reads: reads.map(bucket),
            endpoints: endpoints.map(|(at, rate)| (at, bucket(rate))).collect(),
            retries: RetryBudget::new(limits.retries, now),
        }
    }

    /// What may begin now where there are so many places, and so many for reads.
    pub fn room(&mut self, places: usize, read_places: usize, now: Timestamp) -> Room {
        let left = |bucket: &mut Option<Bucket>| bucket.as_mut().map_or(usize::MAX, |bucket| bucket.left(now));
        let reads = self.breaker(Class::Reads).left();
        Room {
            places,
            read_places,
            sends: left(&mut self.sends),
            reads: left(&mut self.reads).min(reads),
            retries: self.retries.left(now),
            operations: Operation::ALL.map(|it| (it, self.breaker(Class::Sends(it)).left())).into(),
            endpoints: self.endpoints.iter_mut().map(|(at, bucket)| (*at, bucket.left(now))).collect(),
        }
    }

    /// Whether any request may begin as far as breakers say.
    #[must_use]
    pub fn takes_work(&self) -> bool {
        self.breakers.values().any(|breaker| breaker.left() > 0)
    }

    /// What is wrong with a class, until a trial has shown that nothing is.
    #[must_use]
    pub fn trouble(&self, class: Class) -> Option<Trouble> {
        self.breaker(class).trouble()
    }

    /// Whether our credentials are refused, as far as is known.
    #[must_use]
    pub fn is_unauthorised(&self) -> bool {
        let is_refused = |trouble| matches!(trouble, Trouble::Unauthorised | Trouble::Suspected);
        Class::ALL.into_iter().any(|class| self.trouble(class).is_some_and(is_refused))
    }

    /// Retries that may be sent now.
    pub fn retries_left(&mut self, now: Timestamp) -> usize {
        self.retries.left(now)
    }

    /// A request of a lane begins; also one that did not ask for room, such as a further page of a search.
    pub fn begin(&mut self, lane: Lane, now: Timestamp) {
        self.breaker_mut(Class::of(lane)).begin(now);
        self.tokens(lane).for_each(|bucket| bucket.take(now));
        if is_retry(lane) {
            self.retries.take(now);
        }
    }

    /// A request that had begun did not leave after all, by our own decision.
    pub fn withdraw(&mut self, lane: Lane, now: Timestamp) {
        self.breaker_mut(Class::of(lane)).withdraw();
        if is_send(lane) {
            self.retries.forgive(now);
        }
    }

    /// Learns from the answer to a request, or from its absence.
    pub fn report(&mut self, lane: Lane, fact: &Fact, now: Timestamp) {
        let (class, health) = (Class::of(lane), health(fact));
        self.breaker_mut(class).report(health, now);
        if health == Health::Unauthorised {
            self.breakers.values_mut().for_each(|breaker| breaker.suspect(now));
        }
        match fact {
            Fact::Throttled { .. } => self.tokens(lane).for_each(|bucket| bucket.drain(now)),
            // Not looked at: that it is sent again is no fault of the gateway's.
            Fact::Unauthorised if is_send(lane) => self.retries.forgive(now),
            Fact::Seen(_) | Fact::SeenDispute(_) | Fact::Declined { .. } | Fact::Refused { .. } if is_send(lane) => {
                self.retries.succeeded(now)
            }
            _ => {}
        }
    }

    /// Takes the right to send one probe for everything that waits for one.
    pub fn take_probe(&mut self, now: Timestamp) -> bool {
        let due = self.breakers.values_mut().filter_map(|breaker| breaker.take_probe(now).then_some(())).count();
        if due > 0 {
            self.reads.iter_mut().for_each(|bucket| bucket.take(now));
        }
        due > 0
    }

    /// Learns from a probe.
    pub fn probed(&mut self, fact: &Fact, now: Timestamp) {
        self.breakers.values_mut().for_each(|breaker| breaker.probed(health(fact), now));
    }

    fn breaker(&self, class: Class) -> &Breaker {
        &self.breakers[&class]
    }

    fn breaker_mut(&mut self, class: Class) -> &mut Breaker {
        self.breakers.get_mut(&class).expect("every class has a breaker from the beginning")
    }

    /// The buckets that a request of a lane takes from.
    fn tokens(&mut self, lane: Lane) -> impl Iterator<Item = &mut Bucket> {
        let (account, endpoint) = match lane {
            Lane::Read | Lane::Pending => (&mut self.reads, None),
            Lane::Send { operation, step, .. } => (&mut self.sends, self.endpoints.get_mut(&(operation, step))),
        };
        account.iter_mut().chain(endpoint)
    }
}

const fn is_send(lane: Lane) -> bool {
    matches!(lane, Lane::Send { .. })
}

const fn is_retry(lane: Lane) -> bool {
    matches!(lane, Lane::Send { is_again: true, .. })
}

/// Whether a fact speaks for or against the gateway's health. A limit is an answer.
fn health(fact: &Fact) -> Health {
    match fact {
        Fact::NotSent | Fact::Lost(Loss::Timeout | Loss::Reset | Loss::ServerError | Loss::Unavailable) => {
            Health::Failing
        }
        Fact::Unauthorised => Health::Unauthorised,
        Fact::Seen(_)
        | Fact::SeenDispute(_)
        | Fact::Absent
        | Fact::Declined { .. }
        | Fact::Refused { .. }
        | Fact::Throttled { .. }
        | Fact::InUse
        | Fact::KeyMismatch
        | Fact::Lost(Loss::Unclear | Loss::Unreadable) => Health::Answered,
    }
}
