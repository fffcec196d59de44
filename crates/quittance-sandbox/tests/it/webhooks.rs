//! Owns: webhooks as their receiver sees them. Does not own: the events in them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use quittance_sandbox::{Config, FaultProfile, FaultRates, WebhookTarget};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::shop::{CHARGE, PATIENCE, Shop};

/// One webhook as it arrived.
struct Delivery {
    signature: String,
    body: Bytes,
}

impl Delivery {
    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// Checks with code of its own, so that signer and verifier do not share a mistake.
    fn is_signed_by(&self, secret: &str) -> bool {
        let (time, signatures) = self.signature.split_once(',').expect("a time and signatures");
        let time = time.strip_prefix("t=").expect("a time");
        signatures.split(',').filter_map(|part| part.strip_prefix("v1=")).any(|signature| {
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any key length");
            mac.update(format!("{time}.").as_bytes());
            mac.update(&self.body);
            let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            hex == signature
        })
    }
}

/// Receives webhooks; answers `statuses` in turn, then 200.
struct Receiver {
    url: String,
    deliveries: mpsc::Receiver<Delivery>,
}

#[derive(Clone)]
struct Desk {
    arrivals: mpsc::Sender<Delivery>,
    statuses: Arc<Vec<u16>>,
    count: Arc<AtomicUsize>,
}

async fn receive(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    let signature = signature.unwrap_or_default().to_owned();
    let number = desk.count.fetch_add(1, Ordering::SeqCst);
    let _ = desk.arrivals.try_send(Delivery { signature, body });
    let status = desk.statuses.get(number).copied().unwrap_or(200);
    StatusCode::from_u16(status).expect("a status")
}

impl Receiver {
    async fn open(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("a bound address"));
        let (arrivals, deliveries) = mpsc::channel(256);
        let desk = Desk { arrivals, statuses: Arc::new(statuses.to_vec()), count: Arc::default() };
        let router = axum::Router::new().route("/hook", post(receive)).with_state(desk);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, deliveries }
    }

    async fn next(&mut self) -> Delivery {
        let next = tokio::time::timeout(PATIENCE, self.deliveries.recv()).await;
        next.expect("a webhook in time").expect("an open desk")
    }

    async fn take(&mut self, count: usize) -> Vec<Delivery> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.push(self.next().await);
        }
        taken
    }
}

async fn shop(receiver: &Receiver, secrets: &[&str], rates: FaultRates) -> Shop {
    let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    Shop::open(Config {
        faults: FaultProfile::Custom(rates),
        webhook: Some(WebhookTarget { url: receiver.url.clone(), secrets }),
        webhook_retry_base_ms: 1,
        webhook_late_ms: 3_600_000,
        ..Config::default()
    })
    .await
}

/// Waits until nothing is queued or under way, and says what became of all of it.
async fn settle(shop: &Shop) -> Value {
    loop {
        let progress = shop.get("/_sandbox/webhooks").await.body;
        if progress["queued"] == 0 {
            return progress;
        }
        tokio::task::yield_now().await;
    }
}

/// Delivered, dropped, failed and lost.
fn counts(progress: &Value) -> [u64; 4] {
    ["delivered", "dropped", "failed", "lost"].map(|name| progress[name].as_u64().expect("a count"))
}

