//! Owns: what a client can find out at gateways that offer less. Does not own: losing answers.

use quittance_sandbox::{Class, Config, FaultProfile, FaultRates};
use serde_json::{Value, json};

use crate::shop::Shop;

const REFUNDS: &str = "/v1/refunds";

/// Two refunds with one key, and what can be seen of them.
async fn check(class: &str, replayed: bool, listed: u16, read: u16, refunds: i64) {
    let shop = Shop::patient().await;
    let profile = shop.control("profile", json!({"class": class, "object": "refunds"})).await;
    assert_eq!(profile.body["objects"]["refunds"]["class"], class);
    let paid = shop.charge_with("pm_card_visa").await;
    let form = format!("payment_intent={}&amount=100", paid.id());
    let first = shop.post_keyed(REFUNDS, "refund-1", &form).await;
    let second = shop.post_keyed(REFUNDS, "refund-1", &form).await;
    assert_eq!((first.status, second.status, second.is_replayed), (200, 200, replayed), "{class}");
    assert_eq!(first.id() == second.id(), replayed, "{class}");
    assert_eq!(shop.get(REFUNDS).await.status, listed, "{class}");
    assert_eq!(shop.get(&format!("{REFUNDS}/{}", first.id())).await.status, read, "{class}");
    let events = shop.ids("/v1/events?type=refund.created").await;
    assert_eq!(events.is_empty(), listed != 200, "{class}");
    // Other kinds of objects stay as they were.
    assert_eq!(shop.get("/v1/charges").await.status, 200, "{class}");
    assert_eq!(shop.dollars().await["amount_refunded"], 100 * refunds, "{class}");
}

#[tokio::test]
async fn each_class_offers_less() {
    check("P", true, 200, 200, 1).await;
    check("A", true, 200, 200, 1).await;
    check("B", false, 200, 200, 2).await;
    check("C", true, 403, 404, 1).await;
    check("D", false, 403, 404, 2).await;
}

#[tokio::test]
async fn capabilities_are_declared() {
    let config = Config { class: Class::B, hold_ms: 1_001, idempotency_retention_ms: 90_500, ..Config::default() };
    let shop = Shop::open(config).await;
    let objects = shop.get("/_sandbox/capabilities").await.body["objects"].take();
    let expected = json!({
        "class": "B", "two_phase": false, "key_max_len": 0, "key_retention_s": 0, "replay": "none",
        "readback": "list", "readback_consistency": "strong", "webhook_carries_reference": true,
        "absence_quiescence_s": 2,
    });
    assert_eq!(objects["payouts"], expected);
    assert_eq!(objects["payment_intents"]["two_phase"], true);
    let changed = shop.control("profile", json!({"class": "C"})).await.body["objects"].take();
    for (_, row) in changed.as_object().expect("a row for each kind") {
        assert_eq!((&row["key_retention_s"], &row["readback"]), (&json!(90), &json!("none")));
    }
    for wrong in [json!({"class": "E"}), json!({"class": "A", "object": "invoices"}), json!({}), Value::Null] {
        assert_eq!(shop.control("profile", wrong).await.status, 400);
    }
}

#[tokio::test]
async fn a_late_effect_needs_no_key_where_keys_mean_nothing() {
    let faults = FaultProfile::Custom(FaultRates { late_effect: 1000, ..FaultRates::default() });
    let late_effect_ms_max = Some(600_000);
    let config =
        Config { class: Class::B, faults, faults_per_key_max: 1, hold_ms: 1, late_effect_ms_max, ..Config::default() };
    let shop = Shop::open(config).await;
    let form = "amount=1099&currency=usd&source=tok_visa";
    assert!(shop.keyed("/v1/charges", "key-1", form).send().await.is_err());
    assert_eq!(shop.late_pending().await, 1);
    assert!(shop.ids("/v1/charges").await.is_empty());
    // Absence was no proof.
    assert_eq!(shop.post_keyed("/v1/charges", "key-1", form).await.status, 200);
    assert_eq!((shop.flush_late_effects().await, shop.charges_succeeded().await), (1, 2));
}
