//! Owns: one request under `/rail/v1` from first byte to last: the order of checks, the place of each fault among
//! them, and that there is no idempotency. Does not own: the wire (`dialect::rail`) and what a transfer does
//! (`execution::transfers`).

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::authentication;
use crate::dialect::rail::{Endpoint, Refusal, TransferDraft, TransferQuery, draft, query};
use crate::dice::Dice;
use crate::execution::{list_transfers, read_transfer};
use crate::fault::{Access, Fault};
use crate::gateway::{BODY_BYTES_MAX, finish};
use crate::late::{self, Postponed};
use crate::lock::lock;
use crate::objects::Origin;
use crate::shared::{Core, Shared};
use crate::verdict::{JSON, Reply, Trouble, Verdict, after_effect, before_effect};

/// Answers everything under `/rail/v1`.
pub(crate) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let request_id = shared.next_request_id();
    let (parts, body) = request.into_parts();
    let endpoint = Endpoint::find(&parts.method, parts.uri.path());
    shared.count_request(
        &parts.method,
        endpoint.map(|(endpoint, _)| format!("/rail/v1/{}", endpoint.class().trim_start_matches("rail/"))),
    );
    let verdict = match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => decide(&shared, &parts, &body),
        Err(_) => Err(Refusal::new(413, "too_large", "The request body is too large.")),
    };
    let verdict = verdict.unwrap_or_else(|refusal| Verdict::reply(refusal.answer()));
    finish(&shared, &parts, verdict, |reply| respond(&request_id, reply)).await
}

/// Nothing in here waits, as at Stripe's side.
fn decide(shared: &Shared, parts: &Parts, body: &[u8]) -> Result<Verdict, Refusal> {
    let bad_key = || Refusal::about(Trouble::BadKey);
    authentication::check(&parts.headers, |key| shared.knows_key(key)).map_err(|_| bad_key())?;
    if shared.is_unauthorised() {
        shared.faults.count(Fault::Unauthorised { requests: 1 });
        return Err(bad_key());
    }
    let unknown = || Refusal::new(404, "unknown_url", "There is nothing at this address.");
    let (endpoint, id) = Endpoint::find(&parts.method, parts.uri.path()).ok_or_else(unknown)?;
    let access = match endpoint {
        Endpoint::CreateTransfer => Access::PostponableWrite,
        Endpoint::ListTransfers | Endpoint::ReadTransfer | Endpoint::ReadStatus => Access::Read,
    };
    let body = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
    let url = parts.uri.path_and_query().map_or("", |url| url.as_str());
    let subject = body["reference"].as_str().filter(|_| access != Access::Read).unwrap_or(url);
    let fault = shared.faults.draw(access, parts.method.as_str(), endpoint.class(), subject);
    if let Some(verdict) = fault.and_then(|fault| before_effect(shared, access, fault, words)) {
        return Ok(verdict);
    }
    let books = || lock(&shared.core);
    let answer = match endpoint {
        Endpoint::CreateTransfer => return Ok(write(shared, draft(body)?, fault)),
        Endpoint::ReadTransfer => read_transfer(&books().books, id)?,
        Endpoint::ReadStatus => Answer::ok(&json!({"status": "ok"})),
        Endpoint::ListTransfers => {
            let mut query = query(parts.uri.query().unwrap_or(""))?;
            repeat_cursor(shared, &mut query, fault);
            list_transfers(&books().books, &query)?
        }
    };
    Ok(after_effect(shared, fault, answer))
}

fn words(trouble: Trouble) -> Answer {
    Refusal::about(trouble).answer()
}

fn repeat_cursor(shared: &Shared, query: &mut TransferQuery, fault: Option<Fault>) {
    if fault == Some(Fault::CursorRepeats) && query.page.starting_after.is_some() {
        query.page.repeats_cursor = true;
        shared.faults.count(Fault::CursorRepeats);
    }
}

/// Nothing is remembered but the transfer: a second request is a second transfer.
fn write(shared: &Shared, draft: TransferDraft, fault: Option<Fault>) -> Verdict {
    let mut core = lock(&shared.core);
    match fault {
        Some(Fault::LateEffect { delay }) => {
            late::postpone(shared, &mut core, Postponed::Transfer(Box::new(draft)), delay)
        }
        Some(fault @ (Fault::Error500Charged | Fault::Error500NotCharged)) => {
            if fault == Fault::Error500Charged {
                carry_out(shared, &mut core, draft);
            }
            shared.faults.count(fault);
            Verdict::reply(words(Trouble::Internal))
        }
        fault => {
            let answer = carry_out(shared, &mut core, draft);
            after_effect(shared, fault, answer)
        }
    }
}

/// The id follows from the reference and from how often it came before.
pub(crate) fn carry_out(shared: &Shared, core: &mut Core, draft: TransferDraft) -> Answer {
    let earlier = core.books.transfers_by_reference.find(&draft.reference).len();
    let earlier = u64::try_from(earlier).unwrap_or(u64::MAX);
    let dice = Dice::new(shared.seed).text("transfer").text(&draft.reference).number(earlier);
    shared.execute_with(core, dice, Origin::default(), "localhost", |execution| Ok(execution.create_transfer(draft)))
}

fn respond(request_id: &str, reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.answer.body));
    *response.status_mut() = StatusCode::from_u16(reply.answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(reply.content_type));
    if reply.content_type == JSON {
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert("request-id", id);
        }
        if let Some(seconds) = reply.retry_after {
            headers.insert("retry-after", seconds.into());
        }
    }
    response
}
