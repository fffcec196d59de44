//! Every row of bad input with what it is answered, as one text that is kept.

use super::app::{App, post};
use super::call::Call;
use super::snapshot;
use std::fmt::Write as _;

/// A good payment, in which each row changes one thing.
const GOOD: &str = r#"{"customer": "alice", "amount": 1999, "currency": "USD", "gateway": "stripe", "payment_method": "pm_card_visa", "reference": "order-1"}"#;

/// What is replaced in the good body, and by what.
const PAYMENTS: &[(&str, &str)] = &[
    ("1999", "19.99"),
    ("1999", "1999.0"),
    ("1999", "1e3"),
    ("1999", "-0"),
    ("1999", "0"),
    ("1999", "-5"),
    ("1999", "9007199254740992"),
    ("1999", "99999999999999999999999999"),
    ("1999", "1e999"),
    ("1999", "\"1999\""),
    ("1999", "true"),
    ("1999", "null"),
    ("1999", "[1999]"),
    ("1999", "4242424242424242"),
    ("1999", "4242424242424242.0"),
    ("\"USD\"", "\"usd\""),
    ("\"USD\"", "\"DOLLAR\""),
    ("\"USD\"", "\"XAU\""),
    ("\"USD\"", "840"),
    ("\"USD\"", "\"ISK\", \"reference\": \"again\""),
    ("1999, \"currency\": \"USD\"", "1001, \"currency\": \"KWD\""),
    ("1999, \"currency\": \"USD\"", "150, \"currency\": \"MGA\""),
    ("\"stripe\"", "\"paypal\""),
    ("\"stripe\"", "\"\""),
    ("pm_card_visa", "pm card"),
    ("pm_card_visa", "4242 4242 4242 4242"),
    ("order-1", "4242-4242-4242-4242"),
    ("order-1", " order-1"),
    ("order-1", "order\\n1"),
    ("order-1", "a\\u0000b"),
    ("order-1", "a\\ufffeb"),
    ("order-1", "a\\ud800b"),
    ("\"order-1\"", "\"order-1\", \"reference\": \"order-2\""),
    ("\"order-1\"", "\"order-1\", \"refrence\": \"x\", \"captured_amount\": 5"),
    ("\"order-1\"", "\"order-1\", \"description\": \"for 4111111111111111\""),
    ("\"order-1\"", "\"order-1\", \"description\": 7"),
    ("\"order-1\"", "\"order-1\", \"metadata\": {\"5555555555554444\": \"x\"}"),
    ("\"order-1\"", "\"order-1\", \"metadata\": {\"note\": \"378282246310005\"}"),
    ("\"order-1\"", "\"order-1\", \"metadata\": {\"n\": 1, \"o\": null, \"p\": {\"q\": \"r\"}, \"\": \"s\"}"),
    ("\"order-1\"", "\"order-1\", \"metadata\": {\"a/b\": \"1\", \"a/b\": \"2\"}"),
    ("\"order-1\"", "\"order-1\", \"metadata\": [\"a\"]"),
    (
        "\"order-1\"",
        "\"order-1\", \"metadata\": {\"effect_id\": \"a\", \"payment_id\": \"b\", \"customer_id\": \"c\", \"a[b]\": \"d\"}",
    ),
    ("\"order-1\"", "\"order-1\", \"x4242424242424242\": {\"deep\": [{\"4242424242424242\": 1}]}"),
    ("\"order-1\"", "\"order-1\", \"capture_method\": \"never\""),
    ("\"order-1\"", "\"order-1\", \"return_url\": \"javascript:alert(1)\""),
    ("\"order-1\"", "\"order-1\", \"on_duplicate\": \"charge_again\""),
    (GOOD, "{}"),
    (GOOD, "[]"),
    (GOOD, "null"),
    (GOOD, ""),
    (GOOD, "{\"amount\": 1999"),
    (GOOD, "{\"amount\": 1999} {}"),
    (GOOD, "{'amount': 1999}"),
    (GOOD, "\u{feff}{}"),
    (GOOD, "{\"a\": 1, \"b\": \"usd\", \"amount\": \"x\", \"currency\": \"usd\"}"),
];

