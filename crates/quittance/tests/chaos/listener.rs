//! A tenant's own system, which is told of every change: it takes most events at once, some only when they come again, and at
//! the end it must have heard all there are. Does not own whether the changes were right.

use crate::audit::settled;
use crate::client::Command;
use crate::demo::dice::Dice;
use crate::load::Load;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// One event in so many is refused when it comes first.
const REFUSED_OF: u64 = 8;

/// What was heard, and what was wrong with it.
#[derive(Default)]
struct Heard {
    refused: BTreeSet<String>,
    bodies: BTreeMap<String, Bytes>,
    times: u64,
    surprises: Vec<String>,
}

/// The receiver, and its endpoint in our books.
pub(crate) struct Listener {
    heard: Arc<Mutex<Heard>>,
    endpoint: String,
}

impl Listener {
    /// Listens, and asks to be told everything.
    pub(crate) async fn start(load: &Load) -> Self {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        let router = Router::new().route("/", post(hear)).with_state(Arc::clone(&heard));
        tokio::spawn(async { axum::serve(socket, router).await });
        let body = json!({ "url": format!("http://{address}/") });
        let command = Command { path: "/v1/webhook_endpoints".to_owned(), key: "listener".to_owned(), body };
        let made = load.api.insist(&command, &mut Dice::new(0, 3)).await.unwrap_or_else(|error| panic!("{error}"));
        let made: Value = serde_json::from_slice(&made.answer.body).expect("JSON");
        Self { heard, endpoint: made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned() }
    }

    /// Waits until nothing is to be told any more.
    pub(crate) async fn settle(&self, load: &Load) {
        let pending = format!("/v1/webhook_endpoints/{}/deliveries?status=pending", self.endpoint);
        let is_quiet = async |dice: &mut Dice| load.api.list(&pending, dice).await.is_empty();
        settled(load, "events are still to be told", is_quiet).await;
    }

    /// Every event that there is was heard as it is, and the last of each payment and refund tells what it is now.
    pub(crate) async fn findings(&self, load: &Load) -> Vec<String> {
        let mut dice = Dice::new(0, 4);
        let events = load.api.list("/v1/events", &mut dice).await;
        let mut rows = load.api.list("/v1/payments", &mut dice).await;
        rows.extend(load.api.list("/v1/refunds", &mut dice).await);
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut findings = heard.surprises.clone();
        let (mut last, mut places) = (BTreeMap::new(), BTreeSet::new());
        for event in &events {
            let text = |name: &str| event[name].as_str().unwrap_or_default();
            let known = heard.bodies.get(text("id")).and_then(|body| serde_json::from_slice::<Value>(body).ok());
            if known.as_ref() != Some(event) {
                findings.push(format!("told {event}, and heard {known:?}"));
            }
            if !places.insert((text("partitionkey"), text("sequence"))) {
                findings.push(format!("the place of {event} is taken"));
            }
            let newest = last.entry(text("subject")).or_insert(event);
            if newest["sequence"].as_str() < event["sequence"].as_str() {
                *newest = event;
            }
        }
        for row in rows {
            let told = last.get(row["id"].as_str().unwrap_or_default()).map(|event| &event["data"]["status"]);
            if told != Some(&row["status"]) {
                findings.push(format!("{row} was last told as {told:?}"));
            }
        }
        findings
    }

    /// How often it was told something, of how many events.
    pub(crate) fn summary(&self) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        format!("{} events heard {} times", heard.bodies.len(), heard.times)
    }
}

async fn hear(State(heard): State<Arc<Mutex<Heard>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    heard.times += 1;
    let dice: u64 = id.bytes().map(u64::from).sum();
    if dice.is_multiple_of(REFUSED_OF) && heard.refused.insert(id.clone()) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let known = heard.bodies.entry(id.clone()).or_insert_with(|| body.clone()).clone();
    if known != body {
        heard.surprises.push(format!("{id} was told in two ways: {known:?}, {body:?}"));
    }
    StatusCode::NO_CONTENT
}
