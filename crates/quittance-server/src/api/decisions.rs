//! What a person decides about a discrepancy of a pair: `ignore`, `approve`, `resolve`. For keys of scope `admin`.
//!
//! Each is answered when it is carried out, with the discrepancy as it stands then. Systems are read and written on a thread
//! of their own, which goes on where nobody waits any more; the same key leads to what it did.

use super::findings;
use super::intake::Intake;
use super::query::Name;
use super::waiting::or_problem;
use crate::config::Config;
use crate::data::Data;
use crate::json::{Alphabet, Fields, Json, Need, Text, Wrong, joined};
use crate::problem::{Problem, catalogue};
use crate::reconcile::session::{Fault, SessionError};
use crate::reconcile::{Choice, Decided, Undecided, decide};
use crate::runtime::{Handle, InProgress, ReadError};
use axum::extract::{Request, State};
use axum::response::Response;
use http::HeaderValue;
use quittance_core::id::DiscrepancyId;
use quittance_core::idempotency::Key;
use quittance_core::pair::repair::Authority;
use quittance_core::record::value::Value;
use quittance_core::tenant::Scope;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

/// Why it is decided so, in a person's words.
const REASON: Text = Text { bytes_max: 500, alphabet: Alphabet::Any };

/// Decisions that are carried out at once; each reads and writes the systems of its pair.
const AT_ONCE: usize = 4;
static PERMITS: Semaphore = Semaphore::const_new(AT_ONCE);

/// Fields of a pair that one decision gives values to, at most.
const VALUES_MAX: usize = 100;

/// What is right: a side, or neither.
const CHOICES: [(&str, Option<Authority>); 3] =
    [("left", Some(Authority::Left)), ("right", Some(Authority::Right)), ("merged", None)];

/// `POST /v1/discrepancies/{id}/ignore`
pub(super) async fn ignore(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(answer(&handle, &id, request, "/v1/discrepancies/{id}/ignore", |_| Some(Choice::Ignore)).await)
}

/// `POST /v1/discrepancies/{id}/approve`
pub(super) async fn approve(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(answer(&handle, &id, request, "/v1/discrepancies/{id}/approve", |_| Some(Choice::Approve)).await)
}

/// `POST /v1/discrepancies/{id}/resolve`
pub(super) async fn resolve(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(answer(&handle, &id, request, "/v1/discrepancies/{id}/resolve", resolution).await)
}

/// Which side is right, or the values that are.
fn resolution(fields: &mut Fields<'_>) -> Option<Choice> {
    let choice = fields.word("choice", Need::Required, &CHOICES);
    let values = fields.scalars("values", VALUES_MAX);
    match (choice?, values) {
        (Some(side), None) => Some(Choice::Right(side)),
        (None, Some(values)) => {
            let values = values.into_iter().filter_map(|(name, value)| Some((name, given(&value)?)));
            Some(Choice::Merged(values.collect()))
        }
        (Some(_), Some(_)) => {
            fields.wrong("values", "is for the choice merged; a side that is right says everything itself");
            None
        }
        (None, None) => {
            fields.wrong("values", "is required with the choice merged: what is right, by field");
            None
        }
    }
}

/// A value that stands alone; none for what was complained of.
fn given(value: &Json) -> Option<Value<'static>> {
    Some(match value {
        Json::Null => Value::Null,
        Json::Flag(it) => Value::Boolean(*it),
        Json::Integer(number) => Value::integer(*number),
        Json::Text(text) => Value::Text(text.clone().into()),
        Json::Inexact(_) | Json::List(_) | Json::Object(_) => return None,
    })
}

