//! Payment intents, read into sightings.

use quittance_connectors::connector::Connector;
use quittance_connectors::stripe::Stripe;
use quittance_core::fact::{Decline, Fact, Loss, ObjectKind, ObjectStatus, Sighting};
use serde_json::{Value, json};

use crate::data::{answer, intent, intent_with, money, sight, test_data};

fn read(object: &Value) -> Option<Sighting> {
    sight(ObjectKind::Payment, object)
}

#[track_caller]
fn read_with(changes: Value) -> Sighting {
    read(&intent_with(changes.clone())).unwrap_or_else(|| panic!("unreadable with {changes}"))
}

fn decline(code: &str, is_retryable: bool) -> Option<Decline> {
    Some(Decline { code: code.to_owned(), is_retryable })
}

#[test]
fn every_member_is_read() {
    let error = json!({"type": "card_error", "code": "card_declined", "decline_code": "do_not_honor"});
    let sighting = read_with(json!({
        "status": "requires_payment_method", "latest_charge": "ch_1", "last_payment_error": error,
        "next_action": {"type": "use_stripe_sdk"}, "payment_method": null,
    }));
    let expected = Sighting {
        kind: ObjectKind::Payment,
        object_id: "pi_1".to_owned(),
        status: ObjectStatus::RequiresPaymentMethod,
        money: money(1999, "USD"),
        received_amount: 0,
        latest_charge: Some("ch_1".to_owned()),
        error_digest: sighting.error_digest,
        decline: decline("do_not_honor", false),
        payment_method: None,
        effect_id: "eff_00000000000000000000000001".parse().ok(),
        book: None,
        next_action: Some(r#"{"type":"use_stripe_sdk"}"#.to_owned()),
        parent: None,
        reference: None,
        payment_reference: Some("order-1".to_owned()),
        returned: None,
    };
    assert_eq!(sighting, expected);
    assert!(expected.effect_id.is_some());
}

#[test]
fn the_official_example_is_read() {
    let Some(fixtures) = test_data("stripe/fixtures3.json") else {
        return;
    };
    let object = &fixtures["resources"]["payment_intent"];
    let sighting = read(object).expect("Stripe's own example is readable");
    assert_eq!(sighting.object_id, object["id"].as_str().unwrap_or_default());
    assert_eq!(sighting.status, ObjectStatus::RequiresPaymentMethod);
    assert_eq!((sighting.money, sighting.received_amount), (money(1099, "USD"), 0));
    assert_eq!((sighting.latest_charge, sighting.payment_method, sighting.effect_id), (None, None, None));
    // Its error is `{"type": "idempotency_error"}`: an error, and no decline.
    assert!(sighting.error_digest.is_some());
    assert_eq!(sighting.decline, None);
    assert_eq!(sighting.next_action.as_deref(), Some(r#"{"type":"type"}"#));
}

#[test]
fn the_official_example_is_not_read_when_cut_short() {
    let whole = intent().to_string();
    for length in 0..whole.len() {
        let fact = Stripe::default().decode_read(ObjectKind::Payment, &answer(200, &[], &whole[..length]));
        assert_eq!(fact, Fact::Lost(Loss::Unreadable), "{}", &whole[..length]);
    }
}

#[test]
fn what_a_decision_needs_is_demanded() {
    for name in ["id", "status", "amount", "currency"] {
        for value in [json!(null), json!(""), json!({}), json!([]), json!(true), json!("x".repeat(256))] {
            assert_eq!(read(&intent_with(json!({name: value}))), None, "{name} = {value}");
        }
        let mut without = intent();
        without.as_object_mut().expect("an object").remove(name);
        assert_eq!(read(&without), None, "without {name}");
    }
    for (name, value) in [
        ("object", json!("charge")),
        ("amount", json!(-1)),
        ("amount", json!(19.99)),
        ("amount", json!("1999")),
        ("amount", json!(9_223_372_036_854_775_808_u64)),
        ("amount_received", json!(-1)),
        ("amount_received", json!("0")),
        ("currency", json!("USD")),
        ("currency", json!("usdc")),
        ("currency", json!("xau")),
        ("latest_charge", json!(7)),
        ("latest_charge", json!({"object": "charge"})),
        ("payment_method", json!(["pm_1"])),
    ] {
        assert_eq!(read(&intent_with(json!({name: value}))), None, "{name} = {value}");
    }
    assert_eq!(read(&json!([intent()])), None);
    assert_eq!(read(&json!({"error": {"type": "api_error"}})), None);
}

#[test]
fn amounts_come_back_in_our_units() {
    let amount = |wire: i64, code: &str| read(&intent_with(json!({"amount": wire, "currency": code})));
    assert_eq!(amount(1200, "isk").map(|seen| seen.money), Some(money(12, "ISK")));
    assert_eq!(amount(1250, "isk"), None, "half a króna cannot be written");
    assert_eq!(amount(500, "jpy").map(|seen| seen.money), Some(money(500, "JPY")));
    assert_eq!(amount(5, "mga").map(|seen| seen.money), Some(money(500, "MGA")));
    assert_eq!(amount(i64::MAX, "mga"), None);
}

#[test]
fn what_was_received_is_told_or_follows_from_the_status() {
    let received = |changes| read_with(changes).received_amount;
    assert_eq!(received(json!({"status": "succeeded", "amount_received": 1500})), 1500);
    assert_eq!(received(json!({"status": "succeeded", "amount_received": 0})), 0);
    assert_eq!(received(json!({"status": "succeeded", "amount_received": null})), 1999);
    assert_eq!(received(json!({"status": "processing", "amount_received": null})), 0);
}

#[test]
fn references_may_be_expanded() {
    let charge = json!({"id": "ch_1", "object": "charge"});
    let sighting = read_with(json!({"latest_charge": charge, "payment_method": {"id": "pm_9"}}));
    assert_eq!(sighting.latest_charge.as_deref(), Some("ch_1"));
    assert_eq!(sighting.payment_method.as_deref(), Some("pm_9"));
}

#[test]
fn effect_ids_that_are_not_ours_are_nobodys() {
    for metadata in [json!(null), json!({}), json!({"effect_id": "eff_1"}), json!({"effect_id": 7}), json!("x")] {
        assert_eq!(read_with(json!({"metadata": metadata})).effect_id, None);
    }
}

#[test]
fn a_decline_counts_until_the_next_attempt() {
    let error = json!({"code": "payment_intent_authentication_failure", "message": "localstripe gives no type"});
    let seen = |status: &str| read_with(json!({"status": status, "last_payment_error": error})).decline;
    for status in ["requires_payment_method", "requires_confirmation", "canceled"] {
        assert_eq!(seen(status), decline("payment_intent_authentication_failure", false), "{status}");
    }
    for status in ["requires_action", "processing", "requires_capture", "succeeded"] {
        assert_eq!(seen(status), None, "{status}");
    }
    let bare = read_with(json!({"status": "requires_payment_method", "last_payment_error": {"type": "card_error"}}));
    assert_eq!(bare.decline, decline("declined", false));
}

#[test]
fn the_error_digest_knows_content_and_not_order() {
    let digest = |text: &str| {
        let error: Value = serde_json::from_str(text).expect("JSON");
        read_with(json!({"status": "requires_payment_method", "last_payment_error": error})).error_digest
    };
    let one = digest(r#"{"code": "card_declined", "charge": "ch_1", "payment_method": {"id": "pm_1", "n": [1, {}]}}"#);
    let same = digest(r#"{"payment_method":{"n":[1,{}],"id":"pm_1"},"charge":"ch_1","code":"card_declined"}"#);
    let other =
        digest(r#"{"code": "card_declined", "charge": "ch_2", "payment_method": {"id": "pm_1", "n": [1, {}]}}"#);
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert_eq!(read(&intent()).and_then(|seen| seen.error_digest), None);
    // sha256sum of {"charge":"ch_1","code":"é\"","n":[1,{"a":null,"b":true}]}
    let golden = digest(r#"{"n": [1, {"b": true, "a": null}], "code": "é\"", "charge": "ch_1"}"#).expect("an error");
    assert_eq!(
        golden.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "fb6c4a57221c02034e513d7eaaa51bf4749a6aaf61834531ae7b8e50cc180399"
    );
}
