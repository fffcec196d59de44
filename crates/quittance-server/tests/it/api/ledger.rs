//! The ledger: what the entries say sums to what the balances say, whatever happened to the money.

use super::shop::{REFUNDS, Shop};
use serde_json::Value;
use std::collections::BTreeMap;

/// Posted debits and credits, held debits and credits of an account.
type Sums = BTreeMap<String, [i64; 4]>;

/// Every entry, page by page.
async fn entries(shop: &Shop) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    let mut next = "/v1/ledger/entries?limit=2".to_owned();
    loop {
        let page = shop.app.get(&next).await.expect(200, "");
        all.extend(page.json()["data"].as_array().expect("a list").iter().cloned());
        if page.json()["has_more"] == Value::Bool(false) {
            return all;
        }
        next = format!("/v1/ledger/entries?limit=2&cursor={}", page.text("/next_cursor"));
    }
}

fn add(sums: &mut Sums, entry: &Value, offset: usize, sign: i64) {
    for posting in entry["postings"].as_array().expect("postings") {
        let account = posting["account"].as_str().expect("an account").to_owned();
        let side = usize::from(posting["side"] == "credit");
        sums.entry(account).or_default()[offset + side] += sign * posting["amount"].as_i64().expect("an amount");
    }
}

/// Folds entries as `docs/api.md` says they are to be read: whatever closes a hold lets all of it go.
fn fold(entries: &[Value]) -> Sums {
    let mut sums = Sums::new();
    let mut held: BTreeMap<&str, &Value> = BTreeMap::new();
    for entry in entries {
        let hold = entry["hold"].as_str();
        match (entry["movement"].as_str(), hold) {
            (Some("held"), Some(hold)) => {
                add(&mut sums, entry, 2, 1);
                held.insert(hold, entry);
            }
            (Some("voided"), Some(hold)) => add(&mut sums, held.remove(hold).expect("an open hold"), 2, -1),
            (Some("posted"), Some(hold)) => {
                add(&mut sums, held.remove(hold).expect("an open hold"), 2, -1);
                add(&mut sums, entry, 0, 1);
            }
            (Some("corrected" | "posted"), None) => add(&mut sums, entry, 0, 1),
            other => panic!("no such movement: {other:?}"),
        }
    }
    sums
}

async fn balances(shop: &Shop) -> Sums {
    let answer = shop.app.get("/v1/ledger/balances").await.expect(200, "");
    let json = answer.json();
    let of = |balance: &Value| {
        let names = ["debit_amount", "credit_amount", "held_debit_amount", "held_credit_amount"];
        (
            balance["account"].as_str().expect("a name").to_owned(),
            names.map(|name| balance[name].as_i64().expect("an amount")),
        )
    };
    json["data"].as_array().expect("a list").iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn captures_refunds_and_corrections_sum_to_the_balances() {
    let shop = Shop::open().await;
    let part = shop.authorise("order-1").await;
    shop.step(&part, "capture", "c1", r#"{"amount": 1500}"#).await.expect(200, "");
    let refund = shop.refund(&part, "r1", r#""amount": 500, "reference": "back-1""#).await.expect(201, "");
    let id = refund.text("/gateway_id");
    shop.act(&format!("refunds/{id}/settle"), r#"{"outcome": "fail"}"#).await;
    shop.tell("refund.failed", &shop.object(&format!("refunds/{id}")).await).await;
    let place = format!("/v1/refunds/{}", refund.text("/id"));
    shop.app.until(&place, |refund| refund.text("/status") == "failed").await;
    let canceled = shop.authorise("order-2").await;
    shop.step(&canceled, "cancel", "x1", "{}").await.expect(200, "");
    let waiting = shop.pay_with("order-3", "pm_card_pendingRefund").await;
    shop.refund(&waiting, "r2", r#""amount": 300, "reference": "back-2""#).await.expect(201, "");

    let entries = entries(&shop).await;
    let told: Vec<(&str, bool, i64)> = entries
        .iter()
        .map(|entry| {
            let amount = entry["postings"][0]["amount"].as_i64().expect("an amount");
            (entry["movement"].as_str().expect("a word"), entry["refund"].is_string(), amount)
        })
        .collect();
    let expected = [
        ("held", false, 1999),
        ("posted", false, 1500),
        ("held", true, 500),
        ("posted", true, 500),
        ("corrected", true, 500),
        ("held", false, 1999),
        ("voided", false, 1999),
        ("held", false, 1999),
        ("posted", false, 1999),
        ("held", true, 300),
    ];
    assert_eq!(told, expected);
    for (position, payment) in [(1, &part), (3, &part), (4, &part), (6, &canceled), (9, &waiting)] {
        assert_eq!(entries[position]["payment"].as_str(), Some(payment.text("/id").as_str()), "{position}");
    }
    assert_eq!(entries[4]["refund"].as_str(), Some(refund.text("/id").as_str()));
    let sums = fold(&entries);
    assert_eq!(sums, balances(&shop).await);
    assert_eq!(sums["unapplied"], [500, 1500 + 500 + 1999, 300, 0]);
    assert_eq!(shop.app.get(&format!("{REFUNDS}/{}", refund.text("/id"))).await.text("/status"), "failed");
    shop.check_books().await;
}
