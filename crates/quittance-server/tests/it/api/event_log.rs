//! A log of events with pages that are too long, and with events that nobody can read.

use super::app::{App, Place};
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, Uri};
use axum::{Json, Router, routing::get};
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Entity, InboxEntry};
use quittance_store::store::{Reader, Scan};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

const EAGER: &str = "sweep_every_s = 1\n";

/// More than an answer may have.
const TOO_LONG: usize = 5 * 1024 * 1024;

async fn gateway_with_log(log: fn(&str) -> Value) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let events = async move |RawQuery(query): RawQuery| Json(log(&query.unwrap_or_default()));
    let nothing = async || Json(json!({"object": "list", "data": [], "has_more": false}));
    let router = Router::new().route("/v1/events", get(events)).fallback(nothing);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn event(id: &str) -> Value {
    json!({"id": id, "type": "customer.created", "created": 1_800_000_000, "data": {"object": {"id": "cus_1"}}})
}

fn known(database: &MemoryDatabase) -> Vec<String> {
    let rows = database.reader().scan(&Scan::forward(InboxEntry::table(), Vec::new(), 100)).expect("readable");
    rows.iter().map(|row| InboxEntry::from_row(row).expect("sound").event).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_too_long_is_asked_for_in_parts_and_what_cannot_be_read_is_said() {
    let log = |query: &str| {
        let (page, has_more) = match query {
            _ if query.contains("limit=100&") => (vec![json!({"id": "evt_3", "padding": "x".repeat(TOO_LONG)})], true),
            _ if query.contains("starting_after=evt_2") => (vec![event("evt_1")], false),
            _ => (vec![event("evt_3"), json!({"id": "evt_2", "type": 7})], true),
        };
        json!({"object": "list", "data": page, "has_more": has_more})
    };
    let database = MemoryDatabase::new();
    let stripe = gateway_with_log(log).await;
    let app = App::start_configured(Place::Memory(database.clone()), stripe, EAGER, "").await;
    let open = app.until("/v1/discrepancies?status=open", |answer| !answer.text("/data/0").is_empty()).await;
    assert_eq!(
        (open.text("/data/0/kind"), open.text("/data/0/gateway_id")),
        ("events_unreadable".into(), "events".into())
    );
    assert!(open.text("/data/0/detail").contains("evt_2"), "{}", open.text("/data/0"));
    app.until("/v1/discrepancies?status=open", |_| known(&database) == ["evt_1", "evt_3"]).await;
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_which_no_page_can_be_read_is_said_in_the_end() {
    let log = |_: &str| json!({"object": "list", "data": [null], "has_more": true});
    let stripe = gateway_with_log(log).await;
    let app = App::start_configured(Place::Memory(MemoryDatabase::new()), stripe, EAGER, "").await;
    let open = app.until("/v1/discrepancies?status=open", |answer| !answer.text("/data/0").is_empty()).await;
    assert_eq!(open.text("/data/0/kind"), "events_unreadable");
    assert!(open.text("/data/0/detail").contains("5 sweeps"), "{}", open.text("/data/0"));
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_answer_is_lost_is_asked_for_again_at_once() {
    type Asked = Arc<Mutex<Vec<String>>>;
    async fn answer(State(asked): State<Asked>, uri: Uri) -> (StatusCode, Json<Value>) {
        let mut asked = asked.lock().expect("no test has failed");
        let page = if uri.path() != "/v1/events" {
            "other"
        } else if uri.query().is_some_and(|query| query.contains("starting_after=evt_2")) {
            "second"
        } else {
            "first"
        };
        asked.push(page.to_owned());
        let is_first_try = asked.iter().filter(|one| *one == page).count() == 1;
        match page {
            "other" => (StatusCode::OK, Json(json!({"object": "list", "data": [], "has_more": false}))),
            _ if is_first_try => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": {"type": "api_error"}}))),
            "first" => (StatusCode::OK, Json(json!({"object": "list", "data": [event("evt_2")], "has_more": true}))),
            _ => (StatusCode::OK, Json(json!({"object": "list", "data": [event("evt_1")], "has_more": false}))),
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stripe = listener.local_addr().expect("an address");
    let asked = Asked::default();
    let router = Router::new().fallback(answer).with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let database = MemoryDatabase::new();
    let app = App::start_configured(Place::Memory(database.clone()), stripe, EAGER, "").await;
    app.until("/v1/discrepancies?status=open", |_| known(&database) == ["evt_1", "evt_2"]).await;
    let asked = asked.lock().expect("no test has failed").clone();
    assert_eq!(asked[..4], ["first", "first", "second", "second"], "{asked:?}");
    app.runtime.stop().await.expect("stopped");
}