const CUSTOMERS: &[&str] = &[
    r#"{"id": "pay_01h455vb4pex5vsknk084sn02q"}"#,
    r#"{"id": "alice"}"#,
    r#"{"external_id": "cus_01h455vb4pex5vsknk084sn02q"}"#,
    r#"{"external_id": ""}"#,
    r#"{"email": "nobody"}"#,
    r#"{"email": "a b@example.com"}"#,
    r#"{"currency": "eur"}"#,
    r#"{"timezone": "Mars/Olympus"}"#,
    r#"{"gateway_ids": {"paypal": "x"}}"#,
    r#"{"gateway_ids": {"stripe": ""}}"#,
    r#"{"gateway_ids": {"stripe": 1}}"#,
    r#"{"metadata": {"customer_id": "x"}}"#,
    r#"{"name": "4242424242424242"}"#,
    r#"{"nmae": "Alice"}"#,
];

/// What is asked of a payment that is not there: the body is looked at first.
const STEPS: &[(&str, &str)] = &[
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/capture", "{\"amount\": 0}"),
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/capture", "{\"amount\": 19.99}"),
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/capture", "{\"amount\": 5, \"currency\": \"USD\"}"),
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/capture", ""),
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/capture", "{}"),
    ("/v1/payments/alice/capture", "{}"),
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/cancel", "{\"reason\": 7}"),
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/cancel", "{\"reason\": \"4242424242424242\"}"),
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/cancel", "{\"amount\": 5}"),
    ("/v1/payments/pay_01h455vb4pex5vsknk084sn02q/cancel", "{}"),
    ("/v1/refunds", "{}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\"}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\", \"amount\": 5}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\", \"reference\": \"r\", \"amount\": 0}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\", \"reference\": \"\", \"amount\": \"5\"}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\", \"expected_refunded_amount\": -1}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\", \"reference\": \"r\", \"currency\": \"usd\"}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\", \"reference\": \"r\", \"reason\": \"bored\"}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\", \"reference\": \"r\", \"metadata\": {}}"),
    ("/v1/refunds", "{\"payment\": \"pay_01h455vb4pex5vsknk084sn02q\", \"reference\": \"r\"}"),
    ("/v1/refunds", "{\"payment\": \"cus_01h455vb4pex5vsknk084sn02q\", \"expected_refunded_amount\": 0}"),
];

