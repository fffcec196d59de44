//! Owns: who survives late effects: a client that fences off what it gives up, and not one that
//! only looks. Does not own: what a late effect is (`late_effects`).

use std::sync::Arc;

use quittance_sandbox::{Config, FaultProfile, FaultRates};
use reqwest::Method;
use serde_json::{Value, json};

use crate::faults::{hostile_shop, insist};
use crate::shop::{Shop, try_read};

const INTENTS: &str = "/v1/payment_intents";

/// A new intent for an order. One that a 500 hides is never confirmed, so it never charges.
async fn create(shop: &Shop, order: u32, attempt: u32) -> String {
    let form = format!("amount=1099&currency=usd&payment_method_types[]=card&metadata[order]={order}");
    let mut generation = 0;
    loop {
        let key = format!("create-{order}-{attempt}-{generation}");
        if let Some(created) = insist(shop, INTENTS, &key, &form).await {
            return format!("{INTENTS}/{}", created.id());
        }
        generation += 1;
    }
}

/// One request, whose answer does not matter: the intent itself is asked afterwards.
async fn confirm(shop: &Shop, path: &str, order: u32, attempt: u32) {
    let key = format!("confirm-{order}-{attempt}");
    let _ = shop.keyed(&format!("{path}/confirm"), &key, "payment_method=pm_card_visa").send().await;
}

async fn status(shop: &Shop, path: &str) -> String {
    loop {
        if let Ok(response) = shop.request(Method::GET, path).send().await
            && response.status() == 200
            && let Some(answer) = try_read(response).await
        {
            return answer.text("/status");
        }
    }
}

/// Gives an intent up after one confirmation, but only once it is canceled: nothing that is still
/// on its way can charge it then.
async fn pay_behind_a_fence(shop: &Shop, order: u32) {
    for attempt in 0.. {
        let path = create(shop, order, attempt).await;
        confirm(shop, &path, order, attempt).await;
        for generation in 0.. {
            match status(shop, &path).await.as_str() {
                "succeeded" => return,
                "canceled" => break,
                _ => {
                    let key = format!("cancel-{order}-{attempt}-{generation}");
                    insist(shop, &format!("{path}/cancel"), &key, "").await;
                }
            }
        }
    }
}

/// The mistake: what the intent says now is taken for what it will say.
async fn pay_on_sight(shop: &Shop, order: u32) {
    for attempt in 0.. {
        let path = create(shop, order, attempt).await;
        confirm(shop, &path, order, attempt).await;
        if status(shop, &path).await == "succeeded" {
            return;
        }
    }
}

/// The books after everything that was pending has happened.
async fn final_books(shop: &Shop) -> Value {
    shop.flush_late_effects().await;
    let books = shop.get("/_sandbox/books?group=order").await.body;
    assert_eq!(books["sound"], true, "{books:#}");
    books
}

#[tokio::test]
async fn a_client_that_cancels_before_it_gives_up_charges_every_order_once() {
    let shop = hostile_shop().await;
    let mut payments = tokio::task::JoinSet::new();
    for order in 0..150 {
        let shop = Arc::clone(&shop);
        payments.spawn(async move { pay_behind_a_fence(&shop, order).await });
    }
    payments.join_all().await;
    let books = final_books(&shop).await;
    assert_eq!(books["group"]["groups"], 150, "{books:#}");
    assert_eq!(books["group"]["charges_succeeded"], 150, "{books:#}");
    assert!(books["payment_intents"]["canceled"].as_u64() > Some(0), "{books:#}");
    assert!(shop.fault("late_effect").await > 0);
}

/// A shop with only this fault.
async fn late_shop() -> Shop {
    let rates = FaultRates { late_effect: 500, ..FaultRates::default() };
    Shop::open(Config {
        faults: FaultProfile::Custom(rates),
        faults_per_key_max: 1,
        hold_ms: 1,
        late_effect_ms_max: Some(50),
        ..Config::default()
    })
    .await
}

#[tokio::test]
async fn a_client_that_only_looks_is_caught() {
    let shop = late_shop().await;
    for order in 0..30 {
        pay_on_sight(&shop, order).await;
    }
    let books = final_books(&shop).await;
    assert_eq!(books["group"]["groups"], json!(30), "{books:#}");
    assert!(books["group"]["groups_charged_more_than_once"].as_u64() > Some(0), "{books:#}");
}

#[tokio::test]
async fn the_same_faults_do_not_catch_the_fence() {
    let shop = late_shop().await;
    for order in 0..30 {
        pay_behind_a_fence(&shop, order).await;
    }
    let books = final_books(&shop).await;
    assert_eq!(books["group"]["charges_succeeded"], json!(30), "{books:#}");
    assert_eq!(books["group"]["groups_charged_more_than_once"], json!(0), "{books:#}");
}
