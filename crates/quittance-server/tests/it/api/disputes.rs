//! Disputes over HTTP: lists, filters, strangers, and evidence that is refused before anything is stored.

use super::app::{App, STRANGER, bearer};
use super::call::{Answer, Call};
use super::shop::Shop;
use serde_json::{Value, json};

/// A dispute of this payment, of which the gateway told us: its own id and the gateway's.
pub(super) async fn dispute(shop: &Shop, payment: &Answer, reason: &str) -> (String, String) {
    let intent = shop.object(&format!("payment_intents/{}", payment.text("/gateway_id"))).await;
    let charge = intent["latest_charge"].as_str().expect("a charge").to_owned();
    shop.act(&format!("disputes/{charge}"), &json!({"reason": reason}).to_string()).await;
    let disputes = shop.object(&format!("disputes?charge={charge}")).await;
    let object = &disputes["data"][0];
    shop.tell("charge.dispute.created", object).await;
    let path = format!("/v1/disputes?payment={}", payment.text("/id"));
    let ours = shop.app.until(&path, |page| page.json()["data"].as_array().is_some_and(|all| !all.is_empty())).await;
    (ours.text("/data/0/id"), object["id"].as_str().expect("an id").to_owned())
}

async fn gateway_ids(app: &App, path: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut next = path.to_owned();
    for _ in 0..20 {
        let page = app.get(&next).await.expect(200, "").json();
        let items = page["data"].as_array().expect("a list");
        all.extend(items.iter().map(|item| item["gateway_id"].as_str().expect("an id").to_owned()));
        match &page["next_cursor"] {
            Value::String(cursor) => next = format!("{path}&cursor={cursor}"),
            _ => return all,
        }
    }
    panic!("{path} has no end");
}

#[tokio::test(flavor = "multi_thread")]
async fn disputes_are_listed_newest_first_under_every_filter() {
    let shop = Shop::open().await;
    let (one, two, three) = (shop.pay("order-1").await, shop.pay("order-2").await, shop.pay("order-3").await);
    let (id, first) = dispute(&shop, &one, "inquiry").await;
    let (_, second) = dispute(&shop, &two, "fraudulent").await;
    let (_, third) = dispute(&shop, &three, "product_not_received").await;
    let foreign =
        json!({"id": "dp_foreign", "object": "dispute", "status": "needs_response", "amount": 1, "currency": "usd"});
    shop.tell("charge.dispute.created", &foreign).await;
    let paid = two.text("/id");
    for (filter, expected) in [
        ("limit=5".to_owned(), vec![&third, &second, &first]),
        ("limit=1".to_owned(), vec![&third, &second, &first]),
        (format!("limit=1&payment={paid}"), vec![&second]),
        ("limit=1&status=needs_response".to_owned(), vec![&third, &second]),
        (format!("limit=1&status=needs_response&payment={paid}"), vec![&second]),
        ("limit=1&status=won".to_owned(), vec![]),
    ] {
        let found = gateway_ids(&shop.app, &format!("/v1/disputes?{filter}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
    }
    shop.app.get("/v1/disputes?status=late").await.expect(400, "invalid-parameter");
    shop.app.get("/v1/disputes?payment=pay_1").await.expect(404, "not-found");
    let shown = shop.app.get(&format!("/v1/disputes/{id}")).await.expect(200, "");
    assert_eq!((shown.text("/payment"), shown.text("/status")), (one.text("/id"), "warning_needs_response".to_owned()));
    assert!(shown.text("/evidence_due_by").ends_with('Z'), "{}", shown.text("/evidence_due_by"));
    let stranger = |path: String| shop.app.send(Call::new("GET", &path).header("authorization", &bearer(STRANGER)));
    stranger(format!("/v1/disputes/{id}")).await.expect(404, "not-found");
    assert_eq!(stranger("/v1/disputes".to_owned()).await.json()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_cannot_be_used_is_refused_and_its_key_stays_free() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    let (id, at_gateway) = dispute(&shop, &paid, "fraudulent").await;
    shop.act(&format!("disputes/{at_gateway}/close"), r#"{"outcome": "lost"}"#).await;
    shop.tell("charge.dispute.closed", &shop.object(&format!("disputes/{at_gateway}")).await).await;
    let app = &shop.app;
    app.until(&format!("/v1/disputes/{id}"), |dispute| dispute.text("/status") == "lost").await;
    let path = format!("/v1/disputes/{id}/evidence");
    let long = json!({"evidence": {"uncategorized_text": "x".repeat(20_001)}}).to_string();
    let names = ["uncategorized_text", "product_description", "access_activity_log", "refund_policy_disclosure"];
    let names =
        names.into_iter().chain(["cancellation_rebuttal", "cancellation_policy_disclosure", "service_date", "receipt"]);
    let texts: serde_json::Map<_, _> = names.map(|name| (name.to_owned(), json!("x".repeat(19_999)))).collect();
    let much = json!({"evidence": texts}).to_string();
    for body in [
        "{}",
        r#"{"evidence": {}}"#,
        r#"{"evidence": "delivered"}"#,
        r#"{"evidence": {"uncategorized_text": ""}}"#,
        r#"{"evidence": {"uncategorized_text": 7}}"#,
        r#"{"evidence": {"colour": "red"}}"#,
        r#"{"evidence": {"uncategorized_text": "x"}, "submit": false}"#,
        &long,
        &much,
    ] {
        app.post(&path, "one", body).await.expect(400, "invalid-body");
    }
    let unknown = app.post(&path, "one", r#"{"evidence": {"a/b": "red"}}"#).await;
    assert_eq!(unknown.text("/errors/0/pointer"), "/evidence/a~1b");
    let good = r#"{"evidence": {"uncategorized_text": "delivered"}}"#;
    app.post("/v1/disputes/dsp_1/evidence", "one", good).await.expect(404, "not-found");
    let stranger = Call::new("POST", &path).header("authorization", &bearer(STRANGER));
    let stranger = stranger.header("content-type", "application/json").header("idempotency-key", "one").body(good);
    app.send(stranger).await.expect(404, "not-found");
    app.post(&path, "one", good).await.expect(409, "evidence-not-taken");
}
