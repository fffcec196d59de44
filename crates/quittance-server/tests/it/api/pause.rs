//! The brake: who may pull it, what it says, and that nothing leaves while it is pulled.

use super::app::{ADMIN, App, Place, bearer, key_id, payment, post};
use super::call::{Answer, Call};
use crate::gateway::Gateway;
use quittance_core::payment::{Payment, Status};
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::Entity;
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::{GATEWAY_OBJECTS, PAYMENTS};
use std::time::Duration;

/// Longer than any of this takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Requests under way at one gateway, by default.
const IN_FLIGHT_MAX: usize = 32;

async fn brake(app: &App, path: &str, body: &str) -> Answer {
    let call = Call::new("POST", path).header("authorization", &bearer(ADMIN));
    app.send(call.header("content-type", "application/json").body(body)).await
}

async fn accept(app: &App, orders: std::ops::Range<usize>) {
    for number in orders {
        let order = format!("order-{number}");
        let call = post("/v1/payments", &order, &payment(&order, "pm_1")).header("prefer", "respond-async");
        app.send(call).await.expect(202, "");
    }
}

fn payments(database: &MemoryDatabase) -> Vec<Payment> {
    let rows = database.reader().scan(&Scan::forward(&PAYMENTS, Vec::new(), 1_000)).expect("readable");
    rows.iter().map(|row| Payment::from_row(row).expect("sound")).collect()
}

async fn wait_until(is_so: impl Fn() -> bool) {
    let looks = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looks).await.expect("it becomes so in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_nothing_leaves_after_the_answer_and_everything_completes_once() {
    let (gateway, database) = (Gateway::default(), MemoryDatabase::new());
    let base = gateway.start().await;
    let address = base.trim_start_matches("http://").parse().expect("an address");
    let app = App::start_at(Place::Memory(database.clone()), address).await.with_alice().await;
    gateway.set_holding(true);
    accept(&app, 0..60).await;
    // Every place is taken by a request that arrived: nothing else is on its way.
    wait_until(|| gateway.arrived() == IN_FLIGHT_MAX).await;
    brake(&app, "/v1/pause", "").await.expect(200, "");
    accept(&app, 60..90).await;
    gateway.set_holding(false);
    // What was under way is finished; each of these answers would have its confirm sent in the same step.
    let objects =
        || database.reader().scan(&Scan::forward(&GATEWAY_OBJECTS, Vec::new(), 1_000)).expect("readable").len();
    wait_until(|| objects() == IN_FLIGHT_MAX).await;
    app.runtime.wind_down(PATIENCE).await;
    let app = app.restart().await;
    assert_eq!((gateway.arrived(), gateway.charges()), (IN_FLIGHT_MAX, 0));
    assert_eq!(app.send(Call::new("GET", "/readyz")).await.text("/degraded/2/reason"), "it is paused");
    brake(&app, "/v1/resume", "{}").await.expect(200, "");
    wait_until(|| payments(&database).iter().all(|payment| payment.status == Status::Succeeded)).await;
    assert_eq!((gateway.charges(), gateway.intents(), payments(&database).len()), (90, 90, 90));
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_names_everything_that_is_paused() {
    let app = App::start().await;
    let first = brake(&app, "/v1/pause", r#"{"gateway": "stripe", "reason": "doubles"}"#).await.expect(200, "");
    assert_eq!((first.text("/paused/0/gateway"), first.text("/paused/0/reason")), ("stripe".into(), "doubles".into()));
    assert_eq!(first.text("/paused/0/by"), key_id(4).to_string());
    assert!(first.text("/paused/0/since").ends_with('Z'));
    let again = brake(&app, "/v1/pause", r#"{"gateway": "stripe", "reason": "again"}"#).await.expect(200, "");
    assert_eq!(again.body, first.body, "it was paused already");
    assert_eq!(brake(&app, "/v1/pause", "").await.text("/paused/0/gateway"), "*");
    let left = brake(&app, "/v1/resume", r#"{"gateway": "stripe"}"#).await.expect(200, "");
    assert_eq!((left.text("/paused/0/gateway"), left.text("/paused/1")), ("*".into(), String::new()));
    assert_eq!(brake(&app, "/v1/resume", "").await.text("/paused"), "[]");
    let ready = app.send(Call::new("GET", "/readyz")).await;
    assert_eq!(ready.text("/status"), "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_administrator_pauses_and_only_what_there_is() {
    let app = App::start().await;
    for path in ["/v1/pause", "/v1/resume"] {
        app.send(post(path, "k", "{}")).await.expect(403, "forbidden");
        brake(&app, path, r#"{"gateway": "nowhere"}"#).await.expect(400, "gateway-not-found");
        brake(&app, path, r#"{"gateways": "stripe"}"#).await.expect(400, "invalid-body");
        let long = format!(r#"{{"reason": "{}"}}"#, "r".repeat(501));
        brake(&app, path, &long).await.expect(400, "invalid-body");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_show_it() {
    quittance_server::metrics::ensure_installed();
    let app = App::start().await;
    // Other tests share the recorder and start gateways of this name, so its value is not looked at.
    brake(&app, "/v1/pause", r#"{"gateway": "live"}"#).await.expect(200, "");
    let text = app.handle.metrics_text();
    assert!(text.contains("quittance_paused{gateway=\"live\"} "), "{text}");
}
