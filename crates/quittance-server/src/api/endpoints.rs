//! `/v1/webhook_endpoints`: where a tenant's events are sent; for credentials of scope `admin`.
//!
//! Making an endpoint or a secret needs an idempotency key, for its answer tells the secret. Everything else means the same
//! however often it is sent.

use super::endpoint_body::{self, EndpointBody};
use super::intake::{Intake, KeylessIntake};
use super::query::{Name, Parameters};
use super::rows;
use super::waiting::{carry_out, or_problem};
use crate::auth::authenticate;
use crate::ids;
use crate::json::{Alphabet, Fields, Json, Need, Text};
use crate::problem::{Problem, catalogue};
use crate::render::{self, EndpointView, ListView};
use crate::runtime::{Handle, SubmitError};
use crate::switches::REASON_BYTES_MAX;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use quittance_core::event::{Endpoint, Endpoints, Kinds, OVERLAP_MS};
use quittance_core::id::{EndpointId, TenantId};
use quittance_core::tenant::Scope;
use quittance_engine::submission::{Action, EndpointChange, EndpointTurn, NewEndpoint, NewSecret, Outcome, Submission};

/// Operations whose answers hold a secret.
pub(super) const TELL_SECRETS: [&str; 2] =
    ["POST /v1/webhook_endpoints", "POST /v1/webhook_endpoints/{id}/rotate-secret"];

/// Why, for people.
pub(super) const REASON: Text = Text { bytes_max: REASON_BYTES_MAX, alphabet: Alphabet::Line };

/// `POST /v1/webhook_endpoints`
pub(super) async fn create(State(handle): State<Handle>, request: Request) -> Response {
    or_problem(try_create(&handle, request).await)
}

async fn try_create(handle: &Handle, request: Request) -> Result<Response, Problem> {
    let intake = Intake::read_as(handle, request, Scope::Admin, "/v1/webhook_endpoints", &[]).await?;
    let body = endpoint_body::read(handle, &intake.body, intake.caller.tenant.mode, Need::Required)?;
    let EndpointBody { url, description, kinds } = body;
    let (url, kinds) = (url.unwrap_or_default(), kinds.unwrap_or(Kinds::All));
    let new = NewEndpoint { url, description, kinds, secret: ids::random() };
    carry_out(handle, intake, TELL_SECRETS[0], Action::CreateEndpoint(new)).await
}

/// `POST /v1/webhook_endpoints/{id}/rotate-secret`
pub(super) async fn rotate(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(try_rotate(&handle, &id, request).await)
}

async fn try_rotate(handle: &Handle, id: &str, request: Request) -> Result<Response, Problem> {
    const ROUTE: &str = "/v1/webhook_endpoints/{id}/rotate-secret";
    let intake = Intake::read_as(handle, request, Scope::Admin, ROUTE, &[("id", id)]).await?;
    let mut fields = Fields::of(&intake.body).map_err(Problem::invalid_body)?;
    let words = [("keep", OVERLAP_MS), ("drop", 0)];
    let overlap_ms = fields.word("old_secret", Need::Optional, &words).unwrap_or(OVERLAP_MS);
    fields.finish().map_err(Problem::invalid_body)?;
    let endpoint = find(handle, intake.caller.tenant.id, id).await?.id;
    let action = Action::RotateSecret(NewSecret { endpoint, secret: ids::random(), overlap_ms });
    carry_out(handle, intake, TELL_SECRETS[1], action).await
}

/// `GET /v1/webhook_endpoints`: all of them, the oldest first; there are never so many that they need pages.
pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Admin).await?;
    Parameters::of(uri, &[])?;
    let endpoints = all(handle, caller.tenant.id).await?;
    let data = endpoints.iter().map(EndpointView::of).collect();
    Ok(render::ok(&ListView { data, has_more: false, next_cursor: None }))
}

/// `GET /v1/webhook_endpoints/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, &id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Admin).await?;
    Parameters::of(uri, &[])?;
    Ok(render::ok(&EndpointView::of(&find(handle, caller.tenant.id, id).await?)))
}

/// `POST /v1/webhook_endpoints/{id}`: members that are given take the place of the old ones.
pub(super) async fn update(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    let updated = async {
        let intake = KeylessIntake::read(&handle, request, Scope::Admin).await?;
        let tenant = &intake.caller.tenant;
        let EndpointBody { url, description, kinds } =
            endpoint_body::read(&handle, &intake.body, tenant.mode, Need::Optional)?;
        turn(&handle, tenant.id, &id, EndpointTurn::Update { url, description, kinds }).await
    };
    or_problem(updated.await)
}

