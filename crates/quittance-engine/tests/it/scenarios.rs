//! What went wrong elsewhere, and has to end right here. Each test is named after its scenario in `docs/scenarios.md`,
//! which says what happened, to whom, and where the tests of the others are.

use crate::gateway::Gateway;
use crate::review::check_sound;
use crate::webhooks::event;
use crate::world::{World, capture, learned, pay, refund};
use quittance_core::payment::{CaptureMethod, Status};
use quittance_engine::submission::{Outcome, Submission};

/// The words of an answer that was given at once.
fn answer(outcome: &Outcome) -> (u16, String) {
    match outcome {
        Outcome::Answered { status, body, .. } => (*status, String::from_utf8_lossy(body).into_owned()),
        Outcome::Replayed(command) => match &command.progress {
            quittance_core::idempotency::Progress::Completed { status, body, .. } => {
                (*status, String::from_utf8_lossy(body).into_owned())
            }
            other => panic!("no answer: {other:?}"),
        },
        other => panic!("no answer: {other:?}"),
    }
}

fn refused(outcome: &Outcome, code: &str) {
    assert_eq!(answer(outcome).1, code, "{outcome:?}");
}

/// A world with one payment of 1999 that succeeded.
fn paid() -> World {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.settle();
    world
}

#[test]
fn billing_01_two_ways_to_pay_one_invoice() {
    let mut world = World::new();
    world.submit(pay("checkout", "invoice-1").into());
    let other = world.submit(pay("auto-charge", "invoice-1").into());
    refused(&other, "duplicate-intent");
    world.settle();
    refused(&world.submit(pay("auto-charge-later", "invoice-1").into()), "duplicate-intent");
    assert_eq!(world.gateway.charged().len(), 1);
    check_sound(&mut world);
}

#[test]
fn billing_03_an_event_delivered_again_and_again() {
    let mut world = paid();
    let intent = world.gateway.intents[0].clone();
    let deliveries = (0..5).map(|_| event("evt_1", "payment_intent.succeeded", &intent)).collect();
    let outcomes = world.submit_all(deliveries);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Duplicate)).count(), 4, "{outcomes:?}");
    world.submit(event("evt_2", "payment_intent.succeeded", &intent));
    assert_eq!(world.payments()[0].captured_amount, 1_999);
    check_sound(&mut world);
}

#[test]
fn billing_04_two_workers_settle_one_payment() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    let slow = world.jobs.remove(0);
    // The lease ends; another worker reads the object and settles the payment; then the first comes back.
    world.now = world.now.plus_ms(60_000);
    world.gateway.serve(match &slow.plan {
        quittance_engine::submission::Plan::Send(request) => request,
        other => panic!("a confirm is sent, not {other:?}"),
    });
    world.poll();
    world.work_all();
    assert_eq!(world.payments()[0].status, Status::Succeeded);
    let late = learned(&mut world.gateway, slow, Gateway::serve);
    assert!(matches!(world.submit(Submission::Learned(Box::new(late))), Outcome::Fenced));
    assert_eq!(world.gateway.charged().len(), 1);
    check_sound(&mut world);
}

#[test]
fn billing_07_unknown_then_second_payment() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    world.work(Gateway::serve_and_lose);
    assert_eq!(world.payments()[0].status, Status::Unknown);
    refused(&world.submit(pay("again", "o").into()), "duplicate-intent");
    world.settle();
    assert_eq!((world.payments()[0].status, world.gateway.charged().len()), (Status::Succeeded, 1));
    check_sound(&mut world);
}

#[test]
fn billing_08_crash_before_the_callback() {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    // The money is taken, and the process dies with the answer in its hands.
    let job = world.jobs.remove(0);
    let _ = learned(&mut world.gateway, job, Gateway::serve);
    world.crash();
    assert!(matches!(world.submit(pay("k", "o").into()), Outcome::Joined { .. }));
    refused(&world.submit(pay("by-hand", "o").into()), "duplicate-intent");
    world.settle();
    assert_eq!((world.payments()[0].status, world.gateway.charged().len()), (Status::Succeeded, 1));
    check_sound(&mut world);
}

#[test]
fn billing_09_refund_pending_then_success() {
    let mut world = paid();
    world.gateway.refund_statuses = &["pending"];
    let asked = refund(&world, "r", "r", 500);
    world.submit(asked);
    world.work_all();
    let seen = world.payments().remove(0);
    assert_eq!((seen.refunded_amount, seen.refunding_amount), (0, 500));
    world.gateway.others[0]["status"] = "succeeded".into();
    let changed = world.gateway.others[0].clone();
    world.submit(event("evt_1", "refund.updated", &changed));
    world.now = world.now.plus_ms(60_000);
    world.poll();
    world.work_all();
    let seen = world.payments().remove(0);
    assert_eq!((seen.refunded_amount, seen.refunding_amount), (500, 0));
    check_sound(&mut world);
}

