//! Owns: requests to our own HTTP API, as an impatient client makes them. Does not own: what is asked, or when to ask
//! again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::sync::watch;

use super::evidence::Answer;
use super::server::Addresses;

/// A client of our API that follows the servers from address to address, and asks one after the other. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    credential: String,
    /// `http://127.0.0.1:PORT` of each server that runs.
    bases: watch::Receiver<Addresses>,
    turn: Arc<AtomicUsize>,
}

/// An answer, and what its headers say about it.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// Status and body.
    pub(crate) answer: Answer,
    /// Whether it was stored before.
    pub(crate) is_replayed: bool,
    /// Path of the resource to look at.
    pub(crate) location: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The client did not want to wait any longer.
    TimedOut,
    /// The connection could not be made, or broke.
    ConnectionLost,
}

/// No server is down for longer than this without being started again.
const DOWN_MAX: Duration = Duration::from_secs(60);
/// What a client with patience waits; longer than the server's own wait for an outcome.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// A pooled client for this machine; proxies of the environment do not apply.
pub(crate) fn client() -> Result<Client> {
    // Fails when a provider is there already, and then that one is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().pool_max_idle_per_host(128).build().context("cannot make an HTTP client")
}

impl Api {
    /// Speaks with the credential to whatever addresses are current.
    pub(crate) fn new(client: Client, credential: String, bases: watch::Receiver<Addresses>) -> Self {
        Self { client, credential, bases, turn: Arc::default() }
    }

    /// Sends a command under its key; these exact bytes, every time.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &str, patience: Duration) -> Result<Reply, Trouble> {
        let request = self.request(Method::POST, path).await?;
        let request = request.header("idempotency-key", key).header("content-type", "application/json");
        send(request.body(body.to_owned()).timeout(patience)).await
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Result<Reply, Trouble> {
        send(self.request(Method::GET, path).await?.timeout(PATIENCE)).await
    }

    /// Reads JSON; anything but 200 is an error.
    pub(crate) async fn get_json(&self, path: &str) -> Result<Value> {
        let reply = self.get(path).await.map_err(|trouble| anyhow::anyhow!("GET {path}: {trouble:?}"))?;
        if reply.answer.status != 200 {
            bail!("GET {path}: {} {}", reply.answer.status, reply.answer.text());
        }
        serde_json::from_slice(&reply.answer.body).with_context(|| format!("GET {path}: not JSON"))
    }

    /// All rows of a list, page by page.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut page = self.get_json(path).await?;
        loop {
            if let Some(Value::Array(data)) = page.get_mut("data").map(Value::take) {
                rows.extend(data);
            }
            let cursor = page["next_cursor"].as_str().filter(|_| page["has_more"] == true);
            let Some(cursor) = cursor else { return Ok(rows) };
            let separator = if path.contains('?') { '&' } else { '?' };
            page = self.get_json(&format!("{path}{separator}cursor={cursor}")).await?;
        }
    }

    /// Waits while no server runs.
    async fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Trouble> {
        let mut bases = self.bases.clone();
        let waiting = bases.wait_for(|bases| bases.iter().any(Option::is_some));
        let url = match tokio::time::timeout(DOWN_MAX, waiting).await {
            Ok(Ok(bases)) => {
                let alive: Vec<&String> = bases.iter().flatten().collect();
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                format!("{}{path}", alive[turn % alive.len()])
            }
            Ok(Err(_)) | Err(_) => return Err(Trouble::ConnectionLost),
        };
        Ok(self.client.request(method, url).bearer_auth(&self.credential))
    }
}

async fn send(request: RequestBuilder) -> Result<Reply, Trouble> {
    let response = request.send().await.map_err(trouble)?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let is_replayed = header("idempotent-replayed") == Some("true");
    let location = header("location").map(str::to_owned);
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(trouble)?.to_vec();
    Ok(Reply { answer: Answer { status, body }, is_replayed, location })
}

fn trouble(error: reqwest::Error) -> Trouble {
    if error.is_timeout() { Trouble::TimedOut } else { Trouble::ConnectionLost }
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The stable code of a problem, empty elsewhere.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The payment that the answer is about: itself, or inside a problem.
    pub(crate) fn payment_id(&self) -> Option<String> {
        let json = self.json();
        let inside = json.pointer("/payment/id").and_then(Value::as_str);
        let itself = json["id"].as_str().filter(|id| id.starts_with("pay_"));
        inside.or(itself).map(str::to_owned)
    }
}
