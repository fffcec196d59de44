//! A gateway that nobody here wrote: localstripe, a stateful imitation of Stripe by other authors, charged through a real
//! server. What it does differently from Stripe is known: it has no idempotency keys, no decline codes, and sends each
//! webhook once, a second late.

use crate::support::{Client, Home, Server};
use quittance_surroundings::Peer;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

/// localstripe waits a second before it sends; everything else takes milliseconds.
const LOOKS_MAX: u32 = 300;
const LOOK: Duration = Duration::from_millis(100);

/// A server of ours that charges through localstripe, and is told by its webhooks.
struct Place {
    client: Client,
    peer: Client,
    server: Server,
    _peer: Server,
    _home: Home,
}

impl Place {
    fn open() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/localstripe_server.py");
        let peer = Server::start(Command::new(Peer::Python.find("localstripe as the gateway")?).arg(script));
        let home = Home::with_gateway(&peer.base);
        // It takes no notice of keys, so that a refund must never be sent again before it is looked for.
        home.configure("refunds_class = \"B\"\nquiescence_s = 0\n");
        let secret = home.credential();
        let server = home.serve();
        let place = Self {
            client: Client::new(&server.base, Some(&secret)),
            peer: Client::new(&peer.base, Some("sk_test_localstripe")),
            server,
            _peer: peer,
            _home: home,
        };
        let target = json!({"url": format!("{}/webhooks/we_it", place.server.base), "secret": "whsec_it"});
        assert_eq!(place.peer.post("/_config/webhooks/quittance", "-", &target).0, 200);
        let customer = json!({"name": "Anna", "external_id": "anna"});
        assert_eq!(place.client.post("/v1/customers", "customer", &customer).0, 201);
        Some(place)
    }

    fn pay(&self, reference: &str, method: &str) -> (u16, Value) {
        self.order(reference, method, &[])
    }

    fn order(&self, reference: &str, method: &str, more: &[(&str, Value)]) -> (u16, Value) {
        let mut body = json!({
            "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox", "payment_method": method,
            "reference": reference,
        });
        for (name, value) in more {
            body[*name] = value.clone();
        }
        self.client.post("/v1/payments", reference, &body)
    }

    /// Looks until it is as wanted; each look is an answered request, so only a broken promise takes long.
    fn until(&self, path: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..LOOKS_MAX {
            last = self.client.get(path).1;
            if is_wanted(&last) {
                return last;
            }
            // What is waited for happens in another process, which tells nobody here; a server that ends is heard.
            let ended = self.server.later.recv_timeout(LOOK);
            assert_eq!(ended, Err(RecvTimeoutError::Timeout), "the server ended");
        }
        panic!("{path} stays {last:#}");
    }

    /// Waits until the story of a payment tells of a webhook that was stored and applied.
    fn until_webhook(&self, payment: &str) -> Value {
        let tells = |story: &Value| {
            let text = story.to_string();
            text.contains("webhook_received") && text.contains("payment_intent.")
        };
        self.until(&format!("/v1/trace/{payment}"), tells)
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {pointer} in {value:#}"))
}

#[test]
fn localstripe_charges_once_and_its_signed_webhook_is_applied() {
    let Some(place) = Place::open() else { return };
    let (status, payment) = place.pay("order-1", "pm_card_visa");
    assert_eq!((status, text(&payment, "/status")), (201, "succeeded"), "{payment:#}");
    assert_eq!(place.pay("order-1", "pm_card_visa").1, payment);
    let story = place.until_webhook(text(&payment, "/id"));
    assert!(story.to_string().contains("payment_intent.succeeded"), "{story:#}");
    let (_, theirs) = place.peer.get(&format!("/v1/payment_intents/{}", text(&payment, "/gateway_id")));
    assert_eq!(text(&theirs, "/status"), "succeeded", "{theirs:#}");
    let (_, charges) = place.peer.get("/v1/charges");
    let amounts: Vec<_> = charges["data"].as_array().into_iter().flatten().map(|charge| &charge["amount"]).collect();
    assert_eq!(amounts, [1999], "{charges:#}");
    let (_, balances) = place.client.get("/v1/ledger/balances?account=gateway_clearing:sandbox");
    assert_eq!(balances["data"][0]["amount"], 1999, "{balances:#}");
}

#[test]
fn localstripe_declines_and_nothing_is_booked() {
    let Some(place) = Place::open() else { return };
    let (status, problem) = place.pay("order-1", "pm_card_chargeCustomerFail");
    assert_eq!((status, text(&problem, "/code")), (402, "payment-declined"), "{problem:#}");
    assert_eq!(text(&problem, "/payment/status"), "failed");
    place.until_webhook(text(&problem, "/payment/id"));
    let (_, charges) = place.peer.get("/v1/charges");
    let statuses: Vec<_> = charges["data"].as_array().into_iter().flatten().map(|charge| &charge["status"]).collect();
    assert_eq!(statuses, ["failed"], "{charges:#}");
    let (_, balances) = place.client.get("/v1/ledger/balances?account=gateway_clearing:sandbox");
    let booked: Vec<_> = balances["data"].as_array().into_iter().flatten().map(|row| &row["amount"]).collect();
    assert!(booked.iter().all(|amount| **amount == 0), "{balances:#}");
}

/// The next look of our own would come in a minute: what settles the payment sooner is the webhook.
#[test]
fn localstripe_asks_for_authentication_and_a_webhook_tells_that_it_was_given() {
    let Some(place) = Place::open() else { return };
    let card = json!({"number": "4000002760003184", "exp_month": "12", "exp_year": "2034", "cvc": "123"});
    let (_, method) = place.peer.post("/v1/payment_methods", "-", &json!({"type": "card", "card": card}));
    let (status, payment) = place.pay("order-1", text(&method, "/id"));
    assert_eq!((status, text(&payment, "/status")), (201, "requires_action"), "{payment:#}");
    let object = text(&payment, "/gateway_id");
    let (_, theirs) = place.peer.get(&format!("/v1/payment_intents/{object}"));
    let given = json!({"success": true, "client_secret": text(&theirs, "/client_secret")});
    assert_eq!(place.peer.post(&format!("/v1/payment_intents/{object}/_authenticate"), "-", &given).0, 200);
    let path = format!("/v1/payments/{}", text(&payment, "/id"));
    let settled = place.until(&path, |payment| payment["status"] == "succeeded");
    assert_eq!(settled["captured_amount"], 1999, "{settled:#}");
    let story = place.until_webhook(text(&payment, "/id")).to_string();
    assert!(story.contains("payment_intent.succeeded"), "{story}");
}

#[test]
fn a_webhook_with_another_secret_is_refused() {
    let Some(place) = Place::open() else { return };
    let (status, _) =
        place.client.post("/webhooks/we_it", "-", &json!({"id": "evt_1", "type": "payment_intent.succeeded"}));
    assert_eq!(status, 400);
}

#[test]
fn localstripe_captures_what_was_authorised_and_releases_what_was_not() {
    let Some(place) = Place::open() else { return };
    let authorise = |reference: &str| {
        let (status, payment) = place.order(reference, "pm_card_visa", &[("capture_method", json!("manual"))]);
        assert_eq!((status, text(&payment, "/status")), (201, "requires_capture"), "{payment:#}");
        payment
    };
    let (taken, left) = (authorise("order-1"), authorise("order-2"));
    let path = |payment: &Value, step: &str| format!("/v1/payments/{}/{step}", text(payment, "/id"));
    let (status, captured) = place.client.post(&path(&taken, "capture"), "capture", &json!({}));
    assert_eq!((status, text(&captured, "/status")), (200, "succeeded"), "{captured:#}");
    assert_eq!(captured["captured_amount"], 1999, "{captured:#}");
    let (status, twice) = place.client.post(&path(&taken, "capture"), "capture-2", &json!({}));
    assert_eq!((status, text(&twice, "/code")), (409, "not-capturable"), "{twice:#}");
    let (status, canceled) = place.client.post(&path(&left, "cancel"), "cancel", &json!({"reason": "changed mind"}));
    assert_eq!((status, text(&canceled, "/status")), (200, "canceled"), "{canceled:#}");
    let (_, theirs) = place.peer.get(&format!("/v1/payment_intents/{}", text(&left, "/gateway_id")));
    assert_eq!(text(&theirs, "/status"), "canceled", "{theirs:#}");
    let (_, balances) = place.client.get("/v1/ledger/balances?account=gateway_clearing:sandbox");
    assert_eq!(balances["data"][0]["amount"], 1999, "{balances:#}");
}

#[test]
fn localstripe_gives_back_what_is_asked_for_once_and_never_more_than_was_taken() {
    let Some(place) = Place::open() else { return };
    let (_, payment) = place.pay("order-1", "pm_card_visa");
    let refund = |key: &str, reference: &str, amount: i64| {
        let body = json!({"payment": payment["id"], "amount": amount, "reference": reference});
        place.client.post("/v1/refunds", key, &body)
    };
    let (status, part) = refund("r1", "a", 600);
    assert_eq!((status, text(&part, "/status")), (201, "succeeded"), "{part:#}");
    assert_eq!(refund("r1", "a", 600).1, part, "a retry is the same refund");
    // This gateway would give back any amount any number of times.
    assert_eq!(refund("r2", "b", 1400).0, 422);
    assert_eq!(refund("r3", "b", 1399).0, 201);
    let (_, refunds) = place.peer.get("/v1/refunds");
    let mut amounts: Vec<_> =
        refunds["data"].as_array().into_iter().flatten().filter_map(|refund| refund["amount"].as_i64()).collect();
    amounts.sort_unstable();
    assert_eq!(amounts, [600, 1399], "{refunds:#}");
    let (_, balances) = place.client.get("/v1/ledger/balances?account=gateway_clearing:sandbox");
    assert_eq!(balances["data"][0]["amount"], 0, "{balances:#}");
}
