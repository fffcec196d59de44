//! Owns: the rail's wire language and its books. Does not own: its faults (`rail_faults`).

use quittance_sandbox::{Class, Config};
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Answer, Shop, read};

pub(crate) const TRANSFERS: &str = "/rail/v1/transfers";

/// A transfer of 19.99 from this source under this reference.
pub(crate) fn order(source: &str, reference: &str) -> Value {
    json!({"amount": 1_999, "currency": "USD", "source": source, "reference": reference})
}

pub(crate) async fn send(shop: &Shop, body: &Value) -> Answer {
    read(shop.request(Method::POST, TRANSFERS).json(body).send().await.expect("an answer")).await
}

async fn state(shop: &Shop, transfer: &Answer) -> (String, Value) {
    let mut answer = shop.get(&format!("{TRANSFERS}/{}", transfer.id())).await;
    assert_eq!(answer.status, 200, "{answer:#?}");
    (answer.text("/state"), answer.body["reason"].take())
}

/// The rail's totals in US dollars, after checking that the books are sound.
pub(crate) async fn totals(shop: &Shop) -> Value {
    let mut books = shop.get("/_sandbox/books").await.body;
    assert_eq!(books["sound"], true, "{books:#}");
    books["transfers"]["USD"].take()
}

pub(crate) async fn groups(shop: &Shop, by: &str) -> Value {
    shop.get(&format!("/_sandbox/books?group_transfers={by}")).await.body["group_transfers"].take()
}

#[tokio::test]
async fn a_transfer_is_answered_read_and_found() {
    let shop = Shop::open(Config::default()).await;
    let made = send(&shop, &order("src_ok", "invoice 7/ü")).await;
    let (id, created) = (made.id(), made.body["created"].as_i64().expect("a time"));
    assert!(id.starts_with("trf_") && created > 1_700_000_000, "{made:#?}");
    let expected = json!({
        "id": id, "state": "settled", "amount": 1_999, "currency": "USD", "reference": "invoice 7/ü", "reason": null,
        "created": created,
    });
    assert_eq!((made.status, &made.body), (201, &expected));
    assert_eq!(shop.get(&format!("{TRANSFERS}/{id}")).await.body, expected);
    let found = shop.get(&format!("{TRANSFERS}?reference=invoice%207%2F%C3%BC")).await;
    assert_eq!((found.status, found.body), (200, json!({"transfers": [expected], "next": null})));
    for other in ["invoice%207", "Invoice%207%2F%C3%BC", "*"] {
        let found = shop.get(&format!("{TRANSFERS}?reference={other}")).await;
        assert_eq!((found.status, found.body), (200, json!({"transfers": [], "next": null})), "{other}");
    }
    let missing = shop.get(&format!("{TRANSFERS}/trf_no")).await;
    assert_eq!((missing.status, missing.text("/code")), (404, "transfer_not_found".to_owned()));
    assert_eq!(shop.get("/rail/v1/status").await.body, json!({"status": "ok"}));
}

#[tokio::test]
async fn the_same_reference_twice_takes_the_money_twice() {
    let shop = Shop::open(Config::default()).await;
    let body = order("src_ok", "order-1");
    let request = || shop.request(Method::POST, TRANSFERS).header("idempotency-key", "key-1").json(&body);
    let first = read(request().send().await.expect("an answer")).await;
    let second = read(request().send().await.expect("an answer")).await;
    assert_eq!((first.status, second.status, second.is_replayed), (201, 201, false));
    assert_ne!(first.id(), second.id());
    send(&shop, &order("src_ok", "order-2")).await;
    let found = shop.get(&format!("{TRANSFERS}?reference=order-1")).await;
    assert_eq!((found.text("/transfers/0/id"), found.text("/transfers/1/id")), (second.id(), first.id()));
    let totals = totals(&shop).await;
    assert_eq!((&totals["settled"], &totals["balance"]), (&json!(3), &json!(5_997)));
    let expected = json!({
        "by": "reference", "groups": 2, "transfers": 3, "transfers_paid": 3, "amounts_paid": {"USD": 5_997},
        "groups_sent_more_than_once": 1, "groups_paid_more_than_once": 1,
        "examples": {"order-1": {"transfers": 2, "transfers_paid": 2, "amounts_paid": {"USD": 3_998}}},
    });
    assert_eq!(groups(&shop, "reference").await, expected);
}

