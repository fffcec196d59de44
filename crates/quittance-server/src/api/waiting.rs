//! A command on its way: submitted, waited for, and answered with what is committed.
//!
//! The answer of a finished command is its stored bytes, on the first request as on every retry. One that is not
//! finished in time is answered 202 with a snapshot, which is never stored.

use super::intake::Intake;
use super::prefer::Patience;
use super::rows;
use crate::problem::{MEDIA_TYPE, Problem, catalogue};
use crate::render::{self, PaymentView, RefundView, bytes, correlation_id, resource_path};
use crate::runtime::{Handle, InProgress, SubmitError, Watch};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use quittance_core::id::{CommandId, TenantId};
use quittance_core::idempotency::{Command, Key, Progress, Verdict, verdict};
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_core::rejection::Rejection;
use quittance_core::time::Timestamp;
use quittance_engine::submission::{Action, ClientCommand, Outcome, Submission};
use quittance_store::records::KeyEntry;
use quittance_store::store::{Reader, StoreError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Duration;

/// Seconds after which a client may look again.
const LOOK_AGAIN_S: u64 = 2;

/// Seconds after which a client may come back to a gateway that is far behind: it will not catch up in less.
const BACKLOG_RETRY_AFTER_S: u64 = 30;

/// Submits what a request asks, and answers it.
pub(super) async fn carry_out(
    handle: &Handle,
    intake: Intake,
    operation: &'static str,
    action: Action,
) -> Result<Response, Problem> {
    let server = &handle.config().server;
    let patience = Patience::of(&intake.headers, server.wait_ms, server.wait_max_ms);
    let tenant = intake.caller.tenant.id;
    let (key, fingerprint) = (intake.key, intake.fingerprint);
    let command = ClientCommand {
        tenant,
        credential: Some(intake.caller.credential),
        key: key.clone(),
        operation,
        fingerprint,
        api_version: render::API_VERSION.to_owned(),
        action,
    };
    let claim = handle.claim(tenant, &key).await.map_err(|InProgress| {
        Problem::new(&catalogue::KEY_IN_PROGRESS, "the first request under this key is not decided yet").retry_after(1)
    })?;
    let mut response = match handle.submit_claimed(Submission::Client(Box::new(command)), claim).await {
        Ok(submitted) => answer(handle, tenant, submitted.outcome, submitted.watch, &patience).await?,
        Err(SubmitError::Overloaded { retry_after_s }) => {
            // A replay can always learn its outcome, however much waits.
            let find = move |reader: &mut dyn Reader| known(reader, tenant, &key, operation, &fingerprint);
            let Some(outcome) = handle.read(find).await? else {
                return Err(Problem::new(&catalogue::OVERLOADED, "the engine is behind").retry_after(retry_after_s));
            };
            answer(handle, tenant, outcome, None, &patience).await?
        }
        Err(SubmitError::Closed) => {
            return Err(Problem::new(&catalogue::STOPPING, "no more commands are taken").retry_after(5));
        }
    };
    if response.status() == StatusCode::ACCEPTED {
        patience.apply(response.headers_mut());
    }
    Ok(response)
}

async fn answer(
    handle: &Handle,
    tenant: TenantId,
    outcome: Outcome,
    watch: Option<Watch>,
    patience: &Patience,
) -> Result<Response, Problem> {
    match outcome {
        // Whoever asks not to wait is told at once what was accepted.
        Outcome::Accepted { command, payment: Some(payment), .. } if patience.wait.is_zero() => {
            Ok(accepted(command, Some(&Resource::Payment(payment))))
        }
        Outcome::Accepted { command, .. } | Outcome::Joined { command, .. } => {
            wait(handle, tenant, command, watch, patience.wait).await
        }
        Outcome::Answered { status, body, .. } => Ok(frozen(status, body)),
        Outcome::Replayed(command) => match command.progress {
            Progress::Completed { status, body, at } => Ok(replayed(status, body, at)),
            Progress::InProgress | Progress::Tombstone { .. } => Err(Problem::internal(&"a replay without an answer")),
        },
        Outcome::Refused(rejection) => Err(Problem::from(&rejection)),
        Outcome::OverLimit { over, parked: None, .. } => Err(Problem::from(&Rejection::OverLimit(over))),
        // Nothing happens to it before a person has decided, so there is nothing to wait for now.
        Outcome::OverLimit { parked: Some(parked), .. } => {
            wait(handle, tenant, parked.command, None, Duration::ZERO).await
        }
        Outcome::Backlogged { gateway, age_ms } => {
            let detail = format!("a payment at `{gateway}` has waited for {} s to be sent", age_ms / 1_000);
            Err(Problem::new(&catalogue::OVERLOADED, detail).retry_after(BACKLOG_RETRY_AFTER_S))
        }
        Outcome::Failed(failure) => Err(Problem::from(failure)),
        other => Err(Problem::internal(&format!("a client's command ended as {other:?}"))),
    }
}

/// Waits for the end of a command that somebody began.
async fn wait(
    handle: &Handle,
    tenant: TenantId,
    id: CommandId,
    watch: Option<Watch>,
    patience: Duration,
) -> Result<Response, Problem> {
    // Whoever asks not to wait gets what is there.
    if patience.is_zero() {
        let (_, resource) = handle.read(move |reader| snapshot(reader, tenant, id)).await?;
        return Ok(accepted(id, resource.as_ref()));
    }
    let watch = match watch {
        Some(watch) => watch,
        None => {
            // An answer from before the watch began is in the row; one from after it reaches the watch.
            let watch = handle.watch(id);
            let (command, _) = handle.read(move |reader| snapshot(reader, tenant, id)).await?;
            if let Some(response) = finished(command) {
                return Ok(response);
            }
            watch
        }
    };
    if let Some((status, body)) = watch.answer(patience).await {
        return Ok(frozen(status, body));
    }
    let (command, resource) = handle.read(move |reader| snapshot(reader, tenant, id)).await?;
    Ok(finished(command).unwrap_or_else(|| accepted(id, resource.as_ref())))
}

fn finished(command: Option<Command>) -> Option<Response> {
    match command?.progress {
        Progress::Completed { status, body, .. } => Some(frozen(status, body)),
        Progress::InProgress | Progress::Tombstone { .. } => None,
    }
}

/// What a command works on, as it is at the moment.
enum Resource {
    Payment(Box<Payment>),
    Refund(Box<Refund>),
}

fn snapshot(
    reader: &mut dyn Reader,
    tenant: TenantId,
    id: CommandId,
) -> Result<(Option<Command>, Option<Resource>), StoreError> {
    let command: Option<Command> = rows::get(reader, vec![id.bytes().into()])?;
    let resource = match command.as_ref().and_then(|command| command.subject.as_deref()) {
        Some(subject) => find(reader, tenant, subject)?,
        None => None,
    };
    Ok((command, resource))
}

fn find(reader: &mut dyn Reader, tenant: TenantId, subject: &str) -> Result<Option<Resource>, StoreError> {
    if let Ok(payment) = subject.parse() {
        return Ok(rows::payment(reader, tenant, payment)?.map(|payment| Resource::Payment(Box::new(payment))));
    }
    let Ok(refund) = subject.parse() else { return Ok(None) };
    Ok(rows::refund(reader, tenant, refund)?.map(|refund| Resource::Refund(Box::new(refund))))
}

/// What a key means, as the store has it: none when it was never seen.
fn known(
    reader: &mut dyn Reader,
    tenant: TenantId,
    key: &Key,
    operation: &str,
    fingerprint: &[u8; 32],
) -> Result<Option<Outcome>, StoreError> {
    let place = vec![tenant.bytes().into(), key.digest().into()];
    let Some(entry) = rows::get::<KeyEntry>(reader, place)? else {
        return Ok(None);
    };
    let command: Option<Command> = rows::get(reader, vec![entry.command.bytes().into()])?;
    Ok(match verdict(command.as_ref(), key, operation, fingerprint) {
        Verdict::Fresh => None,
        Verdict::Replay(command) => Some(Outcome::Replayed(Box::new(command.clone()))),
        Verdict::InProgress(command) => Some(Outcome::Joined { command: command.id, subject: command.subject.clone() }),
        Verdict::Expired(command) => {
            Some(Outcome::Refused(Rejection::KeyExpired { command: command.id, subject: command.subject.clone() }))
        }
        Verdict::Reused => Some(Outcome::Refused(Rejection::KeyReused)),
    })
}

/// What a 202 says where no payment and no refund is under way.
#[derive(Serialize)]
struct Pending {
    object: &'static str,
    status: &'static str,
    command_id: String,
    correlation_id: String,
}

fn accepted(id: CommandId, resource: Option<&Resource>) -> Response {
    let body = match resource {
        Some(Resource::Payment(payment)) => bytes(&PaymentView::of(payment)),
        Some(Resource::Refund(refund)) => bytes(&RefundView::of(refund)),
        None => bytes(&Pending {
            object: "command",
            status: "processing",
            command_id: id.to_string(),
            correlation_id: correlation_id(id),
        }),
    };
    let mut response = render::response(202, "application/json", body);
    put(&mut response, header::LOCATION, format!("/v1/commands/{id}"));
    put(&mut response, header::RETRY_AFTER, LOOK_AGAIN_S.to_string());
    response
}

/// Members of a stored answer that a header repeats.
#[derive(Deserialize)]
struct Place<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    resource: Option<Cow<'a, str>>,
}

