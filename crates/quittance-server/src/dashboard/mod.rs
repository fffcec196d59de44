//! The dashboard: pages for people who have to see whether money and records agree, rendered here, served under `/dashboard`.
//!
//! Owns who is logged in, what pages look like, and the headers that keep browsers strict. Reads and does everything by the
//! functions of the API, under the key that a session was begun with, so that nobody sees or does more here than there.
//! **No page needs a script, none is kept by a browser, and none has anything of another origin.**

mod assets;
mod attempts;
mod decide;
mod discrepancies;
mod door;
mod ledger;
mod live;
mod overview;
mod page;
mod pairs;
mod payments;
mod sequence;
mod sessions;
mod settings;
mod trace;
mod view;
mod visitor;

use crate::runtime::Handle;
use attempts::Attempts;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use http::{HeaderName, HeaderValue, header};
use sessions::Sessions;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Where all of it is.
const ROOT: &str = "/dashboard";

/// What browsers are told about every answer; what an answer says of itself counts more.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// What all pages share.
#[derive(Clone)]
pub(crate) struct Dashboard {
    handle: Handle,
    sessions: Arc<Sessions>,
    attempts: Arc<Attempts>,
    /// Pages that keep themselves current.
    streams: Arc<Semaphore>,
}

/// The pages, beside whatever else is served.
pub(crate) fn router(handle: &Handle) -> Router<Handle> {
    let dashboard = Dashboard {
        handle: handle.clone(),
        sessions: Arc::default(),
        attempts: Arc::default(),
        streams: Arc::new(Semaphore::new(live::STREAMS_MAX)),
    };
    Router::new()
        .route(ROOT, get(overview::show))
        .route("/dashboard/", get(async || Redirect::permanent(ROOT)))
        .route("/dashboard/login", get(door::ask).post(door::log_in))
        .route("/dashboard/logout", post(door::log_out))
        .route("/dashboard/live", get(live::stream))
        .route("/dashboard/fragment", get(live::part))
        .route("/dashboard/payments", get(payments::list))
        .route("/dashboard/payments/{id}", get(payments::show))
        .route("/dashboard/trace", get(trace::show))
        .route("/dashboard/discrepancies", get(discrepancies::list))
        .route("/dashboard/discrepancies/{id}", get(discrepancies::show))
        .route("/dashboard/discrepancies/{id}/decide", get(decide::ask).post(decide::decide))
        .route("/dashboard/pairs", get(pairs::list))
        .route("/dashboard/pairs/{name}", get(pairs::show))
        .route("/dashboard/pairs/{name}/pause", post(pairs::pause))
        .route("/dashboard/pairs/{name}/resume", post(pairs::resume))
        .route("/dashboard/ledger", get(ledger::show))
        .route("/dashboard/settings", get(settings::show))
        .route("/dashboard/assets/{name}", get(assets::show))
        .route("/dashboard/{*path}", get(page::nowhere))
        .layer(from_fn(dress))
        .with_state(dashboard)
}

async fn dress(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
