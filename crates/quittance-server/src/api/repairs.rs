//! `POST /v1/gateway-objects/requeue` and `POST /v1/inbox/{event}/replay`, for credentials of scope `admin`.
//!
//! Looking again and applying again change nothing by themselves, so these need no idempotency key.

use super::intake::KeylessIntake;
use super::query::Name;
use super::waiting::or_problem;
use crate::json::{Alphabet, Fields, Need, Text};
use crate::problem::{Problem, catalogue};
use crate::render;
use crate::repairs::{self, ID_BYTES_MAX, ReplayError};
use crate::runtime::{Handle, SubmitError};
use crate::switches::REASON_BYTES_MAX;
use axum::extract::{Request, State};
use axum::response::Response;
use quittance_core::tenant::Scope;
use quittance_engine::submission::{Outcome, Requeue, Submission};
use serde::Serialize;

/// A gateway's name, or its id of an object.
const ID: Text = Text { bytes_max: ID_BYTES_MAX, alphabet: Alphabet::Line };
/// Why, for people.
const REASON: Text = Text { bytes_max: REASON_BYTES_MAX, alphabet: Alphabet::Line };

#[derive(Serialize)]
struct RequeuedView<'a> {
    gateway: &'a str,
    object: &'a str,
    requeued: bool,
}

#[derive(Serialize)]
struct ReplayedView<'a> {
    event: &'a str,
    replayed: bool,
}

/// `POST /v1/gateway-objects/requeue`
pub(super) async fn requeue(State(handle): State<Handle>, request: Request) -> Response {
    or_problem(try_requeue(&handle, request).await)
}

async fn try_requeue(handle: &Handle, request: Request) -> Result<Response, Problem> {
    let intake = KeylessIntake::read(handle, request, Scope::Admin).await?;
    let mut fields = Fields::of(&intake.body).map_err(Problem::invalid_body)?;
    let gateway = fields.text("gateway", Need::Required, ID);
    let object = fields.text("object", Need::Required, ID);
    let reason = fields.text("reason", Need::Required, REASON);
    fields.finish().map_err(Problem::invalid_body)?;
    let (gateway, object) = (gateway.unwrap_or_default(), object.unwrap_or_default());
    let word = repairs::word(intake.caller.credential.to_string(), reason.unwrap_or_default());
    let requeue = Requeue { gateway: gateway.clone(), object: object.clone(), word };
    submit(handle, Submission::Requeue(Box::new(requeue))).await?;
    Ok(render::ok(&RequeuedView { gateway: &gateway, object: &object, requeued: true }))
}

/// `POST /v1/inbox/{event}/replay`
pub(super) async fn replay(State(handle): State<Handle>, Name(event): Name, request: Request) -> Response {
    or_problem(try_replay(&handle, &event, request).await)
}

async fn try_replay(handle: &Handle, event: &str, request: Request) -> Result<Response, Problem> {
    let intake = KeylessIntake::read(handle, request, Scope::Admin).await?;
    let mut fields = Fields::of(&intake.body).map_err(Problem::invalid_body)?;
    let gateway = fields.text("gateway", Need::Optional, ID);
    let reason = fields.text("reason", Need::Required, REASON);
    fields.finish().map_err(Problem::invalid_body)?;
    let word = repairs::word(intake.caller.credential.to_string(), reason.unwrap_or_default());
    let submission = repairs::replay(handle, gateway.as_deref(), event, word).await.map_err(|error| match error {
        ReplayError::Unknown | ReplayError::Pruned => Problem::new(&catalogue::NOT_FOUND, error.to_string()),
        ReplayError::Unreadable(_) => Problem::new(&catalogue::WEBHOOK_MALFORMED, error.to_string()),
        ReplayError::Read(error) => Problem::from(error),
    })?;
    submit(handle, submission).await?;
    Ok(render::ok(&ReplayedView { event, replayed: true }))
}

async fn submit(handle: &Handle, submission: Submission) -> Result<(), Problem> {
    match handle.submit(submission).await {
        Ok(Outcome::Done | Outcome::Applied { .. }) => Ok(()),
        Ok(Outcome::Conflict(what)) => Err(Problem::new(&catalogue::NOT_FOUND, what)),
        Ok(Outcome::Failed(failure)) => Err(Problem::from(failure)),
        Ok(other) => Err(Problem::internal(&format!("a repair ended as {other:?}"))),
        Err(SubmitError::Overloaded { retry_after_s }) => {
            Err(Problem::new(&catalogue::OVERLOADED, "the engine is behind").retry_after(retry_after_s))
        }
        Err(SubmitError::Closed) => Err(Problem::new(&catalogue::STOPPING, "no more is taken").retry_after(5)),
    }
}
