//! The effect machine against a model of a gateway that may do anything a network allows.
//!
//! The model runs each request at once, never, or later: a confirm whose answer was lost may still charge long after
//! the machine has read the object. Whatever happens, at the end the machine's word and the gateway's agree, and no
//! request still on its way can change that.

use proptest::prelude::*;
use quittance_core::currency::Currency;
use quittance_core::effect::{
    Advance, Class, Effect, Identity, Move, Policy, State, Step, Stimulus, Subject, advance, next_move, recover, ticket,
};
use quittance_core::fact::{Decline, Fact, Loss, ObjectKind, ObjectStatus, Sighting};
use quittance_core::id::{CustomerId, EffectId, PaymentId, TenantId};
use quittance_core::money::Money;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Rounds after which a fair network must have let the machine finish.
const ROUNDS_MAX: usize = 400;

/// What happens to one request.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    RunAndLost,
    NeverRun,
    RunsLater,
    Throttled,
    StoredErrorRun,
    StoredErrorNotRun,
    NotSent,
    CrashBefore,
    CrashAfter,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    proptest::collection::vec(
        prop_oneof![
            4 => Just(Fate::Answered),
            1 => Just(Fate::RunAndLost),
            1 => Just(Fate::NeverRun),
            2 => Just(Fate::RunsLater),
            1 => Just(Fate::Throttled),
            1 => Just(Fate::StoredErrorRun),
            1 => Just(Fate::StoredErrorNotRun),
            1 => Just(Fate::NotSent),
            1 => Just(Fate::CrashBefore),
            1 => Just(Fate::CrashAfter),
        ],
        0..40,
    )
}

#[derive(Clone, Debug)]
struct Intent {
    status: ObjectStatus,
    charges: u32,
    attempts: u32,
}

/// A request as the gateway gets it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    step: Step,
    key: (u32, Step),
    object: Option<usize>,
}

#[derive(Debug, Default)]
struct Gateway {
    intents: Vec<Intent>,
    stored: BTreeMap<(u32, Step), Fact>,
    declines: Vec<bool>,
}

fn money() -> Money {
    Money::new(500, Currency::from_code("EUR").expect("known currency"))
}

impl Gateway {
    fn sighting(&self, at: usize) -> Sighting {
        let intent = &self.intents[at];
        let is_paid = intent.status == ObjectStatus::Succeeded;
        Sighting {
            kind: ObjectKind::Payment,
            object_id: format!("pi_{at}"),
            status: intent.status.clone(),
            money: money(),
            received_amount: if is_paid { money().amount } else { 0 },
            latest_charge: (intent.attempts > 0).then(|| format!("ch_{at}_{}", intent.attempts)),
            error_digest: None,
            decline: None,
            payment_method: (intent.status == ObjectStatus::RequiresConfirmation).then(|| "pm".to_owned()),
            effect_id: None,
            next_action: None,
            parent: None,
            reference: None,
            returned: None,
        }
    }

    /// Runs a request, or answers with what is stored under its key.
    fn run(&mut self, sent: &Sent) -> Fact {
        if let Some(stored) = self.stored.get(&sent.key) {
            return stored.clone();
        }
        let fact = match sent.step {
            Step::Create => {
                self.intents.push(Intent { status: ObjectStatus::RequiresConfirmation, charges: 0, attempts: 0 });
                Fact::Seen(self.sighting(self.intents.len() - 1))
            }
            Step::Confirm => self.confirm(sent.object.expect("a confirm names its object")),
            Step::Cancel => self.cancel(sent.object.expect("a cancel names its object")),
            Step::Capture | Step::Execute | Step::Submit => panic!("no such step here: {:?}", sent.step),
        };
        self.stored.insert(sent.key, fact.clone());
        fact
    }

    fn confirm(&mut self, at: usize) -> Fact {
        if matches!(self.intents[at].status, ObjectStatus::Succeeded | ObjectStatus::Canceled) {
            let sighting = Some(self.sighting(at));
            return Fact::Refused { code: "payment_intent_unexpected_state".into(), is_replayed: false, sighting };
        }
        self.intents[at].attempts += 1;
        if self.declines.pop() == Some(true) {
            self.intents[at].status = ObjectStatus::RequiresPaymentMethod;
            let decline = Decline { code: "expired_card".into(), is_retryable: false };
            return Fact::Declined { decline, sighting: Some(self.sighting(at)) };
        }
        self.intents[at].status = ObjectStatus::Succeeded;
        self.intents[at].charges += 1;
        Fact::Seen(self.sighting(at))
    }

    fn cancel(&mut self, at: usize) -> Fact {
        if self.intents[at].status == ObjectStatus::Succeeded {
            let sighting = Some(self.sighting(at));
            return Fact::Refused { code: "payment_intent_unexpected_state".into(), is_replayed: false, sighting };
        }
        self.intents[at].status = ObjectStatus::Canceled;
        Fact::Seen(self.sighting(at))
    }

    fn charges(&self) -> u32 {
        self.intents.iter().map(|intent| intent.charges).sum()
    }
}

