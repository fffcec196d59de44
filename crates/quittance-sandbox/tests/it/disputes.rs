//! Owns: disputes as a merchant sees them. Does not own: other movements of the balance.

use serde_json::{Value, json};

use crate::shop::{Answer, Shop};

/// The only dispute there is.
async fn dispute(shop: &Shop) -> Answer {
    let ids = shop.ids("/v1/disputes").await;
    assert_eq!(ids.len(), 1);
    shop.get(&format!("/v1/disputes/{}", ids[0])).await
}

async fn answer_with(shop: &Shop, text: &str) -> Answer {
    let path = format!("/v1/disputes/{}", dispute(shop).await.id());
    shop.post(&path, &format!("evidence[uncategorized_text]={text}&submit=true")).await
}

#[tokio::test]
async fn the_evidence_decides() {
    for (evidence, status, balance, last) in [
        ("winning_evidence", "won", 1037 - 1500, "charge.dispute.funds_reinstated"),
        ("losing_evidence", "lost", 1037 - 1099 - 1500, "charge.dispute.closed"),
    ] {
        let shop = Shop::patient().await;
        let paid = shop.charge_with("pm_card_createDispute").await;
        assert_eq!(paid.text("/status"), "succeeded");
        let opened = dispute(&shop).await;
        assert_eq!((opened.text("/status"), opened.text("/reason")), ("needs_response".into(), "fraudulent".into()));
        let withdrawn = &opened.body["balance_transactions"][0];
        assert_eq!((&withdrawn["net"], &withdrawn["fee"]), (&json!(-2599), &json!(1500)));
        assert_eq!((&withdrawn["type"], &withdrawn["reporting_category"]), (&json!("adjustment"), &json!("dispute")));
        assert!(opened.body["evidence_details"]["due_by"].as_i64() > opened.body["created"].as_i64());
        let refused = shop.post("/v1/refunds", &format!("payment_intent={}", paid.id())).await;
        assert_eq!(refused.text("/error/code"), "charge_disputed");
        let submitted = answer_with(&shop, evidence).await;
        assert_eq!(submitted.text("/status"), "under_review");
        assert_eq!(submitted.body["evidence_details"]["submission_count"], 1);
        assert_eq!(answer_with(&shop, "more").await.status, 400);
        assert_eq!(shop.flush_agenda().await, 1);
        assert_eq!(dispute(&shop).await.text("/status"), status);
        assert_eq!(shop.dollars().await["balance"], balance, "{evidence}");
        let events = shop.events().await;
        let start =
            ["charge.succeeded", "charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.updated"];
        assert_eq!(events[..4], start);
        assert_eq!(events.last().map(String::as_str), Some(last));
        let intent = shop.get(&format!("/v1/payment_intents/{}", paid.id())).await;
        assert_eq!(intent.text("/status"), "succeeded");
        let charge = shop.get(&format!("/v1/charges/{}", paid.text("/latest_charge"))).await;
        assert_eq!(charge.body["disputed"], true);
    }
}

#[tokio::test]
async fn evidence_can_be_staged_first() {
    let shop = Shop::patient().await;
    shop.charge_with("pm_card_createDisputeProductNotReceived").await;
    let opened = dispute(&shop).await;
    assert_eq!(opened.text("/reason"), "product_not_received");
    let path = format!("/v1/disputes/{}", opened.id());
    let staged = shop.post(&path, "evidence[receipt]=file_1&submit=false&metadata[case]=7").await;
    assert_eq!((staged.text("/status"), staged.text("/evidence/receipt")), ("needs_response".into(), "file_1".into()));
    assert_eq!(staged.body["evidence_details"]["has_evidence"], true);
    assert_eq!(shop.post(&path, "metadata[case]=8").await.text("/status"), "needs_response");
    assert_eq!(shop.post(&path, "submit=true").await.text("/status"), "under_review");
    assert_eq!(shop.post(&path, "evidence[colour]=red").await.status, 400);
    assert_eq!(shop.flush_agenda().await, 0);
}

#[tokio::test]
async fn giving_in_loses_and_a_late_win_returns_the_money() {
    let shop = Shop::patient().await;
    let paid = shop.charge_with("pm_card_visa").await;
    let charge = paid.text("/latest_charge");
    let opened = shop.control(&format!("disputes/{charge}"), Value::Null).await;
    assert_eq!(opened.status, 400);
    let opened = shop.control(&format!("disputes/{charge}"), json!({"reason": "product_not_received"})).await;
    assert_eq!((opened.status, opened.text("/charge")), (200, charge.clone()));
    assert_eq!(shop.control(&format!("disputes/{charge}"), json!({})).await.status, 400);
    let closed = shop.post_keyed(&format!("/v1/disputes/{}/close", opened.id()), "close-1", "").await;
    assert_eq!(closed.text("/status"), "lost");
    assert_eq!(shop.post(&format!("/v1/disputes/{}/close", opened.id()), "").await.status, 400);
    assert_eq!(shop.dollars().await["amount_disputed"], 1099);
    let won = shop.control(&format!("disputes/{}/close", opened.id()), json!({"outcome": "won"})).await;
    assert_eq!(won.text("/status"), "won");
    assert_eq!(won.body["balance_transactions"].as_array().map(Vec::len), Some(2));
    assert_eq!(shop.dollars().await["amount_disputed"], 0);
    let again = shop.control(&format!("disputes/{}/close", opened.id()), json!({"outcome": "lost"})).await;
    assert_eq!(again.status, 400);
    assert_eq!(shop.ids(&format!("/v1/disputes?charge={charge}")).await, [opened.id()]);
    assert_eq!(shop.ids(&format!("/v1/disputes?payment_intent={}", paid.id())).await, [opened.id()]);
    // What was won can be refunded.
    assert_eq!(shop.post("/v1/refunds", &format!("charge={charge}")).await.status, 200);
}

#[tokio::test]
async fn an_inquiry_moves_no_money_until_it_escalates() {
    for (evidence, status, transactions) in
        [("losing_evidence", "warning_closed", 0), ("escalate_inquiry_evidence", "needs_response", 1)]
    {
        let shop = Shop::patient().await;
        let paid = shop.charge_with("pm_card_createDisputeInquiry").await;
        let opened = dispute(&shop).await;
        assert_eq!(opened.text("/status"), "warning_needs_response");
        assert_eq!(opened.body["is_charge_refundable"], true);
        let refund = shop.post("/v1/refunds", &format!("payment_intent={}&amount=99", paid.id())).await;
        assert_eq!(refund.status, 200);
        assert_eq!(shop.post(&format!("/v1/disputes/{}/close", opened.id()), "").await.status, 400);
        assert_eq!(answer_with(&shop, evidence).await.text("/status"), "warning_under_review");
        shop.flush_agenda().await;
        let now = dispute(&shop).await;
        assert_eq!(now.text("/status"), status);
        assert_eq!(now.body["balance_transactions"].as_array().map(Vec::len), Some(transactions));
        let disputed = if transactions == 0 { 0 } else { 1000 };
        assert_eq!(shop.dollars().await["amount_disputed"], disputed);
    }
}
