//! The HTTP API: one router, one group of endpoints per file.
//!
//! Owns what HTTP asks and answers. A request that changes something is checked completely before it becomes a command,
//! and is answered with what is committed. Does not own sockets, nor any decision about money.

mod alerts;
mod commands;
mod constant;
mod contract;
mod cursor;
mod customers;
pub(crate) mod decisions;
pub(crate) mod discrepancies;
mod disputes;
mod effects;
mod endpoint_body;
mod endpoints;
mod event_deliveries;
mod events;
mod evidence;
pub(crate) mod findings;
mod guard;
mod health;
pub(crate) mod intake;
pub(crate) mod ledger;
pub(crate) mod pairs;
mod pause;
pub(crate) mod payment_list;
mod payment_steps;
mod payments;
mod prefer;
pub(crate) mod query;
mod refund_list;
mod refunds;
mod repairs;
pub(crate) mod rows;
pub(crate) mod runs;
mod schemas;
mod trace;
mod truth;
mod waiting;
mod webhooks;

pub use constant::constant;
pub(crate) use guard::named;

use crate::dashboard;
use crate::runtime::Handle;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

/// The whole API over a running engine.
pub fn router(handle: Handle) -> Router {
    let work = Router::new()
        .route("/v1/customers", post(customers::create).get(customers::list))
        .route("/v1/customers/{id}", get(customers::show))
        .route("/v1/payments", post(payments::create).get(payment_list::list))
        .route("/v1/payments/{id}", get(payments::show))
        .route("/v1/payments/{id}/capture", post(payment_steps::capture))
        .route("/v1/payments/{id}/cancel", post(payment_steps::cancel))
        .route("/v1/refunds", post(refunds::create).get(refund_list::list))
        .route("/v1/refunds/{id}", get(refunds::show))
        .route("/v1/disputes", get(disputes::list))
        .route("/v1/disputes/{id}", get(disputes::show))
        .route("/v1/disputes/{id}/evidence", post(evidence::submit))
        .route("/v1/commands/{id}", get(commands::show))
        .route("/v1/effects/{id}/resolve", post(effects::resolve))
        .route("/v1/ledger/entries", get(ledger::entries))
        .route("/v1/ledger/balances", get(ledger::balances))
        .route("/v1/ledger/accounts", get(ledger::accounts))
        .route("/v1/trace/{id}", get(trace::show))
        .route("/v1/pause", post(pause::pause))
        .route("/v1/resume", post(pause::resume))
        .route("/v1/discrepancies", get(discrepancies::list))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/discrepancies/{id}", get(discrepancies::show))
        .route("/v1/discrepancies/{id}/ignore", post(decisions::ignore))
        .route("/v1/discrepancies/{id}/approve", post(decisions::approve))
        .route("/v1/discrepancies/{id}/resolve", post(decisions::resolve))
        .route("/v1/pairs", get(pairs::list))
        .route("/v1/pairs/{name}", get(pairs::show))
        .route("/v1/runs", get(runs::list))
        .route("/v1/runs/{id}", get(runs::show))
        .route("/v1/proofs", get(runs::proofs))
        .route("/v1/proofs/{run}", get(runs::proof))
        .route("/v1/truth/{pair}/{key}", get(truth::show))
        .route("/v1/truth/{pair}/{key}/invalidate", post(truth::invalidate))
        .route("/v1/gateway-objects/requeue", post(repairs::requeue))
        .route("/v1/inbox/{event}/replay", post(repairs::replay))
        .route("/webhooks/{endpoint_id}", post(webhooks::receive))
        .route("/v1/webhook_endpoints", post(endpoints::create).get(endpoints::list))
        .route("/v1/webhook_endpoints/{id}", get(endpoints::show).post(endpoints::update).delete(endpoints::delete))
        .route("/v1/webhook_endpoints/{id}/rotate-secret", post(endpoints::rotate))
        .route("/v1/webhook_endpoints/{id}/enable", post(endpoints::enable))
        .route("/v1/webhook_endpoints/{id}/disable", post(endpoints::disable))
        .route("/v1/webhook_endpoints/{id}/deliveries", get(event_deliveries::of_endpoint))
        .route("/v1/events", get(events::list))
        .route("/v1/events/{id}", get(events::show))
        .route("/v1/events/{id}/deliveries", get(event_deliveries::of_event))
        .route("/v1/events/{id}/replay", post(events::replay))
        .route("/schemas", get(schemas::list))
        .route("/schemas/{name}", get(schemas::show))
        .merge(dashboard::router(&handle))
        .layer(from_fn_with_state(guard::Guard::new(handle.config()), guard::limit));
    // A process that takes no requests says how it does, and that is all.
    let work = if handle.roles().api { work } else { Router::new() };
    Router::new()
        .merge(work)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::show_metrics))
        .route("/openapi.json", get(contract::show))
        .fallback(guard::not_found)
        .method_not_allowed_fallback(guard::method_not_allowed)
        .layer(from_fn(guard::protect))
        .with_state(handle)
}
