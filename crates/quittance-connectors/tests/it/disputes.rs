//! Disputes, read into sightings of their own.

use std::collections::BTreeSet;

use quittance_connectors::connector::{Connector, Seen};
use quittance_connectors::stripe::Stripe;
use quittance_core::dispute::{DisputeMovement, DisputeSighting, DisputeStatus};
use quittance_core::fact::ObjectKind;
use serde_json::{Value, json};

use crate::data::{dispute, money, movement, test_data, with};

fn read(object: &Value) -> Option<DisputeSighting> {
    crate::data::read(ObjectKind::Dispute, object).map(|seen| match seen {
        Seen::Dispute(dispute) => *dispute,
        Seen::Object(sighting) => panic!("no dispute: {sighting:?}"),
    })
}

#[track_caller]
fn read_with(changes: Value) -> DisputeSighting {
    read(&with(dispute(), changes.clone())).unwrap_or_else(|| panic!("unreadable with {changes}"))
}

fn moved(id: &str, amount: i64, code: &str, fee: i64) -> DisputeMovement {
    DisputeMovement { id: id.to_owned(), money: money(amount, code), fee }
}

#[test]
fn every_member_is_read() {
    let expected = DisputeSighting {
        object_id: "dp_1".to_owned(),
        charge: "ch_1".to_owned(),
        payment_object: Some("pi_1".to_owned()),
        status: DisputeStatus::NeedsResponse,
        money: money(1999, "USD"),
        reason: "fraudulent".to_owned(),
        evidence_due_by: Some(1_700_600_000),
        submissions: 0,
        movements: vec![moved("txn_1", -1999, "USD", 1500)],
    };
    assert_eq!(read_with(json!({})), expected);
}

#[test]
fn the_official_example_is_an_inquiry() {
    let Some(fixtures) = test_data("stripe/fixtures3.json") else {
        return;
    };
    let seen = read(&fixtures["resources"]["dispute"]).expect("Stripe's own example is readable");
    assert_eq!((seen.status, seen.money), (DisputeStatus::WarningNeedsResponse, money(1000, "USD")));
    assert_eq!((seen.evidence_due_by, seen.submissions), (Some(1_723_679_999), 0));
    assert_eq!((seen.payment_object, seen.movements), (None, vec![]));
}

#[test]
fn what_was_withdrawn_may_come_back_with_its_fee() {
    let later = with(movement("txn_2", 1999, -1500), json!({"created": 1_700_000_001}));
    let both = [moved("txn_1", -1999, "USD", 1500), moved("txn_2", 1999, "USD", -1500)];
    for transactions in [json!([movement("txn_1", -1999, 1500), later]), json!([later, movement("txn_1", -1999, 1500)])]
    {
        assert_eq!(read_with(json!({"balance_transactions": transactions})).movements, both, "oldest first");
    }
    assert_eq!(read_with(json!({"balance_transactions": []})).movements, []);
}

#[test]
fn a_movement_keeps_the_currency_of_the_balance() {
    let converted = with(movement("txn_1", -1_850, 1_500), json!({"currency": "eur"}));
    let coarse = with(movement("txn_2", -100, 0), json!({"currency": "isk"}));
    let seen = read_with(json!({"balance_transactions": [converted, coarse]}));
    assert_eq!(seen.money, money(1999, "USD"));
    assert_eq!(seen.movements, [moved("txn_1", -1_850, "EUR", 1_500), moved("txn_2", -1, "ISK", 0)]);
}

#[test]
fn what_is_optional_may_be_missing() {
    let seen = read_with(json!({"payment_intent": null, "reason": null, "evidence_details": {"submission_count": 2}}));
    assert_eq!((seen.payment_object, seen.reason.as_str()), (None, "unspecified"));
    assert_eq!((seen.evidence_due_by, seen.submissions), (None, 2));
    assert_eq!(read_with(json!({"charge": {"id": "ch_2", "object": "charge"}})).charge, "ch_2");
}

#[test]
fn what_a_decision_needs_is_demanded() {
    let odd = |name: &str, value: Value| {
        assert_eq!(read(&with(dispute(), json!({name: value}))), None, "{name} = {value}");
    };
    for name in ["id", "status", "amount", "currency", "charge", "evidence_details", "balance_transactions"] {
        for value in [json!(null), json!(""), json!({}), json!(true), json!("x".repeat(256))] {
            odd(name, value);
        }
    }
    odd("object", json!("charge"));
    odd("amount", json!(-1));
    odd("payment_intent", json!(7));
    odd("evidence_details", json!({"submission_count": -1}));
    odd("evidence_details", json!({"submission_count": 4_294_967_296_u64}));
    for changes in [
        json!({"id": null}),
        json!({"amount": null}),
        json!({"amount": "1"}),
        json!({"fee": null}),
        json!({"currency": "zzz"}),
        json!({"currency": "isk", "amount": -150}),
    ] {
        odd("balance_transactions", json!([with(movement("txn_1", -1999, 1500), changes)]));
    }
    odd("balance_transactions", json!(["txn_1"]));
}

#[test]
fn evidence_consists_of_the_members_that_a_dispute_shows() {
    let Some(fixtures) = test_data("stripe/fixtures3.json") else {
        return;
    };
    let shown = fixtures["resources"]["dispute"]["evidence"].as_object().expect("evidence is an object");
    let shown: BTreeSet<&str> = shown.keys().map(String::as_str).filter(|name| *name != "enhanced_evidence").collect();
    let taken: BTreeSet<&str> = Stripe::default().evidence_names().iter().copied().collect();
    assert_eq!(taken, shown);
}
