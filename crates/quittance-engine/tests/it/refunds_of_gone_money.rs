//! Refunds that were accepted, not sent, and whose money a dispute took meanwhile: they are not sent any more.

use crate::approvals::{CLIENT, CONTROLLER, approve_effect, by, parking};
use crate::brakes::check_sound;
use crate::gateway::Gateway;
use crate::objects::paid;
use crate::webhooks::event;
use crate::world::{World, pay, refund};
use quittance_connectors::message::{Delivery, Request, Response};
use quittance_core::decide::Approval;
use quittance_core::idempotency::Progress;
use quittance_core::refund::{Refund, RefundStatus};
use quittance_engine::submission::{EffectRef, Outcome};

/// The gateway withdraws so much of the newest payment, and tells.
fn withdraw(world: &mut World, amount: i64) {
    world.gateway.dispute("needs_response");
    world.gateway.move_disputed("txn_1", -amount, 1_500);
    let object = world.gateway.disputes[0].clone();
    world.submit(event("evt_1", "charge.dispute.created", &object));
    world.poll();
    while !world.looks.is_empty() {
        world.look(Gateway::serve);
    }
    assert_eq!(world.payments()[0].disputed_amount, amount);
}

fn effect_of(refund: &Refund) -> EffectRef {
    EffectRef { book: refund.book, effect: refund.effect, payment: refund.payment, epoch: 0 }
}

fn newest(world: &World) -> Refund {
    world.all::<Refund>().pop().expect("there is one")
}

/// A refund of so much that waits for approval while so much of its payment is withdrawn.
fn parked_and_withdrawn(amount: i64, withdrawn: i64) -> World {
    let mut world = parking();
    world.submit(pay("k", "o").into());
    world.settle();
    let asked = by(CLIENT, refund(&world, "r", "r", amount));
    assert!(matches!(world.submit(asked), Outcome::OverLimit { parked: Some(_), .. }));
    withdraw(&mut world, withdrawn);
    world
}

fn approve(world: &mut World, key: &str, approval: Approval) -> Outcome {
    let effect = effect_of(&newest(world));
    world.submit(approve_effect(effect, key, CONTROLLER, approval))
}

#[test]
fn a_parked_refund_is_not_approved_once_its_money_is_gone() {
    let mut world = parked_and_withdrawn(1_999, 1_999);
    let outcome = approve(&mut world, "a", Approval::Approved);
    assert!(matches!(outcome, Outcome::Answered { ref body, .. } if body == b"refund-too-large"), "{outcome:?}");
    let held = newest(&world);
    assert_eq!((held.status, held.parked_by.is_some()), (RefundStatus::Review, true), "it waits as before");
    world.poll();
    assert!(world.jobs.is_empty() && world.gateway.others.is_empty(), "nothing is sent");
    let outcome = approve(&mut world, "b", Approval::Refused);
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    assert_eq!((newest(&world).status, world.payments()[0].refunding_amount), (RefundStatus::Canceled, 0));
    check_sound(&world);
}

#[test]
fn a_parked_refund_is_approved_while_its_money_is_there() {
    let mut world = parked_and_withdrawn(1_000, 999);
    let outcome = approve(&mut world, "a", Approval::Approved);
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    world.poll();
    world.work_all();
    assert_eq!((newest(&world).status, world.payments()[0].refunded_amount), (RefundStatus::Succeeded, 1_000));
    check_sound(&world);
}

#[test]
fn a_parked_refund_is_approved_once_its_money_came_back() {
    let mut world = parked_and_withdrawn(1_999, 1_999);
    world.gateway.move_disputed("txn_2", 1_999, 0);
    world.gateway.disputes[0]["status"] = "won".into();
    let object = world.gateway.disputes[0].clone();
    world.submit(event("evt_2", "charge.dispute.funds_reinstated", &object));
    world.look_around();
    let outcome = approve(&mut world, "a", Approval::Approved);
    assert!(matches!(outcome, Outcome::Answered { status: 200, .. }), "{outcome:?}");
    check_sound(&world);
}

/// A refund of everything whose first send was answered like this; then the gateway withdraws so much.
fn sent_and_withdrawn(deliver: impl Fn(&mut Gateway, &Request) -> Delivery, withdrawn: i64) -> World {
    let mut world = paid();
    world.gateway.others.clear();
    let asked = refund(&world, "r", "r", 1_999);
    assert!(matches!(world.submit(asked), Outcome::Accepted { .. }));
    world.work(deliver);
    withdraw(&mut world, withdrawn);
    world
}

/// Works honestly for so many hours.
fn pass(world: &mut World, hours: u64) {
    for _ in 0..hours {
        world.now = world.now.plus_ms(3_600_000);
        world.poll();
        while !world.jobs.is_empty() {
            world.work(Gateway::serve);
        }
        world.looks.clear();
    }
}

fn check_failed_unsent(world: &mut World) {
    let failed = newest(world);
    assert_eq!((failed.status, failed.failure_code.as_deref()), (RefundStatus::Failed, Some("too_little_left")));
    assert_eq!((world.payments()[0].refunding_amount, world.gateway.others.len()), (0, 0));
    let again = refund(world, "r", "r", 1_999);
    let Outcome::Replayed(command) = world.submit(again) else { panic!("the client is answered") };
    let Progress::Completed { body, .. } = command.progress else { panic!("{command:?}") };
    assert!(String::from_utf8_lossy(&body).ends_with("failed"));
    check_sound(world);
}

#[test]
fn a_refund_that_was_held_back_while_its_money_went_is_never_sent() {
    let throttled = |_: &mut Gateway, _: &Request| {
        Delivery::Answered(Response { status: 429, headers: Vec::new(), body: br#"{"error": {}}"#.to_vec() })
    };
    let mut world = sent_and_withdrawn(throttled, 1);
    pass(&mut world, 1);
    check_failed_unsent(&mut world);
}

#[test]
fn a_refund_that_was_proven_absent_after_its_money_went_is_not_sent_again() {
    let mut world = sent_and_withdrawn(Gateway::store_error, 1);
    assert_eq!(newest(&world).status, RefundStatus::Unknown, "what may have gone back is found out first");
    pass(&mut world, 72);
    check_failed_unsent(&mut world);
}
