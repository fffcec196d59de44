//! Webhook bodies, read into events.

use quittance_connectors::connector::{Connector, Seen};
use quittance_connectors::event::{Event, EventError, MAX_EVENT_BYTES};
use quittance_connectors::stripe::Stripe;
use quittance_core::fact::{ObjectKind, ObjectStatus};
use serde_json::{Value, json};

use crate::data::{EFFECT, intent_with, object, test_data, with};

fn decode_event(body: &[u8]) -> Result<Event, EventError> {
    Stripe::default().decode_event(body)
}

fn event() -> Value {
    json!({
        "id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "created": 1_700_000_000,
        "api_version": "2025-03-31.basil", "account": "acct_1", "livemode": false,
        "data": {"object": intent_with(json!({"status": "succeeded", "amount_received": 1999}))},
        "request": {"id": "req_1", "idempotency_key": "b1abcdefghijklmnopqrstuvwxyz"},
    })
}

fn event_with(name: &str, value: Value) -> Value {
    let mut event = event();
    event[name] = value;
    event
}

fn read(event: &Value) -> Event {
    decode_event(event.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error:?} for {event}"))
}

#[test]
fn every_member_is_read() {
    let mut event = read(&event());
    let Some(Seen::Object(sighting)) = event.seen.take() else { panic!("a payment intent") };
    assert_eq!((sighting.status, sighting.received_amount), (ObjectStatus::Succeeded, 1999));
    let expected = Event {
        id: "evt_1".to_owned(),
        kind: "payment_intent.succeeded".to_owned(),
        api_version: Some("2025-03-31.basil".to_owned()),
        created_seconds: 1_700_000_000,
        account: Some("acct_1".to_owned()),
        livemode: Some(false),
        object_id: Some("pi_1".to_owned()),
        object_kind: Some(ObjectKind::Payment),
        effect_id: EFFECT.parse().ok(),
        seen: None,
        request_idempotency_key: Some("b1abcdefghijklmnopqrstuvwxyz".to_owned()),
    };
    assert_eq!(event, expected);
}

#[test]
fn what_is_not_known_is_tolerated() {
    let bare = read(&json!({"id": "evt_1", "type": "a.word.of.tomorrow", "created": 0}));
    assert_eq!((bare.kind.as_str(), bare.object_id, bare.seen), ("a.word.of.tomorrow", None, None));
    // Events rendered under versions before 2017-05-25 have the request's id in place of the object.
    assert_eq!(read(&event_with("request", json!("req_1"))).request_idempotency_key, None);
    assert_eq!(
        read(&event_with("request", json!({"id": null, "idempotency_key": null}))).request_idempotency_key,
        None
    );
    for name in ["api_version", "account", "livemode", "data", "request"] {
        for odd in [json!(null), json!(7), json!([]), json!({"x": 1})] {
            assert_eq!(read(&event_with(name, odd)).id, "evt_1");
        }
    }
}

#[test]
fn the_object_says_what_it_is() {
    for kind in ObjectKind::ALL {
        let data = |changes| json!({"object": with(object(kind), changes)});
        let seen = read(&event_with("data", data(json!({})))).seen.expect("it can be read");
        assert_eq!((seen.kind(), seen.object_id()), (kind, object(kind)["id"].as_str().unwrap_or_default()));
        let unreadable = read(&event_with("data", data(json!({"currency": "zzz"}))));
        assert_eq!((unreadable.object_id.as_deref(), unreadable.seen), (Some(seen.object_id()), None));
        assert_eq!(unreadable.object_kind, Some(kind), "what it is, is known all the same");
        for odd in [json!(null), json!("payout"), json!(7), json!("Charge")] {
            let event = read(&event_with("data", data(json!({"object": odd}))));
            assert_eq!((event.object_id.as_deref(), event.seen), (Some(seen.object_id()), None), "{odd}");
            assert_eq!(event.object_kind, None, "{odd}");
        }
    }
}

#[test]
fn a_dispute_is_seen_with_what_moved() {
    let body = event_with("data", json!({"object": object(ObjectKind::Dispute)}));
    let Some(Seen::Dispute(dispute)) = read(&body).seen else { panic!("a dispute") };
    assert_eq!(dispute.movements.iter().map(|movement| movement.money.amount).sum::<i64>(), -1999);
}

#[test]
fn the_official_example_is_read() {
    let Some(fixtures) = test_data("stripe/fixtures3.json") else {
        return;
    };
    let event = read(&fixtures["resources"]["event"]);
    assert_eq!((event.kind.as_str(), event.created_seconds), ("plan.created", 1_234_567_890));
    assert_eq!((event.api_version, event.request_idempotency_key, event.seen), (None, None, None));
    assert!(event.object_id.is_some_and(|id| id.starts_with("price_")));
}

#[test]
fn what_names_itself_unusably_is_refused() {
    for (name, value) in
        [("id", json!("")), ("id", json!("e".repeat(256))), ("type", json!("")), ("type", json!("t".repeat(256)))]
    {
        let result = decode_event(event_with(name, value).to_string().as_bytes());
        assert!(matches!(&result, Err(EventError::BadText { member }) if *member == name), "{result:?}");
    }
    for (name, value) in
        [("id", json!(null)), ("type", json!(7)), ("created", json!("2026-01-01T00:00:00Z")), ("created", json!(1.5))]
    {
        let result = decode_event(event_with(name, value).to_string().as_bytes());
        assert!(matches!(result, Err(EventError::NotAnEvent(_))), "{result:?}");
    }
}

#[test]
fn long_and_cut_bodies_are_refused() {
    let whole = event().to_string();
    for length in 0..whole.len() {
        assert!(matches!(decode_event(&whole.as_bytes()[..length]), Err(EventError::NotAnEvent(_))), "{length}");
    }
    let mut long = whole.into_bytes();
    long.resize(MAX_EVENT_BYTES, b' ');
    assert!(decode_event(&long).is_ok());
    long.push(b' ');
    assert!(matches!(decode_event(&long), Err(EventError::TooLong { .. })));
}