/// `POST /v1/webhook_endpoints/{id}/enable`
pub(super) async fn enable(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    let enabled = async {
        let intake = KeylessIntake::read(&handle, request, Scope::Admin).await?;
        nothing_in(&intake.body)?;
        turn(&handle, intake.caller.tenant.id, &id, EndpointTurn::Enable).await
    };
    or_problem(enabled.await)
}

/// `POST /v1/webhook_endpoints/{id}/disable`
pub(super) async fn disable(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    let disabled = async {
        let intake = KeylessIntake::read(&handle, request, Scope::Admin).await?;
        let mut fields = Fields::of(&intake.body).map_err(Problem::invalid_body)?;
        let reason = fields.text("reason", Need::Required, REASON).unwrap_or_default();
        fields.finish().map_err(Problem::invalid_body)?;
        let by = intake.caller.credential.to_string();
        turn(&handle, intake.caller.tenant.id, &id, EndpointTurn::Disable { by, reason }).await
    };
    or_problem(disabled.await)
}

/// `DELETE /v1/webhook_endpoints/{id}`
pub(super) async fn delete(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    let deleted = async {
        let intake = KeylessIntake::read(&handle, request, Scope::Admin).await?;
        nothing_in(&intake.body)?;
        let tenant = intake.caller.tenant.id;
        change(&handle, tenant, find(&handle, tenant, &id).await?.id, EndpointTurn::Delete).await?;
        let mut response = render::response(StatusCode::NO_CONTENT.as_u16(), "application/json", Vec::new());
        response.headers_mut().remove(http::header::CONTENT_TYPE);
        Ok(response)
    };
    or_problem(deleted.await)
}

fn nothing_in(body: &Json) -> Result<(), Problem> {
    Fields::of(body).and_then(Fields::finish).map_err(Problem::invalid_body)
}

async fn turn(handle: &Handle, tenant: TenantId, id: &str, turn: EndpointTurn) -> Result<Response, Problem> {
    change(handle, tenant, find(handle, tenant, id).await?.id, turn).await?;
    Ok(render::ok(&EndpointView::of(&find(handle, tenant, id).await?)))
}

async fn change(handle: &Handle, tenant: TenantId, endpoint: EndpointId, turn: EndpointTurn) -> Result<(), Problem> {
    submit(handle, Submission::ChangeEndpoint(Box::new(EndpointChange { tenant, endpoint, turn }))).await
}

/// Submits what needs no key.
pub(super) async fn submit(handle: &Handle, submission: Submission) -> Result<(), Problem> {
    match handle.submit(submission).await {
        Ok(Outcome::Done) => Ok(()),
        Ok(Outcome::Conflict(what)) => Err(Problem::new(&catalogue::NOT_FOUND, what)),
        Ok(Outcome::Failed(failure)) => Err(Problem::from(failure)),
        Ok(other) => Err(Problem::internal(&format!("a change of an endpoint ended as {other:?}"))),
        Err(SubmitError::Overloaded { retry_after_s }) => {
            Err(Problem::new(&catalogue::OVERLOADED, "the engine is behind").retry_after(retry_after_s))
        }
        Err(SubmitError::Closed) => Err(Problem::new(&catalogue::STOPPING, "no more is taken").retry_after(5)),
    }
}

/// A tenant's endpoints.
pub(super) async fn all(handle: &Handle, tenant: TenantId) -> Result<Vec<Endpoint>, Problem> {
    let found = handle.read(move |reader| rows::get::<Endpoints>(reader, vec![tenant.bytes().into()])).await?;
    Ok(found.map_or_else(Vec::new, |endpoints| endpoints.all))
}

/// A tenant's endpoint.
pub(super) async fn find(handle: &Handle, tenant: TenantId, id: &str) -> Result<Endpoint, Problem> {
    let unknown = || Problem::new(&catalogue::NOT_FOUND, "no webhook endpoint is known by this id");
    let id: EndpointId = id.parse().map_err(|_| unknown())?;
    all(handle, tenant).await?.into_iter().find(|endpoint| endpoint.id == id).ok_or_else(unknown)
}
