//! Gateways of classes A, B, C and D: one request does it all, and what an ambiguous answer allows differs.
//!
//! Whatever the network, the gateway and our own process do: at most one execution ever. At the end the machine's word
//! and the gateway's books agree, or a person decides, which only C and D need. What counts as not executed can no longer
//! be carried out by anything that is still on its way.

mod fate;
mod gateway;

use proptest::prelude::*;
use quittance_core::effect::{Capability, Class, Move, Policy, Source, State, Step, Stimulus};
use quittance_core::fact::{Fact, Loss, ObjectKind};
use quittance_core::payment::CaptureMethod;
use quittance_core::time::Timestamp;

use super::books::{Books, REFUNDED};
use super::money;
use fate::{Chance, Fate, chance, classes, fate, outcome};
use gateway::Gateway;

/// Rounds after which a fair network must have let the machine finish.
const ROUNDS_MAX: usize = 600;

const HOUR_MS: u64 = 3_600_000;

struct World {
    books: Books,
    gateway: Gateway,
    offer: Capability,
    fates: Vec<Fate>,
    chances: Vec<Chance>,
    now: Timestamp,
    /// Sends of this generation whose bytes may have left and whose answer never came.
    lost_sends: u32,
}

impl World {
    fn new(class: Class, kind: ObjectKind) -> Self {
        let offer = Policy::default().refunds.limited_to(class);
        assert_eq!(offer.class(), class);
        let policy = Policy { payments: offer, refunds: offer, ..Policy::default() };
        let (books, amount) = match kind {
            ObjectKind::Refund => (Books::refund(class, policy), REFUNDED),
            _ => (Books::payment(class, CaptureMethod::Automatic, policy), money().amount),
        };
        let gateway = Gateway::new(class, &offer, (kind, amount), books.effect.id);
        let (fates, chances) = (Vec::new(), Vec::new());
        Self { books, gateway, offer, fates, chances, now: Timestamp(0), lost_sends: 0 }
    }

    fn learn(&mut self, source: Source, stimulus: Stimulus) {
        let was = self.books.effect.state;
        self.books.learn(source, stimulus, self.now);
        if self.books.effect.state == State::NotExecuted && was != State::NotExecuted {
            assert!(!self.gateway.may_carry_out(), "not executed, and on its way: {:?}", self.gateway);
            assert_eq!(self.gateway.executions(), 0, "not executed, and there: {:?}", self.gateway);
        }
    }

    fn deliver(&mut self, which: Option<usize>) {
        let Some(which) = which else { return };
        if self.gateway.events.is_empty() {
            return;
        }
        let event = self.gateway.events.remove(which % self.gateway.events.len());
        self.learn(Source::Webhook("evt".into()), Stimulus::Observed(event));
    }

    fn pass_time(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.gateway.pass_time(self.now);
    }

    fn round(&mut self) {
        let quiet = Chance { outage_ms: 0, event: None, event_midway: None };
        let chance = self.chances.pop().unwrap_or(quiet);
        self.pass_time(chance.outage_ms);
        self.deliver(chance.event);
        if self.books.effect.state.is_terminal() {
            return;
        }
        let due_at = self.books.effect.due_at.unwrap_or_else(|| panic!("it rests for ever: {:?}", self.books.effect));
        self.pass_time(due_at.ms_since(self.now));
        match self.books.plan(self.now) {
            Move::Send(step) => self.send(step, chance.event_midway),
            Move::Read => self.read(),
            Move::Find => self.find(),
            Move::Recover => {
                self.pass_time(30_000);
                self.books.lose_lease(self.now);
            }
            Move::AskPerson => self.learn(Source::Recovery, Stimulus::OutOfMeans),
            Move::Rest | Move::SendAfresh(_) => panic!("due, and nothing to do: {:?}", self.books.effect),
        }
    }

    fn send(&mut self, step: Step, event_midway: Option<usize>) {
        assert_eq!(step, Step::Execute);
        let generation = self.books.effect.generation;
        if self.books.effect.sends == 0 {
            self.lost_sends = 0;
        }
        let may_replay = matches!(self.books.effect.class, Class::A | Class::C);
        assert!(self.lost_sends == 0 || may_replay, "sent again: {:?}", self.books.effect);
        self.books.issue(step, self.now);
        let fact = self.transmit(generation);
        let is_lost = matches!(fact, None | Some(Fact::Lost(_) | Fact::InUse));
        self.lost_sends += u32::from(is_lost);
        self.deliver(event_midway);
        self.pass_time(1_000);
        if let Some(fact) = fact {
            self.learn(Source::Send, Stimulus::Answered(fact));
        }
    }

