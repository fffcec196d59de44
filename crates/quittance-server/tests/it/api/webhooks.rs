//! Webhook deliveries: good, forged, changed, old, from the future, repeated.

use super::app::{App, Place, WEBHOOK_SECRETS};
use super::call::{Answer, Call};
use hmac::{Hmac, KeyInit, Mac};
use quittance_store::memory::MemoryDatabase;
use sha2::Sha256;

const EVENT: &str = r#"{"id": "evt_1", "type": "payment_intent.succeeded", "created": 1700000000, "livemode": false,
    "data": {"object": {"id": "pi_1", "object": "charge"}}}"#;

pub fn sign(secret: &str, at: i64, body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    let mac = mac.chain_update(at.to_string()).chain_update(".").chain_update(body).finalize().into_bytes();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={hex}")
}

pub async fn deliver(app: &App, signature: &str, body: &[u8]) -> Answer {
    let call = Call::new("POST", "/webhooks/we_main").header("stripe-signature", signature);
    app.send(call.body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_event_is_stored_once_under_any_active_secret() {
    let app = App::start().await;
    let now = app.handle.now().seconds();
    let first = deliver(&app, &sign(WEBHOOK_SECRETS[0], now, EVENT.as_bytes()), EVENT.as_bytes()).await;
    assert_eq!(String::from_utf8_lossy(&first.body), r#"{"received":true,"duplicate":false}"#);
    let again = deliver(&app, &sign(WEBHOOK_SECRETS[1], now - 299, EVENT.as_bytes()), EVENT.as_bytes()).await;
    assert_eq!(String::from_utf8_lossy(&again.body), r#"{"received":true,"duplicate":true}"#);
    assert_eq!((first.status, again.status), (200, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_delivery_is_refused_and_not_stored() {
    let app = App::start().await;
    let now = app.handle.now().seconds();
    let secret = WEBHOOK_SECRETS[0];
    let body = EVENT.as_bytes();
    let good = sign(secret, now, body);
    for at in (0..body.len()).step_by(7) {
        let mut flipped = body.to_vec();
        flipped[at] ^= 1;
        deliver(&app, &good, &flipped).await.expect(400, "webhook-signature");
        deliver(&app, &good, &body[..at]).await.expect(400, "webhook-signature");
    }
    let last = if good.ends_with('0') { "1" } else { "0" };
    for signature in [
        sign("whsec_other", now, body),
        sign(secret, now - 302, body),
        sign(secret, now + 310, body),
        format!("{}{last}", &good[..good.len() - 1]),
        good[..good.len() - 1].to_owned(),
        good.replace("v1=", "v0="),
        String::new(),
        "t=x,v1=y".to_owned(),
    ] {
        deliver(&app, &signature, body).await.expect(400, "webhook-signature");
    }
    let unsigned = app.send(Call::new("POST", "/webhooks/we_main").body(body)).await;
    assert_eq!(unsigned.problem(), "400 webhook-signature: one header Stripe-Signature is needed");
    let elsewhere = Call::new("POST", "/webhooks/we_other").header("stripe-signature", &good).body(body);
    app.send(elsewhere).await.expect(404, "not-found");
    // Still new: nothing of all this was stored.
    assert_eq!(deliver(&app, &good, body).await.text("/duplicate"), "false");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_account_is_refused() {
    let sandbox = "127.0.0.1:1".parse().expect("an address");
    let place = Place::Memory(MemoryDatabase::new());
    let app = App::start_configured(place, sandbox, "account = \"acct_1\"\n", "").await;
    let now = app.handle.now().seconds();
    for (account, status) in [(r#""acct_2""#, 400), (r#""acct_1""#, 200), ("null", 200)] {
        let body =
            EVENT.replacen('{', &format!(r#"{{"account": {account}, "#), 1).replace("evt_1", &format!("evt_{now}"));
        let answer = deliver(&app, &sign(WEBHOOK_SECRETS[0], now, body.as_bytes()), body.as_bytes()).await;
        assert_eq!(answer.status, status, "{account}: {}", String::from_utf8_lossy(&answer.body));
        if status == 400 {
            answer.expect(400, "webhook-not-ours");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_and_no_event_is_refused() {
    let app = App::start().await;
    let now = app.handle.now().seconds();
    for body in ["", "{}", "[]", "not json", r#"{"id": "", "type": "x", "created": 1}"#] {
        let signature = sign(WEBHOOK_SECRETS[0], now, body.as_bytes());
        deliver(&app, &signature, body.as_bytes()).await.expect(400, "webhook-malformed");
    }
    let big = vec![b' '; 1024 * 1024 + 1];
    deliver(&app, &sign(WEBHOOK_SECRETS[0], now, &big), &big).await.expect(413, "body-too-large");
}
