//! Owns: `/_sandbox/…`, by which a demonstration or a test looks behind the gateway. Does not own:
//! who may reach it; that is the business of whoever chooses the listening address.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::{Answer, ApiError};
use crate::books::{GroupBy, audit, group, group_refunds, group_transfers};
use crate::config::{FaultProfile, FaultRates, WebhookTarget};
use crate::control_billing;
use crate::control_money;
use crate::control_profile;
use crate::control_traffic;
use crate::execution::Outcome;
use crate::late;
use crate::lock::lock;
use crate::shared::Shared;

pub(crate) type App = State<Arc<Shared>>;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_sandbox/health", get(async || json_answer(&json!({"status": "ok"}))))
        .route("/_sandbox/books", get(show_books))
        .route("/_sandbox/faults", get(show_faults).post(set_faults))
        .route("/_sandbox/faults/flush", post(flush_late_effects))
        .route("/_sandbox/authenticate/{intent}", get(ask_customer).post(authenticate))
        .route("/_sandbox/settle/{intent}", post(settle))
        .route("/_sandbox/expire/{intent}", post(expire))
        .merge(control_billing::routes())
        .merge(control_money::routes())
        .merge(control_profile::routes())
        .merge(control_traffic::routes())
        .route("/_sandbox/webhooks", get(show_webhooks).post(set_webhooks))
        .route("/_sandbox/webhooks/flush", post(flush_webhooks))
        .route("/_sandbox/webhook_target", post(set_webhook_target))
}

#[derive(Deserialize)]
struct BooksQuery {
    /// A metadata key of payment intents, to count successful charges for each of its values.
    group: Option<String>,
    /// A metadata key of refunds, to count them for each of its values.
    group_refunds: Option<String>,
    /// `reference` or `memo`, to count the rail's transfers for each of its values.
    group_transfers: Option<String>,
}

async fn show_books(State(shared): App, Query(query): Query<BooksQuery>) -> Response {
    let Ok(by) = query.group_transfers.map(|name| name.parse::<GroupBy>()).transpose() else {
        return answer(ApiError::bad_request("Transfers have groups by reference and by memo.").answer());
    };
    let core = lock(&shared.core);
    let mut books = json!(audit(&core.books));
    if let Some(key) = query.group {
        books["group"] = json!(group(&core.books, &key));
    }
    if let Some(key) = query.group_refunds {
        books["group_refunds"] = json!(group_refunds(&core.books, &key));
    }
    if let Some(by) = by {
        books["group_transfers"] = json!(group_transfers(&core.books, by));
    }
    json_answer(&books)
}

async fn show_faults(State(shared): App) -> Response {
    json_answer(&json!({
        "faults": shared.faults.counts(),
        "late_pending": lock(&shared.core).late.pending(),
        "requests": shared.requests(),
        "profile": shared.faults.profile().to_string(),
    }))
}

async fn flush_late_effects(State(shared): App) -> Response {
    json_answer(&json!({"flushed": late::flush(&shared)}))
}

/// A name, or rates of one's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileChoice {
    profile: Option<String>,
    rates: Option<FaultRates>,
}