    /// What the network and the gateway make of a request; none when our process crashed.
    fn transmit(&mut self, generation: u32) -> Option<Fact> {
        let now = self.now;
        let (quiet_ms, error_ms) = (self.offer.quiescence_ms, self.offer.quiescence_after_error_ms);
        let within = |span_ms: u64, part: u64| now.plus_ms(span_ms / 1_000 * part);
        Some(match self.fates.pop().unwrap_or(Fate::Answered) {
            Fate::Answered => self.gateway.arrive(generation, now),
            Fate::RunAndLost => {
                self.gateway.arrive(generation, now);
                Fact::Lost(Loss::Timeout)
            }
            Fate::NeverRun => Fact::Lost(Loss::Timeout),
            Fate::RunsLater { part } => {
                self.gateway.arrive_later(generation, within(quiet_ms, part));
                Fact::Lost(Loss::Timeout)
            }
            Fate::ErrorAndRun => self.gateway.break_down(generation, now, Some(now)),
            Fate::ErrorNotRun => self.gateway.break_down(generation, now, None),
            Fate::ErrorRolledForward { part } => self.gateway.break_down(generation, now, Some(within(error_ms, part))),
            Fate::ErrorRolledForwardUnheard { part } => {
                self.gateway.break_down(generation, now, Some(within(error_ms, part)));
                return None;
            }
            Fate::Throttled => Fact::Throttled { retry_after_ms: None },
            Fate::Unauthorised => Fact::Unauthorised,
            Fate::Refused => Fact::Refused { code: "bad".into(), is_replayed: false, sighting: None },
            Fate::InUse => Fact::InUse,
            Fate::NotSent => Fact::NotSent,
            Fate::CrashBefore => return None,
            Fate::CrashAfter => {
                self.gateway.arrive(generation, now);
                return None;
            }
        })
    }

    fn can_search(&self) -> bool {
        matches!(self.books.effect.class, Class::A | Class::B)
    }

    fn read(&mut self) {
        let id = self.books.effect.object_id.clone().expect("only an object is read");
        let seen = self.gateway.read(&id).map_or(Fact::Absent, Fact::Seen);
        let fact = self.failure().unwrap_or(seen);
        self.learn(Source::Read, Stimulus::Read(fact));
    }

    /// A search shows what there was when it began, and ends later.
    fn find(&mut self) {
        assert!(self.can_search(), "nothing can be searched: {:?}", self.books.effect);
        self.books.effect.searched_at = Some(self.now);
        let found = self.gateway.find(self.books.effect.generation, self.now);
        let failure = self.failure();
        self.pass_time(20_000);
        let stimulus = failure.map_or(Stimulus::Found(found), Stimulus::FindFailed);
        self.learn(Source::Find, stimulus);
    }

    fn failure(&mut self) -> Option<Fact> {
        match self.fates.pop()? {
            Fate::Throttled => Some(Fact::Throttled { retry_after_ms: None }),
            Fate::NotSent => Some(Fact::NotSent),
            Fate::NeverRun | Fate::CrashBefore => Some(Fact::Lost(Loss::Timeout)),
            Fate::ErrorNotRun => Some(Fact::Lost(Loss::ServerError)),
            _ => None,
        }
    }

    /// Lets everything happen that still can, and compares.
    fn check(&mut self) -> Result<(), TestCaseError> {
        self.pass_time(100 * 24 * HOUR_MS);
        let state = self.books.effect.state;
        while !self.gateway.events.is_empty() {
            self.deliver(Some(0));
        }
        prop_assert_eq!(state, self.books.effect.state, "late events change nothing: {:?}", self.gateway);
        prop_assert!(self.gateway.executions() <= 1, "carried out twice: {:?}", self.gateway);
        match state {
            State::Succeeded => prop_assert!(self.gateway.has_moved_money(), "{:?}", self.gateway),
            State::Failed => prop_assert!(!self.gateway.has_moved_money(), "{:?}", self.gateway),
            State::Review => {
                prop_assert!(!self.can_search(), "no person is needed: {:?}", self.books.effect);
                self.books.decide_by_a_person(self.gateway.has_moved_money());
            }
            other => prop_assert!(false, "no end: {other:?}"),
        }
        self.books.check().map_err(TestCaseError::fail)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_request_is_carried_out_once_whatever_happens(
        class in classes(),
        kind in prop_oneof![Just(ObjectKind::Charge), Just(ObjectKind::Refund)],
        fates in proptest::collection::vec(fate(), 0..24),
        chances in proptest::collection::vec(chance(), 0..24),
        outcomes in proptest::collection::vec(outcome(), 0..4),
        lag in 0..1_000_u64,
    ) {
        let mut world = World::new(class, kind);
        // Money that leaves is looked for twice, so that even a list that lags behind misleads nobody.
        if kind == ObjectKind::Refund {
            world.gateway.lists_lag_ms = world.offer.quiescence_ms / 1_000 * lag;
        }
        (world.fates, world.chances, world.gateway.outcomes) = (fates, chances, outcomes);
        let mut rounds = 0;
        while !world.books.effect.state.is_terminal() {
            world.round();
            rounds += 1;
            prop_assert!(rounds < ROUNDS_MAX, "never ends: {:?}", world.books.effect);
        }
        world.check()?;
    }
}