fn count_ids(deliveries: &[Delivery]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for delivery in deliveries {
        *counts.entry(delivery.event()["id"].to_string()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn every_event_is_signed_with_every_secret() {
    let mut receiver = Receiver::open(&[]).await;
    let shop = shop(&receiver, &["whsec_new", "whsec_old"], FaultRates::default()).await;
    let charged = shop.post_keyed("/v1/payment_intents", "key-1", CHARGE).await;
    let deliveries = receiver.take(3).await;
    let mut kinds = Vec::new();
    for delivery in &deliveries {
        assert!(delivery.is_signed_by("whsec_new") && delivery.is_signed_by("whsec_old"));
        assert!(!delivery.is_signed_by("whsec_foreign"));
        let event = delivery.event();
        assert_eq!(event["request"]["idempotency_key"], "key-1");
        kinds.push(event["type"].as_str().unwrap_or_default().to_owned());
        let listed = shop.get(&format!("/v1/events/{}", event["id"].as_str().unwrap_or_default())).await;
        assert_eq!(listed.body["data"], event["data"]);
    }
    kinds.sort();
    assert_eq!(kinds, ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]);
    let intent = shop.get(&format!("/v1/payment_intents/{}", charged.id())).await;
    let succeeded = deliveries.iter().map(Delivery::event).find(|event| event["type"] == "payment_intent.succeeded");
    assert_eq!(succeeded.map(|event| event["data"]["object"].clone()), Some(intent.body));
    assert_eq!(counts(&settle(&shop).await), [3, 0, 0, 0]);
    let events = shop.get("/v1/events").await;
    assert_eq!(events.body["data"][0]["pending_webhooks"], 0);
}

#[tokio::test]
async fn failed_deliveries_are_tried_again_and_a_redirect_is_a_failure() {
    let mut receiver = Receiver::open(&[500, 302, 404]).await;
    let shop = shop(&receiver, &["whsec_1"], FaultRates::default()).await;
    shop.post("/v1/customers", "name=Ada").await;
    let deliveries = receiver.take(4).await;
    assert_eq!(count_ids(&deliveries).len(), 1);
    assert!(deliveries.iter().all(|delivery| delivery.is_signed_by("whsec_1")));
    assert_eq!(settle(&shop).await["delivered"], 1);
}

#[tokio::test]
async fn attempts_end() {
    let receiver = Receiver::open(&[500; 100]).await;
    let shop = shop(&receiver, &["whsec_1"], FaultRates::default()).await;
    shop.post("/v1/customers", "name=Ada").await;
    assert_eq!(counts(&settle(&shop).await), [0, 0, 1, 0]);
}

#[tokio::test]
async fn a_duplicate_is_the_same_event_twice() {
    let mut receiver = Receiver::open(&[]).await;
    let rates = FaultRates { webhook_duplicate: 1000, ..FaultRates::default() };
    let shop = shop(&receiver, &["whsec_1"], rates).await;
    shop.post("/v1/payment_intents", CHARGE).await;
    let deliveries = receiver.take(6).await;
    assert!(count_ids(&deliveries).values().all(|count| *count == 2));
    assert_eq!(shop.fault("webhook_duplicate").await, 3);
}

#[tokio::test]
async fn a_dropped_webhook_is_only_in_the_list() {
    let receiver = Receiver::open(&[]).await;
    let rates = FaultRates { webhook_dropped: 1000, ..FaultRates::default() };
    let shop = shop(&receiver, &["whsec_1"], rates).await;
    shop.post("/v1/payment_intents", CHARGE).await;
    assert_eq!(counts(&settle(&shop).await), [0, 3, 0, 0]);
    let events = shop.get("/v1/events").await;
    assert_eq!(events.body["data"].as_array().map(Vec::len), Some(3));
    assert_eq!(events.body["data"][0]["pending_webhooks"], 1);
    for (success, count) in [("true", 0), ("false", 3)] {
        let events = shop.get(&format!("/v1/events?delivery_success={success}")).await;
        assert_eq!(events.body["data"].as_array().map(Vec::len), Some(count));
    }
}

#[tokio::test]
async fn late_webhooks_wait_for_the_flush() {
    let mut receiver = Receiver::open(&[]).await;
    let rates = FaultRates { webhook_late: 1000, ..FaultRates::default() };
    let shop = shop(&receiver, &["whsec_1"], rates).await;
    shop.post("/v1/payment_intents", CHARGE).await;
    assert_eq!(shop.get("/_sandbox/webhooks").await.body["queued"], 3);
    assert_eq!(shop.control("webhooks/flush", json!({})).await.body["flushed"], 3);
    receiver.take(3).await;
    assert_eq!(settle(&shop).await["delivered"], 3);
}

#[tokio::test]
async fn shuffled_webhooks_overtake_one_another() {
    let mut receiver = Receiver::open(&[]).await;
    let rates = FaultRates { webhook_shuffled: 500, ..FaultRates::default() };
    let shop = shop(&receiver, &["whsec_1"], rates).await;
    for number in 0..10 {
        shop.post_keyed("/v1/payment_intents", &format!("key-{number}"), CHARGE).await;
    }
    let arrived: Vec<Value> = receiver.take(30).await.iter().map(|delivery| delivery.event()["id"].clone()).collect();
    let happened = shop.get("/v1/events?limit=100").await;
    let happened: Vec<Value> =
        happened.body["data"].as_array().into_iter().flatten().rev().map(|e| e["id"].clone()).collect();
    assert_eq!(happened.len(), 30);
    assert_ne!(arrived, happened);
}

#[tokio::test]
async fn the_target_can_be_set_at_run_time() {
    let mut receiver = Receiver::open(&[]).await;
    let shop = Shop::open(Config::default()).await;
    shop.post("/v1/customers", "name=Before").await;
    let target = json!({"url": receiver.url, "secrets": ["whsec_1"]});
    assert_eq!(shop.control("webhook_target", target).await.status, 200);
    shop.post("/v1/customers", "name=After").await;
    assert_eq!(receiver.next().await.event()["data"]["object"]["name"], "After");
    let nowhere = json!({"url": "ftp://x", "secrets": ["whsec_1"]});
    assert_eq!(shop.control("webhook_target", nowhere).await.status, 400);
}

#[tokio::test]
async fn webhooks_can_be_lost_for_a_while_and_events_stay() {
    let mut receiver = Receiver::open(&[500]).await;
    let config = Config {
        webhook: Some(WebhookTarget { url: receiver.url.clone(), secrets: vec!["whsec_1".to_owned()] }),
        // What failed before would be tried again in an hour.
        webhook_retry_base_ms: 3_600_000,
        ..Config::default()
    };
    let shop = Shop::open(config).await;
    shop.post("/v1/customers", "name=Before").await;
    receiver.take(1).await;
    let progress = shop.control("webhooks", json!({"lose": true})).await.body;
    assert_eq!(progress["lose"], true);
    shop.post("/v1/customers", "name=Meanwhile").await;
    // Due while nothing is delivered.
    shop.control("webhooks/flush", json!({})).await;
    assert_eq!(counts(&settle(&shop).await), [0, 0, 0, 2]);
    shop.control("webhooks", json!({"lose": false})).await;
    shop.post("/v1/customers", "name=After").await;
    assert_eq!(receiver.next().await.event()["data"]["object"]["name"], "After");
    assert_eq!(counts(&settle(&shop).await), [1, 0, 0, 2]);
    let undelivered = shop.get("/v1/events?delivery_success=false").await.body;
    assert_eq!(undelivered["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(shop.ids("/v1/events?type=customer.created").await.len(), 3);
}

#[tokio::test]
async fn events_can_be_missing_altogether() {
    let mut receiver = Receiver::open(&[]).await;
    let shop = shop(&receiver, &["whsec_1"], FaultRates::default()).await;
    assert_eq!(shop.control("webhooks", json!({"omit_events": true})).await.body["omit_events"], true);
    let customer = shop.post("/v1/customers", "name=Unheard").await.id();
    assert!(shop.ids("/v1/events").await.is_empty());
    shop.control("webhooks", json!({"omit_events": false})).await;
    shop.post(&format!("/v1/customers/{customer}"), "name=Heard").await;
    assert_eq!(receiver.next().await.event()["type"], "customer.updated");
    assert_eq!(shop.ids("/v1/events").await.len(), 1);
    for wrong in [json!({}), json!({"lose": "yes"}), json!({"loose": true})] {
        assert_eq!(shop.control("webhooks", wrong).await.status, 400);
    }
}

#[tokio::test]
async fn a_disabled_endpoint_is_listed_so_and_gets_nothing() {
    let mut receiver = Receiver::open(&[]).await;
    let shop = shop(&receiver, &["whsec_1"], FaultRates::default()).await;
    let listed = async || shop.get("/v1/webhook_endpoints?limit=100").await.body["data"].clone();
    let endpoint = listed().await;
    assert_eq!((&endpoint[0]["url"], &endpoint[0]["status"]), (&json!(receiver.url), &json!("enabled")));
    let behind = format!("/v1/webhook_endpoints?starting_after={}", endpoint[0]["id"].as_str().expect("an id"));
    assert_eq!(shop.get(&behind).await.body["data"], json!([]));
    assert_eq!(shop.get("/v1/webhook_endpoints?starting_after=we_none").await.status, 400);
    let disable = async |is_disabled: bool| {
        shop.control("webhooks", json!({"disabled": is_disabled})).await;
    };
    disable(true).await;
    assert_eq!(listed().await[0]["status"], "disabled");
    shop.post("/v1/customers", "name=Ada").await;
    assert_eq!(counts(&settle(&shop).await), [0, 0, 0, 1]);
    disable(false).await;
    shop.post("/v1/customers", "name=Bob").await;
    assert_eq!(receiver.take(1).await.len(), 1);
    assert_eq!(listed().await[0]["status"], "enabled");
}
