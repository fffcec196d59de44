//! Refunds that go through after they had failed: booked by themselves and once, whoever tells of it and how often.

mod by_person;

use crate::gateway::Gateway;
use crate::objects::paid;
use crate::review::check_sound;
use crate::webhooks::event;
use crate::world::{World, command, refund as ask};
use quittance_connectors::message::{Delivery, Request, Response};
use quittance_core::decide::Resolution;
use quittance_core::effect::PersonsWord;
use quittance_core::idempotency::{Command, Progress};
use quittance_core::refund::{Refund, RefundStatus};
use quittance_engine::submission::{Action, EffectRef, Outcome, Submission};
use quittance_engine::trace::trace;
use quittance_store::records::{BookedMovement, DiscrepancyKind, JournalEntry, ObjectState};
use serde_json::{Value, json};

/// A refund of that much of a payment of 1999, whose object `re_2` has failed.
fn failed(amount: i64) -> World {
    let mut world = paid();
    world.gateway.refund_statuses = &["failed"];
    let asked = ask(&world, "r1", "back", amount);
    world.submit(asked);
    world.work(Gateway::serve);
    world.gateway.refund_statuses = &["succeeded"];
    assert_eq!((refund(&world).status, gone(&world)), (RefundStatus::Failed, (0, 0)));
    world
}

/// The oldest refund.
fn refund(world: &World) -> Refund {
    world.all::<Refund>().into_iter().min_by_key(|refund| refund.id).expect("there is one")
}

fn gone(world: &World) -> (i64, i64) {
    let payment = world.payments().remove(0);
    (payment.refunded_amount, payment.refunding_amount)
}

fn object(world: &mut World) -> &mut Value {
    world.gateway.others.iter_mut().find(|object| object["id"] == "re_2").expect("it is there")
}

/// The gateway shows the refund in this status from now on; gives its object.
fn show(world: &mut World, status: &str) -> Value {
    let object = object(world);
    object["status"] = status.into();
    object.clone()
}

/// The same after its bank sent the money back.
fn send_back(world: &mut World) -> Value {
    object(world)["failure_balance_transaction"] = "txn_back".into();
    show(world, "failed")
}

fn movements(world: &World) -> Vec<String> {
    world.all::<BookedMovement>().into_iter().map(|booked| booked.movement).collect()
}

fn paid_once(world: &World) -> Vec<String> {
    vec![format!("paid:{}", refund(world).effect)]
}

fn decide(world: &World, key: &str, resolution: Resolution) -> Submission {
    let Refund { book, effect, payment, .. } = refund(world);
    let effect = EffectRef { book, effect, payment, epoch: 0 };
    let word = PersonsWord { by: "key_1".into(), evidence: "statement 7".into(), reason: "seen at the bank".into() };
    command(key, 0, "POST /v1/effects/{id}/resolve", Action::Resolve { effect, resolution, word })
}

#[test]
fn everybody_tells_of_it_and_it_is_booked_once() {
    let mut world = failed(700);
    let answer = world.answers[&refund(&world).command].clone();
    let shown = show(&mut world, "succeeded");
    world.submit_all(vec![
        event("evt_1", "refund.updated", &shown),
        event("evt_1", "refund.updated", &shown),
        event("evt_2", "charge.refund.updated", &shown),
    ]);
    assert_eq!(refund(&world).status, RefundStatus::Failed, "an event is a hint");
    assert_eq!(world.look_around(), 1);
    let records = world.all::<JournalEntry>().len();
    assert_eq!((refund(&world).status, gone(&world)), (RefundStatus::Succeeded, (700, 0)));
    assert_eq!(refund(&world).failure_code, None);
    assert_eq!(movements(&world), paid_once(&world));
    assert_eq!(world.alarms, ["a refund that had failed gave money back after all"]);
    world.pass_hours(24 * 3);
    assert_eq!(world.all::<JournalEntry>().len(), records, "looks that teach nothing leave no records");
    world.submit(event("evt_3", "refund.updated", &shown));
    world.look_around();
    let decision = decide(&world, "d1", Resolution::Succeeded);
    let refused = world.submit(decision);
    assert!(matches!(&refused, Outcome::Answered { body, .. } if body == b"not-in-review"), "{refused:?}");
    assert_eq!((movements(&world), gone(&world), world.open()), (paid_once(&world), (700, 0), vec![]));
    let command = world.all::<Command>().into_iter().find(|command| command.id == refund(&world).command);
    let Some(Progress::Completed { body, .. }) = command.map(|command| command.progress) else { panic!("answered") };
    assert_eq!(String::from_utf8_lossy(&body), answer.1, "the answer that was given stands");
    check_sound(&mut world);
}

#[test]
fn the_trace_tells_of_it() {
    let mut world = failed(700);
    let shown = show(&mut world, "succeeded");
    world.submit(event("evt_1", "refund.updated", &shown));
    world.look_around();
    let id = refund(&world).id.to_string();
    let traced = trace(&mut world.database.reader(), None, &id).expect("readable").expect("known");
    let lines: Vec<String> = traced.lines().map(|(_, line)| format!("{} {:?}", line.event, line.details)).collect();
    let corrected = lines.iter().find(|line| line.starts_with("corrected")).unwrap_or_else(|| panic!("{lines:?}"));
    for expected in ["refund_paid", "sweep", "seen:succeeded", &paid_once(&world)[0]] {
        assert!(corrected.contains(expected), "{corrected}");
    }
    assert!(lines.iter().any(|line| line.starts_with("webhook_received")), "{lines:?}");
}

