//! Test tenants and live credentials, and the other way round: neither touches the other.

use super::app::{App, WEBHOOK_SECRETS, bearer, key_id, payment_at, post, submit};
use super::call::Call;
use super::webhooks::sign;
use quittance_core::id::TenantId;
use quittance_core::tenant::{ApiKey, Mode, Scope, Tenant};
use quittance_core::time::Timestamp;
use quittance_engine::submission::Submission;
use sha2::{Digest, Sha256};

const ROUTE: &str = "/v1/payments";
const LIVE: &str = "qk_live_writer";

/// Adds a live tenant with a key.
async fn create_live_tenant(app: &App) {
    let (id, now) = (TenantId::from_bytes([9; 16]), Timestamp::from_seconds(1_700_000_000));
    let tenant = Tenant {
        id,
        name: "live".to_owned(),
        mode: Mode::Live,
        fingerprint_secret: [9; 32],
        gateway_key_secret: [9; 32],
        created_at: now,
    };
    submit(&app.handle, Submission::CreateTenant(Box::new(tenant))).await;
    let key = ApiKey {
        id: key_id(9),
        tenant: id,
        digest: Sha256::digest(LIVE.as_bytes()).into(),
        name: "live".to_owned(),
        scope: Scope::Write,
        created_at: now,
        revoked_at: None,
        ends_at: None,
        last_used_at: None,
    };
    submit(&app.handle, Submission::CreateKey(Box::new(key))).await;
}

fn as_live(call: Call) -> Call {
    call.without("authorization").header("authorization", &bearer(LIVE)).header("prefer", "respond-async")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_needs_a_gateway_of_its_tenants_mode() {
    let app = App::start().await.with_alice().await;
    create_live_tenant(&app).await;
    let refused = app.post(ROUTE, "k", &payment_at("live", "order-1", "pm_1")).await.expect(403, "gateway-mode");
    assert_eq!(
        refused.problem(),
        "403 gateway-mode: one thing is wrong\n    \"/gateway\" belongs to the other mode; this tenant is test"
    );
    app.send(as_live(post("/v1/customers", "alice", r#"{"external_id": "alice"}"#))).await.expect(201, "");
    let live_payment = |gateway: &str| as_live(post(ROUTE, "k", &payment_at(gateway, "order-1", "pm_1")));
    app.send(live_payment("stripe")).await.expect(403, "gateway-mode");
    // Nothing was stored: the keys are free.
    app.send(live_payment("live")).await.expect(202, "");
    app.post(ROUTE, "k", &payment_at("stripe", "order-1", "pm_card_visa")).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_other_mode_is_refused() {
    let app = App::start().await;
    let deliver = async |endpoint: &str, livemode: &str| {
        let event = format!(r#"{{"id": "evt_1", "type": "x", "created": 1, "livemode": {livemode}}}"#);
        let signature = sign(WEBHOOK_SECRETS[0], app.handle.now().seconds(), event.as_bytes());
        let path = format!("/webhooks/{endpoint}");
        app.send(Call::new("POST", &path).header("stripe-signature", &signature).body(event)).await
    };
    let refused = deliver("we_main", "true").await.expect(400, "webhook-not-ours");
    assert_eq!(refused.text("/detail"), "a live event for a test gateway");
    deliver("we_live", "false").await.expect(400, "webhook-not-ours");
    for (endpoint, livemode) in [("we_main", "false"), ("we_live", "true")] {
        let taken = deliver(endpoint, livemode).await;
        assert_eq!((taken.status, taken.text("/duplicate")), (200, "false".to_owned()), "{endpoint}");
    }
}
