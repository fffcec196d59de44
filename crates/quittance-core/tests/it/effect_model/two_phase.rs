//! Class P: an inert object, a confirm that may charge long after it was lost, a customer who authenticates or does not,
//! a client who captures, gives up, or lets it expire.
//!
//! Whatever happens, at the end the machine's word and the gateway's agree, and no request still on its way can change
//! that: what succeeded was charged once and captured once, by as much as the client asked for; what failed or was given
//! up has no money, and nothing of it is reserved. So it is with a second and a third payment under the same reference.

mod fate;
mod gateway;

use proptest::prelude::*;
use quittance_core::effect::{Class, Move, Policy, Source, State, Step, Stimulus};
use quittance_core::fact::{Fact, Loss};
use quittance_core::payment::CaptureMethod;
use quittance_core::time::Timestamp;

use super::books::Books;
use fate::{Act, Fate, act, attempt, fate};
use gateway::{Gateway, Sent};

/// Rounds after which a fair network must have let the machine finish.
const ROUNDS_MAX: usize = 900;

struct World {
    gateway: Gateway,
    books: Books,
    on_their_way: Vec<Sent>,
    fates: Vec<Fate>,
    acts: Vec<Act>,
    now: Timestamp,
    /// What the client asked to capture, where that was accepted.
    asked: Vec<i64>,
}

impl World {
    fn object(&self) -> Option<usize> {
        let id = self.books.effect.object_id.as_ref()?;
        Some(id["pi_".len()..].parse().expect("ids of the model"))
    }

    fn fate(&mut self) -> Fate {
        self.fates.pop().unwrap_or(Fate::Answered)
    }

    fn learn(&mut self, source: Source, stimulus: Stimulus) {
        self.books.learn(source, stimulus, self.now);
    }

    /// Sends one request; none when the process crashed and nothing was learned.
    fn send(&mut self, step: Step) -> Option<Fact> {
        self.books.issue(step, self.now);
        let effect = &self.books.effect;
        let amount = effect.capture_amount.unwrap_or(effect.money.amount);
        let (attempt, generation, object) = (self.books.attempt, effect.generation, self.object());
        let mut sent = Sent { step, attempt, generation, object, amount, arrives_by: None, is_rolled_forward: false };
        let by = |span_ms| (step == Step::Capture).then(|| self.now.plus_ms(span_ms));
        let offer = self.books.policy.payments;
        let (quiet_by, error_by) = (by(offer.quiescence_ms), by(offer.quiescence_after_error_ms));
        match self.fate() {
            Fate::Answered => Some(self.gateway.run(&sent)),
            Fate::RunAndLost => {
                self.gateway.run(&sent);
                Some(Fact::Lost(Loss::Timeout))
            }
            Fate::NeverRun => Some(Fact::Lost(Loss::Timeout)),
            Fate::RunsLater => {
                sent.arrives_by = quiet_by;
                self.on_their_way.push(sent);
                Some(Fact::Lost(Loss::Timeout))
            }
            Fate::Throttled => Some(Fact::Throttled { retry_after_ms: None }),
            Fate::Refused => Some(Fact::Refused { code: "bad".into(), is_replayed: false, sighting: None }),
            Fate::StoredErrorRun => {
                self.gateway.run(&sent);
                Some(self.gateway.store_error(&sent))
            }
            Fate::StoredErrorNotRun => Some(self.gateway.store_error(&sent)),
            Fate::StoredErrorRunsLater => {
                let error = self.gateway.store_error(&sent);
                self.on_their_way.push(Sent { arrives_by: error_by, is_rolled_forward: true, ..sent });
                Some(error)
            }
            Fate::NotSent => Some(Fact::NotSent),
            Fate::CrashBefore => None,
            Fate::CrashAfter => {
                self.gateway.run(&sent);
                None
            }
        }
    }

    fn read(&mut self) {
        let at = self.object().expect("only an object is read");
        let fact = match self.fate() {
            Fate::Throttled => Fact::Throttled { retry_after_ms: None },
            Fate::NotSent => Fact::NotSent,
            Fate::NeverRun | Fate::CrashBefore | Fate::StoredErrorNotRun => Fact::Lost(Loss::Timeout),
            _ => Fact::Seen(self.gateway.sighting(at)),
        };
        self.learn(Source::Read, Stimulus::Read(fact));
    }

    fn act(&mut self) {
        match self.acts.pop().unwrap_or(Act::Nothing) {
            Act::Nothing => {}
            Act::LateArrival(which) => self.arrive_late(which),
            Act::Event(which) => self.deliver(which),
            Act::CustomerActs => self.gateway.complete_actions(),
            Act::CustomerActsForAnotherConfirm => self.gateway.complete_actions_for_another_confirm(),
            Act::CustomerFails { has_error } => self.gateway.fail_actions(has_error),
            Act::ProcessingEnds { succeeds } => self.gateway.end_processing(succeeds),
            Act::ClientCaptures { amount } => {
                if self.books.capture(amount, self.now) {
                    self.asked.push(amount);
                }
            }
            Act::ClientCancels => drop(self.books.cancel(self.now)),
            Act::GatewayExpires => self.gateway.expire(),
            Act::Outage { ms } => self.now = self.now.plus_ms(ms),
        }
    }

