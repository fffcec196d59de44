//! Owns: fees, balance transactions and payouts. Does not own: why money moved.

use quittance_sandbox::{Config, Fees, TransactionTiming};
use serde_json::{Value, json};

use crate::shop::Shop;

const TRANSACTIONS: &str = "/v1/balance_transactions";

async fn transaction(shop: &Shop, id: &Value) -> Value {
    let id = id.as_str().expect("the id of a balance transaction");
    shop.get(&format!("{TRANSACTIONS}/{id}")).await.body
}

#[tokio::test]
async fn a_charge_is_credited_less_the_fee_and_a_refund_returns_no_fee() {
    let shop = Shop::patient().await;
    let paid = shop.charge_with("pm_card_visa").await;
    let charge = shop.get(&format!("/v1/charges/{}", paid.text("/latest_charge"))).await;
    let credit = transaction(&shop, &charge.body["balance_transaction"]).await;
    // 2.9 % of 1099 are 31.871.
    assert_eq!((&credit["amount"], &credit["fee"], &credit["net"]), (&json!(1099), &json!(62), &json!(1037)));
    assert_eq!((&credit["type"], &credit["source"]), (&json!("charge"), &charge.body["id"]));
    assert_eq!(credit["fee_details"][0]["type"], "stripe_fee");
    let refund = shop.post("/v1/refunds", &format!("payment_intent={}&amount=99", paid.id())).await;
    let debit = transaction(&shop, &refund.body["balance_transaction"]).await;
    assert_eq!((&debit["amount"], &debit["fee"], &debit["type"]), (&json!(-99), &json!(0), &json!("refund")));
    let expanded = shop.get(&format!("/v1/charges/{}?expand[]=balance_transaction", charge.id())).await;
    assert_eq!(expanded.body["balance_transaction"], credit);
    let expanded = shop.get(&format!("/v1/refunds/{}?expand[]=balance_transaction", refund.id())).await;
    assert_eq!(expanded.body["balance_transaction"], debit);
    let balance = shop.get("/v1/balance").await.body;
    assert_eq!(
        (&balance["available"][0]["amount"], &balance["available"][0]["currency"]),
        (&json!(938), &json!("usd"))
    );
    let both = [debit["id"].clone(), credit["id"].clone()];
    assert_eq!(shop.ids(TRANSACTIONS).await, both.map(|id| id.as_str().unwrap_or_default().to_owned()));
    assert_eq!(shop.ids(&format!("{TRANSACTIONS}?type=refund")).await, [debit["id"].as_str().unwrap_or_default()]);
    assert_eq!(shop.ids(&format!("{TRANSACTIONS}?source={}", charge.id())).await.len(), 1);
    assert!(shop.ids(&format!("{TRANSACTIONS}?currency=eur")).await.is_empty());
    let dollars = shop.dollars().await;
    assert_eq!((&dollars["balance"], &dollars["fees"]), (&json!(938), &json!(62)));
}

#[tokio::test]
async fn fees_are_a_matter_of_configuration() {
    let fees = Fees { per_ten_thousand: 125, fixed: 0, dispute: 0 };
    let shop = Shop::open(Config { fees, ..Config::default() }).await;
    shop.charge_with("pm_card_visa").await;
    assert_eq!(shop.dollars().await["fees"], 14);
}

#[tokio::test]
async fn only_captures_are_credited() {
    let shop = Shop::patient().await;
    let form = "amount=1099&currency=usd&payment_method=pm_card_visa&payment_method_types[]=card&confirm=true\
        &capture_method=manual";
    let held = shop.post("/v1/payment_intents", form).await;
    assert!(shop.ids(TRANSACTIONS).await.is_empty());
    shop.post(&format!("/v1/payment_intents/{}/capture", held.id()), "amount_to_capture=1000").await;
    let list = shop.get(TRANSACTIONS).await;
    assert_eq!((&list.body["data"][0]["amount"], &list.body["data"][0]["fee"]), (&json!(1000), &json!(59)));
    assert_eq!(shop.dollars().await["balance"], 941);
}

