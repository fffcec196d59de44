//! Owns: one request under `/v1` from first byte to last: the order of checks and the place of
//! each fault among them. Does not own: what the request does.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::answer::{Answer, ApiError, ErrorKind};
use crate::authentication;
use crate::clock;
use crate::connection::{Ending, hang_up};
use crate::dialect::Params;
use crate::dialect::endpoint::Endpoint;
use crate::dialect::operation::Operation;
use crate::execution::read;
use crate::faults::{Access, Fault};
use crate::idempotency::{Claim, Slot};
use crate::lock::lock;
use crate::objects::{API_VERSION, Origin};
use crate::shared::{Core, Shared};

// A form of the largest request understood here has a few kilobytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Everything about a request that a decision may depend on.
struct Call<'a> {
    parts: &'a Parts,
    form: &'a str,
    request_id: &'a str,
    key: Option<&'a str>,
}

/// How a request ends, and after which pause.
struct Verdict {
    delay: Duration,
    end: End,
}

enum End {
    Reply(Reply),
    HangUp(Ending),
}

struct Reply {
    answer: Answer,
    original_request: Option<String>,
    retry_after: Option<u64>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, original_request: None, retry_after: None }
    }
}

impl Verdict {
    fn reply(reply: impl Into<Reply>) -> Self {
        Self { delay: Duration::ZERO, end: End::Reply(reply.into()) }
    }
}

/// Answers everything under `/v1`.
pub(crate) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let request_id = shared.next_request_id();
    let (parts, body) = request.into_parts();
    let verdict = match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => judge(&shared, &parts, &body, &request_id),
        Err(_) => {
            let error = ApiError::new(413, ErrorKind::InvalidRequest, "The request body is too large.");
            Verdict::reply(error.answer())
        }
    };
    if !verdict.delay.is_zero() {
        tokio::time::sleep(verdict.delay).await;
    }
    match verdict.end {
        End::Reply(reply) => respond(&parts.headers, &request_id, reply),
        End::HangUp(ending) => hang_up(&parts.extensions, ending).await,
    }
}

/// Nothing in here waits: the fate of a request is decided at once, its pauses come afterwards.
fn judge(shared: &Shared, parts: &Parts, body: &[u8], request_id: &str) -> Verdict {
    let verdict = std::str::from_utf8(body)
        .map_err(|_| ApiError::bad_request("Invalid encoding of parameters."))
        .and_then(|form| {
            let key = idempotency_key(&parts.method, &parts.headers)?;
            decide(shared, &Call { parts, form, request_id, key })
        });
    verdict.unwrap_or_else(|error| Verdict::reply(error.answer()))
}

/// Stripe takes keys on POST only; elsewhere they mean nothing.
fn idempotency_key<'a>(method: &Method, headers: &'a HeaderMap) -> Result<Option<&'a str>, ApiError> {
    let Some(value) = headers.get("idempotency-key").filter(|_| method == Method::POST) else {
        return Ok(None);
    };
    let refusal = |message| Err(ApiError::bad_request(message));
    match value.to_str() {
        Ok(key) if key.len() > 255 => refusal("Idempotency keys can be at most 255 characters long."),
        Ok(key) => Ok(Some(key).filter(|key| !key.is_empty())),
        Err(_) => refusal("Idempotency keys must be printable ASCII."),
    }
}

fn decide(shared: &Shared, call: &Call<'_>) -> Result<Verdict, ApiError> {
    authentication::check(&call.parts.headers, shared.api_keys.as_deref())?;
    let method = &call.parts.method;
    let path = call.parts.uri.path();
    let (endpoint, id) = Endpoint::find(method, path).ok_or_else(|| {
        let message = format!("Unrecognized request URL ({method}: {path}).");
        ApiError::new(404, ErrorKind::InvalidRequest, message)
    })?;
    let access = if method == Method::GET { Access::Read } else { Access::Write };
    let url = call.parts.uri.path_and_query().map_or(path, |url| url.as_str());
    let fault = shared.faults.draw(access, method.as_str(), endpoint.class(), call.key.unwrap_or(url));
    if let Some(verdict) = fault.and_then(|fault| before_effect(shared, access, fault)) {
        return Ok(verdict);
    }
    let query = call.parts.uri.query().unwrap_or("");
    let params = Params::parse(&format!("{query}&{}", call.form))?;
    let fingerprint = params.fingerprint(method.as_str(), path);
    let operation = Operation::read(endpoint, params)?;
    if access == Access::Read {
        let answer = read(&lock(&shared.core).books, id, operation)?;
        return Ok(after_effect(shared, fault, answer));
    }
    write(shared, call, id, operation, fingerprint, fault)
}