    /// What cannot take any longer arrives.
    fn arrive_in_time(&mut self) {
        let is_over = |sent: &Sent| sent.arrives_by.is_some_and(|by| by <= self.now);
        let (over, left) = std::mem::take(&mut self.on_their_way).into_iter().partition(is_over);
        self.on_their_way = left;
        let over: Vec<Sent> = over;
        for late in &over {
            self.gateway.run(late);
        }
    }

    fn arrive_late(&mut self, which: usize) {
        if !self.on_their_way.is_empty() {
            let late = self.on_their_way.remove(which % self.on_their_way.len());
            self.gateway.run(&late);
        }
    }

    fn deliver(&mut self, which: usize) {
        if !self.gateway.events.is_empty() {
            let event = self.gateway.events.remove(which % self.gateway.events.len());
            self.learn(Source::Webhook("evt".into()), Stimulus::Observed(event));
        }
    }

    fn round(&mut self) {
        self.act();
        if self.books.effect.state.is_terminal() {
            return;
        }
        let due_at = self.books.effect.due_at.expect("what can be read is always due");
        self.now = due_at.max(self.now.plus_ms(1_000));
        self.arrive_in_time();
        match self.books.plan(self.now) {
            Move::Send(step) => {
                let answer = self.send(step);
                // Anything may happen while a request is under way.
                self.act();
                if let Some(fact) = answer {
                    self.learn(Source::Send, Stimulus::Answered(fact));
                }
            }
            Move::Read => self.read(),
            Move::Find => {
                let found = self.gateway.newest(self.books.attempt);
                self.learn(Source::Find, Stimulus::Found(found));
            }
            Move::Recover => self.books.lose_lease(self.now),
            Move::Rest | Move::AskPerson | Move::SendAfresh(_) => panic!("not of a two-phase payment"),
        }
    }

    /// Brings the payment to its end.
    fn run(&mut self) -> Result<(), TestCaseError> {
        let mut rounds = 0;
        while !self.books.effect.state.is_terminal() {
            self.round();
            rounds += 1;
            if rounds == ROUNDS_MAX / 2 {
                // Whatever the gateway works on comes to its end some day.
                self.gateway.end_processing(true);
            }
            prop_assert!(rounds < ROUNDS_MAX, "never ends: {:?}", self.books.effect);
        }
        Ok(())
    }

    /// Lets everything happen that still can, and compares.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let state = self.books.effect.state;
        prop_assert_ne!(state, State::Review);
        while !self.on_their_way.is_empty() {
            self.arrive_late(0);
        }
        self.gateway.complete_actions();
        self.gateway.end_processing(true);
        while !self.gateway.events.is_empty() {
            self.deliver(0);
        }
        prop_assert_eq!(state, self.books.effect.state, "late events change nothing: {:?}", self.gateway);
        prop_assert!(!self.gateway.is_open(), "money is still reserved: {:?}", self.gateway);
        let expected = match state {
            State::Succeeded => vec![self.books.payment.captured_amount],
            _ => Vec::new(),
        };
        let is_asked = |amount: &i64| !self.gateway.is_manual || self.asked.contains(amount);
        prop_assert!(expected.iter().all(is_asked), "nobody asked for {expected:?}: {:?}", self.asked);
        prop_assert_eq!(self.gateway.received(), expected, "{:?} {:?}", self.books.effect, self.gateway);
        self.books.check().map_err(TestCaseError::fail)
    }
}

const fn method(is_manual: bool) -> CaptureMethod {
    if is_manual { CaptureMethod::Manual } else { CaptureMethod::Automatic }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_and_the_gateway_agree_whatever_happens(
        is_manual in any::<bool>(),
        fates in proptest::collection::vec(fate(), 0..40),
        acts in proptest::collection::vec(act(), 0..60),
        attempts in proptest::collection::vec(attempt(), 0..6),
        captures_take_time in proptest::collection::vec(any::<bool>(), 0..3),
        again in proptest::collection::vec(any::<bool>(), 0..3),
    ) {
        let books = Books::payment(Class::P, method(is_manual), Policy::default());
        let gateway = Gateway::new(is_manual, attempts, captures_take_time);
        let (on_their_way, asked) = (Vec::new(), Vec::new());
        let mut world = World { gateway, books, on_their_way, fates, acts, now: Timestamp(0), asked };
        world.run()?;
        for is_manual in again {
            if world.books.payment.status.frees_reference() {
                world.gateway.is_manual = is_manual;
                world.books.try_again(method(is_manual), world.now);
                world.asked.clear();
                world.run()?;
            }
        }
        world.check()?;
    }
}
