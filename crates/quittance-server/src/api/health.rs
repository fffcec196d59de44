//! Is it alive, should it be sent work, and how does it do?

use crate::render::{self, bytes};
use crate::runtime::{Complaint, Handle};
use crate::{metrics, parked};
use axum::extract::State;
use axum::response::Response;
use quittance_core::time::Timestamp;
use quittance_engine::backlog::Backlog;
use quittance_postgres::Risk;
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
    backlog: Vec<Behind<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    risks: Vec<AtRisk<'a>>,
    encryption: Encryption<'a>,
}

/// Whether stored secrets and bodies are encrypted, and under which key what is written now.
#[derive(Serialize)]
struct Encryption<'a> {
    status: &'static str,
    key: Option<&'a str>,
}

/// How the database may lose what it acknowledges.
#[derive(Serialize)]
struct AtRisk<'a> {
    code: &'static str,
    reason: &'a str,
    remedy: &'static str,
}

#[derive(Serialize)]
struct Degraded<'a> {
    gateway: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    operations: &'a [&'static str],
    reason: &'static str,
}

/// How far behind a gateway is.
#[derive(Serialize)]
struct Behind<'a> {
    gateway: &'a str,
    oldest_due_age_ms: Option<u64>,
    oldest_unknown_age_ms: Option<u64>,
}

/// The process runs.
pub(super) async fn alive() -> Response {
    render::ok(&Alive { status: "ok" })
}

/// The engine takes commands. A gateway that is not talked to does not make the server unready: effects wait.
pub(super) async fn ready(State(handle): State<Handle>) -> Response {
    let readiness = handle.readiness();
    let degraded: Vec<_> = readiness.degraded.iter().map(degraded).collect();
    let backlog = readiness.backlog.iter().map(|(gateway, backlog)| behind(gateway, *backlog, handle.now())).collect();
    let (code, status) = match (readiness.takes_commands, degraded.is_empty()) {
        (false, _) => (503, "stopping"),
        (true, false) => (200, "degraded"),
        (true, true) => (200, "ok"),
    };
    let (queue_depth, queue_age_ms) = (readiness.queue_depth, readiness.queue_age_ms);
    let risks = readiness.risks.iter().map(at_risk).collect();
    let key = handle.config().encryption.first().map(|key| key.id.as_str());
    let encryption = Encryption { status: if key.is_some() { "on" } else { "off" }, key };
    let ready = Ready { status, queue_depth, queue_age_ms, degraded, backlog, risks, encryption };
    render::response(code, "application/json", bytes(&ready))
}

fn at_risk(risk: &Risk) -> AtRisk<'_> {
    AtRisk { code: risk.code, reason: &risk.what, remedy: risk.remedy }
}

fn degraded((gateway, complaint): &(String, Complaint)) -> Degraded<'_> {
    Degraded { gateway, code: complaint.code, operations: &complaint.operations, reason: complaint.reason }
}

fn behind(gateway: &str, backlog: Backlog, now: Timestamp) -> Behind<'_> {
    let age = |since: Option<Timestamp>| since.map(|since| now.ms_since(since));
    Behind { gateway, oldest_due_age_ms: age(backlog.due_since), oldest_unknown_age_ms: age(backlog.unknown_since) }
}

/// Numbers in the text format of Prometheus.
pub(super) async fn show_metrics(State(handle): State<Handle>) -> Response {
    // Numbers that cannot be had are left as they were: the others are needed above all when something is wrong.
    for (limit, count) in handle.read(parked::count).await.unwrap_or_default() {
        metrics::parked(limit, count);
    }
    render::response(200, "text/plain; version=0.0.4; charset=utf-8", handle.metrics_text().into_bytes())
}
