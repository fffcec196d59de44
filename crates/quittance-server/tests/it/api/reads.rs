//! Reads: lists with filters and pages, the ledger, commands and traces.

use super::app::{App, payment};
use super::call::Answer;
use serde_json::Value;

fn ids(answer: &Answer, member: &str) -> Vec<String> {
    let json = answer.json();
    let items = json["data"].as_array().expect("a list");
    items.iter().map(|item| item[member].as_str().expect("a text").to_owned()).collect()
}

/// Every item of a list, page by page.
pub async fn pages(app: &App, path: &str, member: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut next = path.to_owned();
    for _ in 0..50 {
        let answer = app.get(&next).await.expect(200, "");
        all.extend(ids(&answer, member));
        if answer.json()["has_more"] == Value::Bool(false) {
            assert_eq!(answer.text("/next_cursor"), "");
            return all;
        }
        next = format!("{path}&cursor={}", answer.text("/next_cursor"));
    }
    panic!("{path} has no end");
}

async fn shop() -> App {
    let app = App::start().await.with_alice().await;
    app.post("/v1/customers", "bob", r#"{"external_id": "bob", "name": "Bob"}"#).await.expect(201, "");
    for number in 0..7 {
        let method = if number == 3 { "pm_card_chargeDeclined" } else { "pm_card_visa" };
        let mut body = payment(&format!("order-{number}"), method);
        if number % 2 == 0 {
            body = body.replace("alice", "bob");
        }
        let answer = app.post("/v1/payments", &format!("key-{number}"), &body).await;
        assert_eq!(answer.status, if number == 3 { 402 } else { 201 });
    }
    // The same reference, of another customer.
    app.post("/v1/payments", "key-7", &payment("order-0", "pm_card_visa")).await.expect(201, "");
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_are_listed_newest_first_under_every_filter() {
    let app = shop().await;
    let expected = ["order-0", "order-6", "order-5", "order-4", "order-3", "order-2", "order-1", "order-0"];
    for (filter, expected) in [
        ("limit=3", expected.to_vec()),
        ("limit=1", expected.to_vec()),
        ("limit=8", expected.to_vec()),
        ("limit=2&customer=alice", vec!["order-0", "order-5", "order-3", "order-1"]),
        ("limit=2&status=failed", vec!["order-3"]),
        ("limit=1&reference=order-0", vec!["order-0", "order-0"]),
        ("limit=1&reference=order-0&customer=bob", vec!["order-0"]),
        ("limit=5&reference=nothing", vec![]),
        ("limit=2&customer=bob&status=failed", vec![]),
        ("limit=5&created_after=2999-01-01T00:00:00Z", vec![]),
        ("limit=5&created_before=2001-01-01T00:00:00%2B01:00", vec![]),
        ("limit=5&created_after=2001-01-01T00:00:00Z&created_before=2999-01-01T00:00:00Z", expected.to_vec()),
    ] {
        assert_eq!(pages(&app, &format!("/v1/payments?{filter}"), "reference").await, expected, "{filter}");
    }
    let cursor = app.get("/v1/payments?limit=1").await.text("/next_cursor");
    app.get(&format!("/v1/payments?limit=1&status=failed&cursor={cursor}")).await.expect(400, "cursor-invalid");
    app.get(&format!("/v1/customers?limit=1&cursor={cursor}")).await.expect(400, "cursor-invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_found_by_either_id() {
    let app = shop().await;
    let bob = app.get("/v1/customers/bob").await.expect(200, "");
    assert_eq!(bob.text("/name"), "Bob");
    assert_eq!(app.get(&format!("/v1/customers/{}", bob.text("/id"))).await.body, bob.body);
    assert_eq!(pages(&app, "/v1/customers?limit=1", "external_id").await, ["bob", "alice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_balances_and_shows_every_movement() {
    let app = shop().await;
    let movements = pages(&app, "/v1/ledger/entries?limit=3", "movement").await;
    let count = |word: &str| movements.iter().filter(|movement| *movement == word).count();
    assert_eq!((count("held"), count("posted"), count("voided")), (8, 7, 1));
    assert_eq!(pages(&app, "/v1/ledger/entries?limit=4&customer=bob", "movement").await.len(), 8);
    assert_eq!(pages(&app, "/v1/ledger/entries?limit=4&account=revenue", "movement").await.len(), 0);
    assert_eq!(pages(&app, "/v1/ledger/entries?limit=4&currency=EUR", "movement").await.len(), 0);

    let balances = app.get("/v1/ledger/balances").await.expect(200, "");
    assert_eq!(ids(&balances, "account"), ["gateway_clearing:stripe", "unapplied"]);
    for place in ["/data/0/amount", "/data/1/amount", "/data/0/debit_amount", "/data/1/credit_amount"] {
        assert_eq!(balances.text(place), (7 * 1999).to_string(), "{place}");
    }
    assert_eq!(balances.text("/data/0/held_debit_amount"), "0");
    let of_alice = app.get("/v1/ledger/balances?customer=alice&account=unapplied").await;
    assert_eq!(of_alice.text("/data/0/amount"), (3 * 1999).to_string());
    assert_eq!(pages(&app, "/v1/ledger/balances?limit=1", "account").await.len(), 2);
    let accounts = app.get("/v1/ledger/accounts").await;
    assert_eq!(accounts.text("/data/1/normal_side"), "credit");
    assert_eq!(accounts.text("/data/1/currencies"), "[\"USD\"]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_and_a_trace_tell_what_happened() {
    let app = shop().await;
    let made = app.get("/v1/payments?reference=order-3").await;
    let command = app.get(&format!("/v1/commands/{}", made.text("/data/0/command_id"))).await.expect(200, "");
    assert_eq!(command.text("/status"), "completed");
    assert_eq!(command.text("/operation"), "POST /v1/payments");
    assert_eq!(command.text("/outcome/http_status"), "402");
    assert_eq!(command.text("/outcome/body/code"), "payment-declined");
    let steps = command.json()["attempts"].as_array().map(Vec::len);
    assert!(steps >= Some(2), "{steps:?}");
    for id in [made.text("/data/0/id"), made.text("/data/0/correlation_id"), "order-3".to_owned()] {
        let trace = app.get(&format!("/v1/trace/{id}")).await.expect(200, "");
        assert_eq!(trace.text("/stories/0/subject"), made.text("/data/0/id"));
        assert_eq!(trace.text("/stories/0/lines/0/event"), "request_received");
    }
}