async fn set_faults(State(shared): App, body: Bytes) -> Response {
    respond(parse::<ProfileChoice>(&body).and_then(|choice| {
        let profile = match (choice.profile, choice.rates) {
            (Some(name), None) => {
                name.parse::<FaultProfile>().map_err(|error| ApiError::bad_request(error.to_string()))
            }
            (None, Some(rates)) => Ok(FaultProfile::Custom(rates)),
            _ => Err(ApiError::bad_request("Say either `profile` or `rates`.")),
        }?;
        shared.faults.set_profile(profile);
        Ok(json!({"profile": profile.to_string()}))
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeChoice {
    pub(crate) outcome: Outcome,
}

/// The page behind `next_action`, for a person with a browser.
async fn ask_customer(State(shared): App, Path(intent): Path<String>) -> Response {
    if !lock(&shared.core).books.intents.contains(&intent) {
        return answer(ApiError::missing("payment_intent", &intent, "intent").answer());
    }
    // The id is one of ours, hence letters and digits: nothing to escape.
    let page = format!(
        "<!doctype html><title>Authentication</title><h1>{intent}</h1>\
         <button value=succeed>Complete</button> <button value=fail>Fail</button><p></p><script>\
         for (const button of document.querySelectorAll('button')) button.onclick = async () => {{\
         const body = JSON.stringify({{outcome: button.value}});\
         const answer = await (await fetch('', {{method: 'POST', body}})).json();\
         document.querySelector('p').textContent = answer.status || answer.error.message}}</script>"
    );
    let mut response = Response::new(Body::from(page));
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

async fn authenticate(State(shared): App, Path(intent): Path<String>, body: Bytes) -> Response {
    answer(match parse::<OutcomeChoice>(&body) {
        Ok(choice) => shared.act(|execution| execution.authenticate(&intent, choice.outcome)),
        Err(error) => error.answer(),
    })
}

async fn settle(State(shared): App, Path(intent): Path<String>, body: Bytes) -> Response {
    answer(match parse::<OutcomeChoice>(&body) {
        Ok(choice) => shared.act(|execution| execution.settle(&intent, choice.outcome)),
        Err(error) => error.answer(),
    })
}

async fn expire(State(shared): App, Path(intent): Path<String>) -> Response {
    answer(shared.act(|execution| execution.expire(&intent)))
}

async fn show_webhooks(State(shared): App) -> Response {
    let mut progress = json!(shared.webhooks.progress());
    progress["omit_events"] = json!(shared.omits_events.load(Ordering::Relaxed));
    json_answer(&progress)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Silence {
    /// Events are listed, and their webhooks lost for good.
    lose: Option<bool>,
    /// There are not even events.
    omit_events: Option<bool>,
    /// The gateway has disabled the endpoint, says so, and sends nothing there.
    disabled: Option<bool>,
}

async fn set_webhooks(State(shared): App, body: Bytes) -> Response {
    match parse::<Silence>(&body) {
        Ok(Silence { lose: None, omit_events: None, disabled: None }) => {
            answer(ApiError::bad_request("Say `lose`, `omit_events` or `disabled`, true or false.").answer())
        }
        Ok(silence) => {
            if let Some(loses) = silence.lose {
                shared.webhooks.lose(loses);
            }
            if let Some(is_disabled) = silence.disabled {
                shared.webhooks.disable(is_disabled);
            }
            if let Some(omits) = silence.omit_events {
                shared.omits_events.store(omits, Ordering::Relaxed);
            }
            show_webhooks(State(shared)).await
        }
        Err(error) => answer(error.answer()),
    }
}

async fn flush_webhooks(State(shared): App) -> Response {
    json_answer(&json!({"flushed": shared.webhooks.flush()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetChoice {
    url: String,
    secrets: Vec<String>,
}

// Stripe signs with the new secret and, for a while, the old one; more is a mistake.
const SECRETS_MAX: usize = 10;

async fn set_webhook_target(State(shared): App, body: Bytes) -> Response {
    let target = parse::<TargetChoice>(&body).and_then(|choice| {
        let is_absolute = choice.url.starts_with("http://") || choice.url.starts_with("https://");
        if !is_absolute || choice.secrets.is_empty() || choice.secrets.len() > SECRETS_MAX {
            let message = "A webhook target needs an absolute http(s) URL and one to ten secrets.";
            return Err(ApiError::bad_request(message));
        }
        Ok(WebhookTarget { url: choice.url, secrets: choice.secrets })
    });
    match target {
        Ok(target) => {
            let url = target.url.clone();
            shared.webhooks.set_target(target);
            json_answer(&json!({"url": url}))
        }
        Err(error) => answer(error.answer()),
    }
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(format!("invalid JSON: {error}")))
}

pub(crate) fn respond(outcome: Result<Value, ApiError>) -> Response {
    match outcome {
        Ok(value) => json_answer(&value),
        Err(error) => answer(error.answer()),
    }
}

pub(crate) fn json_answer(value: &Value) -> Response {
    answer(Answer::ok(value))
}

pub(crate) fn answer(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}