#[test]
fn a_look_that_nobody_asked_for_finds_it_though_every_event_was_lost() {
    let mut world = failed(700);
    world.pass_hours(24 * 10);
    show(&mut world, "succeeded");
    world.pass_hours(25);
    assert_eq!((refund(&world).status, gone(&world)), (RefundStatus::Succeeded, (700, 0)));
    assert_eq!(movements(&world), paid_once(&world));
    check_sound(&mut world);
}

#[test]
fn an_old_event_and_a_slow_look_book_nothing() {
    let mut world = failed(700);
    let before = show(&mut world, "succeeded");
    show(&mut world, "failed");
    world.submit(event("evt_old", "refund.created", &before));
    world.look_around();
    assert_eq!((refund(&world).status, movements(&world).len()), (RefundStatus::Failed, 0), "what is read counts");
    world.submit(event("evt_2", "refund.created", &before));
    world.poll();
    show(&mut world, "succeeded");
    let look = world.looks.remove(0);
    let slow = crate::world::shown(&mut world.gateway, look, Gateway::serve);
    show(&mut world, "failed");
    world.crash();
    world.now = world.now.plus_ms(31_000);
    world.look_around();
    let outcome = world.submit(Submission::Looked(Box::new(slow)));
    assert!(matches!(outcome, Outcome::Fenced), "{outcome:?}");
    assert_eq!((refund(&world).status, movements(&world).len()), (RefundStatus::Failed, 0));
    check_sound(&mut world);
}

#[test]
fn it_may_come_back_after_all_and_whatever_follows_is_for_a_person() {
    let mut world = failed(700);
    for (status, expected) in [("succeeded", 700), ("failed", 0), ("succeeded", 0), ("failed", 0)] {
        let shown = if status == "failed" { send_back(&mut world) } else { show(&mut world, status) };
        object(&mut world)["failure_balance_transaction"] = match status {
            "failed" => "txn_back".into(),
            _ => Value::Null,
        };
        world.submit(event(&format!("evt_{}", world.records()), "refund.updated", &shown));
        world.look_around();
        assert_eq!(gone(&world), (expected, 0));
        world.pass_hours(25);
        assert_eq!(gone(&world), (expected, 0));
        let is_unbooked = status == "succeeded" && expected == 0;
        let open = is_unbooked.then(|| (DiscrepancyKind::RefundNotBooked, "re_2".to_owned()));
        assert_eq!(world.open(), Vec::from_iter(open));
    }
    let mut booked = movements(&world);
    booked.sort();
    assert_eq!(booked, [paid_once(&world).remove(0), "txn_back".to_owned()]);
    assert_eq!((refund(&world).status, refund(&world).failure_code), (RefundStatus::Failed, Some("returned".into())));
    check_sound(&mut world);
}

#[test]
fn with_others_made_meanwhile_the_sum_is_above_what_came_and_that_is_told() {
    let mut world = failed(1_500);
    let second = ask(&world, "r2", "back", 1_500);
    world.submit(second);
    world.work(Gateway::serve);
    assert_eq!(gone(&world), (1_500, 0));
    let shown = show(&mut world, "succeeded");
    world.submit(event("evt_1", "refund.updated", &shown));
    world.look_around();
    assert_eq!(gone(&world), (3_000, 0), "the books say what happened");
    assert_eq!(world.payments()[0].refundable_amount(), 0);
    assert_eq!(world.open(), [(DiscrepancyKind::RefundedTooMuch, "re_2".to_owned())]);
    assert!(world.alarms[0].contains("more was given back than came"), "{:?}", world.alarms);
    world.pass_hours(25);
    assert_eq!(world.alarms.len(), 1, "told once");
    check_sound(&mut world);
    // The second comes back. Its reference is not free, for the first gave the money back.
    world.gateway.return_refund(2);
    world.pass_hours(50);
    assert_eq!((gone(&world), world.open()), ((1_500, 0), vec![]));
    let third = ask(&world, "r3", "back", 100);
    let refused = world.submit(third);
    assert!(matches!(&refused, Outcome::Answered { body, .. } if body == b"duplicate-refund"), "{refused:?}");
    check_sound(&mut world);
}

/// The refund is carried out, and the gateway says that it refused it.
fn refuse(gateway: &mut Gateway, request: &Request) -> Delivery {
    gateway.serve(request);
    let body = json!({"error": {"type": "invalid_request_error", "code": "charge_disputed"}}).to_string().into_bytes();
    Delivery::Answered(Response { status: 400, headers: Vec::new(), body })
}

#[test]
fn an_object_of_a_refused_refund_that_shows_up_is_its_own() {
    for is_heard_of in [true, false] {
        let mut world = paid();
        let asked = ask(&world, "r1", "back", 700);
        world.submit(asked);
        world.work(refuse);
        assert_eq!((refund(&world).status, refund(&world).gateway_object), (RefundStatus::Failed, None));
        let shown = object(&mut world).clone();
        if is_heard_of {
            let pending = show(&mut world, "pending");
            world.submit(event("evt_0", "refund.created", &pending));
            world.look_around();
            assert_eq!(world.open(), [(DiscrepancyKind::DuplicateCharge, "re_2".to_owned())], "nothing is guessed");
        }
        show(&mut world, "succeeded");
        world.submit(event("evt_1", "refund.updated", &shown));
        world.look_around();
        assert_eq!((refund(&world).status, gone(&world)), (RefundStatus::Succeeded, (700, 0)));
        assert_eq!(refund(&world).gateway_object.as_deref(), Some("re_2"));
        assert_eq!((world.object("re_2").state, world.open()), (ObjectState::Ours, vec![]));
        world.pass_hours(30);
        assert_eq!(movements(&world), paid_once(&world));
        check_sound(&mut world);
    }
}
