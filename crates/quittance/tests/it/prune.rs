//! `quittance prune`, from outside: months later the bytes of answers and events go, beside the server that runs. A key whose
//! answer is gone executes nothing, and what `verify` compares is as it was.

use crate::support::{Client, Shop};
use rusqlite::Connection;
use serde_json::{Value, json};

/// As `payment-1` was asked for.
fn asked(shop: &Shop) -> Value {
    json!({
        "customer": shop.member("customer"), "amount": 1999, "currency": "USD", "gateway": "sandbox",
        "payment_method": "pm_card_visa", "reference": "order-1",
    })
}

/// Lets everything that is stored have happened so many days earlier. No server runs meanwhile.
fn age(shop: &Shop, days: i64) {
    let books = Connection::open(shop.home.data().join("quittance.db")).expect("the books");
    let earlier = days * 24 * 3_600 * 1_000_000;
    for (table, columns) in
        [("commands", ["received_at", "completed_at"]), ("inbox", ["received_at"; 2]), ("events", ["at"; 2])]
    {
        let [first, second] = columns;
        let set = if first == second { String::new() } else { format!(", {second} = {second} - {earlier}") };
        let changed = books.execute(&format!("UPDATE {table} SET {first} = {first} - {earlier}{set}"), []);
        changed.unwrap_or_else(|error| panic!("{table}: {error}"));
    }
}

#[test]
fn what_is_old_goes_and_its_key_executes_nothing() {
    let mut shop = Shop::open();
    let secret = shop.home.credential();
    let prune = |shop: &Shop, words: &[&str]| {
        let ended = shop.home.run(&[&["prune", "--json"], words].concat());
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()
    };
    let rows = |found: &Value| ["answers", "told"].map(|what| found[what]["rows"].as_u64().expect("a number"));
    assert_eq!(rows(&prune(&shop, &["--apply"])), [0, 0], "nothing is old yet");
    assert_eq!(shop.server.terminate(), 0);
    age(&shop, 40);
    shop.server = shop.home.serve();
    let client = Client::new(&shop.server.base, Some(&secret));
    // A customer, a payment; each of them was told, the payment when it was done, too.
    let found = prune(&shop, &["--told-days", "30"]);
    assert_eq!((rows(&found), &found["applied"]), ([2, 3], &json!(false)));
    assert!(client.post_for_bytes("/v1/payments", "payment-1", &asked(&shop)).is_replayed, "nothing is gone yet");
    let events = |client: &Client| client.get("/v1/events").1["data"].as_array().map(Vec::len);
    assert_eq!(events(&client), Some(3));
    assert_eq!(rows(&prune(&shop, &["--apply"])), [2, 0], "what was told is kept for 90 days unless it is said");
    assert_eq!(rows(&prune(&shop, &["--apply", "--told-days", "30"])), [0, 3]);
    assert_eq!(events(&client), Some(0));
    let again = client.post_for_bytes("/v1/payments", "payment-1", &asked(&shop));
    assert_eq!((again.status, &again.json()["code"]), (422, &json!("idempotency-key-expired")));
    let other = json!({ "reference": "order-2" });
    let other = asked(&shop)
        .as_object()
        .into_iter()
        .flatten()
        .chain(other.as_object().into_iter().flatten())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect::<serde_json::Map<_, _>>();
    assert_eq!(client.post("/v1/payments", "payment-2", &other.into()).0, 201);
    assert_eq!(client.get("/v1/payments").1["data"].as_array().map(Vec::len), Some(2), "and no third");
    let verified = shop.home.run(&["verify"]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[test]
fn what_is_promised_to_be_kept_cannot_be_dropped() {
    let shop = Shop::open();
    for option in ["--answers-days", "--events-days", "--told-days"] {
        let ended = shop.home.run(&["prune", "--apply", option, "29"]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(option) && ended.stderr.contains("29 is not in 30.."), "{ended:?}");
    }
    let ended = shop.home.run(&["prune", "--data", "elsewhere"]);
    assert_ne!(ended.code, 0, "{ended:?}");
}
