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
use crate::control::{App, json_answer, parse, respond};
use crate::lock::lock;
use crate::profile::Class;
use crate::shared::{SKEW_SECONDS_MAX, Shared};

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/capabilities", get(show_capabilities))
        .route("/_sandbox/profile", post(set_profile))
        .route("/_sandbox/unauthorised", post(set_unauthorised))
        .route("/_sandbox/clock", get(show_clock).post(set_clock))
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

async fn show_clock(State(shared): App) -> Response {
    json_answer(&clock(&shared))
}

fn clock(shared: &Shared) -> Value {
    json!({"skew_seconds": shared.clock_skew_seconds.load(Ordering::Relaxed), "now": shared.now()})
}

/// How wrong the clock is, or how far it moves on from where it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skew {
    skew_seconds: Option<i64>,
    advance_s: Option<u32>,
}

async fn set_clock(State(shared): App, body: Bytes) -> Response {
    respond(parse::<Skew>(&body).and_then(|skew| {
        let moved = |before: i64| match (skew.skew_seconds, skew.advance_s) {
            (Some(skew), None) => Some(skew),
            (None, Some(seconds)) => Some(before.saturating_add(i64::from(seconds))),
            _ => None,
        };
        let kept = |skew: &i64| (-SKEW_SECONDS_MAX..=SKEW_SECONDS_MAX).contains(skew);
        let skew = &shared.clock_skew_seconds;
        let set = skew.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |before| moved(before).filter(kept));
        set.map(|_| clock(&shared)).map_err(|_| {
            let message = "Say either `skew_seconds` or `advance_s`; a clock can be wrong by a year at most.";
            ApiError::bad_request(message)
        })
    }))
}
