//! A provider that knows every subscription, and counts how often it is asked.

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// How long it takes to answer: about as long as a provider far away.
const ANSWERS_AFTER: Duration = Duration::from_millis(100);

/// The provider; it serves until its runtime ends.
pub(super) struct Provider {
    base: String,
    calls: Arc<AtomicU64>,
}

impl Provider {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen")?;
        let base = format!("http://{}", listener.local_addr()?);
        let calls = Arc::new(AtomicU64::new(0));
        let router = Router::new().route("/v1/subscriptions/{id}", get(answer)).with_state(Arc::clone(&calls));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base, calls })
    }

    /// Where it is.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// How often it was asked.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Acquire)
    }
}

async fn answer(State(calls): State<Arc<AtomicU64>>, Path(id): Path<String>) -> axum::Json<Value> {
    calls.fetch_add(1, Ordering::AcqRel);
    tokio::time::sleep(ANSWERS_AFTER).await;
    axum::Json(json!({ "id": id, "object": "subscription", "status": "active" }))
}