#[tokio::test]
async fn each_source_has_its_fate() {
    let shop = Shop::patient().await;
    for (source, first, later, reason) in [
        ("src_ok", "settled", "settled", Value::Null),
        ("src_pending", "pending", "settled", Value::Null),
        ("src_insufficient", "rejected", "rejected", json!("insufficient_funds")),
        ("src_closed", "rejected", "rejected", json!("account_closed")),
        ("src_return", "settled", "returned", json!("payer_objected")),
    ] {
        let made = send(&shop, &order(source, source)).await;
        assert_eq!((made.status, made.text("/state").as_str()), (201, first), "{source}");
        shop.flush_agenda().await;
        assert_eq!(state(&shop, &made).await, (later.to_owned(), reason), "{source}");
    }
    let expected = json!({
        "settled": 2, "pending": 0, "rejected": 2, "returned": 1, "amount_settled": 3_998, "amount_pending": 0,
        "amount_returned": 1_999, "balance": 3_998,
    });
    assert_eq!(totals(&shop).await, expected);
    assert_eq!(groups(&shop, "reference").await["transfers_paid"], 2);
    // Stripe's side has no part in it.
    assert_eq!(shop.get("/_sandbox/books").await.body["currencies"], json!({}));
    assert!(shop.ids("/v1/events").await.is_empty());
}

#[tokio::test]
async fn the_agenda_needs_no_push() {
    let shop = Shop::open(Config { agenda_ms: 1, ..Config::default() }).await;
    let made = send(&shop, &order("src_return", "order-1")).await;
    let returned = async { while state(&shop, &made).await.0 != "returned" {} };
    tokio::time::timeout(crate::shop::PATIENCE, returned).await.expect("the transfer is returned in time");
    assert_eq!(totals(&shop).await["balance"], 0);
}

#[tokio::test]
async fn banks_can_be_made_to_act() {
    let shop = Shop::patient().await;
    let made = send(&shop, &order("src_pending", "order-1")).await;
    assert_eq!(totals(&shop).await["amount_pending"], 1_999);
    let path = format!("transfers/{}/settle", made.id());
    for (outcome, status, expected) in
        [("succeed", 200, "settled"), ("succeed", 400, "settled"), ("fail", 200, "returned"), ("fail", 400, "returned")]
    {
        assert_eq!(shop.control(&path, json!({"outcome": outcome})).await.status, status, "{outcome} {expected}");
        assert_eq!(state(&shop, &made).await.0, expected);
    }
    let never = send(&shop, &order("src_pending", "order-2")).await;
    shop.control(&format!("transfers/{}/settle", never.id()), json!({"outcome": "fail"})).await;
    assert_eq!(state(&shop, &never).await, ("rejected".to_owned(), json!("insufficient_funds")));
    assert_eq!(shop.control("transfers/trf_no/settle", json!({"outcome": "fail"})).await.status, 404);
    // What the agenda holds of both comes too late.
    assert_eq!(shop.flush_agenda().await, 2);
    let totals = totals(&shop).await;
    assert_eq!((&totals["returned"], &totals["rejected"], &totals["balance"]), (&json!(1), &json!(1), &json!(0)));
}

#[tokio::test]
async fn bad_parameters_are_refused() {
    let shop = Shop::open(Config::default()).await;
    let with = |name: &str, value: Value| {
        let mut body = order("src_ok", "order-1");
        body[name] = value;
        body
    };
    for (code, body) in [
        ("invalid_parameter", with("amount", json!(0))),
        ("invalid_parameter", with("amount", json!(19.99))),
        ("invalid_parameter", with("amount", json!("1999"))),
        ("invalid_parameter", with("amount", json!(100_000_000_000_i64))),
        ("invalid_parameter", with("currency", json!("usd"))),
        ("invalid_parameter", with("currency", json!("XYZ"))),
        ("invalid_parameter", with("reference", json!(""))),
        ("invalid_parameter", with("reference", json!("a\nb"))),
        ("invalid_parameter", with("reference", json!("ü".repeat(65)))),
        ("invalid_parameter", with("memo", json!("m".repeat(141)))),
        ("invalid_parameter", with("metadata", json!({}))),
        ("invalid_parameter", json!([])),
        ("unknown_source", with("source", json!("pm_card_visa"))),
    ] {
        let refused = send(&shop, &body).await;
        assert_eq!((refused.status, refused.text("/code").as_str()), (422, code), "{body}");
        assert!(!refused.text("/message").is_empty(), "{body}");
    }
    for query in ["limit=0", "limit=101", "limit=x", "cursor=trf_no", "reference=", "colour=red"] {
        let refused = shop.get(&format!("{TRANSFERS}?{query}")).await;
        assert_eq!((refused.status, refused.text("/code").as_str()), (422, "invalid_parameter"), "{query}");
    }
    assert_eq!(send(&shop, &with("reference", json!("ü".repeat(64)))).await.status, 201);
    assert_eq!(shop.get("/_sandbox/books?group_transfers=colour").await.status, 400);
    assert_eq!(totals(&shop).await["settled"], 1);
}

