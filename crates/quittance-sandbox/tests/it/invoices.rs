//! Owns: invoices and the lists of their lines. Does not own: payments; there are none behind them.

use quittance_sandbox::Config;
use serde_json::json;

use crate::catalogue::Catalogue;
use crate::shop::Shop;

const INVOICES: &str = "/v1/invoices";

/// Invoices a subscription and returns the path of the invoice.
async fn invoice(shop: &Shop, subscription: &str) -> String {
    let made = shop.post(INVOICES, &format!("subscription={subscription}")).await;
    assert_eq!((made.text("/status"), &made.body["amount_due"]), ("draft".to_owned(), &json!(2_000)), "{made:#?}");
    assert_eq!(made.text("/parent/subscription_details/subscription"), subscription);
    format!("{INVOICES}/{}", made.id())
}

#[tokio::test]
async fn an_invoice_goes_through_its_states() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let subscription = shop.post("/v1/subscriptions", &catalogue.subscription()).await.id();
    let mut ends = Vec::new();
    for steps in [vec!["finalize", "pay"], vec!["finalize", "mark_uncollectible", "pay"], vec!["finalize", "void"]] {
        let path = invoice(&shop, &subscription).await;
        assert_eq!(shop.post(&format!("{path}/pay"), "").await.status, 400, "a draft");
        for step in &steps {
            let answer = shop.post(&format!("{path}/{step}"), "").await;
            assert_eq!(answer.status, 200, "{step}: {answer:#?}");
        }
        // What is over is over.
        for step in ["finalize", "pay", "void", "mark_uncollectible"] {
            assert_eq!(shop.post(&format!("{path}/{step}"), "").await.status, 400, "{step} after {steps:?}");
        }
        let end = shop.get(&path).await;
        assert!(end.body["status_transitions"]["finalized_at"].is_i64() && end.body["number"].is_string());
        ends.push((end.text("/status"), end.body["amount_remaining"].as_i64()));
    }
    let ends: Vec<(&str, Option<i64>)> = ends.iter().map(|(status, left)| (status.as_str(), *left)).collect();
    assert_eq!(ends, [("paid", Some(0)), ("paid", Some(0)), ("void", Some(2_000))]);
    let events = shop.events().await;
    let count = |wanted: &str| events.iter().filter(|kind| *kind == wanted).count();
    assert_eq!(["created", "finalized", "paid", "voided"].map(|kind| count(&format!("invoice.{kind}"))), [3, 3, 2, 1]);
    // No money moved.
    assert!(shop.ids("/v1/balance_transactions").await.is_empty());
}

#[tokio::test]
async fn lines_beyond_ten_have_a_list_of_their_own() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let made = shop.post(INVOICES, &format!("customer={}&currency=eur", catalogue.customer)).await;
    assert_eq!((made.text("/customer_email"), made.text("/currency")), ("ada@example.com".into(), "eur".into()));
    let path = format!("{INVOICES}/{}", made.id());
    let lines: Vec<String> = (0..25).map(|n| format!("lines[{n}][amount]={}", n + 1)).collect();
    let added = shop.post(&format!("{path}/add_lines"), &lines.join("&")).await;
    assert_eq!((&added.body["total"], &added.body["lines"]["has_more"]), (&json!(325), &json!(true)), "{added:#?}");
    assert_eq!(added.body["lines"]["data"].as_array().map(Vec::len), Some(10));
    let url = added.text("/lines/url");
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("{url}?limit=10{after}")).await;
        seen.extend(page.body["data"].as_array().into_iter().flatten().filter_map(|line| line["amount"].as_i64()));
        if page.body["has_more"] == false {
            break;
        }
        after = format!("&starting_after={}", page.text("/data/9/id"));
    }
    assert_eq!(seen, (1..=25).collect::<Vec<i64>>());
    shop.post(&format!("{path}/finalize"), "").await;
    let late = shop.post(&format!("{path}/add_lines"), "lines[0][amount]=1").await;
    assert_eq!(late.text("/error/code"), "invoice_not_editable");
    let empty = shop.post(INVOICES, &format!("customer={}", catalogue.customer)).await.id();
    let finalized = shop.post(&format!("{INVOICES}/{empty}/finalize"), "").await;
    assert_eq!(finalized.text("/status"), "paid", "nothing to pay is paid");
}

#[tokio::test]
async fn a_paid_invoice_revives_its_subscription() {
    let shop = Shop::open(Config::default()).await;
    let catalogue = Catalogue::of(&shop).await;
    let form = format!("{}&payment_behavior=default_incomplete", catalogue.subscription());
    let subscription = shop.post("/v1/subscriptions", &form).await.id();
    let status = async || shop.get(&format!("/v1/subscriptions/{subscription}")).await.text("/status");
    let older = invoice(&shop, &subscription).await;
    let latest = invoice(&shop, &subscription).await;
    for path in [&older, &latest] {
        shop.post(&format!("{path}/finalize"), "").await;
    }
    shop.post(&format!("{older}/pay"), "").await;
    assert_eq!(status().await, "incomplete", "an older one does not count");
    shop.post(&format!("{latest}/pay"), "").await;
    assert_eq!(status().await, "active");
    let list = async |query: String| shop.ids(&format!("{INVOICES}?{query}")).await.len();
    assert_eq!(list(format!("subscription={subscription}")).await, 2);
    assert_eq!(list(format!("customer={}&status=paid", catalogue.customer)).await, 2);
    assert_eq!(list("status=draft".to_owned()).await, 0);
    assert_eq!(shop.get("/v1/invoices?status=late").await.status, 400);
    let changed = shop.post(&latest, "metadata[order]=7&description=thanks").await;
    assert_eq!((changed.text("/metadata/order"), changed.text("/description")), ("7".into(), "thanks".into()));
}
