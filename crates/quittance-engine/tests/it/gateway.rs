//! A model of a two-phase gateway that speaks in requests and responses: stored answers by key, one charge an object.

mod refunds;

use quittance_connectors::message::{Delivery, Method, Request, Response};
use quittance_core::fact::Loss;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Gateway {
    pub intents: Vec<Value>,
    pub disputes: Vec<Value>,
    /// Objects of other kinds, read by their ids.
    pub others: Vec<Value>,
    /// The statuses that new refunds have, in turn.
    pub refund_statuses: &'static [&'static str],
    /// Whether a refund that is pending has succeeded by the time somebody reads it.
    pub refunds_settle: bool,
    stored: BTreeMap<String, (Vec<u8>, u16, Value)>,
    /// Every write as it came, in order: key and canonical bytes.
    pub seen: Vec<(String, Vec<u8>)>,
}

fn parameter(body: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(body).replace("%5B", "[").replace("%5D", "]");
    text.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v.to_owned())
}

fn error(status: u16, kind: &str, code: &str, intent: Option<&Value>) -> (u16, Value) {
    (status, json!({"error": {"type": kind, "code": code, "message": "no", "payment_intent": intent}}))
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            intents: Vec::new(),
            disputes: Vec::new(),
            others: Vec::new(),
            refund_statuses: &["succeeded"],
            refunds_settle: false,
            stored: BTreeMap::new(),
            seen: Vec::new(),
        }
    }
}

impl Gateway {
    /// Runs a request and answers it.
    pub fn serve(&mut self, request: &Request) -> Delivery {
        let (status, body, is_replayed) = match request.method {
            Method::Get => {
                let (status, body) = match request.target.starts_with("/v1/refunds") {
                    true => self.get_refund(request),
                    false => self.get(request),
                };
                (status, body, false)
            }
            Method::Post => self.post(request),
        };
        let mark = is_replayed.then(|| ("Idempotent-Replayed".to_owned(), "true".to_owned()));
        Delivery::Answered(Response {
            status,
            headers: mark.into_iter().collect(),
            body: body.to_string().into_bytes(),
        })
    }

    /// Runs a request and loses its answer.
    pub fn serve_and_lose(&mut self, request: &Request) -> Delivery {
        self.serve(request);
        Self::lose(self, request)
    }

    /// Never runs it.
    pub fn lose(&mut self, _: &Request) -> Delivery {
        Delivery::Lost { loss: Loss::Timeout, reason: "model".into() }
    }

    /// Fails without running it, and remembers the failure.
    pub fn store_error(&mut self, request: &Request) -> Delivery {
        let (status, body) = error(500, "api_error", "", None);
        if let Some(key) = &request.idempotency_key {
            self.stored.insert(key.clone(), (request.canonical_bytes(), status, body.clone()));
        }
        Delivery::Answered(Response { status, headers: Vec::new(), body: body.to_string().into_bytes() })
    }

    pub fn forget_keys(&mut self) {
        self.stored.clear();
    }

    fn get(&self, request: &Request) -> (u16, Value) {
        let path = request.target.split('?').next().unwrap_or_default();
        match path.trim_start_matches("/v1/").split_once('/') {
            Some((_, id)) => {
                match self.intents.iter().chain(&self.others).chain(&self.disputes).find(|object| object["id"] == id) {
                    Some(object) => (200, object.clone()),
                    None => error(404, "invalid_request_error", "resource_missing", None),
                }
            }
            None => {
                let newest: Vec<&Value> = self.intents.iter().rev().collect();
                (200, json!({"object": "list", "data": newest, "has_more": false}))
            }
        }
    }

    fn post(&mut self, request: &Request) -> (u16, Value, bool) {
        let key = request.idempotency_key.clone().expect("every write has a key");
        self.seen.push((key.clone(), request.canonical_bytes()));
        if let Some((bytes, status, body)) = self.stored.get(&key) {
            if *bytes != request.canonical_bytes() {
                let (status, body) = error(400, "idempotency_error", "", None);
                return (status, body, false);
            }
            return (*status, body.clone(), true);
        }
        let (status, body) = self.run(request);
        self.stored.insert(key, (request.canonical_bytes(), status, body.clone()));
        (status, body, false)
    }

    fn run(&mut self, request: &Request) -> (u16, Value) {
        if let Some(id) = request.target.strip_prefix("/v1/disputes/") {
            return self.submit(id);
        }
        if request.target == "/v1/refunds" {
            return self.refund(&request.body);
        }
        let mut parts = request.target.trim_start_matches("/v1/payment_intents").trim_start_matches('/').split('/');
        let id = parts.next().filter(|id| !id.is_empty());
        match (id, parts.next()) {
            (None, _) => self.create(&request.body),
            (Some(id), Some(action)) => {
                let at = self.intents.iter().position(|intent| intent["id"] == id).expect("made here");
                match action {
                    "confirm" => self.confirm(at, &request.body),
                    "capture" => self.capture(at, &request.body),
                    _ => self.cancel(at),
                }
            }
            (Some(_), None) => error(404, "invalid_request_error", "url", None),
        }
    }

