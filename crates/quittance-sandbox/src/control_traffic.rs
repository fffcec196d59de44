//! Owns: the part of `/_sandbox/…` about requests: how many came, how many may come, who may ask for what, and how far
//! lists are behind. Does not own: faults (`control`).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::ApiError;
use crate::config::RestrictedKey;
use crate::control::{App, json_answer, parse, respond};
use crate::lock::lock;
use crate::permissions;
use crate::shared::Shared;
use crate::traffic::RateLimit;
use crate::visibility::Lag;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/requests", get(show_requests).delete(forget_requests))
        .route("/_sandbox/rate_limit", post(set_rate_limit))
        .route("/_sandbox/visibility", post(set_visibility))
        .route("/_sandbox/keys", post(restrict_key))
}

async fn show_requests(State(shared): App) -> Response {
    json_answer(&json!(lock(&shared.traffic).report()))
}

async fn forget_requests(State(shared): App) -> Response {
    let mut traffic = lock(&shared.traffic);
    traffic.reset();
    json_answer(&json!(traffic.report()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    /// `null` takes the limit away.
    requests_per_second: Option<u32>,
    retry_after_s: Option<u64>,
}

async fn set_rate_limit(State(shared): App, body: Bytes) -> Response {
    respond(parse::<Limit>(&body).map(|limit| {
        let retry_after_s = limit.retry_after_s.unwrap_or(1);
        let limit = RateLimit { requests_per_second: limit.requests_per_second, retry_after_s };
        lock(&shared.traffic).set_limit(limit);
        json!(limit)
    }))
}

async fn set_visibility(State(shared): App, body: Bytes) -> Response {
    respond(parse::<Lag>(&body).and_then(|lag| {
        check_collections(&lag.lists)?;
        let answer = json!(lag);
        lock(&shared.core).visibility.set(lag);
        Ok(answer)
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyChoice {
    key: String,
    #[serde(default)]
    may_write: bool,
    #[serde(default)]
    may_not_read: Vec<String>,
}

async fn restrict_key(State(shared): App, body: Bytes) -> Response {
    respond(parse::<KeyChoice>(&body).and_then(|choice| {
        let KeyChoice { key, may_write, may_not_read } = choice;
        if key.is_empty() {
            return Err(ApiError::bad_request("A key has at least one letter.").param("key"));
        }
        check_collections(&may_not_read)?;
        let answer: Value = json!({"key": key, "may_write": may_write, "may_not_read": may_not_read});
        lock(&shared.permissions).restrict(RestrictedKey { key, may_write, may_not_read });
        Ok(answer)
    }))
}

fn check_collections(names: &[String]) -> Result<(), ApiError> {
    match names.iter().find(|name| permissions::resource(name).is_none()) {
        None => Ok(()),
        Some(name) => Err(ApiError::bad_request(format!("There is nothing under /v1/{name}."))),
    }
}
