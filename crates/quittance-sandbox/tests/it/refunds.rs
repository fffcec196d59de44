//! Owns: refunds from the first cent to the bank's refusal. Does not own: their faults.

use quittance_sandbox::Config;
use serde_json::{Value, json};

use crate::shop::{CHARGE, Shop};

const REFUNDS: &str = "/v1/refunds";

#[tokio::test]
async fn parts_add_up_to_the_charge_and_no_further() {
    let shop = Shop::patient().await;
    let paid = shop.charge_with("pm_card_visa").await;
    let (intent, charge) = (paid.id(), paid.text("/latest_charge"));
    let form = format!("payment_intent={intent}&amount=400&reason=duplicate&metadata[effect_id]=eff_1");
    let part = shop.post(REFUNDS, &form).await;
    assert_eq!(
        (part.status, part.text("/status"), part.text("/reason")),
        (200, "succeeded".into(), "duplicate".into())
    );
    assert_eq!((part.text("/charge"), part.text("/payment_intent")), (charge.clone(), intent.clone()));
    assert_eq!(part.body["metadata"], json!({"effect_id": "eff_1"}));
    let too_much = shop.post(REFUNDS, &format!("charge={charge}&amount=700")).await;
    let message = "Refund amount ($7.00) is greater than unrefunded amount on charge ($6.99)";
    assert_eq!((too_much.status, too_much.text("/error/message")), (400, message.to_owned()));
    let shown = shop.get(&format!("/v1/charges/{charge}")).await;
    assert_eq!((&shown.body["amount_refunded"], &shown.body["refunded"]), (&json!(400), &json!(false)));
    let rest = shop.post(REFUNDS, &format!("charge={charge}")).await;
    assert_eq!(rest.body["amount"], 699);
    let shown = shop.get(&format!("/v1/charges/{charge}")).await;
    assert_eq!((&shown.body["amount_refunded"], &shown.body["refunded"]), (&json!(1099), &json!(true)));
    let more = shop.post(REFUNDS, &format!("payment_intent={intent}&amount=1")).await;
    assert_eq!((more.status, more.text("/error/code")), (400, "charge_already_refunded".to_owned()));
    assert_eq!(shop.get(&format!("/v1/payment_intents/{intent}")).await.text("/status"), "succeeded");
    let events = ["charge.succeeded", "refund.created", "charge.refunded", "refund.created", "charge.refunded"];
    assert_eq!(shop.events().await, events);
    assert_eq!(shop.dollars().await["amount_refunded"], 1099);
}

#[tokio::test]
async fn a_key_refunds_once() {
    let shop = Shop::patient().await;
    let intent = shop.charge_with("pm_card_visa").await.id();
    let form = format!("payment_intent={intent}&amount=100");
    let first = shop.post_keyed(REFUNDS, "refund-1", &form).await;
    let second = shop.post_keyed(REFUNDS, "refund-1", &form).await;
    assert_eq!((first.body.clone(), second.is_replayed), (second.body, true));
    assert_eq!(shop.post_keyed(REFUNDS, "refund-1", &form.replace("100", "200")).await.status, 400);
    assert_eq!(shop.ids(&format!("{REFUNDS}?payment_intent={intent}")).await, [first.id()]);
    let events = shop.get("/v1/events?type=refund.created").await;
    assert_eq!(events.text("/data/0/request/idempotency_key"), "refund-1");
}

#[tokio::test]
async fn pending_refunds_succeed_fail_or_are_canceled() {
    for (step, status, refunded, event) in [
        ("agenda", "succeeded", 1099, "refund.updated"),
        ("succeed", "succeeded", 1099, "refund.updated"),
        ("fail", "failed", 0, "refund.failed"),
        ("cancel", "canceled", 0, "refund.updated"),
    ] {
        let shop = Shop::patient().await;
        let paid = shop.charge_with("pm_card_pendingRefund").await;
        let charge = paid.text("/latest_charge");
        let refund = shop.post(REFUNDS, &format!("charge={charge}")).await;
        assert_eq!((refund.text("/status"), refund.text("/pending_reason")), ("pending".into(), "processing".into()));
        let path = format!("{REFUNDS}/{}", refund.id());
        match step {
            "agenda" => assert_eq!(shop.flush_agenda().await, 1),
            "cancel" => assert_eq!(shop.post(&format!("{path}/cancel"), "").await.status, 200),
            outcome => {
                let settle = format!("refunds/{}/settle", refund.id());
                assert_eq!(shop.control(&settle, json!({"outcome": outcome})).await.status, 200);
            }
        }
        let now = shop.get(&path).await;
        assert_eq!((now.text("/status"), now.body.get("pending_reason")), (status.to_owned(), None), "{step}");
        let shown = shop.get(&format!("/v1/charges/{charge}")).await;
        assert_eq!(shown.body["amount_refunded"], refunded, "{step}");
        assert_eq!(now.body["failure_balance_transaction"].is_string(), refunded == 0, "{step}");
        assert_eq!(shop.events().await.last().map(String::as_str), Some(event), "{step}");
        assert_eq!(shop.post(&format!("{path}/cancel"), "").await.status, 400, "{step}");
        let net: i64 = if refunded == 0 { 1099 } else { 0 };
        assert_eq!(shop.dollars().await["balance"], net - 62, "{step}");
    }
}