async fn answer(
    handle: &Handle,
    id: &str,
    request: Request,
    route: &str,
    choice: impl FnOnce(&mut Fields<'_>) -> Option<Choice>,
) -> Result<Response, Problem> {
    let intake = Intake::read_as(handle, request, Scope::Admin, route, &[("id", id)]).await?;
    let (choice, reason) = read_body(&intake.body, choice)?;
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no discrepancy of a pair has this id");
    let finding: DiscrepancyId = id.parse().map_err(|_| not_found())?;
    let tenant = intake.caller.tenant.id;
    let decided = Decided {
        finding,
        choice,
        tenant,
        key: Sha256::digest(intake.key.as_str()).into(),
        fingerprint: intake.fingerprint,
        by: intake.caller.credential.to_string(),
        reason,
    };
    let is_replayed = carry_out(handle, &intake.key, decided).await?;
    let mut response = findings::detail(handle, finding).await?.ok_or_else(not_found)?.answer();
    if is_replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Carries a decision out, once for its key, and tells whether that had been done before.
pub(crate) async fn carry_out(handle: &Handle, key: &Key, decided: Decided) -> Result<bool, Problem> {
    let in_progress =
        || Problem::new(&catalogue::KEY_IN_PROGRESS, "what it asked for is being carried out").retry_after(1);
    let mut claim = None;
    // Whoever waited for the one before is told by what that one kept.
    while claim.is_none() {
        claim = handle.claim(decided.tenant, key).await.map_err(|InProgress| in_progress())?;
    }
    let followed = apart(handle, move |config, data| {
        // Held until it is done, whoever waits for it.
        let _held = claim;
        decide(config, data, &decided)
    });
    let followed = followed.await?;
    for plan in &followed.written {
        let identity: Vec<&Value<'_>> = plan.identity.iter().map(|(_, value)| value).collect();
        let identity = identity.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        handle.truths().repaired(&plan.system, &plan.object, &identity);
    }
    Ok(followed.is_replayed)
}

/// Works on pairs on a thread of its own, as often at once as is allowed.
pub(crate) async fn apart<T: Send + 'static>(
    handle: &Handle,
    work: impl FnOnce(&Config, &Data) -> Result<T, Undecided> + Send + 'static,
) -> Result<T, Problem> {
    let Some(data) = handle.data().cloned() else {
        return Err(Problem::internal(&"nothing is known of where comparisons are kept"));
    };
    let overloaded = |_| Problem::new(&catalogue::OVERLOADED, "too much is being decided at once").retry_after(1);
    let permit = PERMITS.try_acquire().map_err(overloaded)?;
    let engine = handle.clone();
    let work = tokio::task::spawn_blocking(move || {
        let _held = permit;
        work(engine.config(), &data)
    });
    work.await.map_err(|_| Problem::internal(&"a decision was given up"))?.map_err(problem)
}

fn read_body(body: &Json, choice: impl FnOnce(&mut Fields<'_>) -> Option<Choice>) -> Result<(Choice, String), Problem> {
    let mut fields = Fields::of(body).map_err(Problem::invalid_body)?;
    let choice = choice(&mut fields);
    let reason = fields.text("reason", Need::Required, REASON);
    fields.finish().map_err(Problem::invalid_body)?;
    let missing = || Problem::internal(&"a required member is missing and was not noticed");
    choice.zip(reason).ok_or_else(missing)
}

fn problem(undecided: Undecided) -> Problem {
    match undecided {
        Undecided::NotFound => Problem::new(&catalogue::NOT_FOUND, "no discrepancy of a pair has this id"),
        Undecided::Reused => Problem::new(&catalogue::KEY_REUSED, "the key was sent with another request before"),
        Undecided::Closed => Problem::new(&catalogue::DISCREPANCY_CLOSED, "a comparison did not find it any more"),
        Undecided::NothingWaits => Problem::new(&catalogue::NOTHING_WAITS, "no repair of this record waits"),
        Undecided::WrongValues(wrong) => Problem::invalid_body(
            wrong.into_iter().map(|(name, detail)| Wrong::new(joined("/values", &name), detail)).collect::<Vec<_>>(),
        ),
        Undecided::NotResolvable(why) => {
            Problem::new(&catalogue::NOT_RESOLVABLE, format!("what keeps it: {}", why.join(", ")))
        }
        Undecided::Store(error) => ReadError::Store(error).into(),
        Undecided::Session(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a decision could not be carried out");
            match error {
                SessionError::Store { source, .. } => ReadError::Store(source).into(),
                SessionError::Told { fault: Fault::Outside | Fault::Lagging | Fault::Stopped, .. } => {
                    Problem::new(&catalogue::PAIR_UNAVAILABLE, "the log of the server says which, and why")
                        .retry_after(5)
                }
                SessionError::Told { fault: Fault::Asked, .. } | SessionError::Secret(_) => {
                    Problem::new(&catalogue::NOT_RESOLVABLE, "the configuration does not allow it; the log says why")
                }
                SessionError::Told { fault: Fault::Inside, .. } => Problem::internal(&"see above"),
            }
        }
    }
}
