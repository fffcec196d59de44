//! The life of a command: first answer, replay, reuse, wait, and a restart between them.

use super::app::{App, Place, payment, payment_at, post};
use super::call::Answer;
use quittance_store::memory::MemoryDatabase;
use tempfile::TempDir;

const ROUTE: &str = "/v1/payments";

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_succeeds_and_its_answer_is_the_same_for_ever() {
    let app = App::start_on(Place::Disk(TempDir::new().expect("a folder"))).await.with_alice().await;
    let body = payment("order-1", "pm_card_visa");
    let first = app.post(ROUTE, "key-1", &body).await.expect(201, "");
    assert_eq!(first.text("/status"), "succeeded");
    assert_eq!(first.text("/captured_amount"), "1999");
    assert_eq!(first.header("location"), Some(format!("/v1/payments/{}", first.text("/id")).as_str()));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(first.text("/correlation_id")[4..], first.text("/command_id")[4..]);

    let app = app.restart().await;
    // White space, the order of members and quotes around the key make no other request.
    let other_spelling = r#"{"metadata":{"order":"\u0037"},"reference":"order-1","payment_method":"pm_card_visa",
        "gateway":"stripe","currency":"USD","amount":1999,"customer":"alice"}"#;
    for (key, body) in [("key-1", body.as_str()), ("\"key-1\"", other_spelling)] {
        same(&first, &app.post(ROUTE, key, body).await);
    }
    assert_eq!(app.get(&format!("/v1/payments/{}", first.text("/id"))).await.body, first.body);
}

/// Checks that an answer is the first one, replayed.
#[track_caller]
pub fn same(first: &Answer, again: &Answer) {
    assert_eq!(String::from_utf8_lossy(&again.body), String::from_utf8_lossy(&first.body));
    assert_eq!(again.status, first.status);
    for name in ["location", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert!(again.header("idempotency-original-date").is_some_and(|date| date.ends_with(" GMT")));
    assert_ne!(again.header("request-id"), first.header("request-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_is_frozen_and_frees_the_reference() {
    let app = App::start().await.with_alice().await;
    let body = payment("order-2", "pm_card_chargeDeclinedInsufficientFunds");
    let first = app.post(ROUTE, "key-1", &body).await.expect(402, "payment-declined");
    assert_eq!(first.text("/payment/status"), "failed");
    assert_eq!(first.text("/payment/decline/code"), "insufficient_funds");
    assert_eq!(first.text("/resource"), format!("/v1/payments/{}", first.text("/payment/id")));
    assert_eq!(first.text("/retryable"), "false");
    same(&first, &app.post(ROUTE, "key-1", &body).await);
    app.post(ROUTE, "key-2", &payment("order-2", "pm_card_visa")).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_request_and_a_reference_for_one_payment() {
    let app = App::start().await.with_alice().await;
    let body = payment("order-3", "pm_card_visa");
    let first = app.post(ROUTE, "key-1", &body).await.expect(201, "");
    app.post(ROUTE, "key-1", &payment("order-4", "pm_card_visa")).await.expect(422, "idempotency-key-reused");
    app.post("/v1/customers", "key-1", "{}").await.expect(422, "idempotency-key-reused");
    let twin = app.post(ROUTE, "key-2", &body).await.expect(409, "duplicate-intent");
    let place = format!("/v1/payments/{}", first.text("/id"));
    assert_eq!(twin.text("/resource"), place);
    assert_eq!(twin.header("location"), Some(place.as_str()));
    assert_eq!(twin.header("retry-after"), None);
    assert_eq!(twin.text("/command_id"), first.text("/command_id"));
    same(&twin, &app.post(ROUTE, "key-2", &body).await);
    let asked = body.replacen('{', "{\"on_duplicate\": \"return_existing\",", 1);
    let existing = app.post(ROUTE, "key-3", &asked).await.expect(200, "");
    assert_eq!(existing.text("/id"), first.text("/id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_engine_are_frozen_too() {
    let app = App::start().await;
    let body = payment("order-5", "pm_card_visa");
    let first = app.post(ROUTE, "key-1", &body).await.expect(404, "customer-not-found");
    let app = app.with_alice().await;
    same(&first, &app.post(ROUTE, "key-1", &body).await);
    app.post("/v1/customers", "again", r#"{"external_id": "alice"}"#).await.expect(409, "customer-exists");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_finished_in_time_is_a_202_that_is_not_frozen() {
    let app = App::start_on(Place::Memory(MemoryDatabase::new())).await.with_alice().await;
    let body = payment_at("silent", "order-6", "pm_1");
    let call = || post(ROUTE, "key-1", &body);
    let first = app.send(call().header("prefer", "respond-async")).await.expect(202, "");
    assert_eq!(first.text("/status"), "processing");
    assert_eq!(first.header("preference-applied"), Some("respond-async"));
    assert_eq!(first.header("location"), Some(format!("/v1/commands/{}", first.text("/command_id")).as_str()));
    assert!(first.header("retry-after").is_some());
    let joined = app.send(call().header("prefer", "wait=0")).await.expect(202, "");
    assert_eq!(joined.text("/id"), first.text("/id"));
    assert_eq!(joined.header("preference-applied"), Some("wait=0"));
    assert_eq!(joined.header("idempotent-replayed"), None);
    let waited = app.send(call().header("prefer", "wait=1")).await.expect(202, "");
    assert_eq!(waited.text("/id"), first.text("/id"));
    let command = app.get(&format!("/v1/commands/{}", first.text("/command_id"))).await;
    assert_eq!(command.text("/status"), "in_progress");
    assert_eq!(command.text("/intent/payment"), first.text("/id"));
    assert_eq!(command.text("/attempts/0/step"), "create");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_once_under_one_key_get_one_payment() {
    let app = App::start().await.with_alice().await;
    let body = payment("order-7", "pm_card_visa");
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (router, call) = (app.router.clone(), post(ROUTE, "key-1", &body));
            tokio::spawn(async move { call.send(&router).await })
        })
        .collect();
    let mut bodies = Vec::new();
    for task in tasks {
        bodies.push(task.await.expect("no panic").expect(201, "").body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(app.get("/v1/payments").await.json()["data"].as_array().map(Vec::len), Some(1));
}
