//! Owns: Stripe's idempotency rules as a client sees them. Does not own: lost answers (`faults`).

use std::sync::Arc;

use quittance_sandbox::{Config, FaultProfile, FaultRates};

use crate::shop::{CHARGE, Shop, read};

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_key_charges_once_and_replays_its_answer() {
    let shop = Shop::open(Config::default()).await;
    let first = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    let second = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((first.status, first.is_replayed), (200, false));
    assert_eq!((second.status, second.is_replayed), (200, true));
    assert_eq!(first.body, second.body);
    assert_ne!(first.request_id, second.request_id);
    // The order of parameters does not matter, and neither does how a list is written.
    let reordered = "confirm=true&payment_method_types[0]=card&currency=usd&amount=1099&payment_method=pm_card_visa";
    assert!(shop.post_keyed(INTENTS, "key-1", reordered).await.is_replayed);
    assert_eq!(shop.charges_succeeded().await, 1);
    let events = shop.get("/v1/events?type=charge.succeeded").await;
    assert_eq!(events.text("/data/0/request/idempotency_key"), "key-1");
    assert_eq!(events.text("/data/0/request/id"), first.request_id);
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let shop = Shop::open(Config::default()).await;
    let created = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    let other_amount = CHARGE.replace("1099", "1100");
    let elsewhere = format!("{INTENTS}/{}/confirm", created.id());
    for (path, form) in [(INTENTS, other_amount.as_str()), (elsewhere.as_str(), CHARGE), ("/v1/customers", "name=x")] {
        let refused = shop.post_keyed(path, "key-1", form).await;
        let seen = (refused.status, refused.is_replayed);
        // The second case is refused for its parameters, before keys are looked at.
        assert_eq!(seen, (400, false), "{path} {form}");
    }
    let refused = shop.post_keyed(INTENTS, "key-1", &other_amount).await;
    assert_eq!(refused.text("/error/type"), "idempotency_error");
    assert_eq!(shop.charges_succeeded().await, 1);
}

#[tokio::test]
async fn declines_and_refusals_after_execution_are_stored() {
    let shop = Shop::open(Config::default()).await;
    let declined = CHARGE.replace("pm_card_visa", "pm_card_chargeDeclined");
    let first = shop.post_keyed(INTENTS, "declined", &declined).await;
    let second = shop.post_keyed(INTENTS, "declined", &declined).await;
    assert_eq!((first.status, second.status, second.is_replayed), (402, 402, true));
    assert_eq!(first.body, second.body);
    let charged = shop.post(INTENTS, CHARGE).await;
    let confirm = format!("{INTENTS}/{}/confirm", charged.id());
    assert_eq!(shop.post_keyed(&confirm, "late", "").await.status, 400);
    let replayed = shop.post_keyed(&confirm, "late", "").await;
    assert_eq!((replayed.status, replayed.is_replayed), (400, true));
    let charges = shop.get("/v1/charges").await.body["data"].as_array().map(Vec::len);
    assert_eq!(charges, Some(2));
}

#[tokio::test]
async fn what_is_refused_before_the_idempotency_layer_is_not_stored() {
    let shop = Shop::open(Config::default()).await;
    let unknown = format!("{CHARGE}&colour=red");
    assert_eq!(shop.post_keyed(INTENTS, "key-1", &unknown).await.status, 400);
    let anonymous = shop.client.post(format!("{}{INTENTS}", shop.base)).header("idempotency-key", "key-1");
    assert_eq!(read(anonymous.body(CHARGE).send().await.expect("an answer")).await.status, 401);
    let answer = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((answer.status, answer.is_replayed), (200, false));
    let long = shop.post_keyed(INTENTS, &"k".repeat(256), CHARGE).await;
    assert_eq!(long.status, 400);
}

#[tokio::test]
async fn a_rate_limit_is_not_stored_even_on_a_replay() {
    let rates = FaultRates { rate_limited_429: 1000, ..FaultRates::default() };
    let shop = Shop::open_with(1, rates).await;
    let mut retry_after = Vec::new();
    for number in 0..16 {
        let key = format!("key-{number}");
        let limited = shop.post_keyed(INTENTS, &key, CHARGE).await;
        assert_eq!((limited.status, limited.is_replayed), (429, false));
        retry_after.push(limited.retry_after.is_some());
        let answer = shop.post_keyed(INTENTS, &key, CHARGE).await;
        assert_eq!((answer.status, answer.is_replayed), (200, false));
    }
    assert!(retry_after.contains(&true) && retry_after.contains(&false), "sometimes");
    assert_eq!((shop.fault("rate_limited_429").await, shop.charges_succeeded().await), (16, 16));
}

#[tokio::test]
async fn a_second_request_meanwhile_is_a_conflict() {
    let shop = Arc::new(
        Shop::open(Config {
            faults: FaultProfile::Custom(FaultRates { slow_answer: 1000, ..FaultRates::default() }),
            faults_per_key_max: 1,
            slow_ms: 600_000,
            ..Config::default()
        })
        .await,
    );
    let slow = tokio::spawn(shop.keyed(INTENTS, "key-1", CHARGE).send());
    while shop.fault("slow_answer").await == 0 {
        tokio::task::yield_now().await;
    }
    let conflict = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((conflict.status, conflict.is_replayed), (409, false));
    assert_eq!(conflict.text("/error/code"), "idempotency_key_in_use");
    // The effect is there although nobody has an answer.
    assert_eq!(shop.charges_succeeded().await, 1);
    slow.abort();
}

#[tokio::test]
async fn many_at_once_with_one_key_charge_once() {
    let shop = Arc::new(Shop::open(Config::default()).await);
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let shop = Arc::clone(&shop);
        requests.spawn(async move { shop.post_keyed(INTENTS, "key-1", CHARGE).await });
    }
    let answers = requests.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
    assert_eq!(answers.iter().filter(|answer| !answer.is_replayed).count(), 1);
    assert_eq!(shop.charges_succeeded().await, 1);
}

#[tokio::test]
async fn a_forgotten_key_executes_afresh() {
    let shop = Shop::open(Config { idempotency_retention_ms: 0, ..Config::default() }).await;
    let first = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    let second = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((second.status, second.is_replayed), (200, false));
    assert_ne!(first.id(), second.id());
    assert_eq!(shop.charges_succeeded().await, 2);
}

#[tokio::test]
async fn keys_mean_nothing_on_reads() {
    let shop = Shop::open(Config::default()).await;
    for path in ["/v1/charges", "/v1/events"] {
        let request = shop.request(reqwest::Method::GET, path).header("idempotency-key", "key-1");
        let answer = read(request.send().await.expect("an answer")).await;
        assert_eq!((answer.status, answer.is_replayed), (200, false));
    }
}
