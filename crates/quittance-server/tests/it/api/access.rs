//! Who may do what, and what unknown paths and methods are answered.

use super::app::{App, READER, STRANGER, WRITER, bearer, key_id, payment, post, submit};
use super::call::Call;
use quittance_core::time::Timestamp;
use quittance_engine::submission::Submission;

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_needed_and_its_scope_counts() {
    let app = App::start().await;
    let get = || Call::new("GET", "/v1/payments");
    for (call, expected) in [
        (get(), "401 unauthorised: the header Authorization is missing"),
        (get().header("authorization", "Basic x"), "401 unauthorised: expected `Authorization: Bearer qk_…`"),
        (get().header("authorization", "Bearer sk_test_1"), "401 unauthorised: expected `Authorization: Bearer qk_…`"),
        (get().header("authorization", "Bearer qk_test_x"), "401 unauthorised: the API key is not known, or revoked"),
        (
            post("/v1/payments", "k", "{}").without("authorization").header("authorization", &bearer(READER)),
            "403 forbidden: scope write is needed; this key has read",
        ),
    ] {
        let answer = app.send(call).await;
        assert_eq!(answer.problem(), expected);
        assert_eq!(answer.header("www-authenticate").is_some(), answer.status == 401);
    }
    let answer = app.send(get().header("authorization", &bearer(WRITER).replace("Bearer", "bearer"))).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_at_once() {
    let app = App::start().await;
    assert_eq!(app.get("/v1/payments").await.status, 200);
    let at = Timestamp::from_seconds(1_800_000_000);
    submit(&app.handle, Submission::RevokeKey { id: key_id(2), at }).await;
    app.get("/v1/payments").await.expect(401, "unauthorised");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tenant_sees_nothing_of_another() {
    let app = App::start().await.with_alice().await;
    let made = app.post("/v1/payments", "k1", &payment("order-1", "pm_card_visa")).await.expect(201, "");
    let stranger = |path: &str| Call::new("GET", path).header("authorization", &bearer(STRANGER));
    for (path, code) in [
        (format!("/v1/payments/{}", made.text("/id")), "not-found"),
        (format!("/v1/commands/{}", made.text("/command_id")), "not-found"),
        (format!("/v1/trace/{}", made.text("/id")), "not-found"),
        (format!("/v1/customers/{}", made.text("/customer")), "customer-not-found"),
        (format!("/v1/payments?customer={}", made.text("/customer")), "customer-not-found"),
        (format!("/v1/ledger/entries?customer={}", made.text("/customer")), "customer-not-found"),
        ("/v1/customers/alice".to_owned(), "customer-not-found"),
    ] {
        app.send(stranger(&path)).await.expect(404, code);
    }
    for list in ["payments", "customers", "ledger/entries", "ledger/balances", "ledger/accounts"] {
        let answer = app.send(stranger(&format!("/v1/{list}"))).await;
        assert_eq!(answer.text("/data"), "[]", "{list}");
    }
    // The same key of another tenant is another key, and its customer another customer.
    let body = payment("order-1", "pm_card_visa");
    let call = post("/v1/payments", "k1", &body).without("authorization").header("authorization", &bearer(STRANGER));
    app.send(call).await.expect(404, "customer-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_that_do_not_exist_are_problems_too() {
    let app = App::start().await;
    assert_eq!(app.get("/v1/nothing").await.problem(), "404 not-found: no resource has this path");
    let answer = app.send(Call::new("DELETE", "/v1/payments")).await;
    assert_eq!(answer.problem(), "405 method-not-allowed: see the header Allow");
    assert_eq!(answer.header("allow"), Some("POST,GET,HEAD"));
    app.get("/v1/payments/%ff").await.expect(400, "invalid-parameter");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_credential() {
    let app = App::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(app.send(Call::new("GET", path)).await.text("/status"), "ok");
    }
    assert_eq!(app.send(Call::new("GET", "/metrics")).await.status, 200);
}
