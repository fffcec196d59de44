//! Charges, read into sightings.

use quittance_core::fact::{Decline, ObjectKind, ObjectStatus, Returned, Sighting};
use serde_json::{Value, json};

use crate::data::{EFFECT, charge, money, sight, test_data, with};

fn read(object: &Value) -> Option<Sighting> {
    sight(ObjectKind::Charge, object)
}

#[track_caller]
fn read_with(changes: Value) -> Sighting {
    read(&with(charge(), changes.clone())).unwrap_or_else(|| panic!("unreadable with {changes}"))
}

/// Status, received amount, and what went back.
#[track_caller]
fn check(changes: Value, status: ObjectStatus, received: i64, returned: Option<i64>) {
    let seen = read_with(changes);
    assert_eq!((seen.status, seen.received_amount), (status, received));
    assert_eq!(seen.returned.map(|returned| returned.amount), returned);
}

#[test]
fn every_member_is_read() {
    let expected = Sighting {
        kind: ObjectKind::Charge,
        object_id: "ch_1".to_owned(),
        parent: Some("pi_1".to_owned()),
        status: ObjectStatus::Succeeded,
        money: money(1999, "USD"),
        received_amount: 1999,
        latest_charge: None,
        error_digest: None,
        decline: None,
        payment_method: Some("card_1".to_owned()),
        effect_id: EFFECT.parse().ok(),
        book: None,
        reference: None,
        payment_reference: Some("order-1".to_owned()),
        next_action: None,
        returned: None,
    };
    assert_eq!(read_with(json!({"payment_intent": "pi_1"})), expected);
    assert!(expected.effect_id.is_some());
}

#[test]
fn the_official_example_waits_for_its_capture() {
    let Some(fixtures) = test_data("stripe/fixtures3.json") else {
        return;
    };
    let seen = read(&fixtures["resources"]["charge"]).expect("Stripe's own example is readable");
    assert_eq!((seen.status, seen.money, seen.received_amount), (ObjectStatus::RequiresCapture, money(100, "USD"), 0));
    assert_eq!((seen.parent, seen.effect_id, seen.returned), (None, None, None));
}

#[test]
fn succeeded_means_no_more_than_authorised() {
    let open = json!({"captured": false, "amount_captured": 0});
    check(json!({}), ObjectStatus::Succeeded, 1999, None);
    check(open.clone(), ObjectStatus::RequiresCapture, 0, None);
    check(json!({"status": "pending"}), ObjectStatus::Processing, 0, None);
    check(with(open.clone(), json!({"status": "pending"})), ObjectStatus::Processing, 0, None);
    check(with(open, json!({"status": "failed", "paid": false})), ObjectStatus::Failed, 0, None);
}

#[test]
fn a_released_authorisation_is_canceled() {
    let open = json!({"captured": false, "amount_captured": 0});
    for released in [json!({"refunded": true, "amount_refunded": 1999}), json!({"amount_refunded": 1999})] {
        check(with(open.clone(), released), ObjectStatus::Canceled, 0, None);
    }
    check(with(open, json!({"amount_refunded": null, "refunded": null})), ObjectStatus::RequiresCapture, 0, None);
}

#[test]
fn a_partial_capture_is_neither_a_refund_nor_a_cancelation() {
    let part = json!({"amount_captured": 1200, "amount_refunded": 799});
    check(part.clone(), ObjectStatus::Succeeded, 1200, None);
    let then_refunded = json!({"amount_refunded": 1999, "refunded": true});
    check(with(part, then_refunded.clone()), ObjectStatus::Succeeded, 1200, None);
    check(then_refunded, ObjectStatus::Succeeded, 1999, None);
}

#[test]
fn a_peer_without_a_captured_amount_takes_all_or_nothing() {
    check(json!({"amount_captured": null}), ObjectStatus::Succeeded, 1999, None);
    check(json!({"amount_captured": null, "amount_refunded": 799}), ObjectStatus::Succeeded, 1999, None);
    check(json!({"amount_captured": null, "captured": false}), ObjectStatus::RequiresCapture, 0, None);
}

#[test]
fn a_late_failure_names_the_movement_that_took_the_money_back() {
    let late = json!({"status": "failed", "failure_code": "insufficient_funds",
        "failure_balance_transaction": "txn_9"});
    let seen = read_with(late.clone());
    assert_eq!(seen.returned, Some(Returned { movement: "txn_9".to_owned(), amount: 1999 }));
    check(with(late.clone(), json!({"amount_captured": 1200})), ObjectStatus::Failed, 0, Some(1200));
    check(with(late.clone(), json!({"amount_captured": 0, "captured": false})), ObjectStatus::Failed, 0, Some(1999));
    let expanded = json!({"failure_balance_transaction": {"id": "txn_9", "object": "balance_transaction"}});
    check(with(late.clone(), expanded), ObjectStatus::Failed, 0, Some(1999));
    check(with(late, json!({"amount": 0, "amount_captured": 0})), ObjectStatus::Failed, 0, None);
}

#[test]
fn a_failure_is_told_as_the_error_would_have_told_it() {
    let failed = |changes: Value| {
        let failed = json!({"status": "failed", "captured": false, "failure_code": "card_declined"});
        read_with(with(failed, changes)).decline
    };
    let decline = |code: &str, is_retryable| Some(Decline { code: code.to_owned(), is_retryable });
    let outcome = |reason: Value| json!({"outcome": {"type": "issuer_declined", "reason": reason}});
    assert_eq!(failed(json!({})), decline("card_declined", false));
    assert_eq!(failed(json!({"failure_code": "processing_error"})), decline("processing_error", true));
    assert_eq!(failed(json!({"failure_code": null})), decline("declined", false));
    assert_eq!(failed(outcome(json!("insufficient_funds"))), decline("insufficient_funds", true));
    assert_eq!(failed(outcome(json!(null))), decline("card_declined", false));
    let advised = json!({"type": "issuer_declined", "reason": "insufficient_funds", "advice_code": "do_not_try_again"});
    assert_eq!(failed(json!({"outcome": advised})), decline("insufficient_funds", false));
    let blocked = json!({"outcome": {"type": "blocked", "reason": "highest_risk_level"}});
    assert_eq!(failed(blocked), decline("card_declined", false));
    assert_eq!(read_with(outcome(json!("insufficient_funds"))).decline, None, "only a failed charge has a decline");
}

#[test]
fn the_method_of_old_charges_is_their_source() {
    let source = json!({"payment_method": null, "source": {"id": "card_7", "object": "card"}});
    assert_eq!(read_with(source).payment_method.as_deref(), Some("card_7"));
    assert_eq!(read_with(json!({"payment_method": null})).payment_method, None);
}

#[test]
fn what_a_decision_needs_is_demanded() {
    for name in ["id", "status", "amount", "currency", "captured"] {
        for value in [json!(null), json!(""), json!({}), json!([]), json!("x".repeat(256))] {
            assert_eq!(read(&with(charge(), json!({name: value}))), None, "{name} = {value}");
        }
    }
    for (name, value) in [
        ("object", json!("payment_intent")),
        ("object", json!(7)),
        ("amount", json!(-1)),
        ("amount_captured", json!(-1)),
        ("amount_captured", json!("1999")),
        ("captured", json!("true")),
        ("currency", json!("USD")),
        ("payment_intent", json!(7)),
        ("payment_method", json!(["card_1"])),
        ("failure_balance_transaction", json!(true)),
    ] {
        assert_eq!(read(&with(charge(), json!({name: value}))), None, "{name} = {value}");
    }
}
