//! Owns: clients that refund through a hostile gateway, with and without care. Does not own: single faults.

use std::sync::Arc;

use reqwest::Method;

use crate::faults::{hostile_shop, insist};
use crate::shop::{CHARGE, Shop, try_read};

const REFUNDS: &str = "/v1/refunds";

/// Charges calmly, then lets the faults loose.
async fn charge_calmly(shop: &Shop) -> String {
    shop.control("faults", serde_json::json!({"profile": "none"})).await;
    let charge = shop.post("/v1/payment_intents", &CHARGE.replace("1099", "99999")).await.text("/latest_charge");
    shop.control("faults", serde_json::json!({"profile": "hostile"})).await;
    charge
}

/// Whether the charge has a refund with this reference. Lists are never behind.
async fn is_refunded(shop: &Shop, charge: &str, order: u32) -> bool {
    let order = order.to_string();
    loop {
        let Ok(response) = shop.request(Method::GET, &format!("{REFUNDS}?charge={charge}&limit=100")).send().await
        else {
            continue;
        };
        let Some(list) = try_read(response).await.filter(|list| list.status == 200) else {
            continue;
        };
        let mut rows = list.body["data"].as_array().into_iter().flatten();
        return rows.any(|row| row["metadata"]["order"].as_str() == Some(&order));
    }
}

/// Class A: the same key until there is an answer; after a stored 500 what the list says, then a new key.
async fn refund_carefully(shop: &Shop, charge: &str, order: u32) {
    let form = format!("charge={charge}&amount=10&metadata[order]={order}");
    for generation in 0.. {
        let key = format!("refund-{order}-{generation}");
        if insist(shop, REFUNDS, &key, &form).await.is_some() || is_refunded(shop, charge, order).await {
            return;
        }
    }
}

#[tokio::test]
async fn a_careful_client_refunds_every_order_once() {
    let shop = hostile_shop().await;
    let charge: Arc<str> = charge_calmly(&shop).await.into();
    let mut refunds = tokio::task::JoinSet::new();
    for order in 0..90 {
        let (shop, charge) = (Arc::clone(&shop), Arc::clone(&charge));
        refunds.spawn(async move { refund_carefully(&shop, &charge, order).await });
    }
    refunds.join_all().await;
    shop.flush_late_effects().await;
    let books = shop.get("/_sandbox/books?group_refunds=order").await.body;
    assert_eq!(books["sound"], true, "{books:#}");
    assert_eq!(books["group_refunds"]["refunds"], 90, "{books:#}");
    assert_eq!(books["group_refunds"]["groups_refunded_more_than_once"], 0, "{books:#}");
    assert_eq!(books["currencies"]["usd"]["amount_refunded"], 900, "{books:#}");
}

#[tokio::test]
async fn a_careless_client_refunds_twice_and_is_caught() {
    let shop = hostile_shop().await;
    let charge = charge_calmly(&shop).await;
    for order in 0..60 {
        let form = format!("charge={charge}&amount=10&metadata[order]={order}");
        for attempt in 0.. {
            // The mistake: a new key for every attempt.
            let answer = shop.keyed(REFUNDS, &format!("refund-{order}-{attempt}"), &form).send().await;
            if answer.is_ok_and(|response| response.status() == 200) {
                break;
            }
        }
    }
    let books = shop.get("/_sandbox/books?group_refunds=order").await.body;
    assert_eq!(books["sound"], true, "{books:#}");
    assert!(books["group_refunds"]["groups_refunded_more_than_once"].as_u64() > Some(0), "{books:#}");
}
