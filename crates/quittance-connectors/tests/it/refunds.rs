//! Refunds, read into sightings.

use quittance_core::fact::{Decline, ObjectKind, ObjectStatus, Returned, Sighting};
use serde_json::{Value, json};

use crate::data::{EFFECT, money, refund, sight, test_data, with};

fn read(object: &Value) -> Option<Sighting> {
    sight(ObjectKind::Refund, object)
}

#[track_caller]
fn read_with(changes: Value) -> Sighting {
    read(&with(refund(), changes.clone())).unwrap_or_else(|| panic!("unreadable with {changes}"))
}

#[test]
fn every_member_is_read() {
    let expected = Sighting {
        kind: ObjectKind::Refund,
        object_id: "re_1".to_owned(),
        parent: Some("pi_1".to_owned()),
        status: ObjectStatus::RequiresAction,
        money: money(500, "USD"),
        received_amount: 0,
        latest_charge: None,
        error_digest: None,
        decline: None,
        payment_method: None,
        effect_id: EFFECT.parse().ok(),
        book: None,
        reference: None,
        payment_reference: None,
        next_action: Some(r#"{"type":"display_details"}"#.to_owned()),
        returned: None,
    };
    let next = json!({"type": "display_details"});
    let seen = read_with(json!({"payment_intent": "pi_1", "status": "requires_action", "next_action": next}));
    assert_eq!(seen, expected);
    assert!(expected.effect_id.is_some());
}

#[test]
fn the_official_example_is_read() {
    let Some(fixtures) = test_data("stripe/fixtures3.json") else {
        return;
    };
    let object = &fixtures["resources"]["refund"];
    let seen = read(object).expect("Stripe's own example is readable");
    assert_eq!((seen.status, seen.money, seen.received_amount), (ObjectStatus::Succeeded, money(100, "USD"), 100));
    assert_eq!(seen.parent.as_deref(), object["charge"].as_str());
}

#[test]
fn money_has_moved_when_it_succeeded() {
    let received = |status: &str| read_with(json!({"status": status})).received_amount;
    assert_eq!(received("succeeded"), 500);
    for status in ["pending", "requires_action", "failed", "canceled", "a_new_word"] {
        assert_eq!(received(status), 0, "{status}");
    }
}

#[test]
fn it_belongs_to_the_intent_or_else_to_the_charge() {
    let parent = |changes| read_with(changes).parent;
    assert_eq!(parent(json!({})).as_deref(), Some("ch_1"));
    assert_eq!(parent(json!({"payment_intent": {"id": "pi_2"}})).as_deref(), Some("pi_2"));
    assert_eq!(parent(json!({"charge": null})), None);
}

#[test]
fn a_failure_has_its_reason() {
    let decline = |changes| read_with(changes).decline;
    let expected = |code: &str| Some(Decline { code: code.to_owned(), is_retryable: false });
    let reason = "expired_or_canceled_card";
    assert_eq!(decline(json!({"status": "failed", "failure_reason": reason})), expected(reason));
    assert_eq!(
        decline(json!({"status": "failed", "failure_reason": "insufficient_funds"})),
        expected("insufficient_funds")
    );
    assert_eq!(decline(json!({"status": "failed"})), expected("unknown"));
    assert_eq!(decline(json!({"status": "canceled"})), None);
    assert_eq!(decline(json!({"status": "pending", "pending_reason": "insufficient_funds"})), None);
}

#[test]
fn a_late_failure_names_the_movement_that_brought_the_money_back() {
    for status in ["failed", "canceled"] {
        let seen = read_with(json!({"status": status, "failure_balance_transaction": "txn_9"}));
        assert_eq!(seen.returned, Some(Returned { movement: "txn_9".to_owned(), amount: 500 }), "{status}");
    }
    assert_eq!(read_with(json!({"status": "failed"})).returned, None);
}

#[test]
fn what_a_decision_needs_is_demanded() {
    for name in ["id", "status", "amount", "currency"] {
        for value in [json!(null), json!(""), json!({}), json!([]), json!(true), json!("x".repeat(256))] {
            assert_eq!(read(&with(refund(), json!({name: value}))), None, "{name} = {value}");
        }
    }
    for (name, value) in [
        ("object", json!("charge")),
        ("amount", json!(-500)),
        ("charge", json!(7)),
        ("payment_intent", json!(7)),
        ("failure_balance_transaction", json!("")),
    ] {
        assert_eq!(read(&with(refund(), json!({name: value}))), None, "{name} = {value}");
    }
}
