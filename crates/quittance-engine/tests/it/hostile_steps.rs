//! Captures, cancels and refunds under a hostile network with crashes at random; then the books, the gateway and every
//! answer agree.

use crate::gateway::Gateway;
use crate::webhooks::event;
use crate::world::{World, command, pay};
use proptest::prelude::*;
use quittance_core::decide::AskRefund;
use quittance_core::effect::Effect;
use quittance_core::id::CommandId;
use quittance_core::idempotency::{Command, Progress};
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_core::refund::{Refund, RefundStatus};
use quittance_engine::submission::{Action, EffectRef, Outcome, Submission};
use quittance_engine::verify::verify;
use quittance_store::records::Entity;
use quittance_store::store::{Reader, Scan};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug)]
enum Event {
    Pay { order: u8, is_manual: bool, is_good: bool },
    Capture { order: usize, amount: Option<i64> },
    Cancel { order: usize },
    Refund { order: usize, amount: Option<i64>, reference: u8 },
    Return { refund: usize, is_told_twice: bool },
    Serve,
    Lose,
    ServeAndLose,
    StoreError,
    Crash,
    Poll,
    Shuffle,
    Later,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let amount = || prop_oneof![Just(None), (1i64..2_500).prop_map(Some)];
    let event = prop_oneof![
        3 => (0u8..6, any::<bool>(), prop::bool::weighted(0.8))
            .prop_map(|(order, is_manual, is_good)| Event::Pay { order, is_manual, is_good }),
        3 => (0usize..8, amount()).prop_map(|(order, amount)| Event::Capture { order, amount }),
        2 => (0usize..8).prop_map(|order| Event::Cancel { order }),
        4 => (0usize..8, amount(), 0u8..3)
            .prop_map(|(order, amount, reference)| Event::Refund { order, amount, reference }),
        1 => (0usize..8, any::<bool>()).prop_map(|(refund, is_told_twice)| Event::Return { refund, is_told_twice }),
        9 => Just(Event::Serve),
        1 => Just(Event::Lose),
        2 => Just(Event::ServeAndLose),
        1 => Just(Event::StoreError),
        1 => Just(Event::Crash),
        3 => Just(Event::Poll),
        1 => Just(Event::Shuffle),
        1 => Just(Event::Later),
    ];
    proptest::collection::vec(event, 1..120)
}

/// The world, and the commands that were accepted and not yet answered.
struct Shop {
    world: World,
    keys: u32,
    accepted: BTreeSet<CommandId>,
}

fn of(payment: &Payment) -> EffectRef {
    EffectRef { book: payment.book, effect: payment.effect, payment: payment.id, epoch: 0 }
}

impl Shop {
    fn key(&mut self) -> String {
        self.keys += 1;
        format!("k{}", self.keys)
    }

    fn submit(&mut self, submission: Submission) {
        if let Outcome::Accepted { command, .. } = self.world.submit(submission) {
            self.accepted.insert(command);
        }
    }

    fn ask(&mut self, order: usize, operation: &'static str, action: impl FnOnce(EffectRef) -> Action) {
        let payments = self.world.payments();
        if let Some(payment) = payments.get(order) {
            let key = self.key();
            self.submit(command(&key, 0, operation, action(of(payment))));
        }
    }

    fn run(&mut self, event: Event) {
        self.world.now = self.world.now.plus_ms(50);
        match event {
            Event::Pay { order, is_manual, is_good } => {
                let mut asked = pay(&self.key(), &format!("order-{order}"));
                if is_manual {
                    asked.capture_method = CaptureMethod::Manual;
                }
                if !is_good {
                    asked.method = "pm_card_chargeDeclined".into();
                }
                self.submit(asked.into());
            }
            Event::Capture { order, amount } => {
                self.ask(order, "POST /v1/payments/{id}/capture", |payment| Action::Capture { payment, amount });
            }
            Event::Cancel { order } => {
                self.ask(order, "POST /v1/payments/{id}/cancel", |payment| Action::Cancel { payment, reason: None });
            }
            Event::Refund { order, amount, reference } => {
                let reference = Some(format!("back-{reference}"));
                let (currency, expected_refunded_amount, reason) = (None, None, None);
                let asked = AskRefund { amount, currency, reference, expected_refunded_amount, reason };
                self.ask(order, "POST /v1/refunds", |payment| Action::Refund { payment, asked });
            }
            Event::Return { refund, is_told_twice } => self.return_refund(refund, is_told_twice),
            Event::Crash => self.world.crash(),
            Event::Poll => self.world.poll(),
            Event::Shuffle => self.world.jobs.reverse(),
            Event::Later => self.world.now = self.world.now.plus_ms(3_600_000),
            _ if self.world.jobs.is_empty() => {}
            Event::Serve => drop(self.world.work(Gateway::serve)),
            Event::Lose => drop(self.world.work(Gateway::lose)),
            Event::ServeAndLose => drop(self.world.work(Gateway::serve_and_lose)),
            Event::StoreError => drop(self.world.work(Gateway::store_error)),
        }
    }