const QUERIES: &[&str] = &[
    "/v1/payments?limit=0",
    "/v1/payments?limit=101",
    "/v1/payments?limit=ten",
    "/v1/payments?limit=+5",
    "/v1/payments?limit=",
    "/v1/payments?limit=5&limit=5",
    "/v1/payments?reference=",
    "/v1/payments?status=",
    "/v1/payments?page=2",
    "/v1/payments?status=paid",
    "/v1/payments?created_after=yesterday",
    "/v1/payments?cursor=x",
    "/v1/payments?cursor=c1_00",
    "/v1/payments?reference=4242424242424242",
    "/v1/payments?4242424242424242=1",
    "/v1/payments?reference=%ff",
    "/v1/payments?customer=nobody",
    "/v1/payments/4242424242424242",
    "/v1/payments/pay_x",
    "/v1/payments/cus_01h455vb4pex5vsknk084sn02q",
    "/v1/payments/pay_01h455vb4pex5vsknk084sn02q?expand=all",
    "/v1/refunds?limit=0",
    "/v1/refunds?status=paid",
    "/v1/refunds?payment=pay_x",
    "/v1/refunds?customer=alice",
    "/v1/refunds?cursor=x",
    "/v1/refunds/rfd_x",
    "/v1/refunds/pay_01h455vb4pex5vsknk084sn02q",
    "/v1/customers/nobody",
    "/v1/commands/x",
    "/v1/ledger/entries?account=cash",
    "/v1/ledger/balances?currency=usd",
    "/v1/trace/nothing",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_bad_input_is_refused_and_stores_nothing() {
    let app = App::start().await;
    let mut text = String::from("What bad input is answered. Made by a test; UPDATE=1 rewrites it.\n");
    for (good, bad) in PAYMENTS {
        assert!(GOOD.contains(good));
        let body = GOOD.replacen(good, bad, 1);
        let answer = app.post("/v1/payments", "one-key", &body).await;
        let _ = write!(text, "\nPOST /v1/payments {}\n    {}\n", shown(good, bad), answer.problem());
    }
    for body in CUSTOMERS {
        let answer = app.post("/v1/customers", "one-key", body).await;
        let _ = write!(text, "\nPOST /v1/customers {body}\n    {}\n", answer.problem());
    }
    for (path, body) in STEPS {
        let answer = app.post(path, "one-key", body).await;
        let _ = write!(text, "\nPOST {path} {body}\n    {}\n", answer.problem());
    }
    for path in QUERIES {
        let answer = app.get(path).await;
        let _ = write!(text, "\nGET {path}\n    {}\n", answer.problem());
    }
    snapshot::check("crates/quittance-server/tests/it/api/snapshots/bad_input.txt", &text);
    // The key was never claimed, and no customer, command or payment was stored.
    for list in ["payments", "customers", "refunds", "ledger/entries"] {
        assert_eq!(app.get(&format!("/v1/{list}")).await.text("/data"), "[]");
    }
    app.post("/v1/customers", "one-key", "{}").await.expect(201, "");
}

fn shown(good: &str, bad: &str) -> String {
    let bad = bad.escape_debug().to_string().replace("\\\"", "\"").replace("\\\\", "\\");
    if good == GOOD { bad } else { format!("with {bad} for {good}") }
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_leaves_room_for_our_own() {
    let app = App::start().await.with_alice().await;
    let with_entries = |count: usize| {
        let entries: Vec<_> = (0..count).map(|number| format!("\"n{number}\": \"v\"")).collect();
        GOOD.replacen("\"order-1\"", &format!("\"order-1\", \"metadata\": {{{}}}", entries.join(", ")), 1)
    };
    let refused = app.post("/v1/payments", "k", &with_entries(47)).await.expect(400, "invalid-body");
    assert!(refused.problem().ends_with("\"/metadata\" has 47 entries; at most 46 are kept"), "{}", refused.problem());
    app.post("/v1/payments", "k", &with_entries(46)).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_repeats_a_card_number() {
    let app = App::start().await;
    let number = "4242424242424242";
    let mut answers = Vec::new();
    for (_, bad) in PAYMENTS.iter().filter(|(_, bad)| bad.contains("4242")) {
        answers.push(app.post("/v1/payments", "k", &GOOD.replacen("order-1", &bad.replace('"', ""), 1)).await);
    }
    answers.push(app.post("/v1/payments", number, GOOD).await);
    answers.push(app.get(&format!("/v1/payments?reference={number}")).await);
    answers.push(app.get(&format!("/v1/payments?{number}=x")).await);
    answers.push(app.get(&format!("/v1/customers/{number}")).await);
    answers.push(app.get(&format!("/v1/trace/{number}")).await);
    for answer in answers {
        assert!(!String::from_utf8_lossy(&answer.body).contains("4242"), "{}", answer.problem());
        answer.expect(400, "card-number");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_media_types_and_sizes_are_checked_in_the_order_of_the_contract() {
    let app = App::start().await;
    let good = || post("/v1/payments", "k", GOOD);
    let long = "k".repeat(256);
    let big = format!("{{\"x\": \"{}\"}}", "x".repeat(1024 * 1024));
    let cases: Vec<(Call, u16, &str)> = vec![
        (good().without("idempotency-key"), 400, "idempotency-key-missing"),
        (good().header("idempotency-key", "another"), 400, "idempotency-key-invalid"),
        (post("/v1/payments", "", GOOD), 400, "idempotency-key-invalid"),
        (post("/v1/payments", "\"\"", GOOD), 400, "idempotency-key-invalid"),
        (post("/v1/payments", "\"k", GOOD), 400, "idempotency-key-invalid"),
        (post("/v1/payments", "a b", GOOD), 400, "idempotency-key-invalid"),
        (post("/v1/payments", "ключ", GOOD), 400, "idempotency-key-invalid"),
        (post("/v1/payments", &long, GOOD), 400, "idempotency-key-invalid"),
        (post("/v1/payments", "4242424242424242", GOOD), 400, "card-number"),
        (good().without("content-type"), 415, "unsupported-media-type"),
        (good().without("content-type").header("content-type", "text/plain"), 415, "unsupported-media-type"),
        (
            good().without("content-type").header("content-type", "application/json; charset=latin1"),
            415,
            "unsupported-media-type",
        ),
        (good().body(big.clone()), 413, "body-too-large"),
        (good().body(big.clone()).without("authorization").header("content-length", "1048590"), 413, "body-too-large"),
        (good().without("authorization").without("idempotency-key"), 401, "unauthorised"),
        (good().without("idempotency-key").body("no json"), 400, "idempotency-key-missing"),
        (post("/v1/payments?expand=x", "k", GOOD), 400, "invalid-parameter"),
    ];
    for (call, status, code) in cases {
        app.send(call).await.expect(status, code);
    }
    let answer = app.send(good().without("idempotency-key")).await;
    assert!(answer.header("link").is_some_and(|link| link.ends_with("rel=\"describedby\"")));
}
