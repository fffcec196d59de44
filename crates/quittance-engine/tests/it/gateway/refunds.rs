//! Captures and refunds of the model: a part at most, and no more back than came.

use super::{Gateway, error, parameter};
use quittance_connectors::message::Request;
use serde_json::{Value, json};

fn amount_in(body: &[u8], name: &str) -> Option<i64> {
    parameter(body, name).and_then(|text| text.parse().ok())
}

impl Gateway {
    pub(super) fn capture(&mut self, at: usize, body: &[u8]) -> (u16, Value) {
        let intent = &mut self.intents[at];
        if intent["status"] != "requires_capture" {
            return error(400, "invalid_request_error", "payment_intent_unexpected_state", Some(intent));
        }
        intent["status"] = "succeeded".into();
        intent["amount_received"] = amount_in(body, "amount_to_capture").map_or(intent["amount"].clone(), Value::from);
        (200, intent.clone())
    }

    /// The next status is the next refund's.
    pub(super) fn refund(&mut self, body: &[u8]) -> (u16, Value) {
        let intent = parameter(body, "payment_intent").expect("a payment");
        let paid = self.intents.iter().find(|known| known["id"] == intent.as_str()).expect("made here").clone();
        let amount = amount_in(body, "amount").expect("an amount");
        if amount + self.given_back(&intent) > paid["amount_received"].as_i64().unwrap_or(0) {
            return error(400, "invalid_request_error", "charge_already_refunded", None);
        }
        let number = self.others.len();
        let refund = json!({
            "id": format!("re_{}", number + 1),
            "object": "refund",
            "status": self.refund_statuses[number % self.refund_statuses.len()],
            "amount": amount,
            "currency": paid["currency"],
            "payment_intent": intent,
            "charge": paid["latest_charge"],
            "failure_balance_transaction": null,
            "metadata": {
                "effect_id": parameter(body, "metadata[effect_id]"),
                "customer_id": parameter(body, "metadata[customer_id]"),
            },
        });
        self.others.push(refund.clone());
        (200, refund)
    }

    pub(super) fn get_refund(&mut self, request: &Request) -> (u16, Value) {
        let path = request.target.split('?').next().unwrap_or_default();
        let Some(id) = path.strip_prefix("/v1/refunds/") else {
            let newest: Vec<&Value> = self.refunds().rev().collect();
            return (200, json!({"object": "list", "data": newest, "has_more": false}));
        };
        let settles = self.refunds_settle;
        match self.others.iter_mut().find(|refund| refund["id"] == id) {
            Some(refund) => {
                if settles && refund["status"] == "pending" {
                    refund["status"] = "succeeded".into();
                }
                (200, refund.clone())
            }
            None => error(404, "invalid_request_error", "resource_missing", None),
        }
    }

    /// Every refund, the oldest first.
    pub fn refunds(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.others.iter().filter(|object| object["object"] == "refund")
    }

    /// What was given back of a payment, or is on its way.
    pub fn given_back(&self, intent: &str) -> i64 {
        let of_it = self.refunds().filter(|refund| refund["payment_intent"] == intent);
        of_it.filter(|refund| refund["status"] != "failed").filter_map(|refund| refund["amount"].as_i64()).sum()
    }

    /// The bank sends a refund back that had gone out.
    pub fn return_refund(&mut self, at: usize) -> Value {
        let refund = &mut self.others[at];
        refund["status"] = "failed".into();
        refund["failure_balance_transaction"] = format!("txn_{at}").into();
        refund.clone()
    }
}
