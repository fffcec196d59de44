//! Owns: what each fault does to the wire and to the books. Does not own: webhooks.

use std::error::Error;
use std::sync::Arc;

use quittance_sandbox::{Config, FaultProfile, FaultRates};
use serde_json::json;

use crate::shop::{Answer, CHARGE, Shop, try_read};

const INTENTS: &str = "/v1/payment_intents";

/// The first attempt gets no answer; what do the books say, and what does the second attempt get?
async fn check_silence(kind: &str, rates: FaultRates, charged: u64, is_replayed: bool) {
    let shop = Shop::open_with(1, rates).await;
    let error = shop.keyed(INTENTS, "key-1", CHARGE).send().await.expect_err(kind);
    assert!(!error.is_timeout() && !error.is_connect(), "{kind}: {error:?}");
    assert_eq!(shop.charges_succeeded().await, charged, "{kind}");
    let second = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((second.status, second.is_replayed), (200, is_replayed), "{kind}");
    assert_eq!(shop.charges_succeeded().await, 1, "{kind}");
    assert_eq!(shop.fault(kind).await, 1, "{kind}");
}

#[tokio::test]
async fn timeouts_are_silent_with_and_without_the_effect() {
    let before = FaultRates { timeout_before_effect: 1000, ..FaultRates::default() };
    check_silence("timeout_before_effect", before, 0, false).await;
    let after = FaultRates { timeout_after_effect: 1000, ..FaultRates::default() };
    check_silence("timeout_after_effect", after, 1, true).await;
}

#[tokio::test]
async fn resets_are_silent_with_and_without_the_effect() {
    let lost = FaultRates { lost_answer: 1000, ..FaultRates::default() };
    check_silence("lost_answer", lost, 1, true).await;
    let reset = FaultRates { connection_reset: 1000, ..FaultRates::default() };
    check_silence("connection_reset", reset, 0, false).await;
}

#[tokio::test]
async fn a_lost_answer_is_a_real_reset() {
    let shop = Shop::open_with(1, FaultRates { lost_answer: 1000, ..FaultRates::default() }).await;
    let error = shop.keyed(INTENTS, "key-1", CHARGE).send().await.expect_err("no answer");
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    let mut kinds = Vec::new();
    while let Some(inner) = cause {
        kinds.extend(inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind));
        cause = inner.source();
    }
    assert!(kinds.contains(&std::io::ErrorKind::ConnectionReset), "{error:?}");
}

#[tokio::test]
async fn a_500_is_stored_whether_or_not_it_charged() {
    for (kind, rates, charged) in [
        ("error_500_charged", FaultRates { error_500_charged: 1000, ..FaultRates::default() }, 1),
        ("error_500_not_charged", FaultRates { error_500_not_charged: 1000, ..FaultRates::default() }, 0),
    ] {
        let shop = Shop::open_with(1, rates).await;
        let first = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
        assert_eq!((first.status, first.is_replayed), (500, false), "{kind}");
        let second = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
        assert_eq!((second.status, second.is_replayed), (500, true), "{kind}");
        assert_eq!(first.body, second.body);
        assert_eq!(shop.charges_succeeded().await, charged, "{kind}");
        assert_eq!(shop.fault(kind).await, 1, "{kind}");
        // Reading back tells what the answer hid.
        let events = shop.get("/v1/events?type=charge.succeeded").await;
        let found = events.body["data"].as_array().map_or(0, Vec::len);
        assert_eq!(u64::try_from(found), Ok(charged), "{kind}");
    }
}

#[tokio::test]
async fn an_unavailable_gateway_does_nothing() {
    let shop = Shop::open_with(2, FaultRates { unavailable_503: 1000, ..FaultRates::default() }).await;
    for status in [503, 503, 200] {
        assert_eq!(shop.post_keyed(INTENTS, "key-1", CHARGE).await.status, status);
    }
    assert_eq!(shop.charges_succeeded().await, 1);
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let shop = Shop::open_with(1, FaultRates { slow_answer: 1000, ..FaultRates::default() }).await;
    assert_eq!(shop.post_keyed(INTENTS, "key-1", CHARGE).await.status, 200);
    assert_eq!(shop.fault("slow_answer").await, 1);
}

#[tokio::test]
async fn reads_meet_faults_too() {
    let rates = FaultRates { connection_reset: 1000, reads: 1000, ..FaultRates::default() };
    let shop = Shop::open_with(1, rates).await;
    let request = || shop.request(reqwest::Method::GET, "/v1/charges");
    assert!(request().send().await.is_err());
    assert!(request().send().await.is_ok());
}

/// What a client without patience sees of 60 payments.
async fn outcomes(seed: u64) -> Vec<String> {
    let shop =
        Shop::open(Config { seed, faults: FaultProfile::Hostile, hold_ms: 1, slow_ms: 1, ..Config::default() }).await;
    let mut outcomes = Vec::new();
    for number in 0..60 {
        let answer = shop.keyed(INTENTS, &format!("key-{number}"), CHARGE).send().await;
        outcomes.push(match answer {
            Err(_) => "silence".to_owned(),
            Ok(response) => {
                let status = response.status();
                let answer = try_read(response).await;
                format!("{status} {:?}", answer.map(|answer| answer.body["id"].to_string()))
            }
        });
    }
    outcomes
}

