//! C14 and C15: while nobody knows what became of a payment, nothing that anybody presses sends it again, and no secret
//! that is rotated does.

use super::app::{ADMIN, App, Place, WEBHOOK_SECRETS, WRITER, bearer, key_id, payment, post, submit};
use super::call::{Answer, Call};
use super::webhooks::{deliver, sign};
use crate::gateway::{Fault, Gateway};
use quittance_core::id::{ApiKeyId, TenantId};
use quittance_core::tenant::{ApiKey, Scope};
use quittance_engine::submission::Submission;
use quittance_store::memory::MemoryDatabase;
use sha2::{Digest, Sha256};

/// A secret that the first tenant gets while the one before is taken away.
pub const NEXT: &str = "qk_test_next";

pub async fn app_at(gateway: &Gateway) -> App {
    let base = gateway.start().await;
    let address = base.trim_start_matches("http://").parse().expect("an address");
    App::start_at(Place::Memory(MemoryDatabase::new()), address).await.with_alice().await
}

fn asynchronous(key: &str, body: &str) -> Call {
    post("/v1/payments", key, body).header("prefer", "respond-async")
}

/// A payment whose confirm was carried out and not answered, at a gateway that cannot be read; its id.
pub async fn unknown(gateway: &Gateway, app: &App) -> String {
    gateway.fault("confirm", Fault::LoseAnswer);
    gateway.set_mute(true);
    let made = app.send(asynchronous("k1", &payment("order-1", "pm_1"))).await.expect(202, "");
    let path = format!("/v1/payments/{}", made.text("/id"));
    app.until(&path, |answer| answer.text("/status") == "unknown").await;
    made.text("/id")
}

/// Another credential of the first tenant.
pub fn next_key(app: &App) -> ApiKey {
    ApiKey {
        id: ApiKeyId::from_bytes([9; 16]),
        tenant: TenantId::from_bytes([1; 16]),
        digest: Sha256::digest(NEXT.as_bytes()).into(),
        name: "next".to_owned(),
        scope: Scope::Write,
        created_at: app.handle.now(),
        revoked_at: None,
        ends_at: None,
        last_used_at: None,
    }
}

async fn press(app: &App, path: &str, body: &str) -> Answer {
    // Another key for whatever else is pressed.
    let key: String = Sha256::digest(format!("{path} {body}")).iter().map(|byte| format!("{byte:02x}")).collect();
    let call = post(path, &key, body).without("authorization");
    app.send(call.header("authorization", &bearer(ADMIN)).header("prefer", "respond-async")).await
}

fn count(gateway: &Gateway, kind: &str) -> usize {
    gateway.requests().iter().filter(|request| *request == kind).count()
}

