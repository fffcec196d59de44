//! Owns: requests that are carried out after their client gave them up. Does not own: the clients
//! that have to live with them (`late_clients`).

use quittance_sandbox::{Config, FaultProfile, FaultRates, Sandbox};
use reqwest::Method;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::shop::{CHARGE, PATIENCE, Shop};

const INTENTS: &str = "/v1/payment_intents";
const READY: &str = "amount=1099&currency=usd&payment_method=pm_card_visa&payment_method_types[]=card";

/// The first request with each key is late; ten minutes at most, which no test waits for.
fn config() -> Config {
    Config {
        faults: FaultProfile::Custom(FaultRates { late_effect: 1000, ..FaultRates::default() }),
        faults_per_key_max: 1,
        hold_ms: 1,
        late_effect_ms_max: Some(600_000),
        ..Config::default()
    }
}

/// An intent made without a key, hence without a fault.
async fn intent(shop: &Shop, form: &str) -> String {
    format!("{INTENTS}/{}", shop.post(INTENTS, form).await.id())
}

async fn status(shop: &Shop, path: &str) -> String {
    shop.get(path).await.text("/status")
}

/// A request that gets no answer and has no effect yet.
async fn send_late(shop: &Shop, path: &str, key: &str, form: &str) {
    let error = shop.keyed(path, key, form).send().await.expect_err("no answer");
    assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
    assert_eq!(shop.late_pending().await, 1);
}

#[tokio::test]
async fn a_late_confirm_charges_after_the_client_read_that_nothing_happened() {
    let shop = Shop::open(config()).await;
    let path = intent(&shop, READY).await;
    let confirm = format!("{path}/confirm");
    send_late(&shop, &confirm, "confirm-1", "").await;
    assert_eq!(status(&shop, &path).await, "requires_confirmation");
    assert_eq!((shop.fault("late_effect").await, shop.charges_succeeded().await), (1, 0));
    assert_eq!(shop.flush_late_effects().await, 1);
    assert_eq!((shop.late_pending().await, shop.flush_late_effects().await), (0, 0));
    assert_eq!(status(&shop, &path).await, "succeeded");
    let replayed = shop.post_keyed(&confirm, "confirm-1", "").await;
    assert_eq!((replayed.status, replayed.is_replayed, replayed.text("/status").as_str()), (200, true, "succeeded"));
    assert_eq!(shop.charges_succeeded().await, 1);
    let events = shop.get("/v1/events?type=payment_intent.succeeded").await;
    assert_eq!(events.text("/data/0/request/idempotency_key"), "confirm-1");
}

/// A late confirm whose intent is in `state` by the time it is carried out.
async fn check_refusal(action: &str, state: &str, charged: u64) {
    let shop = Shop::open(config()).await;
    let path = intent(&shop, READY).await;
    let confirm = format!("{path}/confirm");
    send_late(&shop, &confirm, "confirm-1", "").await;
    assert_eq!(shop.post(&format!("{path}/{action}"), "").await.text("/status"), state);
    assert_eq!(shop.flush_late_effects().await, 1);
    assert_eq!((status(&shop, &path).await.as_str(), shop.charges_succeeded().await), (state, charged));
    let stored = shop.post_keyed(&confirm, "confirm-1", "").await;
    assert_eq!((stored.status, stored.is_replayed), (400, true), "{stored:#?}");
    assert_eq!(stored.text("/error/code"), "payment_intent_unexpected_state");
    assert_eq!(stored.text("/error/payment_intent/status"), state);
}

#[tokio::test]
async fn a_late_confirm_meets_the_state_of_its_time() {
    check_refusal("cancel", "canceled", 0).await;
    check_refusal("confirm", "succeeded", 1).await;
}

#[tokio::test]
async fn the_key_is_in_use_until_the_effect() {
    let shop = Shop::open(config()).await;
    send_late(&shop, INTENTS, "key-1", CHARGE).await;
    let conflict = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((conflict.status, conflict.is_replayed), (409, false));
    assert_eq!(conflict.text("/error/code"), "idempotency_key_in_use");
    let mismatch = shop.post_keyed(INTENTS, "key-1", READY).await;
    assert_eq!((mismatch.status, mismatch.text("/error/type").as_str()), (400, "idempotency_error"));
    assert_eq!((shop.flush_late_effects().await, shop.charges_succeeded().await), (1, 1));
    let replayed = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((replayed.status, replayed.is_replayed), (200, true));
    assert_eq!((shop.fault("late_effect").await, shop.charges_succeeded().await), (1, 1));
}