#[tokio::test]
async fn only_known_addresses_and_credentials_are_answered() {
    let shop = Shop::open(Config::default()).await;
    for (method, path) in [
        (Method::GET, "/rail/v1"),
        (Method::GET, "/rail/v1/payments"),
        (Method::GET, "/rail/v1/transfers/trf_1/more"),
        (Method::POST, "/rail/v1/transfers/trf_1"),
        (Method::DELETE, "/rail/v1/transfers/trf_1"),
    ] {
        let answer = read(shop.request(method.clone(), path).send().await.expect("an answer")).await;
        assert_eq!((answer.status, answer.text("/code").as_str()), (404, "unknown_url"), "{method} {path}");
    }
    for path in [TRANSFERS, "/rail/v1/status"] {
        let answer = read(shop.client.get(format!("{}{path}", shop.base)).send().await.expect("an answer")).await;
        assert_eq!((answer.status, answer.text("/code").as_str()), (401, "unauthorised"), "{path}");
    }
    let mut large = order("src_ok", "order-1");
    large["memo"] = json!("m".repeat(70_000));
    let answer = send(&shop, &large).await;
    assert_eq!((answer.status, answer.text("/code").as_str()), (413, "too_large"));
}

/// The ids of all pages, two on each; a transfer is made between any two of them.
async fn walk(shop: &Shop, filter: &str) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("{TRANSFERS}?limit=2{filter}{next}")).await;
        ids.extend(page.body["transfers"].as_array().expect("a list").iter().map(|row| row["id"].to_string()));
        let Some(cursor) = page.body["next"].as_str() else { return ids };
        next = format!("&cursor={cursor}");
        send(shop, &order("src_ok", "new")).await;
    }
}

#[tokio::test]
async fn pages_lead_to_every_transfer_and_to_none_twice() {
    let shop = Shop::open(Config::default()).await;
    let mut made = Vec::new();
    for reference in ["even", "odd", "even", "odd", "even", "odd", "even"] {
        made.push((reference, send(&shop, &order("src_ok", reference)).await.body["id"].to_string()));
    }
    // Newest first; what is new does not shift the pages that follow.
    made.reverse();
    let of = |wanted: &str| {
        let chosen = made.iter().filter(|(reference, _)| wanted.is_empty() || *reference == wanted);
        chosen.map(|(_, id)| id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(walk(&shop, "").await, of(""));
    assert_eq!(walk(&shop, "&reference=even").await, of("even"));
    assert_eq!(walk(&shop, "&reference=odd").await, of("odd"));
    assert_eq!(shop.get(&format!("{TRANSFERS}?reference=even&limit=4")).await.body["next"], Value::Null);
}

#[tokio::test]
async fn a_memo_joins_what_has_many_references() {
    let shop = Shop::patient().await;
    for (reference, source) in [("a-1", "src_ok"), ("a-2", "src_pending"), ("a-3", "src_closed")] {
        let mut body = order(source, reference);
        body["memo"] = json!("order-a");
        assert_eq!(send(&shop, &body).await.status, 201);
    }
    send(&shop, &order("src_ok", "b-1")).await;
    let groups = groups(&shop, "memo").await;
    let expected = json!({"order-a": {"transfers": 3, "transfers_paid": 2, "amounts_paid": {"USD": 3_998}}});
    assert_eq!((&groups["groups"], &groups["transfers"], &groups["examples"]), (&json!(1), &json!(3), &expected));
}

#[tokio::test]
async fn the_rail_declares_what_it_cannot_do() {
    let shop = Shop::open(Config { class: Class::A, hold_ms: 1_001, ..Config::default() }).await;
    let capabilities = shop.get("/_sandbox/capabilities").await.body;
    let expected = json!({
        "class": "B", "two_phase": false, "key_max_len": 0, "key_retention_s": 0, "replay": "none",
        "readback": "list", "readback_consistency": "strong", "webhook_carries_reference": false,
        "absence_quiescence_s": 2,
    });
    assert_eq!(capabilities["rail"]["transfers"], expected);
    assert_eq!(shop.control("profile", json!({"class": "A", "object": "transfers"})).await.status, 400);
}