struct World {
    gateway: Gateway,
    effect: Effect,
    on_their_way: Vec<Sent>,
    fates: Vec<Fate>,
    now: Timestamp,
}

impl World {
    fn object(&self) -> Option<usize> {
        self.effect.object_id.as_ref().map(|id| id["pi_".len()..].parse().expect("ids of the model"))
    }

    fn fate(&mut self) -> Fate {
        self.fates.pop().unwrap_or(Fate::Answered)
    }

    fn learn(&mut self, stimulus: Stimulus) -> Advance {
        advance(&mut self.effect, stimulus, &Policy::default(), self.now, 3)
    }

    /// Sends one request; none when the process crashed and nothing was learned.
    fn send(&mut self, step: Step) -> Option<Fact> {
        ticket(&mut self.effect, self.now);
        let sent = Sent { step, key: (self.effect.generation, step), object: self.object() };
        match self.fate() {
            Fate::Answered => Some(self.gateway.run(&sent)),
            Fate::RunAndLost => {
                self.gateway.run(&sent);
                Some(Fact::Lost(Loss::Timeout))
            }
            Fate::NeverRun => Some(Fact::Lost(Loss::Timeout)),
            Fate::RunsLater => {
                self.on_their_way.push(sent);
                Some(Fact::Lost(Loss::Timeout))
            }
            Fate::Throttled => Some(Fact::Throttled { retry_after_ms: None }),
            Fate::StoredErrorRun => {
                self.gateway.run(&sent);
                Some(self.store_error(&sent))
            }
            Fate::StoredErrorNotRun => Some(self.store_error(&sent)),
            Fate::NotSent => Some(Fact::NotSent),
            Fate::CrashBefore => None,
            Fate::CrashAfter => {
                self.gateway.run(&sent);
                None
            }
        }
    }

    fn store_error(&mut self, sent: &Sent) -> Fact {
        self.gateway.stored.insert(sent.key, Fact::Lost(Loss::ServerError));
        Fact::Lost(Loss::ServerError)
    }

    fn read(&mut self) -> Stimulus {
        let at = self.object().expect("only an object is read");
        Stimulus::Read(match self.fate() {
            Fate::Answered | Fate::RunAndLost | Fate::RunsLater => Fact::Seen(self.gateway.sighting(at)),
            Fate::Throttled => Fact::Throttled { retry_after_ms: None },
            Fate::NotSent => Fact::NotSent,
            _ => Fact::Lost(Loss::Timeout),
        })
    }

    fn round(&mut self) -> Option<Advance> {
        self.now = self.now.plus_ms(60_000);
        // What was delayed may arrive between any two things the machine does.
        if matches!(self.fates.last(), Some(Fate::RunsLater | Fate::CrashAfter)) && !self.on_their_way.is_empty() {
            let late = self.on_their_way.remove(0);
            self.gateway.run(&late);
        }
        match next_move(&self.effect, &Policy::default(), self.now) {
            Move::Send(step) => self.send(step).map(|fact| self.learn(Stimulus::Answered(fact))),
            Move::Read => {
                let stimulus = self.read();
                Some(self.learn(stimulus))
            }
            Move::Find => {
                // Objects made by a create are inert; adopting the newest or none is equally safe.
                let found = self.gateway.intents.len().checked_sub(1).map(|at| self.gateway.sighting(at));
                Some(self.learn(Stimulus::Found(found)))
            }
            Move::Recover => {
                recover(&mut self.effect, self.now);
                None
            }
            Move::Rest | Move::AskPerson | Move::SendAfresh(_) => panic!("not of a two-phase payment"),
        }
    }
}

fn effect() -> Effect {
    let identity = Identity {
        id: EffectId::from_uuid(Uuid::from_u128(1)),
        book: CustomerId::from_uuid(Uuid::from_u128(2)),
        tenant: TenantId::from_uuid(Uuid::from_u128(3)),
        payment: PaymentId::from_uuid(Uuid::from_u128(4)),
        subject: Subject::Payment,
    };
    Effect::new(identity, Class::P, "model".into(), money(), Timestamp(0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_and_the_gateway_agree_whatever_the_network_does(
        fates in fates(),
        declines in proptest::collection::vec(any::<bool>(), 0..6),
    ) {
        let gateway = Gateway { declines, ..Gateway::default() };
        let mut world = World { gateway, effect: effect(), on_their_way: Vec::new(), fates, now: Timestamp(0) };
        let mut rounds = 0;
        while !world.effect.state.is_terminal() {
            world.round();
            rounds += 1;
            prop_assert!(rounds < ROUNDS_MAX, "never ends: {:?}", world.effect);
        }
        for late in std::mem::take(&mut world.on_their_way) {
            world.gateway.run(&late);
        }
        prop_assert_ne!(world.effect.state, State::Review);
        let expected = u32::from(world.effect.state == State::Succeeded);
        prop_assert_eq!(world.gateway.charges(), expected, "{:?} {:?}", world.effect, world.gateway);
    }
}
