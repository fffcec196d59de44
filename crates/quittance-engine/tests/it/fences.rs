//! What an attempt leaves at the gateway: the next one under its reference uses it, or cancels it first.

use crate::approvals::{CONTROLLER, large, parking, say};
use crate::brakes::check_sound;
use crate::gateway::Gateway;
use crate::world::{Pay, World, decide, pay};
use quittance_connectors::message::{Delivery, Request, Response};
use quittance_core::decide::{Approval, Resolution};
use quittance_core::effect::{Effect, Step};
use quittance_core::payment::Status;
use quittance_engine::submission::Outcome;
use serde_json::Value;

fn declining(key: &str) -> Pay {
    Pay { method: "pm_card_chargeDeclined".into(), ..pay(key, "o") }
}

fn statuses(world: &World) -> Vec<Status> {
    world.payments().iter().map(|payment| payment.status).collect()
}

/// How the gateway's intents stand, the oldest first.
fn intents(world: &World) -> Vec<&str> {
    world.gateway.intents.iter().map(|intent| intent["status"].as_str().unwrap_or_default()).collect()
}

/// An attempt that was declined, and another one of more money that a brake parked and a person refused.
fn refused_to_replace() -> World {
    let mut world = parking();
    world.submit(declining("k1").into());
    world.settle();
    world.submit(large("k2", "o"));
    let refusal = say(&world, "a", CONTROLLER, Approval::Refused);
    world.submit(refusal);
    assert_eq!(
        (statuses(&world), intents(&world)),
        (vec![Status::Failed, Status::Canceled], vec!["requires_payment_method"])
    );
    world
}

#[test]
fn an_object_that_was_never_canceled_is_not_taken_for_fenced() {
    let mut world = refused_to_replace();
    world.submit(pay("k3", "o").into());
    world.settle();
    assert_eq!(statuses(&world).pop(), Some(Status::Succeeded));
    assert_eq!(intents(&world), ["canceled", "succeeded"], "one live object of the reference");
    check_sound(&world);
}

#[test]
fn what_is_to_be_fenced_stays_so_through_any_number_of_attempts_that_send_nothing() {
    let mut world = refused_to_replace();
    world.submit(large("k3", "o"));
    let refusal = say(&world, "b", CONTROLLER, Approval::Refused);
    world.submit(refusal);
    world.submit(pay("k4", "o").into());
    world.settle();
    assert_eq!(intents(&world), ["canceled", "succeeded"]);
    check_sound(&world);
}

/// An attempt whose confirm was lost, whose object was then to be canceled, and whose cancel went to a person.
fn cancel_in_review() -> World {
    let mut world = World::new();
    world.submit(declining("k1").into());
    world.work(Gateway::serve);
    world.work(Gateway::lose);
    let intent = &mut world.gateway.intents[0];
    intent["status"] = "requires_payment_method".into();
    (intent["payment_method"], intent["latest_charge"]) = (Value::Null, "ch_x".into());
    world.work(Gateway::serve);
    assert_eq!(world.all::<Effect>()[0].step, Step::Cancel);
    let mismatch = |_: &mut Gateway, _: &Request| {
        let body = br#"{"error":{"type":"idempotency_error"}}"#.to_vec();
        Delivery::Answered(Response { status: 400, headers: Vec::new(), body })
    };
    world.work(mismatch);
    assert_eq!(statuses(&world), [Status::Review]);
    let word = decide(&world, "d", Resolution::Failed);
    world.submit(word);
    world
}

#[test]
fn what_a_person_said_failed_is_canceled_before_another_attempt() {
    let mut world = cancel_in_review();
    world.submit(pay("k2", "o").into());
    world.settle();
    assert_eq!(
        (statuses(&world), intents(&world)),
        (vec![Status::Failed, Status::Succeeded], vec!["canceled", "succeeded"])
    );
    check_sound(&world);
}

#[test]
fn what_a_person_said_failed_and_charged_all_the_same_stops_the_next_attempt() {
    let mut world = cancel_in_review();
    // The confirm that was lost arrives after all.
    let intent = &mut world.gateway.intents[0];
    (intent["status"], intent["amount_received"]) = ("succeeded".into(), intent["amount"].clone());
    world.submit(pay("k2", "o").into());
    for _ in 0..10 {
        world.work_all();
        world.now = world.now.plus_ms(1_000);
        world.poll();
        world.looks.clear();
    }
    assert_eq!((statuses(&world), intents(&world)), (vec![Status::Failed, Status::Review], vec!["succeeded"]));
    let again = world.submit(pay("k3", "o").into());
    assert!(matches!(again, Outcome::Answered { status: 409, .. }), "{again:?}");
}

#[test]
fn an_object_that_was_proven_canceled_is_left_alone() {
    let mut world = World::new();
    world.submit(declining("k1").into());
    world.work(Gateway::serve);
    world.work(Gateway::serve_and_lose);
    world.settle();
    assert_eq!((statuses(&world), intents(&world)), (vec![Status::Failed], vec!["canceled"]));
    let writes = world.gateway.seen.len();
    world.submit(pay("k2", "o").into());
    world.settle();
    assert_eq!((intents(&world), world.gateway.seen.len() - writes), (vec!["canceled", "succeeded"], 2));
    check_sound(&world);
}
