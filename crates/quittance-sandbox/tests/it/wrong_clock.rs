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

/// Whether the `Date` header says what the control interface says.
async fn date_matches(shop: &Shop) -> bool {
    // A second may end between the two.
    for _ in 0..100 {
        let before = shop.get("/_sandbox/clock").await.body["now"].clone();
        let response = shop.request(Method::GET, "/v1/charges").send().await.expect("an answer");
        let date = response.headers()["date"].to_str().expect("a date in ASCII").to_owned();
        let now = shop.get("/_sandbox/clock").await.body["now"].clone();
        if before == now {
            let seconds = now.as_i64().expect("a time");
            let of_day = seconds.rem_euclid(86_400);
            let time = format!(" {:02}:{:02}:{:02} GMT", of_day / 3_600, of_day / 60 % 60, of_day % 60);
            return date.ends_with(&time);
        }
    }
    false
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

#[tokio::test]
async fn the_clock_can_be_moved_on_and_the_date_follows() {
    let shop = Shop::open(Config::default()).await;
    assert!(date_matches(&shop).await);
    let before = created(&shop).await;
    for _ in 0..2 {
        assert_eq!(shop.control("clock", json!({"advance_s": 64_800})).await.status, 200);
        assert!(date_matches(&shop).await);
    }
    assert_eq!(shop.get("/_sandbox/clock").await.body["skew_seconds"], 129_600);
    assert!(created(&shop).await >= before + 129_600);
    for wrong in [
        json!({}),
        json!({"advance_s": -1}),
        json!({"advance_s": 1, "skew_seconds": 1}),
        json!({"advance_s": 4_000_000_000_u32}),
    ] {
        assert_eq!(shop.control("clock", wrong).await.status, 400);
    }
    assert_eq!(shop.get("/_sandbox/clock").await.body["skew_seconds"], 129_600);
}
