//! Events: once each, in any order, and never more than an observation.

use crate::gateway::Gateway;
use crate::world::{World, pay};
use quittance_connectors::connector::Connector;
use quittance_connectors::stripe::Stripe;
use quittance_core::payment::Status;
use quittance_engine::submission::{Outcome, Submission, WebhookEvent};
use quittance_store::records::EventSource;
use serde_json::{Value, json};

pub fn event(id: &str, kind: &str, object: &Value) -> Submission {
    event_made(id, kind, object, 1_800_000_000)
}

/// An event that its gateway made at this second of its own clock.
pub fn event_made(id: &str, kind: &str, object: &Value, created_seconds: i64) -> Submission {
    let body = json!({
        "id": id, "object": "event", "type": kind, "created": created_seconds, "api_version": "2025-03-31.basil",
        "livemode": false, "data": {"object": object},
    })
    .to_string()
    .into_bytes();
    let event = Stripe::default().decode_event(&body).expect("an event");
    let (source, gateway) = (EventSource::Webhook, "stripe".to_owned());
    let (endpoint, secret) = (Some("we_main".to_owned()), Some("env:SECRET".to_owned()));
    Submission::Webhook(Box::new(WebhookEvent { gateway, source, endpoint, secret, event, body }))
}

/// A payment whose confirm charged, and whose answer was lost.
fn charged_and_lost() -> World {
    let mut world = World::new();
    world.submit(pay("k", "o").into());
    world.work(Gateway::serve);
    world.work(Gateway::serve_and_lose);
    assert_eq!(world.payments()[0].status, Status::Unknown);
    world
}

#[test]
fn an_event_resolves_what_was_unknown_once() {
    let mut world = charged_and_lost();
    let object = world.gateway.intents[0].clone();
    let outcome = world.submit(event("evt_1", "payment_intent.succeeded", &object));
    assert!(matches!(outcome, Outcome::Applied { ref answered, .. } if answered.len() == 1), "{outcome:?}");
    let again = world.submit(event("evt_1", "payment_intent.succeeded", &object));
    assert!(matches!(again, Outcome::Duplicate), "{again:?}");
    let other = world.submit(event("evt_2", "payment_intent.succeeded", &object));
    assert!(matches!(other, Outcome::Applied { ref answered, alarm: None } if answered.is_empty()), "{other:?}");
    world.work(Gateway::serve);
    assert_eq!(world.payments()[0].status, Status::Succeeded, "the read that was under way changes nothing");
}

#[test]
fn an_old_event_moves_nothing_backwards() {
    let mut world = charged_and_lost();
    let mut old = world.gateway.intents[0].clone();
    world.settle();
    old["status"] = "requires_confirmation".into();
    old["latest_charge"] = Value::Null;
    world.submit(event("evt_old", "payment_intent.created", &old));
    assert_eq!(world.payments()[0].status, Status::Succeeded);
}

#[test]
fn foreign_objects_are_kept_and_touch_nothing() {
    let mut world = charged_and_lost();
    let mut foreign = world.gateway.intents[0].clone();
    foreign["id"] = "pi_foreign".into();
    let outcome = world.submit(event("evt_1", "payment_intent.succeeded", &foreign));
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    let outcome = world.submit(event("evt_2", "customer.created", &json!({"id": "cus_1", "object": "customer"})));
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    assert_eq!(world.payments()[0].status, Status::Unknown);
}

#[test]
fn events_of_an_object_used_again_belong_to_the_newest_attempt() {
    let mut world = World::new();
    let mut declining = pay("k1", "o");
    declining.method = "pm_card_chargeDeclined".into();
    world.submit(declining.into());
    world.settle();
    world.submit(pay("k2", "o").into());
    world.work(Gateway::serve);
    world.work(Gateway::serve_and_lose);
    let object = world.gateway.intents[0].clone();
    let outcome = world.submit(event("evt_1", "payment_intent.succeeded", &object));
    assert!(matches!(outcome, Outcome::Applied { ref answered, alarm: None } if answered[0].1 == 201), "{outcome:?}");
    let statuses: Vec<Status> = world.payments().iter().map(|payment| payment.status).collect();
    assert_eq!(statuses, [Status::Failed, Status::Succeeded]);
}

#[test]
fn a_charge_on_an_attempt_that_failed_goes_to_a_person() {
    let mut world = World::new();
    let mut declining = pay("k", "o");
    declining.method = "pm_card_chargeDeclined".into();
    world.submit(declining.into());
    world.settle();
    let impossible = &mut world.gateway.intents[0];
    impossible["status"] = "succeeded".into();
    impossible["amount_received"] = impossible["amount"].clone();
    let impossible = impossible.clone();
    world.submit(event("evt_1", "payment_intent.succeeded", &impossible));
    assert_eq!(world.payments()[0].status, Status::Failed, "an event is a hint");
    world.poll();
    world.look(Gateway::serve);
    assert_eq!(world.payments()[0].status, Status::Review);
    assert_eq!(world.alarms.len(), 1);
    let refused = world.submit(pay("k2", "o").into());
    assert!(matches!(refused, Outcome::Answered { status: 409, .. }), "no further attempt while it is in doubt");
}
