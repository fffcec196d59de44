//! Owns: what each fault does to a transfer, which no key protects. Does not own: the clients that live with it
//! (`rail_clients`).

use quittance_sandbox::{Config, FaultProfile, FaultRates};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::rail::{TRANSFERS, groups, order, send, totals};
use crate::shop::{Shop, read, try_read};

fn request(shop: &Shop, reference: &str) -> RequestBuilder {
    shop.request(Method::POST, TRANSFERS).json(&order("src_ok", reference))
}

/// How many transfers with this reference can be found.
async fn found(shop: &Shop, reference: &str) -> usize {
    let list = shop.get(&format!("{TRANSFERS}?reference={reference}")).await;
    list.body["transfers"].as_array().map_or(0, Vec::len)
}

/// The first send meets the fault: with this status, or without an answer. It may have made a transfer all the same,
/// and the second send makes one more.
async fn check(kind: &str, rates: FaultRates, status: Option<u16>, made: usize) {
    let shop = Shop::open_with(1, rates).await;
    let first = request(&shop, "order-1").send().await;
    assert_eq!(first.ok().map(|answer| answer.status().as_u16()), status, "{kind}");
    assert_eq!((found(&shop, "order-1").await, shop.fault(kind).await), (made, 1), "{kind}");
    assert_eq!(send(&shop, &order("src_ok", "order-1")).await.status, 201, "{kind}");
    assert_eq!(found(&shop, "order-1").await, made + 1, "{kind}");
    let totals = totals(&shop).await;
    assert_eq!(totals["settled"], made + 1, "{kind}");
}

#[tokio::test]
async fn some_faults_strike_before_the_transfer() {
    let none = FaultRates::default();
    check("timeout_before_effect", FaultRates { timeout_before_effect: 1000, ..none }, None, 0).await;
    check("connection_reset", FaultRates { connection_reset: 1000, ..none }, None, 0).await;
    check("error_500_not_charged", FaultRates { error_500_not_charged: 1000, ..none }, Some(500), 0).await;
    check("unavailable_503", FaultRates { unavailable_503: 1000, ..none }, Some(503), 0).await;
    check("rate_limited_429", FaultRates { rate_limited_429: 1000, ..none }, Some(429), 0).await;
}

#[tokio::test]
async fn others_hide_it() {
    let none = FaultRates::default();
    check("timeout_after_effect", FaultRates { timeout_after_effect: 1000, ..none }, None, 1).await;
    check("lost_answer", FaultRates { lost_answer: 1000, ..none }, None, 1).await;
    check("error_500_charged", FaultRates { error_500_charged: 1000, ..none }, Some(500), 1).await;
    check("bad_gateway_502", FaultRates { bad_gateway_502: 1000, ..none }, Some(502), 1).await;
    check("truncated_json", FaultRates { truncated_json: 1000, ..none }, Some(201), 1).await;
    check("html_200", FaultRates { html_200: 1000, ..none }, Some(200), 1).await;
    check("slow_answer", FaultRates { slow_answer: 1000, ..none }, Some(201), 1).await;
}

#[tokio::test]
async fn troubles_are_told_in_the_rails_own_words() {
    let none = FaultRates::default();
    for (rates, status, code) in [
        (FaultRates { error_500_charged: 1000, ..none }, 500, "internal_error"),
        (FaultRates { error_500_not_charged: 1000, ..none }, 500, "internal_error"),
        (FaultRates { unavailable_503: 1000, ..none }, 503, "unavailable"),
        (FaultRates { rate_limited_429: 1000, ..none }, 429, "rate_limited"),
        (FaultRates { unauthorised_401: 1000, ..none }, 401, "unauthorised"),
    ] {
        let shop = Shop::open_with(1, rates).await;
        let answer = send(&shop, &order("src_ok", "order-1")).await;
        assert_eq!((answer.status, answer.text("/code").as_str()), (status, code));
        assert!(answer.body["error"].is_null() && !answer.text("/message").is_empty(), "{answer:#?}");
    }
    let shop = Shop::open_with(1, FaultRates { html_200: 1000, ..none }).await;
    let answer = request(&shop, "order-1").send().await.expect("an answer");
    assert_eq!(try_read(answer).await, None);
    let shop = Shop::open_with(1, FaultRates { rate_limited_429: 1000, ..none }).await;
    let mut retry_after = Vec::new();
    for number in 0..16 {
        retry_after.push(send(&shop, &order("src_ok", &format!("order-{number}"))).await.retry_after);
    }
    assert!(retry_after.contains(&None) && retry_after.contains(&Some("1".to_owned())), "{retry_after:?}");
}

/// The first request for each reference is late; ten minutes at most, which no test waits for.
async fn late_shop(late_pending_max: usize) -> Shop {
    Shop::open(Config {
        faults: FaultProfile::Custom(FaultRates { late_effect: 1000, ..FaultRates::default() }),
        faults_per_key_max: 1,
        hold_ms: 1,
        late_effect_ms_max: Some(600_000),
        late_pending_max,
        ..Config::default()
    })
    .await
}

