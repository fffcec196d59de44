//! Outgoing events: endpoints over the API, deliveries to a receiver with a socket of its own, and what is kept of them.

mod access;
mod admin;
mod sent;
mod shared;
mod standard;

use super::app::{ADMIN, App, bearer, payment};
use super::call::{Answer, Call};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Receivers of these tests are on this machine.
const LOCAL: &str = "\n[webhooks]\nallow_private_addresses = true\n";

/// One delivery, as it came in.
#[derive(Clone, Debug)]
struct Received {
    headers: Vec<(String, String)>,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn event(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    fn kind(&self) -> String {
        self.event()["type"].as_str().expect("a type").to_owned()
    }
}

/// A tenant's own system. Clones are the same one.
#[derive(Clone, Default)]
struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
    count: watch::Sender<usize>,
    /// What it answers, at first and from then on.
    status: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    /// Serves on a port of its own; its address.
    async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hooks", listener.local_addr().expect("an address"));
        let router = Router::new().route("/hooks", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// Answers so, one after the other, and the last from then on.
    fn answer(&self, statuses: &[u16]) {
        *self.status.lock().expect("unpoisoned") = statuses.to_vec();
    }

    /// Waits until so many have come.
    async fn wait(&self, count: usize) -> Vec<Received> {
        self.count.subscribe().wait_for(|come| *come >= count).await.expect("the receiver is there");
        self.received.lock().expect("unpoisoned").clone()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.to_string(), value.to_str().expect("readable").to_owned())
    };
    let headers = headers.iter().map(text).collect();
    let body = String::from_utf8(body.to_vec()).expect("text");
    receiver.received.lock().expect("unpoisoned").push(Received { headers, body });
    let mut statuses = receiver.status.lock().expect("unpoisoned");
    let status = statuses.first().copied().unwrap_or(204);
    if statuses.len() > 1 {
        statuses.remove(0);
    }
    receiver.count.send_modify(|count| *count += 1);
    StatusCode::from_u16(status).expect("a status")
}

/// As an administrator.
async fn call(app: &App, method: &str, path: &str, body: &str) -> Answer {
    let call = Call::new(method, path).header("authorization", &bearer(ADMIN));
    app.send(call.header("content-type", "application/json").body(body)).await
}

/// As an administrator, under a key.
async fn keyed(app: &App, path: &str, key: &str, body: &str) -> Answer {
    let call = Call::new("POST", path).header("authorization", &bearer(ADMIN)).header("idempotency-key", key);
    app.send(call.header("content-type", "application/json").body(body)).await
}

/// A new endpoint: its id and its secret.
async fn listen(app: &App, key: &str, url: &str, types: &str) -> (String, String) {
    let body = format!(r#"{{"url": "{url}", "types": {types}}}"#);
    let made = keyed(app, "/v1/webhook_endpoints", key, &body).await.expect(201, "");
    (made.text("/id"), made.text("/secret"))
}

/// A payment that succeeds; its id.
async fn pay(app: &App, order: &str) -> String {
    app.post("/v1/payments", order, &payment(order, "pm_card_visa")).await.expect(201, "").text("/id")
}
