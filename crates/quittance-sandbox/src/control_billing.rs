//! Owns: the part of `/_sandbox/…` that fills the account and lets its provider act on subscriptions. Does not own: what
//! follows from it (`execution`).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::post;

use crate::control::{App, answer, parse};
use crate::execution::{Seed, SubscriptionChange};
use crate::shared::Shared;

// Some 200,000 subscriptions.
const SEED_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    let seed = post(seed).layer(DefaultBodyLimit::max(SEED_BYTES_MAX));
    Router::new().route("/_sandbox/seed", seed).route("/_sandbox/subscriptions/{id}", post(change_subscription))
}

async fn seed(State(shared): App, body: Bytes) -> Response {
    answer(match parse::<Seed>(&body) {
        Ok(seed) => shared.act(|execution| execution.seed(seed)),
        Err(error) => error.answer(),
    })
}

async fn change_subscription(State(shared): App, Path(subscription): Path<String>, body: Bytes) -> Response {
    answer(match parse::<SubscriptionChange>(&body) {
        Ok(change) => shared.act(|execution| execution.change_subscription(&subscription, change)),
        Err(error) => error.answer(),
    })
}