#[tokio::test]
async fn a_balance_transaction_may_come_later() {
    let balance_transactions = TransactionTiming::Later;
    let shop = Shop::open(Config { balance_transactions, agenda_ms: u64::MAX, ..Config::default() }).await;
    let paid = shop.charge_with("pm_card_visa").await;
    let path = format!("/v1/charges/{}", paid.text("/latest_charge"));
    assert_eq!(shop.get(&path).await.body["balance_transaction"], Value::Null);
    assert_eq!(shop.dollars().await["balance"], 0);
    assert_eq!(shop.flush_agenda().await, 1);
    assert!(shop.get(&path).await.body["balance_transaction"].is_string());
    assert_eq!(shop.events().await, ["charge.succeeded", "charge.updated"]);
    let first = shop.get("/v1/events?type=charge.succeeded").await;
    assert_eq!(first.body["data"][0]["data"]["object"]["balance_transaction"], Value::Null);
    assert_eq!(shop.dollars().await["balance"], 1037);
}

#[tokio::test]
async fn a_payout_travels_arrives_and_may_still_come_back() {
    let shop = Shop::patient().await;
    shop.charge_with("pm_card_visa").await;
    let form = "amount=1000&currency=usd&metadata[effect_id]=eff_1";
    let too_much = shop.post("/v1/payouts", &form.replace("1000", "1038")).await;
    assert_eq!((too_much.status, too_much.text("/error/code")), (400, "balance_insufficient".to_owned()));
    let payout = shop.post_keyed("/v1/payouts", "payout-1", form).await;
    assert_eq!((payout.text("/status"), &payout.body["automatic"]), ("pending".to_owned(), &json!(false)));
    assert!(shop.post_keyed("/v1/payouts", "payout-1", form).await.is_replayed);
    let path = format!("/v1/payouts/{}", payout.id());
    for status in ["in_transit", "paid"] {
        assert_eq!(shop.flush_agenda().await, 1);
        assert_eq!(shop.get(&path).await.text("/status"), status);
    }
    assert_eq!(shop.flush_agenda().await, 0);
    assert_eq!(shop.dollars().await["balance"], 37);
    let failed = shop.control(&format!("payouts/{}/settle", payout.id()), json!({"outcome": "fail"})).await;
    assert_eq!((failed.text("/status"), failed.text("/failure_code")), ("failed".into(), "account_closed".into()));
    let returned = transaction(&shop, &failed.body["failure_balance_transaction"]).await;
    assert_eq!((&returned["amount"], &returned["type"]), (&json!(1000), &json!("payout_failure")));
    assert_eq!(shop.dollars().await["balance"], 1037);
    let events = ["charge.succeeded", "payout.created", "payout.updated", "payout.paid", "payout.failed"];
    assert_eq!(shop.events().await, events);
    assert_eq!(shop.ids("/v1/payouts?status=failed").await, [payout.id()]);
    assert!(shop.ids("/v1/payouts?status=paid").await.is_empty());
    let manual = shop.get(&format!("{TRANSACTIONS}?payout={}", payout.id())).await;
    assert_eq!(manual.status, 400);
}

#[tokio::test]
async fn only_a_pending_payout_is_canceled() {
    let shop = Shop::patient().await;
    shop.charge_with("pm_card_visa").await;
    for (settles, status) in [(false, 200), (true, 400)] {
        let payout = shop.post("/v1/payouts", "amount=500&currency=usd").await;
        if settles {
            shop.control(&format!("payouts/{}/settle", payout.id()), json!({"outcome": "succeed"})).await;
        }
        assert_eq!(shop.post(&format!("/v1/payouts/{}/cancel", payout.id()), "").await.status, status);
    }
    assert_eq!(shop.dollars().await["balance"], 537);
}

#[tokio::test]
async fn an_automatic_payout_knows_what_it_is_made_of() {
    let shop = Shop::patient().await;
    let paid = shop.charge_with("pm_card_visa").await;
    shop.post("/v1/refunds", &format!("payment_intent={}&amount=100", paid.id())).await;
    let first = shop.control("payouts", json!({"currency": "usd"})).await;
    assert_eq!((&first.body["amount"], &first.body["automatic"]), (&json!(937), &json!(true)));
    shop.charge_with("pm_card_visa").await;
    let second = shop.control("payouts", json!({"currency": "usd"})).await;
    assert_eq!(second.body["amount"], 1037);
    assert_eq!(shop.control("payouts", json!({"currency": "usd"})).await.status, 400);
    for (payout, parts) in [(&first, 3), (&second, 2)] {
        let list = shop.get(&format!("{TRANSACTIONS}?payout={}", payout.id())).await;
        let nets: Vec<i64> =
            list.body["data"].as_array().into_iter().flatten().filter_map(|t| t["net"].as_i64()).collect();
        // The payout's own transaction takes what the others bring.
        assert_eq!((nets.len(), nets.iter().sum::<i64>()), (parts, 0));
        assert_eq!(list.body["data"][0]["source"], payout.body["id"]);
    }
}