/// One create, one confirm, one charge, and the client's answer.
async fn check_paid_once(gateway: &Gateway, app: &App, id: &str) {
    gateway.set_mute(false);
    app.until(&format!("/v1/payments/{id}"), |answer| answer.text("/status") == "succeeded").await;
    assert_eq!((count(gateway, "create"), count(gateway, "confirm"), gateway.charges()), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_nothing_that_is_pressed_sends_what_is_unknown_again() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    let id = unknown(&gateway, &app).await;
    let resolve = format!("/v1/effects/{id}/resolve");
    for (resolution, code) in [("succeeded", "not-in-review"), ("failed", "not-in-review"), ("approved", "not-parked")]
    {
        let body = format!(r#"{{"resolution": "{resolution}", "evidence": "statement 7", "reason": "pressed"}}"#);
        press(&app, &resolve, &body).await.expect(409, code);
    }
    let requeue = r#"{"gateway": "stripe", "object": "pi_000000", "reason": "pressed"}"#;
    press(&app, "/v1/gateway-objects/requeue", requeue).await.expect(200, "");
    let event = format!(
        r#"{{"id": "evt_1", "type": "payment_intent.created", "created": {}, "livemode": false, "data": {{"object":
            {{"id": "pi_000000", "object": "payment_intent", "status": "requires_confirmation", "amount": 1999,
            "amount_received": 0, "currency": "usd", "metadata": {{}}}}}}}}"#,
        app.handle.now().seconds()
    );
    let signature = sign(WEBHOOK_SECRETS[0], app.handle.now().seconds(), event.as_bytes());
    deliver(&app, &signature, event.as_bytes()).await.expect(200, "");
    for turn in ["once", "twice"] {
        press(&app, "/v1/inbox/evt_1/replay", &format!(r#"{{"reason": "pressed {turn}"}}"#)).await.expect(200, "");
    }
    press(&app, &format!("/v1/payments/{id}/capture"), "{}").await.expect(409, "not-capturable");
    press(&app, "/v1/pause", r#"{"reason": "pressed"}"#).await.expect(200, "");
    press(&app, "/v1/resume", "{}").await.expect(200, "");
    let body = payment("order-1", "pm_1");
    app.send(asynchronous("k1", &body)).await.expect(202, "");
    app.send(asynchronous("k2", &body)).await.expect(409, "duplicate-intent");
    let joining = body.replacen('{', r#"{"on_duplicate": "return_existing", "#, 1);
    app.send(asynchronous("k3", &joining)).await.expect(202, "");
    // Reads go on all the while, and teach nothing.
    let reads = count(&gateway, "read");
    app.until(&format!("/v1/payments/{id}"), |_| count(&gateway, "read") > reads).await;
    assert_eq!((count(&gateway, "create"), count(&gateway, "confirm"), count(&gateway, "cancel")), (1, 1, 0));
    check_paid_once(&gateway, &app, &id).await;
    for key in ["k1", "k3"] {
        let body = if key == "k3" { &joining } else { &body };
        let answer = app.post("/v1/payments", key, body).await;
        assert_eq!((answer.text("/id"), answer.text("/status")), (id.clone(), "succeeded".to_owned()));
    }
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn c15_a_cancel_of_what_is_unknown_gives_up_and_charges_nothing() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    let id = unknown(&gateway, &app).await;
    press(&app, &format!("/v1/payments/{id}/cancel"), r#"{"reason": "pressed"}"#).await.expect(202, "");
    // The gateway refuses it, for the money came; nobody can read why.
    app.until(&format!("/v1/payments/{id}"), |_| count(&gateway, "cancel") > 0).await;
    check_paid_once(&gateway, &app, &id).await;
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn c14_the_gateways_key_is_rotated_while_an_answer_is_lost() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    let id = unknown(&gateway, &app).await;
    app.rotate_gateway_key("sk_test_2");
    let app = app.restart().await;
    check_paid_once(&gateway, &app, &id).await;
    // Whoever sends or reads takes the credential of that moment.
    assert_eq!(gateway.credentials(), ["Bearer sk_test_1", "Bearer sk_test_2"]);
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn c14_a_create_is_replayed_under_its_key_with_the_new_credential() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    gateway.fault("create", Fault::LoseAnswer);
    gateway.set_holding(true);
    let made = app.send(asynchronous("k1", &payment("order-1", "pm_1"))).await.expect(202, "");
    app.until("/v1/payments", |_| gateway.arrived() == 1).await;
    app.rotate_gateway_key("sk_test_2");
    // The first create is on its way when the process ends, and is carried out; its answer is lost.
    let app = app.restart().await;
    gateway.set_holding(false);
    let path = format!("/v1/payments/{}", made.text("/id"));
    app.until(&path, |answer| answer.text("/status") == "succeeded").await;
    assert_eq!((gateway.intents(), gateway.charges()), (1, 1), "its key is the value that was stored");
    assert_eq!(gateway.credentials(), ["Bearer sk_test_1", "Bearer sk_test_2"]);
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn c14_the_clients_credential_is_rotated_while_its_command_is_in_progress() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    let id = unknown(&gateway, &app).await;
    submit(&app.handle, Submission::CreateKey(Box::new(next_key(&app)))).await;
    submit(&app.handle, Submission::RevokeKey { id: key_id(1), at: app.handle.now() }).await;
    let body = payment("order-1", "pm_1");
    let by = |secret: &str| asynchronous("k1", &body).without("authorization").header("authorization", &bearer(secret));
    app.send(by(WRITER)).await.expect(401, "unauthorised");
    let joined = app.send(by(NEXT)).await.expect(202, "");
    assert_eq!(joined.text("/id"), id, "it is the tenant's key, whoever shows it");
    check_paid_once(&gateway, &app, &id).await;
    let answer = app.send(by(NEXT)).await.expect(201, "");
    assert_eq!((answer.text("/id"), answer.header("idempotent-replayed")), (id, Some("true")));
    app.runtime.stop().await.expect("stopped");
}
