//! Requests that take effect after they were proven absent: the next generation's refusal tells of them.

use crate::brakes::check_sound;
use crate::gateway::Gateway;
use crate::objects::paid;
use crate::world::{World, engine_of, pay, refund};
use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, Request, Response};
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::effect::{Policy, Source, Stimulus, Subject};
use quittance_core::payment::Status;
use quittance_core::refund::{Refund, RefundStatus};
use quittance_engine::submission::{LearnedFact, Plan, Submission};
use std::sync::Arc;

const HOUR_MS: u64 = 3_600_000;

fn newest(world: &World) -> Refund {
    world.all::<Refund>().pop().expect("there is one")
}

fn is_send(world: &World) -> bool {
    matches!(world.jobs[0].plan, Plan::Send(_))
}

/// Answers reads and searches honestly until something is to be sent again, a day later at the earliest.
fn wait_for_another_send(world: &mut World) {
    for _ in 0..100 {
        while !world.jobs.is_empty() {
            if is_send(world) {
                return;
            }
            world.work(Gateway::serve);
        }
        world.now = world.now.plus_ms(HOUR_MS);
        world.poll();
        world.looks.clear();
    }
    panic!("it is not sent again");
}

/// A refund of everything that met an error, was not found for a day, and is about to be sent under a new key.
fn sent_again() -> (World, Request) {
    let mut world = paid();
    world.gateway.others.clear();
    let asked = refund(&world, "r", "r", 1_999);
    world.submit(asked);
    let Plan::Send(first) = world.jobs[0].plan.clone() else { panic!("a send") };
    world.work(Gateway::store_error);
    wait_for_another_send(&mut world);
    world.gateway.forget_keys();
    (world, first)
}

fn pass(world: &mut World, hours: u64) {
    for _ in 0..hours {
        while !world.jobs.is_empty() {
            world.work(Gateway::serve);
        }
        world.now = world.now.plus_ms(HOUR_MS);
        world.poll();
        world.looks.clear();
    }
}

#[test]
fn a_refund_that_is_refused_because_the_first_one_came_late_has_succeeded() {
    let (mut world, first) = sent_again();
    world.gateway.serve(&first);
    world.work(Gateway::serve);
    assert_eq!(newest(&world).status, RefundStatus::Unknown, "a refusal may say that the money has gone");
    pass(&mut world, 1);
    assert_eq!((newest(&world).status, world.gateway.refunds().count()), (RefundStatus::Succeeded, 1));
    assert_eq!((world.payments()[0].refunded_amount, world.payments()[0].refundable_amount()), (1_999, 0));
    check_sound(&world);
}

#[test]
fn a_refund_that_is_refused_for_itself_fails_once_nothing_is_found() {
    let (mut world, _) = sent_again();
    let refuse = |_: &mut Gateway, _: &Request| {
        let body = br#"{"error": {"type": "invalid_request_error", "code": "insufficient_funds"}}"#.to_vec();
        Delivery::Answered(Response { status: 400, headers: Vec::new(), body })
    };
    world.work(refuse);
    assert_eq!(newest(&world).status, RefundStatus::Unknown);
    pass(&mut world, 3);
    let failed = newest(&world);
    assert_eq!((failed.status, failed.failure_code.as_deref()), (RefundStatus::Failed, Some("insufficient_funds")));
    assert_eq!((world.payments()[0].refunding_amount, world.gateway.refunds().count()), (0, 0));
    check_sound(&world);
}

#[test]
fn a_refused_charge_is_searched_for_from_its_first_send_on() {
    let mut world = World::new();
    let stripe = Stripe { flow: Flow::Charges, ..Stripe::default() };
    let payments = stripe.capability(Subject::Payment).expect("it takes payments");
    let policy = Policy { payments, backoff_base_ms: 10, backoff_max_ms: 100, ..Policy::default() };
    world.engine = engine_of(&world.database, 7, Arc::new(stripe), policy);
    world.start();
    world.submit(pay("k", "o").into());
    let (first_sent_at, mut is_refused) = (world.now, false);
    world.work(|_, _| Delivery::Answered(Response { status: 500, headers: Vec::new(), body: b"{}".to_vec() }));
    for _ in 0..100 {
        if world.jobs.is_empty() {
            world.now = world.now.plus_ms(HOUR_MS);
            world.poll();
            continue;
        }
        if is_send(&world) {
            let body = br#"{"error": {"type": "invalid_request_error", "code": "card_gone"}}"#;
            world.work(|_, _| Delivery::Answered(Response { status: 400, headers: Vec::new(), body: body.to_vec() }));
            is_refused = true;
            continue;
        }
        let job = world.jobs.remove(0);
        let Plan::Find(find) = &job.plan else { panic!("{:?}", job.plan) };
        let from = find.created_from.unwrap_or(i64::MIN);
        assert!(!is_refused || from <= first_sent_at.seconds(), "the first one is searched for, too");
        let (source, stimulus) = (Source::Find, Stimulus::Found(None));
        world.submit(Submission::Learned(Box::new(LearnedFact { effect: job.effect, source, stimulus })));
    }
    assert_eq!((is_refused, world.payments()[0].status), (true, Status::Failed));
    check_sound(&world);
}