#[tokio::test]
async fn a_transfer_may_be_made_after_the_client_read_that_there_is_none() {
    let shop = late_shop(10).await;
    assert!(request(&shop, "order-1").send().await.is_err());
    assert_eq!((found(&shop, "order-1").await, shop.late_pending().await), (0, 1));
    // Absence was no proof.
    assert_eq!(send(&shop, &order("src_ok", "order-1")).await.status, 201);
    assert_eq!((shop.flush_late_effects().await, found(&shop, "order-1").await), (1, 2));
    assert_eq!(groups(&shop, "reference").await["groups_paid_more_than_once"], 1);
    assert_eq!(totals(&shop).await["balance"], 3_998);
}

#[tokio::test]
async fn what_finds_no_room_to_be_late_is_lost() {
    let shop = late_shop(1).await;
    for reference in ["order-1", "order-2"] {
        assert!(request(&shop, reference).send().await.is_err());
    }
    assert_eq!((shop.fault("late_effect").await, shop.fault("timeout_before_effect").await), (1, 1));
    assert_eq!(shop.flush_late_effects().await, 1);
    assert_eq!((found(&shop, "order-1").await, found(&shop, "order-2").await), (1, 0));
}

#[tokio::test]
async fn reads_meet_faults_and_a_cursor_may_repeat() {
    let shop = Shop::open_with(1, FaultRates { connection_reset: 1000, reads: 1000, ..FaultRates::default() }).await;
    for path in [TRANSFERS, "/rail/v1/transfers/trf_no", "/rail/v1/status"] {
        assert!(shop.request(Method::GET, path).send().await.is_err(), "{path}");
        assert!(shop.request(Method::GET, path).send().await.is_ok(), "{path}");
    }
    let shop = Shop::open_with(1, FaultRates { cursor_repeats: 1000, reads: 1000, ..FaultRates::default() }).await;
    for _ in 0..5 {
        send(&shop, &order("src_ok", "order-1")).await;
    }
    let path = format!("{TRANSFERS}?reference=order-1&limit=2");
    let first = shop.get(&path).await;
    let next = format!("{path}&cursor={}", first.text("/next"));
    assert_eq!(shop.get(&next).await.body, first.body);
    assert_eq!(shop.fault("cursor_repeats").await, 1);
    // Whoever asks again gets on.
    assert_ne!(shop.get(&next).await.text("/next"), first.text("/next"));
}

#[tokio::test]
async fn a_window_of_401s_is_for_both_dialects() {
    let shop = Shop::open(Config::default()).await;
    shop.control("unauthorised", json!({"requests": 2})).await;
    let refused = send(&shop, &order("src_ok", "order-1")).await;
    assert_eq!((refused.status, refused.text("/code").as_str()), (401, "unauthorised"));
    assert_eq!(shop.get("/v1/charges").await.status, 401);
    assert_eq!(send(&shop, &order("src_ok", "order-1")).await.status, 201);
    assert_eq!((shop.fault("unauthorised_401").await, found(&shop, "order-1").await), (2, 1));
}

/// What a client without patience sees of 60 transfers, in this order.
async fn outcomes(seed: u64, numbers: impl Iterator<Item = u32>) -> Vec<(u32, String)> {
    let config = Config { seed, faults: FaultProfile::Hostile, hold_ms: 1, slow_ms: 1, ..Config::default() };
    let shop = Shop::open(config).await;
    let mut outcomes = Vec::new();
    for number in numbers {
        let outcome = match request(&shop, &format!("order-{number}")).send().await {
            Err(_) => "silence".to_owned(),
            Ok(answer) => {
                let status = answer.status();
                format!("{status} {:?}", try_read(answer).await.map(|answer| answer.body["id"].to_string()))
            }
        };
        outcomes.push((number, outcome));
    }
    outcomes.sort();
    outcomes
}

#[tokio::test]
async fn the_seed_decides_by_the_reference_in_any_order() {
    let one = outcomes(7, 0..60).await;
    assert_eq!(one, outcomes(7, (0..60).rev()).await);
    assert_ne!(one, outcomes(8, 0..60).await);
    assert!(one.iter().any(|(_, outcome)| !outcome.starts_with("201")), "{one:?}");
}

#[tokio::test]
async fn a_key_in_the_header_is_no_protection() {
    let shop = Shop::open_with(1, FaultRates { lost_answer: 1000, ..FaultRates::default() }).await;
    let keyed = || request(&shop, "order-1").header("idempotency-key", "key-1");
    assert!(keyed().send().await.is_err());
    assert_eq!(read(keyed().send().await.expect("an answer")).await.status, 201);
    assert_eq!(found(&shop, "order-1").await, 2);
}