    fn create(&mut self, body: &[u8]) -> (u16, Value) {
        let amount: i64 = parameter(body, "amount").and_then(|text| text.parse().ok()).expect("an amount");
        let intent = json!({
            "id": format!("pi_{}", self.intents.len() + 1),
            "object": "payment_intent",
            "status": "requires_confirmation",
            "amount": amount,
            "amount_received": 0,
            "currency": parameter(body, "currency"),
            "payment_method": parameter(body, "payment_method"),
            "capture_method": parameter(body, "capture_method"),
            "latest_charge": null,
            "last_payment_error": null,
            "attempts": 0,
            "metadata": {
                "effect_id": parameter(body, "metadata[effect_id]"),
                "customer_id": parameter(body, "metadata[customer_id]"),
                "payment_reference": parameter(body, "metadata[payment_reference]"),
            },
        });
        self.intents.push(intent.clone());
        (200, intent)
    }

    fn confirm(&mut self, at: usize, body: &[u8]) -> (u16, Value) {
        let intent = &mut self.intents[at];
        if intent["status"] == "succeeded" || intent["status"] == "canceled" {
            return error(400, "invalid_request_error", "payment_intent_unexpected_state", Some(intent));
        }
        if let Some(method) = parameter(body, "payment_method") {
            intent["payment_method"] = method.into();
        }
        let attempts = intent["attempts"].as_i64().unwrap_or(0) + 1;
        intent["attempts"] = attempts.into();
        intent["latest_charge"] = format!("ch_{at}_{attempts}").into();
        if intent["payment_method"] == "pm_card_chargeDeclined" {
            intent["status"] = "requires_payment_method".into();
            intent["payment_method"] = Value::Null;
            intent["last_payment_error"] =
                json!({"type": "card_error", "code": "card_declined", "decline_code": "generic_decline"});
            return error(402, "card_error", "card_declined", Some(intent));
        }
        if intent["capture_method"] == "manual" {
            intent["status"] = "requires_capture".into();
            return (200, intent.clone());
        }
        intent["status"] = "succeeded".into();
        intent["amount_received"] = intent["amount"].clone();
        (200, intent.clone())
    }

    fn cancel(&mut self, at: usize) -> (u16, Value) {
        let intent = &mut self.intents[at];
        if intent["status"] == "succeeded" || intent["status"] == "canceled" {
            return error(400, "invalid_request_error", "payment_intent_unexpected_state", Some(intent));
        }
        intent["status"] = "canceled".into();
        (200, intent.clone())
    }

    /// Takes the evidence of a dispute, which it does once.
    fn submit(&mut self, id: &str) -> (u16, Value) {
        let dispute = self.disputes.iter_mut().find(|dispute| dispute["id"] == id).expect("opened here");
        dispute["status"] = match dispute["status"].as_str() {
            Some("needs_response") => "under_review".into(),
            Some("warning_needs_response") => "warning_under_review".into(),
            _ => return error(400, "invalid_request_error", "dispute_closed", None),
        };
        let count = dispute["evidence_details"]["submission_count"].as_i64().unwrap_or(0);
        dispute["evidence_details"]["submission_count"] = (count + 1).into();
        (200, dispute.clone())
    }

    /// A dispute about the oldest payment, in this status, whose money did not move yet.
    pub fn dispute(&mut self, status: &str) {
        let intent = &self.intents[0];
        self.disputes.push(json!({
            "id": format!("dp_{}", self.disputes.len() + 1), "object": "dispute", "status": status,
            "amount": intent["amount"], "currency": intent["currency"], "charge": intent["latest_charge"],
            "payment_intent": intent["id"], "reason": "fraudulent", "balance_transactions": [],
            "evidence_details": {"due_by": 1_800_600_000, "submission_count": 0},
        }));
    }

    /// Moves money of the newest dispute: below zero it is withdrawn.
    pub fn move_disputed(&mut self, id: &str, amount: i64, fee: i64) {
        let dispute = self.disputes.last_mut().expect("one is open");
        let movement = json!({"id": id, "amount": amount, "currency": "usd", "fee": fee, "created": 1_800_000_000});
        dispute["balance_transactions"].as_array_mut().expect("a list").push(movement);
    }

    /// Ids of the effects whose charges succeeded, one for each success.
    pub fn charged(&self) -> Vec<String> {
        let paid = self.intents.iter().filter(|intent| intent["status"] == "succeeded");
        paid.map(|intent| intent["metadata"]["effect_id"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
