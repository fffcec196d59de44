//! Properties: nothing panics on any bytes, and nothing but a whole object is ever seen.

use proptest::prelude::*;
use quittance_connectors::message::{Delivery, Method, Request};
use quittance_connectors::stripe::webhook::{decode_event, verify};
use quittance_connectors::stripe::{ListFact, decode_list, decode_read, decode_write};
use quittance_core::fact::Fact;
use serde_json::{Value, json};

use crate::data::{answer, intent};

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![Just(Method::Get), Just(Method::Post)];
    (method, ".*", any::<Vec<u8>>(), any::<Option<String>>(), ".*").prop_map(
        |(method, target, body, idempotency_key, api_version)| Request {
            method,
            target,
            body,
            idempotency_key,
            api_version,
        },
    )
}

/// Any small JSON, built from the words that Stripe's objects use.
fn json_value() -> impl Strategy<Value = Value> {
    let word =
        prop::sample::select(vec!["", "id", "object", "payment_intent", "usd", "pi_1", "succeeded", "card_error"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "id",
        "object",
        "status",
        "amount",
        "amount_received",
        "currency",
        "latest_charge",
        "last_payment_error",
        "payment_method",
        "metadata",
        "effect_id",
        "next_action",
        "data",
        "has_more",
        "error",
        "payment_intent",
        "code",
        "type",
        "decline_code",
        "created",
        "request",
        "idempotency_key",
    ]);
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

/// Decodes an answer in every way; a fact that claims knowledge has to have a body behind it.
fn decode_all(delivery: &Delivery) {
    let write = decode_write(delivery);
    assert_ne!(write, Fact::Absent);
    let read = decode_read(delivery);
    assert!(!matches!(read, Fact::Declined { .. }), "{read:?}");
    if let ListFact::Failed(fact) = decode_list(delivery) {
        assert!(!matches!(fact, Fact::Seen(_) | Fact::Absent | Fact::Declined { .. }), "{fact:?}");
    }
}

proptest! {
    #[test]
    fn decoding_never_panics_on_bytes(status: u16, body: Vec<u8>, header in ".*") {
        let headers = [("Retry-After", header.as_str()), ("Idempotent-Replayed", header.as_str())];
        decode_all(&answer(status, &headers, &body));
        decode_event(&body).ok();
        Request::decode(&body).ok();
        verify(&header, &body, &["whsec_1"], 0, 1).expect_err("nobody guesses a signature");
    }

    #[test]
    fn decoding_never_panics_on_json(status in prop_oneof![Just(200_u16), 400..=404_u16, any::<u16>()], body in json_value()) {
        decode_all(&answer(status, &[], body.to_string()));
        decode_all(&answer(status, &[], json!({"error": body}).to_string()));
        decode_all(&answer(status, &[], json!({"has_more": true, "data": [body]}).to_string()));
        let event = json!({"id": "evt_1", "type": "x", "created": 0, "data": {"object": body}, "request": body});
        decode_event(event.to_string().as_bytes()).expect("odd members are tolerated");
    }

    #[test]
    fn a_mutated_member_never_panics_and_never_changes_the_money(name in "[a-z_]{1,18}", value in json_value()) {
        let mut object = intent();
        let is_money = name == "amount" || name == "currency";
        object[&name] = value;
        let delivery = answer(200, &[], object.to_string());
        decode_all(&delivery);
        if let Fact::Seen(sighting) = decode_read(&delivery) {
            prop_assert!(is_money || sighting.money.amount == 1999);
        }
    }

    #[test]
    fn persisted_requests_come_back(request in request()) {
        prop_assert_eq!(Request::decode(&request.encode()), Ok(request));
    }

    #[test]
    fn one_digest_means_one_request(left in request(), right in request()) {
        let is_same = Request { idempotency_key: None, ..left.clone() } == Request { idempotency_key: None, ..right.clone() };
        prop_assert_eq!(left.canonical_bytes() == right.canonical_bytes(), is_same);
    }
}