#[tokio::test]
async fn the_seed_decides_everything() {
    let (one, same, other) = (outcomes(7).await, outcomes(7).await, outcomes(8).await);
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert!(one.iter().any(|outcome| !outcome.starts_with("200")), "{one:?}");
}

#[tokio::test]
async fn faults_can_be_switched_at_run_time() {
    let shop = Shop::open(Config { hold_ms: 1, slow_ms: 1, ..Config::default() }).await;
    assert_eq!(shop.control("faults", json!({"profile": "hostile"})).await.status, 200);
    assert_eq!(shop.get("/_sandbox/faults").await.text("/profile"), "hostile");
    assert_eq!(shop.control("faults", json!({"profile": "rude"})).await.status, 400);
    let mut silent = 0_u32;
    for number in 0..40 {
        silent += u32::from(shop.keyed(INTENTS, &format!("key-{number}"), CHARGE).send().await.is_err());
    }
    assert!(silent > 0);
    shop.control("faults", json!({"profile": "none"})).await;
    for number in 0..10 {
        assert_eq!(shop.post_keyed(INTENTS, &format!("calm-{number}"), CHARGE).await.status, 200);
    }
}

#[tokio::test]
async fn books_count_charges_by_the_clients_own_reference() {
    let shop = Shop::open(Config::default()).await;
    for reference in ["order-1", "order-2", "order-2"] {
        let form = format!("{CHARGE}&metadata[reference]={reference}");
        assert_eq!(shop.post(INTENTS, &form).await.status, 200);
    }
    let books = shop.get("/_sandbox/books?group=reference").await.body;
    assert_eq!(
        books["group"],
        json!({
            "metadata": "reference", "groups": 2, "charges_succeeded": 3,
            "groups_charged_more_than_once": 1, "examples": ["order-2"],
        })
    );
}

/// Sends until there is an answer that says something about this request; `None` after a 500.
pub(crate) async fn insist(shop: &Shop, path: &str, key: &str, form: &str) -> Option<Answer> {
    loop {
        let Ok(response) = shop.keyed(path, key, form).send().await else {
            continue;
        };
        match response.status().as_u16() {
            500 => return None,
            409 | 429 | 503 => tokio::task::yield_now().await,
            // A 200 that cannot be read is a lost answer: the key brings it again.
            _ => match try_read(response).await {
                None => {}
                answer => return answer,
            },
        }
    }
}

/// Two phases and reading back, the way to charge once through anything.
async fn pay_carefully(shop: &Shop, number: u32) {
    let form = format!("amount=1099&currency=usd&payment_method_types[]=card&metadata[order]={number}");
    let mut generation = 0;
    let created = loop {
        generation += 1;
        let key = format!("create-{number}-{generation}");
        if let Some(answer) = insist(shop, INTENTS, &key, &form).await {
            break answer;
        }
    };
    let path = format!("{INTENTS}/{}", created.id());
    for generation in 0.. {
        let key = format!("confirm-{number}-{generation}");
        insist(shop, &format!("{path}/confirm"), &key, "payment_method=pm_card_visa").await;
        let Ok(response) = shop.request(reqwest::Method::GET, &path).send().await else {
            continue;
        };
        if try_read(response).await.is_some_and(|answer| answer.body["status"] == "succeeded") {
            return;
        }
    }
}

/// Late effects come long after the connection is closed.
pub(crate) async fn hostile_shop() -> Arc<Shop> {
    let late_effect_ms_max = Some(25);
    let config =
        Config { faults: FaultProfile::Hostile, hold_ms: 1, slow_ms: 1, late_effect_ms_max, ..Config::default() };
    Arc::new(Shop::open(config).await)
}

#[tokio::test]
async fn a_careful_client_charges_every_order_once() {
    let shop = hostile_shop().await;
    let mut payments = tokio::task::JoinSet::new();
    for number in 0..150 {
        let shop = Arc::clone(&shop);
        payments.spawn(async move { pay_carefully(&shop, number).await });
    }
    payments.join_all().await;
    shop.flush_late_effects().await;
    assert!(shop.fault("late_effect").await > 0);
    let books = shop.get("/_sandbox/books?group=order").await.body;
    assert_eq!(books["sound"], true, "{books:#}");
    assert_eq!(books["group"]["charges_succeeded"], 150, "{books:#}");
    assert_eq!(books["group"]["groups_charged_more_than_once"], 0, "{books:#}");
}

#[tokio::test]
async fn a_careless_client_is_caught() {
    let shop = hostile_shop().await;
    for number in 0..60 {
        let form = format!("{CHARGE}&metadata[order]={number}");
        for attempt in 0.. {
            // The mistake: a new key for every attempt.
            let key = format!("order-{number}-{attempt}");
            let answer = shop.keyed(INTENTS, &key, &form).send().await;
            if answer.is_ok_and(|response| response.status() == 200) {
                break;
            }
        }
    }
    let books = shop.get("/_sandbox/books?group=order").await.body;
    assert_eq!((&books["sound"], &books["group"]["groups"]), (&json!(true), &json!(60)), "{books:#}");
    assert!(books["group"]["groups_charged_more_than_once"].as_u64() > Some(0), "{books:#}");
}
