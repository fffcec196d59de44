//! Third-party data and small builders that several modules use.

use quittance_connectors::connector::{Connector, Seen};
use quittance_connectors::message::{Delivery, Response};
use quittance_connectors::stripe::Stripe;
use quittance_core::currency::Currency;
use quittance_core::fact::{Fact, Loss, ObjectKind, Sighting};
use quittance_core::money::Money;
use quittance_surroundings::data_file;
use serde_json::{Value, json};

/// Reads a file of the test data as JSON, or records by name that the test is skipped.
pub fn test_data(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(data_file("quittance-connectors", path)?).expect("test data is readable");
    Some(serde_json::from_str(&text).expect("test data is JSON"))
}

/// A whole answer with these headers and this body.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Delivery {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Delivery::Answered(Response { status, headers, body: body.as_ref().to_vec() })
}

/// A whole answer with a JSON body.
pub fn json_answer(status: u16, body: &Value) -> Delivery {
    answer(status, &[("content-type", "application/json")], body.to_string())
}

/// Our effect id, as the objects below carry it.
pub const EFFECT: &str = "eff_00000000000000000000000001";

/// A payment intent as Stripe renders it, as far as we read it.
pub fn intent() -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "amount": 1999, "amount_received": 0, "currency": "usd",
        "status": "requires_confirmation", "latest_charge": null, "last_payment_error": null, "next_action": null,
        "payment_method": "pm_1", "metadata": {"effect_id": EFFECT, "payment_reference": "order-1", "shop": "7"},
    })
}

/// The same for a charge without an intent, taken at once.
pub fn charge() -> Value {
    json!({
        "id": "ch_1", "object": "charge", "amount": 1999, "amount_captured": 1999, "amount_refunded": 0,
        "captured": true, "currency": "usd", "failure_balance_transaction": null, "failure_code": null,
        "outcome": {"advice_code": null, "reason": null, "type": "authorized"}, "paid": true,
        "payment_intent": null, "payment_method": "card_1", "refunded": false, "status": "succeeded",
        "metadata": {"effect_id": EFFECT, "payment_reference": "order-1", "shop": "7"},
    })
}

/// The same for a refund of a part of a charge.
pub fn refund() -> Value {
    json!({
        "id": "re_1", "object": "refund", "amount": 500, "charge": "ch_1", "currency": "usd",
        "payment_intent": null, "reason": null, "status": "succeeded", "metadata": {"effect_id": EFFECT},
    })
}

/// The same for a chargeback whose money was withdrawn.
pub fn dispute() -> Value {
    json!({
        "id": "dp_1", "object": "dispute", "amount": 1999, "currency": "usd", "charge": "ch_1",
        "payment_intent": "pi_1", "status": "needs_response", "reason": "fraudulent", "metadata": {},
        "evidence_details": {"due_by": 1_700_600_000, "has_evidence": false, "submission_count": 0},
        "balance_transactions": [movement("txn_1", -1999, 1500)],
    })
}

/// A balance transaction of a dispute.
pub fn movement(id: &str, amount: i64, fee: i64) -> Value {
    json!({
        "id": id, "object": "balance_transaction", "amount": amount, "fee": fee, "net": amount - fee,
        "currency": "usd", "created": 1_700_000_000, "type": "adjustment",
    })
}

/// An object of this kind.
pub fn object(kind: ObjectKind) -> Value {
    match kind {
        ObjectKind::Payment => intent(),
        ObjectKind::Charge => charge(),
        ObjectKind::Refund => refund(),
        ObjectKind::Dispute => dispute(),
    }
}

/// An object with some members replaced.
pub fn with(mut object: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        object[name] = value;
    }
    object
}

/// The intent with some members replaced.
pub fn intent_with(changes: Value) -> Value {
    with(intent(), changes)
}

/// What a read of an object of this kind makes of a 200 with this body; nothing if it is unreadable.
pub fn read(kind: ObjectKind, object: &Value) -> Option<Seen> {
    match Stripe::default().decode_read(kind, &json_answer(200, object)) {
        Fact::Seen(sighting) => Some(Seen::Object(sighting)),
        Fact::SeenDispute(dispute) => Some(Seen::Dispute(dispute)),
        Fact::Lost(Loss::Unreadable) => None,
        other => panic!("neither seen nor unreadable: {other:?}"),
    }
}

/// The same for anything but a dispute.
pub fn sight(kind: ObjectKind, object: &Value) -> Option<Sighting> {
    read(kind, object).map(|seen| match seen {
        Seen::Object(sighting) => sighting,
        Seen::Dispute(dispute) => panic!("a dispute: {dispute:?}"),
    })
}

pub fn money(amount: i64, code: &str) -> Money {
    Money { amount, currency: Currency::from_code(code).expect("a known currency") }
}
