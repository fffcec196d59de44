//! Owns: who survives a hostile rail: a client that waits, asks, and only then sends again, and neither of two that are
//! less careful. Does not own: single faults (`rail_faults`).

use quittance_sandbox::{Config, FaultProfile};
use reqwest::Method;
use serde_json::Value;

use crate::rail::{TRANSFERS, groups, order, totals};
use crate::shop::{Shop, try_read};

/// One send. Whether its answer, if any came, is a transfer.
async fn send_once(shop: &Shop, reference: &str) -> bool {
    let request = shop.request(Method::POST, TRANSFERS).json(&order("src_ok", reference));
    let Ok(response) = request.send().await else { return false };
    try_read(response).await.is_some_and(|answer| answer.status == 201)
}

/// Asks until there is a list. Lists are never behind.
async fn is_there(shop: &Shop, reference: &str) -> bool {
    loop {
        let Ok(response) = shop.request(Method::GET, &format!("{TRANSFERS}?reference={reference}")).send().await else {
            continue;
        };
        if let Some(list) = try_read(response).await.filter(|list| list.status == 200) {
            return list.body["transfers"].as_array().is_some_and(|transfers| !transfers.is_empty());
        }
    }
}

/// Never sends again before everything that is under way has happened and the rail was asked.
async fn pay_carefully(shop: &Shop, reference: &str) {
    while !send_once(shop, reference).await {
        // What stands for the time that a client has to wait.
        shop.flush_late_effects().await;
        if is_there(shop, reference).await {
            return;
        }
    }
}

/// The mistake: what the rail says now is taken for what it will say.
async fn pay_on_sight(shop: &Shop, reference: &str) {
    while !send_once(shop, reference).await && !is_there(shop, reference).await {}
}

/// The mistake: whatever is not a success is sent again.
async fn pay_blindly(shop: &Shop, reference: &str) {
    while !send_once(shop, reference).await {}
}

/// 150 orders, and then everything that was pending: nothing of it happens before somebody asks for it.
async fn pay_all(pay: impl AsyncFn(&Shop, &str)) -> (Shop, Value) {
    let late_effect_ms_max = Some(600_000);
    let faults = FaultProfile::Hostile;
    let shop = Shop::open(Config { faults, hold_ms: 1, slow_ms: 1, late_effect_ms_max, ..Config::default() }).await;
    for number in 0..150 {
        pay(&shop, &format!("order-{number}")).await;
    }
    shop.flush_late_effects().await;
    let groups = groups(&shop, "reference").await;
    assert_eq!(groups["groups"], 150, "{groups:#}");
    (shop, groups)
}

#[tokio::test]
async fn a_client_that_waits_and_asks_pays_every_order_once() {
    let (shop, groups) = pay_all(pay_carefully).await;
    assert_eq!((&groups["transfers"], &groups["groups_sent_more_than_once"]), (&150.into(), &0.into()), "{groups:#}");
    assert_eq!(totals(&shop).await["balance"], 150 * 1_999);
    for kind in ["lost_answer", "error_500_charged", "bad_gateway_502", "late_effect"] {
        assert!(shop.fault(kind).await > 0, "{kind}");
    }
}

#[tokio::test]
async fn a_client_that_asks_without_waiting_is_caught() {
    let (_, groups) = pay_all(pay_on_sight).await;
    assert!(groups["groups_paid_more_than_once"].as_u64() > Some(0), "{groups:#}");
}

#[tokio::test]
async fn a_client_that_sends_again_is_caught() {
    let (shop, groups) = pay_all(pay_blindly).await;
    assert!(groups["groups_paid_more_than_once"].as_u64() > Some(10), "{groups:#}");
    assert_eq!(totals(&shop).await["settled"], groups["transfers_paid"]);
}
