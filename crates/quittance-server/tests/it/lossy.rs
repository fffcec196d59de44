//! The sandbox behind a network that loses answers on demand: what was asked is carried out, and nobody hears of it.

use crate::gateway::broken;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use quittance_sandbox::{Config, Sandbox};
use serde_json::{Value, json};
use std::future::pending;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

/// A sandbox and the network before it. Clones are the same.
#[derive(Clone)]
pub struct Lossy {
    http: reqwest::Client,
    sandbox: String,
    /// Where confirms wait for each other before they are lost.
    losing: Arc<Mutex<Option<Arc<Barrier>>>>,
}

impl Lossy {
    /// Starts both.
    pub async fn start(config: Config) -> Self {
        quittance_server::transport::ensure_cryptography();
        let (listener, sandbox) = listen().await;
        tokio::spawn(Sandbox::new(config).serve(listener, pending()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { http, sandbox, losing: Arc::default() }
    }

    /// Where the sandbox is reached without loss.
    pub fn sandbox(&self) -> &str {
        &self.sandbox
    }

    /// Where it is reached through the network.
    pub async fn serve(&self) -> String {
        let (listener, base) = listen().await;
        let router = Router::new().fallback(forward).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        base
    }

    /// From now on confirms wait until so many have come. Then all of them are carried out, and their answers lost.
    pub fn lose_confirms(&self, count: usize) {
        *self.losing.lock().unwrap() = Some(Arc::new(Barrier::new(count)));
    }

    /// Tells the sandbox something, behind the network's back.
    pub async fn control(&self, what: &str, body: Value) {
        let answer = self.http.post(format!("{}/_sandbox/{what}", self.sandbox)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{what}");
    }

    /// From now on nothing goes wrong.
    pub async fn calm(&self) {
        self.control("faults", json!({"profile": "none"})).await;
    }

    /// What the sandbox says of itself.
    pub async fn look(&self, what: &str) -> Value {
        let answer = self.http.get(format!("{}/_sandbox/{what}", self.sandbox)).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// How often a fault has happened.
    pub async fn faults(&self, kind: &str) -> u64 {
        self.look("faults").await["faults"][kind].as_u64().unwrap_or(0)
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

async fn forward(State(lossy): State<Lossy>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().unwrap();
    let mut sent = lossy.http.request(parts.method.clone(), format!("{}{target}", lossy.sandbox));
    for (name, value) in parts.headers.iter().filter(|(name, _)| *name != "host") {
        sent = sent.header(name, value);
    }
    let body = to_bytes(body, 1_000_000).await.unwrap();
    let losing = lossy.losing.lock().unwrap().clone().filter(|_| parts.uri.path().ends_with("/confirm"));
    if let Some(others) = &losing {
        others.wait().await;
    }
    let Ok(answer) = sent.body(body).send().await else { return broken() };
    if losing.is_some() {
        return broken();
    }
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}
