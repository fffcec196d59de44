//! Disputes over HTTP: lists, filters, strangers, and evidence that is refused before anything is stored.

use super::app::{App, STRANGER, WEBHOOK_SECRETS, bearer, payment};
use super::call::Call;
use super::webhooks::{deliver, sign};
use serde_json::{Value, json};

/// A payment that is paid: its own id and the gateway's.
async fn paid(app: &App, reference: &str) -> (String, String) {
    let answer = app.post("/v1/payments", reference, &payment(reference, "pm_card_visa")).await.expect(201, "");
    (answer.text("/id"), answer.text("/gateway_id"))
}

/// The gateway tells of a dispute.
async fn hear(app: &App, number: u32, intent: &str, status: &str) {
    let object = json!({
        "id": format!("dp_{number}"), "object": "dispute", "status": status, "amount": 1999, "currency": "usd",
        "charge": format!("ch_{number}"), "payment_intent": intent, "reason": "fraudulent",
        "balance_transactions": [], "evidence_details": {"due_by": 4_000_000_000_u32, "submission_count": 0},
    });
    let event = json!({
        "id": format!("evt_{number}"), "type": "charge.dispute.created", "created": 1_700_000_000, "livemode": false,
        "data": {"object": object},
    });
    let body = event.to_string().into_bytes();
    let signature = sign(WEBHOOK_SECRETS[0], app.handle.now().seconds(), &body);
    assert_eq!(deliver(app, &signature, &body).await.status, 200);
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
    let app = App::start().await.with_alice().await;
    let (first, first_intent) = paid(&app, "order-1").await;
    let (second, second_intent) = paid(&app, "order-2").await;
    hear(&app, 1, &first_intent, "warning_needs_response").await;
    hear(&app, 2, &second_intent, "needs_response").await;
    hear(&app, 3, &first_intent, "needs_response").await;
    hear(&app, 4, "pi_of_somebody_else", "needs_response").await;
    for (filter, expected) in [
        ("limit=5".to_owned(), vec!["dp_3", "dp_2", "dp_1"]),
        ("limit=1".to_owned(), vec!["dp_3", "dp_2", "dp_1"]),
        (format!("limit=1&payment={first}"), vec!["dp_3", "dp_1"]),
        ("limit=1&status=needs_response".to_owned(), vec!["dp_3", "dp_2"]),
        (format!("limit=1&status=needs_response&payment={second}"), vec!["dp_2"]),
        ("limit=1&status=won".to_owned(), vec![]),
    ] {
        assert_eq!(gateway_ids(&app, &format!("/v1/disputes?{filter}")).await, expected, "{filter}");
    }
    app.get("/v1/disputes?status=late").await.expect(400, "invalid-parameter");
    app.get("/v1/disputes?payment=pay_1").await.expect(404, "not-found");
    let id = app.get("/v1/disputes?limit=1").await.text("/data/0/id");
    let shown = app.get(&format!("/v1/disputes/{id}")).await.expect(200, "");
    assert_eq!((shown.text("/payment"), shown.text("/evidence_due_by")), (first, "2096-10-02T07:06:40Z".to_owned()));
    let stranger = |path: String| app.send(Call::new("GET", &path).header("authorization", &bearer(STRANGER)));
    stranger(format!("/v1/disputes/{id}")).await.expect(404, "not-found");
    assert_eq!(stranger("/v1/disputes".to_owned()).await.json()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_cannot_be_used_is_refused_and_its_key_stays_free() {
    let app = App::start().await.with_alice().await;
    let (_, intent) = paid(&app, "order-1").await;
    hear(&app, 1, &intent, "lost").await;
    let id = app.get("/v1/disputes").await.text("/data/0/id");
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
