//! Owns: a gateway whose clock is wrong. Does not own: what anybody makes of it.

use quittance_sandbox::Config;
use reqwest::Method;
use serde_json::json;

use crate::shop::{CHARGE, Shop};

/// The hour of a `Date` header.
async fn hour(shop: &Shop) -> String {
    let response = shop.request(Method::GET, "/v1/charges").send().await.expect("an answer");
    let date = response.headers()["date"].to_str().expect("a date in ASCII").to_owned();
    date[17..19].to_owned()
}

async fn created(shop: &Shop) -> i64 {
    shop.post("/v1/payment_intents", CHARGE).await.body["created"].as_i64().expect("a time")
}

#[tokio::test]
async fn an_hour_ahead_shows_in_created_and_in_the_date() {
    let right = Shop::open(Config::default()).await;
    let wrong = Shop::open(Config { clock_skew_seconds: 7_200, ..Config::default() }).await;
    let ahead = created(&wrong).await - created(&right).await;
    // The machine may be slow between the two, but not by half an hour.
    assert!((5_400..=7_200).contains(&ahead), "{ahead}");
    assert_ne!(hour(&wrong).await, hour(&right).await);
    assert_eq!(right.control("clock", json!({"skew_seconds": 3_600})).await.status, 200);
    let ahead = created(&wrong).await - created(&right).await;
    assert!((1_800..=3_600).contains(&ahead), "{ahead}");
    // Set back, time stands still: lists must not run backwards.
    let before = created(&right).await;
    assert_eq!(right.control("clock", json!({"skew_seconds": -3_600})).await.status, 200);
    assert!(created(&right).await >= before);
    assert_eq!(right.control("clock", json!({"skew_seconds": 1_000_000_000})).await.status, 400);
}
