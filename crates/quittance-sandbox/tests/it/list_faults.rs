//! Owns: what can go wrong with a page of the lists of subscriptions, invoices and what is inside them. Does not own:
//! writes (`faults`).

use std::collections::BTreeMap;

use quittance_sandbox::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, try_read};

/// A shop with 12 of everything, in which every read meets this fault, once for each URL.
async fn shop(fault: &str) -> Shop {
    let shop = Shop::open(Config { faults_per_key_max: 1, hold_ms: 1, slow_ms: 1, ..Config::default() }).await;
    let rows = |prefix: &str, more: Value| -> Vec<Value> {
        let row = |number| {
            let mut row = more.clone();
            row["id"] = json!(format!("{prefix}_{number}"));
            row
        };
        (0..12).map(row).collect()
    };
    let price = json!({"product": "prod_0", "currency": "usd", "unit_amount": 1});
    let items: Vec<Value> = (0..12).map(|number| json!({"id": format!("si_{number}"), "price": "price_0"})).collect();
    let lines: Vec<Value> = (0..12).map(|number| json!({"id": format!("il_{number}"), "amount": 1})).collect();
    let seed = json!({
        "products": rows("prod", json!({})), "prices": rows("price", price), "customers": rows("cus", json!({})),
        "subscriptions": rows("sub", json!({"customer": "cus_0", "items": items})),
        "invoices": rows("in", json!({"subscription": "sub_0", "lines": lines})),
    });
    assert_eq!(shop.control("seed", seed).await.status, 200);
    let rates = BTreeMap::from([(fault, 1_000), ("reads", 1_000)]);
    assert_eq!(shop.control("faults", json!({"rates": rates})).await.status, 200);
    shop
}

/// Every list of an account, and the row after which its second page begins.
const LISTS: [(&str, &str); 7] = [
    ("/v1/products?limit=5", "prod_7"),
    ("/v1/prices?limit=5", "price_7"),
    ("/v1/customers?limit=5", "cus_7"),
    ("/v1/subscriptions?limit=5", "sub_7"),
    ("/v1/invoices?limit=5", "in_7"),
    ("/v1/subscription_items?subscription=sub_0&limit=5", "si_4"),
    ("/v1/invoices/in_0/lines?limit=5", "il_4"),
];

#[tokio::test]
async fn a_page_can_end_with_the_row_that_it_should_begin_after() {
    let shop = shop("cursor_repeats").await;
    for (list, last) in LISTS {
        assert_eq!(shop.ids(list).await.last().map(String::as_str), Some(last), "{list}");
        let url = format!("{list}&starting_after={last}");
        let repeated = shop.get(&url).await;
        assert_eq!(
            (repeated.text("/data/4/id"), &repeated.body["has_more"]),
            (last.to_owned(), &json!(true)),
            "{list}"
        );
        let ids = shop.ids(&url).await;
        assert!(ids.len() == 5 && !ids.contains(&last.to_owned()), "{list}: {ids:?}");
    }
    assert_eq!(shop.fault("cursor_repeats").await, 7);
}

#[tokio::test]
async fn a_page_can_break_off_or_be_for_people_or_late() {
    for fault in ["truncated_json", "html_200", "slow_answer"] {
        let shop = shop(fault).await;
        for (list, last) in LISTS {
            let response = shop.request(Method::GET, list).send().await.expect("an answer");
            assert_eq!(response.status(), 200, "{fault} {list}");
            assert_eq!(try_read(response).await.is_some(), fault == "slow_answer", "{fault} {list}");
            assert_eq!(shop.ids(list).await.last().map(String::as_str), Some(last), "{fault} {list}");
        }
        assert_eq!(shop.fault(fault).await, 7, "{fault}");
    }
}

#[tokio::test]
async fn rates_and_names_are_told_apart() {
    let shop = Shop::open(Config::default()).await;
    for wrong in [
        json!({}),
        json!({"profile": "mild", "rates": {}}),
        json!({"rates": {"earthquake": 1}}),
        json!({"rates": {"html_200": -1}}),
    ] {
        assert_eq!(shop.control("faults", wrong).await.status, 400);
    }
    assert_eq!(shop.control("faults", json!({"rates": {"html_200": 5}})).await.text("/profile"), "custom");
}