#[tokio::test]
async fn a_refund_that_succeeded_can_still_fail() {
    let shop = Shop::patient().await;
    let intent = shop.charge_with("pm_card_refundFail").await.id();
    let refund = shop.post(REFUNDS, &format!("payment_intent={intent}")).await;
    assert_eq!(refund.text("/status"), "succeeded");
    assert_eq!(shop.flush_agenda().await, 1);
    let failed = shop.get(&format!("{REFUNDS}/{}", refund.id())).await;
    assert_eq!(
        (failed.text("/status"), failed.text("/failure_reason")),
        ("failed".into(), "expired_or_canceled_card".into())
    );
    let events = ["charge.succeeded", "refund.created", "charge.refunded", "refund.updated", "refund.failed"];
    assert_eq!(shop.events().await, events);
    // The money is there again and can be refunded again.
    assert_eq!(shop.post(REFUNDS, &format!("payment_intent={intent}&amount=1099")).await.status, 200);
}

#[tokio::test]
async fn the_agenda_needs_no_push() {
    let shop = Shop::open(Config { agenda_ms: 1, ..Config::default() }).await;
    let intent = shop.charge_with("pm_card_pendingRefund").await.id();
    let refund = shop.post(REFUNDS, &format!("payment_intent={intent}")).await;
    let path = format!("{REFUNDS}/{}", refund.id());
    while shop.get(&path).await.text("/status") != "succeeded" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_not_captured_is_not_refunded() {
    let shop = Shop::patient().await;
    let held = shop.post("/v1/payment_intents", &format!("{CHARGE}&capture_method=manual")).await;
    let draft = shop.post("/v1/payment_intents", "amount=1099&currency=usd").await;
    let capture = format!("/v1/payment_intents/{}/capture", held.id());
    for form in [
        format!("payment_intent={}", held.id()),
        format!("charge={}", held.text("/latest_charge")),
        format!("payment_intent={}", draft.id()),
        "payment_intent=pi_no".to_owned(),
        "charge=ch_no".to_owned(),
        "amount=5".to_owned(),
        format!("payment_intent={}&amount=0", held.id()),
        format!("payment_intent={}&reason=whim", held.id()),
    ] {
        assert_eq!(shop.post(REFUNDS, &form).await.status, 400, "{form}");
    }
    assert_eq!(shop.post(&capture, "amount_to_capture=600").await.status, 200);
    let form = format!("payment_intent={}&amount=601", held.id());
    let message = "Refund amount ($6.01) is greater than charge amount ($6.00)";
    assert_eq!(shop.post(REFUNDS, &form).await.text("/error/message"), message);
    assert_eq!(shop.post(REFUNDS, &form.replace("601", "600")).await.status, 200);
    let charge = shop.get(&format!("/v1/charges/{}", held.text("/latest_charge"))).await;
    assert_eq!(charge.body["refunded"], true);
}

#[tokio::test]
async fn refunds_are_read_listed_and_described() {
    let shop = Shop::patient().await;
    let (one, two) = (shop.charge_with("pm_card_visa").await, shop.charge_with("pm_card_visa").await);
    let mut made = Vec::new();
    for (paid, amount) in [(&one, 10), (&one, 20), (&two, 30)] {
        made.push(shop.post(REFUNDS, &format!("payment_intent={}&amount={amount}", paid.id())).await.id());
    }
    made.reverse();
    assert_eq!(shop.ids(REFUNDS).await, made);
    assert_eq!(shop.ids(&format!("{REFUNDS}?limit=1&starting_after={}", made[0])).await, made[1..2]);
    assert_eq!(shop.ids(&format!("{REFUNDS}?charge={}", one.text("/latest_charge"))).await, made[1..]);
    assert_eq!(shop.ids(&format!("{REFUNDS}?payment_intent={}", two.id())).await, made[..1]);
    assert!(shop.ids(&format!("{REFUNDS}?created[lt]={}", one.body["created"])).await.is_empty());
    let path = format!("{REFUNDS}/{}", made[0]);
    let updated = shop.post(&path, "metadata[note]=x").await;
    assert_eq!(updated.body["metadata"], json!({"note": "x"}));
    assert_eq!(shop.get(&path).await.body, updated.body);
    assert_eq!(shop.post(&path, "amount=5").await.status, 400);
    assert_eq!(shop.get(&format!("{REFUNDS}/re_no")).await.status, 404);
    assert_eq!(updated.body["receipt_number"], Value::Null);
}
