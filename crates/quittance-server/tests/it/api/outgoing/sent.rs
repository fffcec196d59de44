//! What reaches a receiver, and what is kept of it.

use super::{LOCAL, Receiver, call, keyed, listen, pay};
use crate::api::app::App;
use quittance_server::schemas::Schema;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_reaches_the_receiver_as_the_api_showed_it() {
    let (receiver, app) = (Receiver::default(), App::start_with(LOCAL).await);
    let (endpoint, _) = listen(&app, "e", &receiver.start().await, r#"["*"]"#).await;
    let app = app.with_alice().await;
    let payment = pay(&app, "order-1").await;
    let received = receiver.wait(3).await;
    let mut events: Vec<Value> = received.iter().map(|one| one.event()).collect();
    events.sort_by_key(|event| event["sequence"].as_str().expect("a sequence").to_owned());
    let types: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    let expected = ["customer.created", "payment.created", "payment.succeeded"];
    assert_eq!(types, expected.map(|kind| format!("dev.quittance.{kind}.v1")));
    let succeeded = events.pop().expect("three");
    assert_eq!(succeeded["subject"], payment);
    assert_eq!(succeeded["partitionkey"], succeeded["data"]["customer"]);
    assert_eq!(succeeded["correlationid"], succeeded["data"]["correlation_id"]);
    assert_eq!(succeeded["data"], app.get(&format!("/v1/payments/{payment}")).await.json());
    for one in &received {
        let id = one.header("webhook-id");
        assert_eq!(one.event()["id"], id);
        assert_eq!(one.header("content-type"), "application/cloudevents+json");
        let kept = app.get(&format!("/v1/events/{id}")).await.expect(200, "");
        assert_eq!(kept.header("content-type"), Some("application/cloudevents+json"));
        assert_eq!(String::from_utf8_lossy(&kept.body), one.body, "byte for byte");
    }
    let log = format!("/v1/webhook_endpoints/{endpoint}/deliveries?status=delivered");
    let log = app.until(&log, |log| log.json()["data"].as_array().is_some_and(|all| all.len() == 3)).await;
    assert_eq!(log.text("/data/0/attempts/0/response_status"), "204");
    assert_eq!(log.text("/data/0/next_attempt_at"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_refused_comes_again_under_its_id() {
    let (receiver, app) = (Receiver::default(), App::start_with(LOCAL).await.with_alice().await);
    receiver.answer(&[500, 204]);
    let types = r#"["dev.quittance.payment.succeeded.v1"]"#;
    let (endpoint, _) = listen(&app, "e", &receiver.start().await, types).await;
    pay(&app, "order-1").await;
    // The schedule's second attempt comes five seconds after the first.
    let received = receiver.wait(2).await;
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(received[0].body, received[1].body);
    let log = format!("/v1/webhook_endpoints/{endpoint}/deliveries");
    let log = app.until(&log, |log| log.text("/data/0/status") == "delivered").await;
    let statuses = ["/data/0/attempts/0/response_status", "/data/0/attempts/1/response_status"];
    assert_eq!(statuses.map(|place| log.text(place)), ["500", "204"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_can_be_sent_again_and_two_endpoints_are_told_apart() {
    let (one, other, app) = (Receiver::default(), Receiver::default(), App::start_with(LOCAL).await);
    let app = app.with_alice().await;
    let (first, _) = listen(&app, "e1", &one.start().await, r#"["dev.quittance.payment.failed.v1"]"#).await;
    listen(&app, "e2", &other.start().await, r#"["dev.quittance.payment.succeeded.v1"]"#).await;
    pay(&app, "order-1").await;
    let received = other.wait(1).await;
    let event = received[0].header("webhook-id");
    let path = format!("/v1/events/{event}/replay");
    let body = format!(r#"{{"endpoint": "{first}", "reason": "it wants them after all"}}"#);
    call(&app, "POST", &path, &body).await.expect(200, "");
    assert_eq!(one.wait(1).await[0].body, received[0].body, "a person has asked, whatever it wants by itself");
    let path = format!("/v1/events/{event}/deliveries");
    let log = app.until(&path, |log| {
        let all = log.json()["data"].as_array().cloned().unwrap_or_default();
        all.len() == 2 && all.iter().all(|one| one["status"] == "delivered")
    });
    assert_eq!(log.await.text("/data/0/replayed/reason"), "it wants them after all");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_disabled_and_goes_on_when_it_is_enabled() {
    let (receiver, app) = (Receiver::default(), App::start_with(LOCAL).await.with_alice().await);
    receiver.answer(&[410, 204]);
    let types = r#"["dev.quittance.payment.succeeded.v1"]"#;
    let (endpoint, _) = listen(&app, "e", &receiver.start().await, types).await;
    pay(&app, "order-1").await;
    let path = format!("/v1/webhook_endpoints/{endpoint}");
    let shown = app.until(&path, |shown| shown.text("/status") == "disabled").await;
    assert_eq!(shown.text("/disabled/reason"), "the endpoint answered 410");
    let event = receiver.wait(1).await[0].header("webhook-id").to_owned();
    let body = format!(r#"{{"endpoint": "{endpoint}", "reason": "try"}}"#);
    call(&app, "POST", &format!("/v1/events/{event}/replay"), &body).await.expect(409, "endpoint-disabled");
    let enabled = call(&app, "POST", &format!("{path}/enable"), "").await.expect(200, "");
    assert_eq!((enabled.text("/status").as_str(), enabled.text("/failing_since").as_str()), ("enabled", ""));
    receiver.wait(2).await;
}

/// A redirect must not be followed: whoever answers could send the signed event anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_a_failure() {
    let (receiver, app) = (Receiver::default(), App::start_with(LOCAL).await.with_alice().await);
    receiver.answer(&[307]);
    let (endpoint, _) = listen(&app, "e", &receiver.start().await, r#"["dev.quittance.payment.created.v1"]"#).await;
    pay(&app, "order-1").await;
    let log = format!("/v1/webhook_endpoints/{endpoint}/deliveries");
    let log = app.until(&log, |log| log.text("/data/0/tries") == "1").await;
    assert_eq!(
        (log.text("/data/0/status"), log.text("/data/0/attempts/0/response_status")),
        ("pending".into(), "307".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_to_this_machine_is_not_sent_to() {
    let (receiver, app) = (Receiver::default(), App::start_with("").await.with_alice().await);
    let url = receiver.start().await.replace("127.0.0.1", "localhost");
    let (endpoint, _) = listen(&app, "e", &url, r#"["*"]"#).await;
    pay(&app, "order-1").await;
    let log = format!("/v1/webhook_endpoints/{endpoint}/deliveries");
    let log = app.until(&log, |log| log.text("/data/0/tries") == "1").await;
    let error = log.text("/data/0/attempts/0/error");
    assert!(error.contains("no public address"), "{error}");
    assert_eq!(*receiver.count.borrow(), 0);
    let refused = keyed(&app, "/v1/webhook_endpoints", "e2", r#"{"url": "https://169.254.169.254/x"}"#).await;
    refused.expect(400, "invalid-body");
}

/// What an event carries is declared once, and that is what is published.
#[tokio::test(flavor = "multi_thread")]
async fn the_schemas_name_every_member_that_is_sent() {
    let app = App::start_with("").await.with_alice().await;
    let payment = pay(&app, "order-1").await;
    let body = format!(r#"{{"payment": "{payment}", "amount": 5, "reference": "again"}}"#);
    app.post("/v1/refunds", "r", &body).await.expect(201, "");
    let events = app.get("/v1/events?limit=100").await.expect(200, "").json();
    let all = events["data"].as_array().expect("a list");
    assert!(all.len() >= 7, "{events}");
    for event in all {
        names_of(event, &Schema::Event.document());
        let urn = event["dataschema"].as_str().expect("a schema");
        let schema = Schema::all().find(|schema| schema.urn() == urn).expect("a published schema");
        names_of(&event["data"], &schema.document());
        let published = app.get(&format!("/schemas/{}", schema.file())).await.expect(200, "");
        assert_eq!(published.json(), schema.document());
    }
    let index = app.get("/schemas").await.expect(200, "").json();
    assert_eq!(index["schemas"].as_array().map(Vec::len), Some(5));
}

/// The members are those that the schema declares, no more and no fewer.
fn names_of(document: &Value, schema: &Value) {
    let given: Vec<&String> = document.as_object().expect("an object").keys().collect();
    let declared = schema["properties"].as_object().expect("an object");
    assert!(given.iter().all(|name| declared.contains_key(*name)), "{given:?} of {schema}");
    for name in schema["required"].as_array().expect("a list") {
        assert!(given.iter().any(|given| *given == name), "{name} is missing in {document}");
    }
}