/// The faults that strike before parameters and keys are looked at.
fn before_effect(shared: &Shared, access: Access, fault: Fault) -> Option<Verdict> {
    let verdict = match fault {
        Fault::TimeoutBeforeEffect => Verdict { delay: shared.hold, end: End::HangUp(Ending::Closed) },
        Fault::ConnectionReset => Verdict { delay: Duration::ZERO, end: End::HangUp(Ending::Reset) },
        Fault::RateLimited { retry_after } => {
            let message =
                "Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.";
            let answer = ApiError::new(429, ErrorKind::InvalidRequest, message).code("rate_limit").answer();
            Verdict::reply(Reply { retry_after, ..answer.into() })
        }
        Fault::Unavailable => {
            let error = ApiError::new(503, ErrorKind::Api, "The service is temporarily unavailable.");
            Verdict::reply(error.answer())
        }
        // A write's 500 is stored, so it has to pass the idempotency layer.
        Fault::Error500NotCharged if access == Access::Read => Verdict::reply(ApiError::internal().answer()),
        _ => return None,
    };
    shared.faults.count(fault);
    Some(verdict)
}

/// The faults that hide an answer that exists.
fn after_effect(shared: &Shared, fault: Option<Fault>, reply: impl Into<Reply>) -> Verdict {
    let reply = reply.into();
    let verdict = match fault {
        Some(Fault::TimeoutAfterEffect) => Verdict { delay: shared.hold, end: End::HangUp(Ending::Closed) },
        Some(Fault::LostAnswer) => Verdict { delay: Duration::ZERO, end: End::HangUp(Ending::Reset) },
        Some(Fault::SlowAnswer) => Verdict { delay: shared.slow, end: End::Reply(reply) },
        _ => return Verdict::reply(reply),
    };
    if let Some(fault) = fault {
        shared.faults.count(fault);
    }
    verdict
}

/// Passes the idempotency layer, and carries the request out when the key is new.
fn write(
    shared: &Shared,
    call: &Call<'_>,
    id: &str,
    operation: Operation,
    fingerprint: [u8; 16],
    fault: Option<Fault>,
) -> Result<Verdict, ApiError> {
    let now = clock::monotonic();
    let mut core = lock(&shared.core);
    let claim = match call.key {
        Some(key) => core.keys.claim(key, fingerprint, now),
        None => Claim::Run { incarnation: 0 },
    };
    let incarnation = match claim {
        Claim::Run { incarnation } => incarnation,
        Claim::Replay { answer, original_request } => {
            let original_request = Some(original_request);
            let reply = Reply { original_request, ..answer.into() };
            return Ok(after_effect(shared, fault, reply));
        }
        Claim::InUse => return Err(in_use(call.key.unwrap_or(""))),
        Claim::Mismatch => return Err(mismatch(call.key.unwrap_or(""))),
    };
    let answer = carry_out(shared, &mut core, call, id, operation, incarnation, fault);
    if let Some(key) = call.key {
        let in_use = if fault == Some(Fault::SlowAnswer) { shared.slow } else { Duration::ZERO };
        core.keys.store(
            key,
            Slot {
                fingerprint,
                answer: answer.clone(),
                request_id: call.request_id.to_owned(),
                executed_at: now,
                in_use_until: now + in_use,
                incarnation,
            },
        );
    }
    Ok(after_effect(shared, fault, answer))
}

/// The effect, and the two faults that replace its answer for good.
fn carry_out(
    shared: &Shared,
    core: &mut Core,
    call: &Call<'_>,
    id: &str,
    operation: Operation,
    incarnation: u64,
    fault: Option<Fault>,
) -> Answer {
    if fault == Some(Fault::Error500NotCharged) {
        shared.faults.count(Fault::Error500NotCharged);
        return ApiError::internal().answer();
    }
    let origin = Origin { id: Some(call.request_id.to_owned()), idempotency_key: call.key.map(str::to_owned) };
    let host = call.parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let answer = shared.execute(core, origin, incarnation, host, |execution| execution.run(id, operation));
    // A refusal had no effect that a 500 could hide.
    if fault == Some(Fault::Error500Charged) && matches!(answer.status, 200 | 402) {
        shared.faults.count(Fault::Error500Charged);
        return ApiError::internal().answer();
    }
    answer
}

fn in_use(key: &str) -> ApiError {
    let message = format!(
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted \
         twice, and the other request is still going through): {key}. Please try again later."
    );
    ApiError::new(409, ErrorKind::Idempotency, message).code("idempotency_key_in_use")
}

fn mismatch(key: &str) -> ApiError {
    let message = format!(
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using \
         a key other than '{key}' if you meant to execute a different request."
    );
    ApiError::new(400, ErrorKind::Idempotency, message)
}

fn respond(headers: &HeaderMap, request_id: &str, reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.answer.body));
    *response.status_mut() = StatusCode::from_u16(reply.answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let answer = response.headers_mut();
    answer.insert("content-type", HeaderValue::from_static("application/json"));
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    };
    set("request-id", request_id);
    if let Some(original) = reply.original_request {
        set("original-request", &original);
        set("idempotent-replayed", "true");
    }
    if let Some(seconds) = reply.retry_after {
        set("retry-after", &seconds.to_string());
    }
    let version = headers.get("stripe-version").cloned();
    answer.insert("stripe-version", version.unwrap_or(HeaderValue::from_static(API_VERSION)));
    if let Some(key) = headers.get("idempotency-key") {
        answer.insert("idempotency-key", key.clone());
    }
    response
}
