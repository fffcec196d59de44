//! Owns: charges without payment intents. Does not own: the charges of payment intents (`lifecycle`).

use serde_json::{Value, json};

use crate::shop::Shop;

const CHARGES: &str = "/v1/charges";
const FORM: &str = "amount=1099&currency=usd&source=tok_visa&description=x&metadata[effect_id]=eff_1";

#[tokio::test]
async fn a_token_is_charged_once_for_each_key() {
    let shop = Shop::patient().await;
    let first = shop.post_keyed(CHARGES, "charge-1", FORM).await;
    assert_eq!(
        (first.status, first.text("/status"), first.text("/description")),
        (200, "succeeded".into(), "x".into())
    );
    assert_eq!((&first.body["captured"], &first.body["payment_intent"]), (&json!(true), &Value::Null));
    assert_eq!(first.text("/source/object"), "card");
    assert!(shop.post_keyed(CHARGES, "charge-1", FORM).await.is_replayed);
    assert_eq!(shop.get(&format!("{CHARGES}/{}", first.id())).await.body, first.body);
    let refund = shop.post("/v1/refunds", &format!("charge={}", first.id())).await;
    assert_eq!((refund.status, &refund.body["payment_intent"]), (200, &Value::Null));
    assert_eq!(shop.charges_succeeded().await, 1);
    let events = ["charge.succeeded", "refund.created", "charge.refunded"];
    assert_eq!(shop.events().await, events);
}

#[tokio::test]
async fn declines_leave_a_failed_charge() {
    let shop = Shop::patient().await;
    for (token, code) in [
        ("tok_chargeDeclined", "card_declined"),
        ("tok_visa_chargeDeclinedExpiredCard", "expired_card"),
        ("tok_chargeDeclinedInsufficientFunds", "card_declined"),
        ("tok_threeDSecure2Required", "authentication_required"),
    ] {
        let declined = shop.post(CHARGES, &FORM.replace("tok_visa", token)).await;
        assert_eq!((declined.status, declined.text("/error/code")), (402, code.to_owned()), "{token}");
        let charge = shop.get(&format!("{CHARGES}/{}", declined.text("/error/charge"))).await;
        assert_eq!((charge.text("/status"), charge.text("/failure_code")), ("failed".into(), code.to_owned()));
    }
    assert_eq!(shop.charges_succeeded().await, 0);
    for wrong in
        ["amount=1099&currency=usd", "amount=1099&currency=usd&source=tok_no", "amount=1&currency=usd&source=tok_visa"]
    {
        assert_eq!(shop.post(CHARGES, wrong).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_held_charge_is_captured_once_or_expires() {
    let shop = Shop::patient().await;
    let form = format!("{FORM}&capture=false");
    let held = shop.post(CHARGES, &form).await;
    assert_eq!((&held.body["captured"], &held.body["balance_transaction"]), (&json!(false), &Value::Null));
    let path = format!("{CHARGES}/{}/capture", held.id());
    assert_eq!(shop.post(&path, "amount=1100").await.status, 400);
    let captured = shop.post_keyed(&path, "capture-1", "amount=1000").await;
    assert_eq!((captured.status, &captured.body["amount_captured"]), (200, &json!(1000)));
    assert!(shop.post_keyed(&path, "capture-1", "amount=1000").await.is_replayed);
    assert_eq!(shop.post(&path, "").await.text("/error/code"), "charge_already_captured");
    let held = shop.post(CHARGES, &form).await;
    let expired = shop.control(&format!("expire/{}", held.id()), json!({})).await;
    assert_eq!((&expired.body["refunded"], &expired.body["amount_refunded"]), (&json!(true), &json!(1099)));
    assert_eq!(shop.post(&format!("{CHARGES}/{}/capture", held.id()), "").await.status, 400);
    let dollars = shop.dollars().await;
    assert_eq!((&dollars["amount_captured"], &dollars["amount_released"]), (&json!(1000), &json!(99 + 1099)));
}

#[tokio::test]
async fn a_held_charge_is_released_by_a_refund_of_all_of_it() {
    let shop = Shop::patient().await;
    let held = shop.post(CHARGES, &format!("{FORM}&capture=false")).await;
    let (path, form) = (format!("{CHARGES}/{}", held.id()), format!("charge={}&metadata[effect_id]=eff_1", held.id()));
    assert_eq!(shop.post("/v1/refunds", &format!("{form}&amount=1000")).await.status, 400);
    let released = shop.post_keyed("/v1/refunds", "release-1", &form).await;
    assert_eq!((released.status, released.text("/status")), (200, "succeeded".to_owned()));
    assert_eq!((&released.body["amount"], &released.body["balance_transaction"]), (&json!(1099), &Value::Null));
    assert!(shop.post_keyed("/v1/refunds", "release-1", &form).await.is_replayed);
    let charge = shop.get(&path).await.body;
    let shown = ["captured", "refunded", "amount_refunded", "amount_captured"].map(|name| charge[name].clone());
    assert_eq!(shown, [json!(false), json!(true), json!(1099), json!(0)]);
    assert_eq!(shop.post("/v1/refunds", &form).await.text("/error/code"), "charge_already_refunded");
    assert_eq!(shop.post(&format!("{path}/capture"), "").await.text("/error/code"), "charge_expired_for_capture");
    // No bank can refuse what moved no money.
    let settled = shop.control(&format!("refunds/{}/settle", released.id()), json!({"outcome": "fail"})).await;
    assert_eq!(settled.status, 400);
    let books = shop.get("/_sandbox/books?group_refunds=effect_id").await.body;
    assert_eq!((&books["sound"], &books["group_refunds"]["refunds"]), (&json!(true), &json!(0)), "{books:#}");
    let dollars = shop.dollars().await;
    let sums = ["amount_released", "amount_refunded", "balance"].map(|name| dollars[name].clone());
    assert_eq!(sums, [json!(1099), json!(0), json!(0)]);
    assert_eq!(shop.events().await, ["charge.succeeded", "refund.created", "charge.refunded"]);
}

#[tokio::test]
async fn only_a_charge_of_its_own_is_released_by_a_refund() {
    let shop = Shop::patient().await;
    let intent = shop.charge_with("pm_card_visa&capture_method=manual").await;
    let held = format!("charge={}", intent.text("/latest_charge"));
    let declined = shop.post(CHARGES, &FORM.replace("tok_visa", "tok_chargeDeclined")).await;
    for form in [held, format!("payment_intent={}", intent.id()), format!("charge={}", declined.text("/error/charge"))]
    {
        assert_eq!(shop.post("/v1/refunds", &form).await.status, 400, "{form}");
    }
    assert_eq!(shop.dollars().await["amount_released"], 0);
}

#[tokio::test]
async fn a_customer_pays_with_what_was_attached() {
    let shop = Shop::patient().await;
    let customer = shop.post("/v1/customers", "name=Ada").await.id();
    let form = format!("amount=1099&currency=usd&customer={customer}");
    assert_eq!(shop.post(CHARGES, &form).await.text("/error/code"), "missing");
    shop.post("/v1/payment_methods/pm_card_mastercard/attach", &format!("customer={customer}")).await;
    let charge = shop.post(CHARGES, &form).await;
    assert_eq!(charge.text("/payment_method_details/card/brand"), "mastercard");
    assert_eq!(shop.ids(&format!("{CHARGES}?customer={customer}")).await, [charge.id()]);
    let disputed = shop.post(CHARGES, &FORM.replace("tok_visa", "tok_createDispute")).await;
    assert_eq!(disputed.body["disputed"], true);
}
