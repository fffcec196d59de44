//! Owns: one request under `/v1` from first byte to last: the order of checks and the place of
//! each fault among them. Does not own: what the request does.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::answer::{ApiError, ErrorKind};
use crate::authentication;
use crate::clock;
use crate::connection::hang_up;
use crate::dialect::Params;
use crate::dialect::endpoint::Endpoint;
use crate::dialect::operation::Operation;
use crate::execution::read;
use crate::fault::{Access, Fault};
use crate::lock::lock;
use crate::objects::API_VERSION;
use crate::profile::Class;
use crate::shared::Shared;
use crate::verdict::{End, JSON, Reply, Trouble, Verdict, after_effect, before_effect};
use crate::webhook_endpoints;
use crate::writing::{self, Write};

// A form of the largest request understood here has a few kilobytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Everything about a request that a decision may depend on.
struct Call<'a> {
    parts: &'a Parts,
    form: &'a str,
    request_id: &'a str,
    key: Option<&'a str>,
}

/// Answers everything under `/v1`.
pub(crate) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let request_id = shared.next_request_id();
    let (parts, body) = request.into_parts();
    let endpoint = Endpoint::find(&parts.method, parts.uri.path());
    shared.count_request(&parts.method, endpoint.map(|(endpoint, _)| format!("/v1/{}", endpoint.class())));
    let verdict = match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => judge(&shared, &parts, &body, &request_id),
        Err(_) => {
            let error = ApiError::new(413, ErrorKind::InvalidRequest, "The request body is too large.");
            Verdict::reply(error.answer())
        }
    };
    finish(&shared, &parts, verdict, |reply| respond(&parts.headers, &request_id, reply)).await
}

/// Waits as long as the verdict says, then answers with what `respond` makes of it, or hangs up.
pub(crate) async fn finish(
    shared: &Shared,
    parts: &Parts,
    verdict: Verdict,
    respond: impl FnOnce(Reply) -> Response,
) -> Response {
    if !verdict.delay.is_zero() {
        tokio::time::sleep(verdict.delay).await;
    }
    match verdict.end {
        End::Reply(reply) => {
            let mut response = respond(reply);
            date(shared, &mut response);
            response
        }
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
    let api_key = authentication::check(&call.parts.headers, |key| shared.knows_key(key))?;
    if shared.is_unauthorised() {
        shared.faults.count(Fault::Unauthorised { requests: 1 });
        return Err(ApiError::bad_key());
    }
    if let Err(seconds) = lock(&shared.traffic).admit(clock::monotonic()) {
        let answer = ApiError::about(Trouble::RateLimited).answer();
        return Ok(Verdict::reply(Reply { retry_after: Some(seconds), ..answer.into() }));
    }
    let method = &call.parts.method;
    let path = call.parts.uri.path();
    let (endpoint, id) = Endpoint::find(method, path).ok_or_else(|| {
        let message = format!("Unrecognized request URL ({method}: {path}).");
        ApiError::new(404, ErrorKind::InvalidRequest, message)
    })?;
    lock(&shared.permissions).check(&api_key, endpoint.collection(), method != Method::GET)?;
    let access = match call.key {
        _ if method == Method::GET => Access::Read,
        Some(_) if endpoint.can_be_late() => Access::PostponableWrite,
        _ => Access::Write,
    };
    let url = call.parts.uri.path_and_query().map_or(path, |url| url.as_str());
    let fault = shared.faults.draw(access, method.as_str(), endpoint.class(), call.key.unwrap_or(url));
    if let Some(verdict) =
        fault.and_then(|fault| before_effect(shared, access, fault, |trouble| ApiError::about(trouble).answer()))
    {
        return Ok(verdict);
    }
    let query = call.parts.uri.query().unwrap_or("");
    let params = Params::parse(&format!("{query}&{}", call.form))?;
    let fingerprint = params.fingerprint(method.as_str(), path);
    let operation = Operation::read(endpoint, params)?;
    let class = lock(&shared.profile).class(endpoint);
    if access == Access::Read {
        return answer_read(shared, (class, endpoint), id, operation, fault);
    }
    let host = call.parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let write = Write {
        id: id.to_owned(),
        operation,
        fingerprint,
        key: call.key.filter(|_| class.honours_keys()).map(str::to_owned),
        request_id: call.request_id.to_owned(),
        host: host.to_owned(),
    };
    writing::write(shared, write, fault)
}

fn answer_read(
    shared: &Shared,
    (class, endpoint): (Class, Endpoint),
    id: &str,
    mut operation: Operation,
    fault: Option<Fault>,
) -> Result<Verdict, ApiError> {
    if !class.reads_back() {
        return Err(unreadable(id));
    }
    let mut core = lock(&shared.core);
    if let Some(query) = operation.list_query() {
        query.unseen = shared.unseen(&mut core, endpoint.collection());
        query.hidden_events = lock(&shared.profile).hidden_events();
        if fault == Some(Fault::CursorRepeats) && query.starting_after.is_some() {
            query.repeats_cursor = true;
            shared.faults.count(Fault::CursorRepeats);
        }
    }
    let answer = match operation {
        Operation::ListWebhookEndpoints(query) => webhook_endpoints::list(&shared.webhooks, &query),
        operation => read(&core.books, id, operation),
    }?;
    Ok(after_effect(shared, fault, answer))
}

/// What a gateway answers that gives nothing back.
fn unreadable(id: &str) -> ApiError {
    if id.is_empty() {
        return ApiError::new(403, ErrorKind::InvalidRequest, "This account may not list objects of this kind.");
    }
    ApiError::missing("object", id, "id")
}

fn respond(headers: &HeaderMap, request_id: &str, reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.answer.body));
    *response.status_mut() = StatusCode::from_u16(reply.answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let answer = response.headers_mut();
    answer.insert("content-type", HeaderValue::from_static(reply.content_type));
    if reply.content_type != JSON {
        // Whoever wrote it knows nothing of the gateway's headers.
        return response;
    }
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

/// Only a wrong clock needs to be told: the server writes the right time by itself.
fn date(shared: &Shared, response: &mut Response) {
    let skew = shared.clock_skew_seconds.load(Ordering::Relaxed);
    if skew != 0
        && let Ok(value) = HeaderValue::from_str(&clock::http_date(clock::unix_seconds().saturating_add(skew)))
    {
        response.headers_mut().insert("date", value);
    }
}
