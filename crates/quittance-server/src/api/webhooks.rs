//! `POST /webhooks/{endpoint_id}`: a gateway's event, verified over its raw bytes and acknowledged once it is stored.
//!
//! An event is a hint. What follows from it is the engine's business; the request is answered as soon as the event is
//! durable, and no gateway is called in between.

use super::intake::{bounded, check_announced_length};
use super::query::Name;
use crate::metrics;
use crate::problem::{Problem, catalogue};
use crate::render;
use crate::runtime::{Handle, SubmitError, WebhookEndpoint};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use quittance_connectors::connector::Connector;
use quittance_connectors::event::{Event, EventError, MAX_EVENT_BYTES};
use quittance_connectors::stripe::webhook::{SignatureError, verify};
use quittance_core::tenant::Mode;
use quittance_engine::submission::{Outcome, Submission, WebhookEvent};
use quittance_store::records::EventSource;
use serde::Serialize;

#[derive(Serialize)]
struct Received {
    received: bool,
    duplicate: bool,
}

/// `POST /webhooks/{endpoint_id}`
pub(super) async fn receive(State(handle): State<Handle>, Name(endpoint): Name, request: Request) -> Response {
    let Some(known) = handle.webhook_endpoint(&endpoint) else {
        // Not counted: anybody can make up names.
        return Problem::new(&catalogue::NOT_FOUND, "no webhook endpoint has this name").into_response();
    };
    let gateway = known.gateway;
    let answer = try_receive(&handle, &endpoint, known, request).await;
    metrics::webhook(
        &endpoint,
        gateway,
        match &answer {
            Ok(Received { duplicate: false, .. }) => "accepted",
            Ok(Received { duplicate: true, .. }) => "duplicate",
            Err(problem) => problem.kind().code,
        },
    );
    answer.map_or_else(IntoResponse::into_response, |received| render::ok(&received))
}

async fn try_receive(
    handle: &Handle,
    endpoint: &str,
    known: WebhookEndpoint<'_>,
    request: Request,
) -> Result<Received, Problem> {
    check_announced_length(request.headers(), MAX_EVENT_BYTES)?;
    let (parts, body) = request.into_parts();
    let signature = signature(&parts.headers)?;
    let body = bounded(body, MAX_EVENT_BYTES).await?;
    let secrets: Vec<&str> = known.secrets.iter().map(|(_, secret)| secret.expose()).collect();
    if secrets.is_empty() {
        return Err(Problem::new(&catalogue::WEBHOOK_SIGNATURE, "every secret of this endpoint is retired or revoked"));
    }
    let secret = verify(signature, &body, &secrets, handle.now().seconds(), known.tolerance_s).map_err(unverified)?;
    let event = decode(known.connector.as_ref(), &body)?;
    check_ownership(&event, &known)?;
    handle.note_version(known.gateway, event.api_version.as_deref());
    // Also when it came before, or cannot be stored now: to ask once more does no harm.
    handle.note_heard(known.gateway, event.object_id.as_deref());
    let event = WebhookEvent {
        gateway: known.gateway.to_owned(),
        source: EventSource::Webhook,
        endpoint: Some(endpoint.to_owned()),
        secret: known.secrets.get(secret).map(|(name, _)| name.clone()),
        event,
        body: body.to_vec(),
    };
    match handle.submit(Submission::Webhook(Box::new(event))).await {
        Ok(outcome) => acknowledge(outcome),
        Err(SubmitError::Overloaded { retry_after_s }) => {
            Err(Problem::new(&catalogue::OVERLOADED, "the engine is behind").retry_after(retry_after_s))
        }
        Err(SubmitError::Closed) => Err(Problem::new(&catalogue::STOPPING, "no more events are taken").retry_after(5)),
    }
}

fn signature(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut lines = headers.get_all("stripe-signature").iter();
    let line = lines.next().and_then(|line| line.to_str().ok());
    match (line, lines.next()) {
        (Some(line), None) => Ok(line),
        _ => Err(Problem::new(&catalogue::WEBHOOK_SIGNATURE, "one header Stripe-Signature is needed")),
    }
}

fn unverified(error: SignatureError) -> Problem {
    match error {
        SignatureError::Misconfigured => Problem::internal(&error),
        SignatureError::MalformedHeader
        | SignatureError::NoSupportedSignature
        | SignatureError::TooManySignatures
        | SignatureError::BadSignature
        | SignatureError::TimestampTooOld { .. }
        | SignatureError::TimestampInFuture { .. } => Problem::new(&catalogue::WEBHOOK_SIGNATURE, error.to_string()),
    }
}

fn decode(connector: &dyn Connector, body: &[u8]) -> Result<Event, Problem> {
    let malformed = |error: EventError| Problem::new(&catalogue::WEBHOOK_MALFORMED, error.to_string());
    connector.decode_event(body).map_err(malformed)
}

/// An event about the other kind of money, or of another account, is not of this gateway, whoever signed it.
fn check_ownership(event: &Event, known: &WebhookEndpoint<'_>) -> Result<(), Problem> {
    let foreign = |why: String| Err(Problem::new(&catalogue::WEBHOOK_NOT_OURS, why));
    let event_mode = event.livemode.map(|is_live| if is_live { Mode::Live } else { Mode::Test });
    match (event_mode, known.mode) {
        (Some(event), Some(gateway)) if event != gateway => {
            return foreign(format!("a {} event for a {} gateway", event.name(), gateway.name()));
        }
        _ => {}
    }
    match (event.account.as_deref(), known.account) {
        (Some(event), Some(account)) if event != account => foreign("an event of another account".to_owned()),
        _ => Ok(()),
    }
}

fn acknowledge(outcome: Outcome) -> Result<Received, Problem> {
    match outcome {
        Outcome::Done | Outcome::Applied { .. } | Outcome::Fenced => Ok(Received { received: true, duplicate: false }),
        Outcome::Duplicate => Ok(Received { received: true, duplicate: true }),
        Outcome::Failed(failure) => Err(Problem::from(failure)),
        other => Err(Problem::internal(&format!("a webhook ended as {other:?}"))),
    }
}
