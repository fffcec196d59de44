//! Owns: accounts that are filled at once, and walking through them. Does not own: single objects (`subscriptions`,
//! `invoices`).

use quittance_sandbox::Config;
use serde_json::{Value, json};

use crate::shop::Shop;

/// One product, one price, one customer, and as many subscriptions: the older half in the second batch.
fn seed(subscriptions: i64) -> [Value; 2] {
    let row = |number: i64| {
        let status = if number % 10 == 0 { "canceled" } else { "active" };
        json!({"id": format!("sub_{number}"), "created": 1_700_000_000 + number / 3, "customer": "cus_1",
               "price": "price_1", "status": status})
    };
    let rows = |from: i64, to: i64| (from..to).map(row).collect::<Vec<Value>>();
    let first = json!({
        "products": [{"id": "prod_1", "created": 1_600_000_000, "name": "Plan"}],
        "prices": [{"id": "price_1", "product": "prod_1", "currency": "usd", "unit_amount": 100, "interval": "year"}],
        "customers": [{"id": "cus_1", "email": "ada@example.com", "metadata": {"n": "1"}}],
        "subscriptions": rows(subscriptions / 2, subscriptions),
    });
    [first, json!({"subscriptions": rows(0, subscriptions / 2)})]
}

/// All pages of a list, from the newest on.
async fn walk(shop: &Shop, path: &str) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("{path}&limit=100{after}")).await;
        let ids = page.body["data"].as_array().into_iter().flatten().filter_map(|row| row["id"].as_str());
        seen.extend(ids.map(str::to_owned));
        if page.body["has_more"] == false {
            return seen;
        }
        after = format!("&starting_after={}", seen.last().expect("a page with an entry"));
    }
}

#[tokio::test]
async fn thousands_are_there_in_a_moment_and_in_order() {
    let shop = Shop::open(Config::default()).await;
    let [first, second] = seed(5_000);
    assert_eq!(shop.control("seed", first).await.body["subscriptions"], 2_500);
    assert_eq!(shop.control("seed", second).await.body["subscriptions"], 2_500);
    let all = walk(&shop, "/v1/subscriptions?status=all").await;
    // The newest first; in the same second, the last to come.
    let expected: Vec<String> = (0..5_000).rev().map(|number| format!("sub_{number}")).collect();
    let (mut older, mut newer) = (expected.clone(), all.clone());
    older.sort();
    newer.sort();
    assert_eq!(older, newer);
    assert!(all.windows(2).all(|pair| number(&pair[0]) / 3 >= number(&pair[1]) / 3));
    assert_eq!(walk(&shop, "/v1/subscriptions?status=canceled").await.len(), 500);
    let dated = "/v1/subscriptions?created[gte]=1700000100&created[lt]=1700000110&status=all";
    assert_eq!(walk(&shop, dated).await.len(), 30);
    assert_eq!(walk(&shop, "/v1/subscriptions?created=1700000100&status=all").await, ["sub_302", "sub_301", "sub_300"]);
    assert!(shop.ids("/v1/events").await.is_empty());
    // What comes later through the API is the newest.
    let made = shop.post("/v1/subscriptions", "customer=cus_1&items[0][price]=price_1").await.id();
    assert_eq!(shop.ids("/v1/subscriptions?limit=1").await, [made]);
}

fn number(id: &str) -> i64 {
    id.trim_start_matches("sub_").parse().expect("a number")
}

#[tokio::test]
async fn what_is_seeded_behaves_like_what_was_created() {
    let shop = Shop::open(Config::default()).await;
    let body = json!({
        "products": [{"id": "prod_1"}],
        "prices": [
            {"id": "price_1", "product": "prod_1", "currency": "usd", "unit_amount": 100},
            {"id": "price_2", "product": "prod_1", "currency": "usd", "unit_amount": 7, "interval": "once"},
        ],
        "customers": [{"id": "cus_1", "name": "Ada"}, {"id": "cus_2", "deleted": true}],
        "subscriptions": [
            {"id": "sub_1", "customer": "cus_1", "status": "past_due", "created": 1_706_659_200,
             "items": [{"id": "si_1", "price": "price_1", "quantity": 2}, {"price": "price_1"}]},
            {"id": "sub_2", "customer": "cus_2", "status": "canceled", "price": "price_1", "ended_at": 5},
        ],
        "invoices": [
            {"id": "in_1", "subscription": "sub_1", "status": "open", "created": 1_706_659_201,
             "lines": [{"amount": 200, "price": "price_1", "quantity": 2}, {"amount": -50, "description": "credit"}]},
            {"id": "in_2", "customer": "cus_1"},
            {"id": "in_0", "subscription": "sub_1", "status": "void", "created": 1_706_659_000},
        ],
        "events": true,
    });
    assert_eq!(shop.control("seed", body).await.status, 200);
    let subscription = shop.get("/v1/subscriptions/sub_1").await;
    // From 31 January to the leap day.
    assert_eq!(subscription.body["items"]["data"][0]["current_period_end"], 1_709_164_800);
    assert_eq!(subscription.text("/latest_invoice"), "in_1");
    assert_eq!(subscription.body["items"]["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(shop.get("/v1/customers/cus_2").await.body["deleted"], true);
    assert_eq!(shop.get("/v1/subscriptions/sub_2").await.body["ended_at"], 5);
    let invoice = shop.get("/v1/invoices/in_1").await;
    assert_eq!((&invoice.body["amount_due"], invoice.text("/customer")), (&json!(150), "cus_1".to_owned()));
    assert_eq!(invoice.text("/lines/data/0/pricing/price_details/product"), "prod_1");
    assert_eq!(shop.ids("/v1/events?limit=100").await.len(), 10);
    shop.post("/v1/invoices/in_1/pay", "").await;
    assert_eq!(shop.get("/v1/subscriptions/sub_1").await.text("/status"), "active");
}

#[tokio::test]
async fn a_wrong_seed_leaves_nothing_behind() {
    let shop = Shop::open(Config::default()).await;
    shop.control("seed", json!({"products": [{"id": "prod_1"}]})).await;
    let price = json!({"id": "price_1", "product": "prod_1", "currency": "usd", "unit_amount": 1});
    let customer = json!({"id": "cus_1"});
    for (wrong, place) in [
        (json!({"products": [{"id": "prod_1"}]}), "products[0]"),
        (json!({"customers": [customer, customer]}), "customers[1]"),
        (json!({"customers": [{"id": ""}]}), "customers[0]"),
        (json!({"prices": [{"id": "p", "product": "prod_2", "currency": "usd", "unit_amount": 1}]}), "prices[0]"),
        (
            json!({"customers": [customer], "prices": [price], "subscriptions": [
                {"id": "sub_1", "customer": "cus_1", "price": "price_1"}, {"id": "sub_2", "customer": "cus_1"},
            ]}),
            "subscriptions[1]",
        ),
        (json!({"customers": [customer], "invoices": [{"id": "in_1", "subscription": "sub_1"}]}), "invoices[0]"),
        (json!({"customers": [customer], "invoices": [{"id": "in_1"}]}), "invoices[0]"),
        (json!({"shops": []}), "shops"),
        (json!({"customers": [{"id": "cus_1", "status": "late"}]}), "status"),
    ] {
        let answer = shop.control("seed", wrong).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text("/error/message").contains(place), "{place}: {answer:#?}");
    }
    assert!(shop.ids("/v1/customers").await.is_empty() && shop.ids("/v1/prices").await.is_empty());
}