    /// A refund that had succeeded is sent back, and events tell of it, under one name or under two.
    fn return_refund(&mut self, at: usize, is_told_twice: bool) {
        let Some(known) = self.world.gateway.others.get(at).filter(|refund| refund["status"] == "succeeded") else {
            return;
        };
        let mut unnamed = known.clone();
        unnamed["status"] = "failed".into();
        let returned = self.world.gateway.return_refund(at);
        if is_told_twice {
            self.world.submit(event(&format!("evt_{}_a", self.keys), "refund.updated", &unnamed));
        }
        self.keys += 1;
        self.world.submit(event(&format!("evt_{}_b", self.keys), "refund.failed", &returned));
    }

    fn rows<E: Entity>(&self) -> Vec<E> {
        let mut reader = self.world.database.reader();
        let rows = reader.scan(&Scan::forward(E::table(), Vec::new(), 10_000)).expect("readable");
        rows.iter().map(|row| E::from_row(row).expect("sound")).collect()
    }

    /// Works honestly until nothing is under way. What waits for its capture is given up in time.
    fn settle(&mut self) {
        for _ in 0..5_000 {
            while !self.world.jobs.is_empty() {
                self.world.work(Gateway::serve);
            }
            let mut open = self.rows::<Effect>();
            open.retain(|effect| !effect.state.is_terminal());
            // Nothing changes at this gateway while somebody is waited for, so that time passes to the end of the wait.
            let next = |effect: &Effect| effect.expiry.map(|expiry| expiry.at).or(effect.due_at).expect("open and due");
            let Some(due_at) = open.iter().map(next).min() else {
                // What events told of the ended is looked at; that opens nothing again.
                self.world.pass_hours(1);
                return;
            };
            self.world.now = due_at.max(self.world.now.plus_ms(1));
            self.world.poll();
        }
        panic!("effects stay open: {:?}", self.rows::<Effect>());
    }

    fn check(&mut self) {
        let world = &self.world;
        let payments = world.payments();
        for payment in &payments {
            assert!(payment.status.is_terminal(), "{payment:?}");
            let object = payment.gateway_object.as_deref().unwrap_or_default();
            let at_gateway = world.gateway.intents.iter().find(|intent| intent["id"] == object);
            let received = at_gateway.and_then(|intent| intent["amount_received"].as_i64()).unwrap_or(0);
            if payment.status == Status::Succeeded {
                assert_eq!(payment.captured_amount, received, "{payment:?}");
                assert_eq!(payment.refunded_amount, world.gateway.given_back(object), "{payment:?}");
            }
            assert_eq!(payment.refunding_amount, 0, "{payment:?}");
        }
        let received: i64 = world.gateway.intents.iter().filter_map(|intent| intent["amount_received"].as_i64()).sum();
        assert_eq!(payments.iter().map(|payment| payment.captured_amount).sum::<i64>(), received, "paid once");
        for refund in self.rows::<Refund>() {
            let effect = refund.effect.to_string();
            let made = world.gateway.refunds().filter(|made| made["metadata"]["effect_id"] == effect.as_str());
            let kept = made.filter(|made| made["status"] == "succeeded").count();
            assert_eq!(kept, usize::from(refund.status == RefundStatus::Succeeded), "{refund:?}");
        }
        let unanswered: Vec<_> = self.accepted.iter().filter(|command| !self.is_answered(**command)).collect();
        assert!(unanswered.is_empty(), "{unanswered:?}");
        let report = verify(&mut self.world.database.reader(), &mut |_| {}).expect("readable");
        assert!(report.is_sound(), "{report:?}");
    }

    fn is_answered(&self, id: CommandId) -> bool {
        let commands = self.rows::<Command>();
        let command = commands.iter().find(|command| command.id == id).expect("accepted");
        command.progress != Progress::InProgress
    }
}

fn check(events: Vec<Event>) {
    let mut shop = Shop { world: World::new(), keys: 0, accepted: BTreeSet::new() };
    (shop.world.gateway.refund_statuses, shop.world.gateway.refunds_settle) = (&["succeeded", "pending"], true);
    for event in events {
        shop.run(event);
    }
    shop.settle();
    shop.check();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_money_moves_as_it_was_asked_to(events in events()) {
        check(events);
    }
}
