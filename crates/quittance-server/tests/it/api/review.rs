//! A payment that the gateway contradicts, and the person who decides it.

use super::app::{ADMIN, App, WEBHOOK_SECRETS, bearer, payment, post};
use super::call::Call;
use super::webhooks::{deliver, sign};

fn decision(id: &str, key: &str, body: &str) -> Call {
    let call = post(&format!("/v1/effects/{id}/resolve"), key, body);
    call.without("authorization").header("authorization", &bearer(ADMIN))
}

const FAILED: &str = r#"{"resolution": "failed", "evidence": "statement 7", "reason": "never arrived at the bank"}"#;

/// A payment that waits for its customer, and of which a signed event says that another amount arrived.
async fn in_review(app: &App) -> String {
    let body = payment("order-1", "pm_card_authenticationRequired");
    let made = app.post("/v1/payments", "k1", &body).await.expect(201, "");
    assert_eq!(made.text("/status"), "requires_action");
    let event = format!(
        r#"{{"id": "evt_1", "type": "payment_intent.succeeded", "created": 1700000000, "livemode": false,
            "data": {{"object": {{"id": "{}", "object": "payment_intent", "status": "succeeded", "amount": 1999,
            "amount_received": 1, "currency": "usd", "metadata": {{}}}}}}}}"#,
        made.text("/gateway_id")
    );
    let signature = sign(WEBHOOK_SECRETS[0], app.handle.now().seconds(), event.as_bytes());
    deliver(app, &signature, event.as_bytes()).await.expect(200, "");
    let id = made.text("/id");
    assert_eq!(app.get(&format!("/v1/payments/{id}")).await.text("/status"), "review");
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_decides_with_evidence_and_the_trace_says_who() {
    let app = App::start().await.with_alice().await;
    let id = in_review(&app).await;
    let decided = app.send(decision(&id, "d1", FAILED)).await.expect(200, "");
    assert_eq!(decided.text("/status"), "failed");
    let again = app.send(decision(&id, "d1", FAILED)).await.expect(200, "");
    assert_eq!(again.body, decided.body);
    app.send(decision(&id, "d2", FAILED)).await.expect(409, "not-in-review");
    let trace = String::from_utf8_lossy(&app.get(&format!("/v1/trace/{id}")).await.body).into_owned();
    assert!(trace.contains("statement 7") && trace.contains("never arrived at the bank"), "{trace}");
    app.post("/v1/payments", "k2", &payment("order-1", "pm_card_visa")).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_needs_its_scope_its_evidence_and_something_to_decide() {
    let app = App::start().await.with_alice().await;
    let id = in_review(&app).await;
    let path = format!("/v1/effects/{id}/resolve");
    app.post(&path, "d1", FAILED).await.expect(403, "forbidden");
    for body in [
        r#"{"resolution": "failed", "reason": "so"}"#,
        r#"{"resolution": "failed", "evidence": "", "reason": "so"}"#,
        r#"{"resolution": "maybe", "evidence": "e", "reason": "so"}"#,
        r#"{"resolution": "failed", "evidence": "e", "reason": "so", "amount": 1}"#,
        r#"{"resolution": "approved", "evidence": "e", "reason": "so", "amount": 1}"#,
        r#"{"resolution": "succeeded", "evidence": "e", "reason": "so", "amount": 0}"#,
        r#"{"resolution": "succeeded", "evidence": "e", "reason": "so", "amount": "1"}"#,
    ] {
        app.send(decision(&id, "d1", body)).await.expect(400, "invalid-body");
    }
    app.send(decision("pay_01h455vb4pex5vsknk084sn02q", "d1", FAILED)).await.expect(404, "not-found");
    app.send(decision("nonsense", "d1", FAILED)).await.expect(404, "not-found");
    let fine = app.post("/v1/payments", "k9", &payment("order-9", "pm_card_visa")).await.expect(201, "");
    app.send(decision(&fine.text("/id"), "d3", FAILED)).await.expect(409, "not-in-review");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_says_how_much_came_where_the_gateway_shows_another_amount() {
    let app = App::start().await.with_alice().await;
    let id = in_review(&app).await;
    let succeeded = |amount: &str| format!(r#"{{"resolution": "succeeded", "evidence": "e", "reason": "so"{amount}}}"#);
    let refused = app.send(decision(&id, "d1", &succeeded(""))).await.expect(409, "received-amount-differs");
    assert!(refused.text("/detail").contains("1 minor units came"), "{}", refused.json());
    app.send(decision(&id, "d2", &succeeded(r#", "amount": 2000"#))).await.expect(422, "resolved-amount");
    let decided = app.send(decision(&id, "d3", &succeeded(r#", "amount": 1"#))).await.expect(200, "");
    assert_eq!(
        (decided.text("/status"), decided.json()["captured_amount"].as_i64()),
        ("succeeded".to_owned(), Some(1))
    );
}