/// A stored answer: headers follow from status and bytes, so that they are the same on every retry.
pub(super) fn frozen(status: u16, body: Vec<u8>) -> Response {
    let place = match status {
        201 | 409 => serde_json::from_slice::<Place<'_>>(&body).ok(),
        _ => None,
    };
    let location = place.and_then(|place| match (status, place.id, place.resource) {
        (201, Some(id), _) => resource_path(&id),
        (409, _, Some(resource)) => Some(resource.into_owned()),
        _ => None,
    });
    let media_type = if status >= 400 { MEDIA_TYPE } else { "application/json" };
    let mut response = render::response(status, media_type, body);
    if let Some(location) = location {
        put(&mut response, header::LOCATION, location);
    }
    response
}

fn replayed(status: u16, body: Vec<u8>, at: Timestamp) -> Response {
    let mut response = frozen(status, body);
    put(&mut response, HeaderName::from_static("idempotent-replayed"), "true".to_owned());
    if let Ok(at) = jiff::Timestamp::from_microsecond(at.0) {
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        put(&mut response, HeaderName::from_static("idempotency-original-date"), date);
    }
    response
}

fn put(response: &mut Response, name: HeaderName, value: String) {
    // Paths made of ids, numbers and dates.
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(name, value);
    }
}

/// A problem is an answer.
pub(super) fn or_problem(answer: Result<Response, Problem>) -> Response {
    answer.unwrap_or_else(IntoResponse::into_response)
}
