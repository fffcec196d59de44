//! Who may see and change what.

use super::{call, listen, pay};
use crate::api::app::{App, READER, STRANGER, WRITER, bearer};
use crate::api::call::Call;

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_are_for_administrators_and_events_for_readers_of_the_tenant() {
    let app = App::start_with("").await.with_alice().await;
    let (endpoint, _) = listen(&app, "e", "https://example.com/hooks", r#"["dev.quittance.dispute.lost.v1"]"#).await;
    pay(&app, "order-1").await;
    let event = app.get("/v1/events").await.expect(200, "").text("/data/0/id");
    let path = format!("/v1/webhook_endpoints/{endpoint}");
    let as_ = |secret: &str, method: &str, path: &str| {
        let call = Call::new(method, path).header("authorization", &bearer(secret));
        app.send(call.header("content-type", "application/json"))
    };
    for (method, path) in [
        ("GET", "/v1/webhook_endpoints".to_owned()),
        ("GET", path.clone()),
        ("POST", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/enable")),
        ("POST", format!("{path}/disable")),
        ("GET", format!("{path}/deliveries")),
        ("GET", format!("/v1/events/{event}/deliveries")),
        ("POST", format!("/v1/events/{event}/replay")),
    ] {
        as_(WRITER, method, &path).await.expect(403, "forbidden");
        as_("qk_test_nobody", method, &path).await.expect(401, "unauthorised");
    }
    as_(READER, "GET", &format!("/v1/events/{event}")).await.expect(200, "");
    as_(STRANGER, "GET", &format!("/v1/events/{event}")).await.expect(404, "not-found");
    assert_eq!(as_(STRANGER, "GET", "/v1/events").await.expect(200, "").text("/data"), "[]");
    app.send(Call::new("GET", "/v1/events")).await.expect(401, "unauthorised");
    app.send(Call::new("GET", "/schemas")).await.expect(200, "");
    app.send(Call::new("GET", "/schemas/unknown.json")).await.expect(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_newest_first_with_filters_and_pages() {
    let app = App::start_with("").await.with_alice().await;
    let payment = pay(&app, "order-1").await;
    pay(&app, "order-2").await;
    let of_payment = app.get(&format!("/v1/events?subject={payment}")).await.expect(200, "");
    let types = ["/data/0/type", "/data/1/type"].map(|place| of_payment.text(place));
    assert_eq!(types, ["dev.quittance.payment.succeeded.v1", "dev.quittance.payment.created.v1"]);
    let succeeded = app.get("/v1/events?type=dev.quittance.payment.succeeded.v1&limit=1").await.expect(200, "");
    assert_eq!((succeeded.text("/has_more"), succeeded.text("/data/1")), ("true".into(), String::new()));
    let next = succeeded.text("/next_cursor");
    let path = format!("/v1/events?type=dev.quittance.payment.succeeded.v1&limit=1&cursor={next}");
    assert_eq!(app.get(&path).await.expect(200, "").text("/data/0/subject"), payment);
    app.get("/v1/events?type=payment.succeeded").await.expect(400, "invalid-parameter");
    let none = app.get("/v1/events?created_after=2200-01-01T00:00:00Z").await.expect(200, "");
    assert_eq!(none.text("/data"), "[]");
    call(&app, "GET", "/v1/events/evt_1", "").await.expect(404, "not-found");
}