#[test]
fn billing_42_six_debits_in_flight() {
    let mut world = World::new();
    let mut large = pay("k", "o");
    large.amount = 5_000;
    world.submit(large.into());
    world.settle();
    let debits = (0..6).map(|number| refund(&world, &format!("r{number}"), &format!("r{number}"), 1_000)).collect();
    let outcomes = world.submit_all(debits);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Accepted { .. })).count(), 5);
    refused(&outcomes[5], "refund-too-large");
    world.work_all();
    assert_eq!((world.payments()[0].refunded_amount, world.gateway.refunds().count()), (5_000, 5));
    check_sound(&mut world);
}

#[test]
fn billing_43_commit_of_what_was_rejected() {
    let mut world = World::new();
    let mut declining = pay("k", "o");
    declining.method = "pm_card_chargeDeclined".into();
    declining.capture_method = CaptureMethod::Manual;
    world.submit(declining.into());
    world.settle();
    let asked = capture(&world, "c", None);
    refused(&world.submit(asked), "not-capturable");
    let asked = refund(&world, "r", "r", 1);
    refused(&world.submit(asked), "not-refundable");
    check_sound(&mut world);
}

#[test]
fn billing_45_fifty_at_once_and_one_key_twice_in_a_batch() {
    let mut world = World::new();
    let same = || Submission::from(pay("k", "o"));
    let mut batch = vec![same(), same()];
    batch.extend((0..50).map(|number| pay(&format!("k{number}"), &format!("o{number}")).into()));
    let outcomes = world.submit_all(batch);
    assert!(matches!(outcomes[0], Outcome::Accepted { .. }), "{:?}", outcomes[0]);
    assert!(matches!(outcomes[1], Outcome::Joined { .. }), "{:?}", outcomes[1]);
    assert!(outcomes[2..].iter().all(|outcome| matches!(outcome, Outcome::Accepted { .. })));
    world.settle();
    assert_eq!(world.gateway.charged().len(), 51);
    check_sound(&mut world);
}

#[test]
fn billing_48_a_refusal_stays_a_refusal() {
    let mut world = paid();
    let first = refund(&world, "a", "a", 1_999);
    world.submit(first);
    let asked = refund(&world, "b", "b", 500);
    refused(&world.submit(asked.clone()), "refund-too-large");
    // The first one fails at the bank, so that there is money again: the same key hears the same.
    world.gateway.refund_statuses = &["failed"];
    world.work_all();
    assert_eq!(world.payments()[0].refundable_amount(), 1_999);
    refused(&world.submit(asked), "refund-too-large");
    let anew = refund(&world, "c", "b", 500);
    assert!(matches!(world.submit(anew), Outcome::Accepted { .. }));
    check_sound(&mut world);
}

#[test]
fn sync_37_an_event_about_what_is_gone_is_acknowledged() {
    let mut world = paid();
    let mut gone = world.gateway.intents[0].clone();
    gone["id"] = "pi_gone".into();
    gone["metadata"] = serde_json::json!({});
    assert!(!matches!(world.submit(event("evt_1", "payment_intent.canceled", &gone)), Outcome::Failed(_)));
    check_sound(&mut world);
}

#[test]
fn sync_43_concurrent_partial_refunds() {
    let mut world = World::new();
    let mut hundred = pay("k", "o");
    hundred.amount = 100;
    world.submit(hundred.into());
    world.settle();
    let both = vec![refund(&world, "a", "a", 60), refund(&world, "b", "b", 60)];
    let outcomes = world.submit_all(both);
    assert!(matches!(outcomes[0], Outcome::Accepted { .. }));
    refused(&outcomes[1], "refund-too-large");
    world.work_all();
    assert_eq!(world.gateway.refunds().count(), 1);
    check_sound(&mut world);
}

#[test]
fn sync_44_a_capture_that_times_out_is_not_taken_twice() {
    let mut world = World::new();
    let mut held = pay("k", "o");
    held.capture_method = CaptureMethod::Manual;
    world.submit(held.into());
    world.work_all();
    assert_eq!(world.payments()[0].status, Status::RequiresCapture);
    let asked = capture(&world, "c", Some(1_500));
    world.submit(asked);
    world.work(Gateway::serve_and_lose);
    assert_eq!(world.payments()[0].status, Status::Unknown);
    world.settle();
    let seen = world.payments().remove(0);
    assert_eq!((seen.status, seen.captured_amount), (Status::Succeeded, 1_500));
    let captures = world.gateway.seen.iter().filter(|(_, bytes)| String::from_utf8_lossy(bytes).contains("/capture"));
    assert_eq!(captures.count(), 1, "the object was read, not captured again");
    check_sound(&mut world);
}

#[test]
fn sync_49_a_refund_counts_once() {
    let mut world = paid();
    let asked = refund(&world, "r", "r", 500);
    world.submit(asked.clone());
    world.work(Gateway::serve_and_lose);
    world.crash();
    world.now = world.now.plus_ms(60_000);
    for _ in 0..3 {
        world.poll();
        world.work_all();
        world.now = world.now.plus_ms(1_000);
    }
    assert_eq!(answer(&world.submit(asked)).0, 201);
    let changed = world.gateway.others[0].clone();
    world.submit(event("evt_1", "refund.updated", &changed));
    world.submit(event("evt_2", "charge.refund.updated", &changed));
    assert_eq!((world.payments()[0].refunded_amount, world.gateway.refunds().count()), (500, 1));
    check_sound(&mut world);
}
