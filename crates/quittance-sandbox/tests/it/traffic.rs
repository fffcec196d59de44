//! Owns: how the sandbox counts and limits requests. Does not own: what they are answered otherwise.

use quittance_sandbox::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, read};

async fn requests(shop: &Shop) -> Value {
    shop.get("/_sandbox/requests").await.body
}

#[tokio::test]
async fn requests_are_counted_by_endpoint() {
    let shop = Shop::open(Config::default()).await;
    for _ in 0..3 {
        let customer = shop.post("/v1/customers", "name=Ada").await.id();
        shop.get(&format!("/v1/customers/{customer}")).await;
    }
    // One request for each page, whatever its parameters are.
    let first = shop.get("/v1/customers?limit=2").await;
    assert_eq!(first.body["has_more"], true);
    shop.get(&format!("/v1/customers?limit=2&starting_after={}", first.text("/data/1/id"))).await;
    assert_eq!(shop.get("/v1/nothing").await.status, 404);
    assert_eq!(shop.get("/rail/v1/transfers").await.status, 200);
    // What is refused counts as well: it came.
    let anonymous = shop.client.get(format!("{}/v1/charges", shop.base)).send().await.expect("an answer");
    assert_eq!(read(anonymous).await.status, 401);
    let counted = requests(&shop).await;
    for (endpoint, count) in [
        ("POST /v1/customers", 3),
        ("GET /v1/customers/{id}", 3),
        ("GET /v1/customers", 2),
        ("GET /v1/charges", 1),
        ("GET /rail/v1/transfers", 1),
        ("unrecognised", 1),
    ] {
        assert_eq!(counted["endpoints"][endpoint]["requests"], count, "{endpoint}: {counted:#}");
    }
    assert_eq!(counted["requests"], 11);
    let busiest = counted["in_one_second_max"].as_u64().expect("a count");
    assert!((1..=11).contains(&busiest), "{counted:#}");
    let url = format!("{}/_sandbox/requests", shop.base);
    let forgotten = read(shop.client.request(Method::DELETE, url).send().await.expect("an answer")).await;
    assert_eq!((&forgotten.body["requests"], &forgotten.body["endpoints"]), (&json!(0), &json!({})));
}

#[tokio::test]
async fn what_comes_too_fast_is_turned_away_and_stores_nothing() {
    let shop = Shop::open(Config { requests_per_second_max: Some(0), ..Config::default() }).await;
    let refused = shop.post_keyed("/v1/customers", "key-1", "name=Ada").await;
    assert_eq!((refused.status, refused.retry_after.as_deref()), (429, Some("1")));
    assert_eq!(refused.text("/error/code"), "rate_limit");
    shop.control("rate_limit", json!({"requests_per_second": 1_000_000})).await;
    let first = shop.post_keyed("/v1/customers", "key-1", "name=Ada").await;
    assert_eq!((first.status, first.is_replayed), (200, false));
    let limited = shop.control("rate_limit", json!({"requests_per_second": 0, "retry_after_s": 30})).await;
    assert_eq!(limited.body, json!({"requests_per_second": 0, "retry_after_s": 30}));
    assert_eq!(shop.get("/v1/customers").await.retry_after.as_deref(), Some("30"));
    assert_eq!(requests(&shop).await["rate_limited"], 2);
    shop.control("rate_limit", json!({"requests_per_second": null})).await;
    assert_eq!(shop.ids("/v1/customers").await, [first.id()]);
    for wrong in [json!({"requests_per_second": -1}), json!({"per_minute": 1})] {
        assert_eq!(shop.control("rate_limit", wrong).await.status, 400);
    }
}
