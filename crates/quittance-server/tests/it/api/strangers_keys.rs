//! What another tenant has is to a caller what nobody ever had: the same answer, by the same way.

use super::app::{App, Place, STRANGER, bearer, payment, post};
use super::call::{Answer, Call};
use super::watch::Watch;
use quittance_core::id::{CommandId, CustomerId, PaymentId, RefundId};
use quittance_store::memory::MemoryDatabase;
use serde_json::Value;

/// Everything of an answer but what names the request itself.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let mut body = answer.json();
    for of_this_request in ["command_id", "correlation_id"] {
        body.as_object_mut().expect("a problem").remove(of_this_request);
    }
    let headers = answer.headers.iter().filter(|(name, _)| *name != "request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned())).collect();
    (answer.status, headers, body)
}

struct Watched {
    app: App,
    watch: Watch,
}

impl Watched {
    /// Asks for what is another tenant's, and for what never was, and compares.
    async fn compare(&self, what: &str, ask: impl Fn(bool) -> Call) {
        let mut seen = Vec::new();
        for is_theirs in [true, false] {
            self.watch.take();
            let call = ask(is_theirs).without("authorization").header("authorization", &bearer(STRANGER));
            let answer = self.app.send(call).await;
            assert!(answer.status == 404, "{what}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
            seen.push((told(&answer), answer.body.len(), self.watch.take()));
        }
        assert_eq!(seen[0], seen[1], "{what}");
        assert!(!seen[0].2.is_empty(), "{what}: nothing was asked of the store");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anothers_is_what_never_was() {
    let watch = Watch::default();
    let app = App::start_on(Place::Watched(MemoryDatabase::new(), watch.clone())).await.with_alice().await;
    let made = app.post("/v1/payments", "k1", &payment("order-1", "pm_card_visa")).await.expect(201, "");
    let refund = format!(r#"{{"payment": "{}", "amount": 5, "reference": "r"}}"#, made.text("/id"));
    let refund = app.post("/v1/refunds", "r1", &refund).await.expect(201, "");
    let place = Watched { app, watch };
    let pick = |is_theirs: bool, theirs: String, never: String| if is_theirs { theirs } else { never };
    let payment_id = |t: bool| pick(t, made.text("/id"), PaymentId::from_bytes([0x41; 16]).to_string());
    let refund_id = |t: bool| pick(t, refund.text("/id"), RefundId::from_bytes([0x41; 16]).to_string());
    let command_id = |t: bool| pick(t, made.text("/command_id"), CommandId::from_bytes([0x41; 16]).to_string());
    let customer_id = |t: bool| pick(t, made.text("/customer"), CustomerId::from_bytes([0x41; 16]).to_string());
    let get = |path: String| Call::new("GET", &path);
    place.compare("payment", |t| get(format!("/v1/payments/{}", payment_id(t)))).await;
    place.compare("refund", |t| get(format!("/v1/refunds/{}", refund_id(t)))).await;
    place.compare("command", |t| get(format!("/v1/commands/{}", command_id(t)))).await;
    place.compare("customer", |t| get(format!("/v1/customers/{}", customer_id(t)))).await;
    let external = |t: bool| pick(t, "alice".to_owned(), "never".to_owned());
    place.compare("external id", |t| get(format!("/v1/customers/{}", external(t)))).await;
    for list in ["payments", "ledger/entries", "ledger/balances"] {
        place.compare(list, |t| get(format!("/v1/{list}?customer={}", customer_id(t)))).await;
    }
    for (what, theirs, never) in [
        ("trace of a payment", payment_id(true), payment_id(false)),
        ("trace of a refund", refund_id(true), refund_id(false)),
        ("trace of a command", command_id(true), command_id(false)),
    ] {
        place.compare(what, |t| get(format!("/v1/trace/{}", if t { &theirs } else { &never }))).await;
    }
    // What changes something is refused after its key is claimed: each under a key of its own.
    let act = |t: bool, path: &str, body: &str| post(path, &format!("{path}-{}-{t}", body.len()), body);
    for step in ["capture", "cancel"] {
        place.compare(step, |t| act(t, &format!("/v1/payments/{}/{step}", payment_id(t)), "{}")).await;
    }
    let refunding = |t: bool| format!(r#"{{"payment": "{}", "amount": 5, "reference": "x"}}"#, payment_id(t));
    place.compare("new refund", |t| act(t, "/v1/refunds", &refunding(t))).await;
    let paying = |t: bool| payment("order-9", "pm_card_visa").replacen("alice", &customer_id(t), 1);
    place.compare("new payment", |t| act(t, "/v1/payments", &paying(t))).await;
    let paying = |t: bool| payment("order-9", "pm_card_visa").replacen("alice", &external(t), 1);
    place.compare("new payment, by external id", |t| act(t, "/v1/payments", &paying(t))).await;
}
