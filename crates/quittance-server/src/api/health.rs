//! Is it alive, should it be sent work, and how does it do?

use crate::render::{self, bytes};
use crate::runtime::Handle;
use crate::{metrics, parked};
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

#[derive(Serialize)]
struct Alive {
    status: &'static str,
}

#[derive(Serialize)]
struct Ready<'a> {
    status: &'static str,
    queue_depth: usize,
    queue_age_ms: u64,
    degraded: Vec<Degraded<'a>>,
}

#[derive(Serialize)]
struct Degraded<'a> {
    gateway: &'a str,
    reason: &'static str,
}

/// The process runs.
pub(super) async fn alive() -> Response {
    render::ok(&Alive { status: "ok" })
}

/// The engine takes commands. A gateway that is not talked to does not make the server unready: effects wait.
pub(super) async fn ready(State(handle): State<Handle>) -> Response {
    let readiness = handle.readiness();
    let degraded: Vec<_> = readiness.degraded.iter().map(|(gateway, reason)| Degraded { gateway, reason }).collect();
    let (code, status) = match (readiness.takes_commands, degraded.is_empty()) {
        (false, _) => (503, "stopping"),
        (true, false) => (200, "degraded"),
        (true, true) => (200, "ok"),
    };
    let (queue_depth, queue_age_ms) = (readiness.queue_depth, readiness.queue_age_ms);
    render::response(code, "application/json", bytes(&Ready { status, queue_depth, queue_age_ms, degraded }))
}

/// Numbers in the text format of Prometheus.
pub(super) async fn show_metrics(State(handle): State<Handle>) -> Response {
    // Numbers that cannot be had are left as they were: the others are needed above all when something is wrong.
    for (limit, count) in handle.read(parked::count).await.unwrap_or_default() {
        metrics::parked(limit, count);
    }
    render::response(200, "text/plain; version=0.0.4; charset=utf-8", handle.metrics_text().into_bytes())
}
