//! Properties: nothing panics on any bytes, and nothing but a whole object is ever seen.

use proptest::prelude::*;
use quittance_connectors::connector::{Connector, EventsFact, ListFact, Seen};
use quittance_connectors::message::{Delivery, Method, Request};
use quittance_connectors::stripe::Stripe;
use quittance_connectors::stripe::webhook::verify;
use quittance_core::fact::{Fact, ObjectKind};
use serde_json::{Value, json};

use crate::data::{answer, object, read};

const NAMES: [&str; 35] = [
    "id",
    "object",
    "status",
    "amount",
    "amount_received",
    "amount_captured",
    "amount_refunded",
    "captured",
    "refunded",
    "charge",
    "outcome",
    "reason",
    "balance_transactions",
    "evidence_details",
    "submission_count",
    "failure_balance_transaction",
    "fee",
    "currency",
    "latest_charge",
    "last_payment_error",
    "payment_method",
    "metadata",
    "effect_id",
    "payment_reference",
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
];

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

/// A word that Stripe's objects use for a member.
fn member_name() -> impl Strategy<Value = String> {
    prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned)
}

/// Any small JSON, built from the words that Stripe's objects use.
fn json_value() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "",
        "id",
        "object",
        "payment_intent",
        "charge",
        "refund",
        "dispute",
        "usd",
        "pi_1",
        "succeeded",
        "failed",
        "card_error",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((member_name(), inner), 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Decodes an answer in every way; a fact that claims knowledge has to have a body behind it.
fn decode_all(delivery: &Delivery) {
    let stripe = Stripe::default();
    let is_sight = |fact: &Fact| matches!(fact, Fact::Seen(_) | Fact::SeenDispute(_));
    for kind in ObjectKind::ALL {
        let write = stripe.decode_write(kind, delivery);
        assert_ne!(write, Fact::Absent);
        let read = stripe.decode_read(kind, delivery);
        assert!(!matches!(read, Fact::Declined { .. }), "{read:?}");
        match &read {
            Fact::Seen(sighting) => assert_eq!(sighting.kind, kind),
            Fact::SeenDispute(_) => assert_eq!(kind, ObjectKind::Dispute),
            _ => {}
        }
        if let ListFact::Failed(fact) = stripe.decode_page(kind, delivery) {
            assert!(!is_sight(&fact) && !matches!(fact, Fact::Absent | Fact::Declined { .. }), "{fact:?}");
        }
    }
    if let EventsFact::Failed(fact) = stripe.decode_events(delivery) {
        assert!(!is_sight(&fact) && !matches!(fact, Fact::Absent | Fact::Declined { .. }), "{fact:?}");
    }
    let probe = stripe.decode_probe(delivery);
    assert!(!is_sight(&probe) && !matches!(probe, Fact::Declined { .. }), "{probe:?}");
}

/// What an object is worth: amount and currency.
fn worth(seen: &Seen) -> i64 {
    match seen {
        Seen::Object(sighting) => sighting.money.amount,
        Seen::Dispute(dispute) => dispute.money.amount,
    }
}

proptest! {
    #[test]
    fn decoding_never_panics_on_bytes(status: u16, body: Vec<u8>, header in ".*") {
        let headers = [("Retry-After", header.as_str()), ("Idempotent-Replayed", header.as_str())];
        decode_all(&answer(status, &headers, &body));
        Stripe::default().decode_event(&body).ok();
        Request::decode(&body).ok();
        verify(&header, &body, &["whsec_1"], 0, 1).expect_err("nobody guesses a signature");
    }

    #[test]
    fn decoding_never_panics_on_json(status in prop_oneof![Just(200_u16), 400..=404_u16, any::<u16>()], body in json_value()) {
        decode_all(&answer(status, &[], body.to_string()));
        decode_all(&answer(status, &[], json!({"error": body}).to_string()));
        decode_all(&answer(status, &[], json!({"has_more": true, "data": [body]}).to_string()));
        let event = json!({"id": "evt_1", "type": "x", "created": 0, "data": {"object": body}, "request": body});
        Stripe::default().decode_event(event.to_string().as_bytes()).expect("odd members are tolerated");
    }

    #[test]
    fn a_mutated_member_never_panics_and_never_changes_the_money(name in member_name(), value in json_value()) {
        for kind in ObjectKind::ALL {
            let mut mutated = object(kind);
            let amount = mutated["amount"].as_i64();
            mutated[&name] = value.clone();
            decode_all(&answer(200, &[], mutated.to_string()));
            let is_of_kind = mutated["object"] == object(kind)["object"] || mutated["object"].is_null();
            let seen = read(kind, &mutated);
            prop_assert!(is_of_kind || seen.is_none());
            if let Some(seen) = seen && name != "amount" && name != "currency" {
                prop_assert_eq!(Some(worth(&seen)), amount);
            }
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
