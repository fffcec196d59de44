//! `GET /v1/truth/{pair}/{key}`: what is true of a record, by the system that its pair believes.
//!
//! A pair is the whole installation's. Keys of scope `admin` may ask any; those of a tenant may ask where the pair names the
//! tenant. To everybody else it is not there.

use super::intake::KeylessIntake;
use super::query::{Parameters, TwoNames};
use super::waiting::or_problem;
use crate::auth::{Caller, authenticate};
use crate::config::{NotFound, TruthPolicy};
use crate::json::Fields;
use crate::problem::{Problem, catalogue};
use crate::render;
use crate::runtime::Handle;
use crate::truth::{Believed, Found};
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::tenant::Scope;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Longest age that may be asked for, in seconds: a week.
const MAX_AGE_S_MAX: u64 = 604_800;

/// When it is worth asking again, in seconds.
const RETRY_AFTER_S: u64 = 1;

#[derive(Serialize)]
struct Invalidated {
    object: &'static str,
    pair: String,
    key: String,
    invalidated: bool,
}

/// `GET /v1/truth/{pair}/{key}`
pub(super) async fn show(
    State(handle): State<Handle>,
    TwoNames(pair, key): TwoNames,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    or_problem(try_show(&handle, &pair, key, &uri, &headers).await)
}

async fn try_show(
    handle: &Handle,
    pair: &str,
    key: String,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &["max_age"])?;
    let wanted = format!("a whole number of seconds from 0 to {MAX_AGE_S_MAX}");
    let max_age = parameters.parsed("max_age", &wanted, |text| {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().ok()).flatten().filter(|seconds| *seconds <= MAX_AGE_S_MAX)
    })?;
    let believed = visible(handle, &caller, pair)?;
    check_key(believed, &key)?;
    let max_age = max_age.map_or(believed.truth.max_age, Duration::from_secs);
    let asked = handle.truths().ask(believed, key, max_age).await.map_err(|failure| {
        let kind = match believed.truth.policy {
            TruthPolicy::Deny => &catalogue::TRUTH_UNAVAILABLE,
            TruthPolicy::Error | TruthPolicy::Stale(_) => &catalogue::TRUTH_PROVIDER_FAILED,
        };
        Problem::new(kind, format!("the believed system: {}", failure.why)).retry_after(RETRY_AFTER_S)
    })?;
    match asked.known.found {
        Found::Several(_) => Err(Problem::new(&catalogue::TRUTH_AMBIGUOUS, "nobody can say which is meant")),
        Found::None if believed.truth.not_found == NotFound::Error => {
            Err(Problem::new(&catalogue::NOT_FOUND, "the believed system has no such record"))
        }
        Found::One | Found::None => {
            Ok(render::response(200, "application/json", asked.known.body(asked.source, asked.age)))
        }
    }
}

/// `POST /v1/truth/{pair}/{key}/invalidate`
pub(super) async fn invalidate(
    State(handle): State<Handle>,
    TwoNames(pair, key): TwoNames,
    request: Request,
) -> Response {
    or_problem(try_invalidate(&handle, pair, key, request).await)
}

async fn try_invalidate(handle: &Handle, pair: String, key: String, request: Request) -> Result<Response, Problem> {
    let intake = KeylessIntake::read(handle, request, Scope::Write).await?;
    Fields::of(&intake.body).map_err(Problem::invalid_body)?.finish().map_err(Problem::invalid_body)?;
    let believed = visible(handle, &intake.caller, &pair)?;
    check_key(believed, &key)?;
    handle.truths().forget(believed, &key).await;
    Ok(render::ok(&Invalidated { object: "truth", pair, key, invalidated: true }))
}

/// The pair, where the caller may ask it.
fn visible<'h>(handle: &'h Handle, caller: &Caller, pair: &str) -> Result<&'h Arc<Believed>, Problem> {
    let is_open = |believed: &&Arc<Believed>| {
        caller.scope == Scope::Admin || believed.truth.tenants.contains(&caller.tenant.name)
    };
    let detail = "no pair of this name answers what is true to this API key";
    handle.truths().pair(pair).filter(is_open).ok_or_else(|| Problem::new(&catalogue::NOT_FOUND, detail))
}

fn check_key(believed: &Believed, key: &str) -> Result<(), Problem> {
    let (columns, names) = believed.key_columns();
    if key.splitn(columns, ',').count() != columns {
        return Err(Problem::parameter("key", format!("has the values of {names} with commas between them")));
    }
    Ok(())
}
