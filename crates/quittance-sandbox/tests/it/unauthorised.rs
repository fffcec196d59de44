//! Owns: good keys that are refused for a while. Does not own: bad keys (`lifecycle`).

use quittance_sandbox::{Config, FaultProfile, FaultRates};
use serde_json::json;

use crate::shop::{CHARGE, Shop};

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn a_window_refuses_everybody_and_stores_nothing() {
    let shop = Shop::open(Config::default()).await;
    let paid = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!(shop.control("unauthorised", json!({"requests": 3})).await.status, 200);
    let replay = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((replay.status, replay.is_replayed), (401, false));
    assert_eq!(shop.post_keyed(INTENTS, "key-2", CHARGE).await.status, 401);
    assert_eq!(shop.get("/v1/charges").await.status, 401);
    let replay = shop.post_keyed(INTENTS, "key-1", CHARGE).await;
    assert_eq!((replay.is_replayed, replay.body), (true, paid.body));
    let first = shop.post_keyed(INTENTS, "key-2", CHARGE).await;
    assert_eq!((first.status, first.is_replayed), (200, false));
    assert_eq!((shop.fault("unauthorised_401").await, shop.charges_succeeded().await), (3, 2));
}

/// The statuses of 200 payments, each tried once.
async fn statuses(seed: u64) -> Vec<u16> {
    let faults = FaultProfile::Custom(FaultRates { unauthorised_401: 20, ..FaultRates::default() });
    let shop = Shop::open(Config { seed, faults, ..Config::default() }).await;
    let mut statuses = Vec::new();
    for number in 0..200 {
        statuses.push(shop.post_keyed(INTENTS, &format!("key-{number}"), CHARGE).await.status);
    }
    let refused = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(shop.fault("unauthorised_401").await, u64::try_from(refused).expect("a small number"));
    statuses
}

#[tokio::test]
async fn the_seed_makes_bursts() {
    let one = statuses(3).await;
    assert_eq!(one, statuses(3).await);
    assert!(one.windows(2).any(|pair| pair == [401, 401]), "{one:?}");
    assert!(one.iter().filter(|status| **status == 200).count() > 100, "{one:?}");
}
