//! Owns: the part of `/_sandbox/…` that makes the gateway another one: its capabilities, its clock, its opinion of API
//! keys. Does not own: the rates of its faults (`control`).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::ApiError;
use crate::control::{App, answer, json_answer, parse};
use crate::lock::lock;
use crate::profile::Class;
use crate::shared::{SKEW_SECONDS_MAX, Shared};

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/capabilities", get(show_capabilities))
        .route("/_sandbox/profile", post(set_profile))
        .route("/_sandbox/unauthorised", post(set_unauthorised))
        .route("/_sandbox/clock", post(set_clock))
}

async fn show_capabilities(State(shared): App) -> Response {
    json_answer(&lock(&shared.profile).capabilities())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClassChoice {
    class: String,
    /// `refunds`, say; all kinds when it is absent.
    object: Option<String>,
}

async fn set_profile(State(shared): App, body: Bytes) -> Response {
    let chosen = parse::<ClassChoice>(&body).and_then(|choice| {
        let unknown = |what| ApiError::bad_request(format!("There is no {what}."));
        let class: Class = choice.class.parse().map_err(|()| unknown("such class: use P, A, B, C or D"))?;
        let mut profile = lock(&shared.profile);
        if profile.set(choice.object.as_deref(), class) {
            Ok(profile.capabilities())
        } else {
            Err(unknown("such object"))
        }
    });
    respond(chosen)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    requests: u64,
}

async fn set_unauthorised(State(shared): App, body: Bytes) -> Response {
    respond(parse::<Window>(&body).map(|window| {
        shared.unauthorised.store(window.requests, Ordering::Relaxed);
        json!({"requests": window.requests})
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skew {
    skew_seconds: i64,
}

async fn set_clock(State(shared): App, body: Bytes) -> Response {
    respond(parse::<Skew>(&body).and_then(|skew| {
        if !(-SKEW_SECONDS_MAX..=SKEW_SECONDS_MAX).contains(&skew.skew_seconds) {
            return Err(ApiError::bad_request("A clock can be wrong by a year at most."));
        }
        shared.clock_skew_seconds.store(skew.skew_seconds, Ordering::Relaxed);
        Ok(json!({"skew_seconds": skew.skew_seconds}))
    }))
}

fn respond(outcome: Result<Value, ApiError>) -> Response {
    match outcome {
        Ok(value) => json_answer(&value),
        Err(error) => answer(error.answer()),
    }
}