#[tokio::test]
async fn cancel_and_capture_can_be_late() {
    let shop = Shop::open(config()).await;
    let path = intent(&shop, READY).await;
    send_late(&shop, &format!("{path}/cancel"), "cancel-1", "").await;
    assert_eq!(status(&shop, &path).await, "requires_confirmation");
    shop.flush_late_effects().await;
    assert_eq!(status(&shop, &path).await, "canceled");
    let path = intent(&shop, &format!("{CHARGE}&capture_method=manual")).await;
    send_late(&shop, &format!("{path}/capture"), "capture-1", "").await;
    assert_eq!(status(&shop, &path).await, "requires_capture");
    shop.flush_late_effects().await;
    assert_eq!(status(&shop, &path).await, "succeeded");
}

#[tokio::test]
async fn other_writes_are_not_late() {
    let shop = Shop::open(config()).await;
    assert_eq!(shop.post(INTENTS, CHARGE).await.status, 200);
    assert_eq!(shop.post_keyed("/v1/customers", "customer-1", "name=Ada").await.status, 200);
    let path = intent(&shop, READY).await;
    assert_eq!(shop.post_keyed(&path, "update-1", "description=x").await.status, 200);
    assert_eq!((shop.fault("late_effect").await, shop.late_pending().await), (0, 0));
}

#[tokio::test]
async fn too_many_late_effects_are_plain_timeouts() {
    let shop = Shop::open(Config { late_pending_max: 1, ..config() }).await;
    send_late(&shop, INTENTS, "key-1", CHARGE).await;
    send_late(&shop, INTENTS, "key-2", CHARGE).await;
    assert_eq!((shop.fault("late_effect").await, shop.fault("timeout_before_effect").await), (1, 1));
    let second = shop.post_keyed(INTENTS, "key-2", CHARGE).await;
    assert_eq!((second.status, second.is_replayed), (200, false));
    assert_eq!((shop.flush_late_effects().await, shop.charges_succeeded().await), (1, 2));
}

#[tokio::test]
async fn late_effects_happen_by_themselves_while_nobody_listens() {
    let config = Config { hold_ms: 600_000, late_effect_ms_max: Some(200), ..config() };
    let shop = Shop::open(config).await;
    let waiting = tokio::spawn(shop.keyed(INTENTS, "key-1", CHARGE).send());
    while shop.fault("late_effect").await == 0 {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    let happened = async {
        while shop.late_pending().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, happened).await.expect("the effect happens in time");
    assert_eq!(shop.charges_succeeded().await, 1);
    let replayed = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((replayed.status, replayed.is_replayed), (200, true));
}

/// Serves a sandbox until `work` is done, and checks that it ends well.
async fn serve_during(sandbox: &Sandbox, work: impl AsyncFnOnce(String)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("a bound listener has an address"));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(sandbox.clone().serve(listener, async {
        let _ = stopped.await;
    }));
    work(base).await;
    stop.send(()).expect("the server runs");
    let end = tokio::time::timeout(PATIENCE, server).await.expect("the server ends");
    end.expect("no panic").expect("no error");
}

#[tokio::test]
async fn a_shutdown_leaves_late_effects_pending() {
    let (client, sandbox) = (Shop::client(), Sandbox::new(Config { hold_ms: 600_000, ..config() }));
    let mut waiting = tokio::task::JoinSet::new();
    serve_during(&sandbox, async |base| {
        let request = client.request(Method::POST, format!("{base}{INTENTS}")).bearer_auth("sk_test_shop");
        waiting.spawn(request.header("idempotency-key", "key-1").body(CHARGE).send());
        let faults = format!("{base}/_sandbox/faults");
        while !client.get(&faults).send().await.unwrap().text().await.unwrap().contains("\"late_pending\":1") {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(waiting.join_all().await.iter().all(Result::is_err), "no answer");
    serve_during(&sandbox, async |base| {
        let flushed = client.post(format!("{base}/_sandbox/faults/flush")).send().await.unwrap();
        assert_eq!(flushed.text().await.unwrap(), "{\"flushed\":1}");
    })
    .await;
}
