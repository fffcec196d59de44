//! `/v1/events`: what was told, newest first, byte for byte as it was sent; and having it sent again.

use super::cursor::List;
use super::endpoints::{self, REASON};
use super::intake::KeylessIntake;
use super::payment_list::{CLOCK_SLACK_MS, first_id_of};
use super::query::{Name, Parameters};
use super::rows::{self, EXAMINED_MAX};
use super::waiting::or_problem;
use crate::auth::authenticate;
use crate::json::{Alphabet, Fields, Need, Text};
use crate::problem::{Problem, catalogue};
use crate::render::{self, EVENT_MEDIA_TYPE, ListView, kind_of_type};
use crate::runtime::Handle;
use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::event::{Kind, Replayed};
use quittance_core::id::{EventId, TenantId};
use quittance_core::tenant::Scope;
use quittance_core::time::Timestamp;
use quittance_engine::submission::{ReplayEvent, Submission};
use quittance_store::records::EventRow;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::EVENTS;
use serde::Serialize;
use serde_json::value::RawValue;

/// Rows fetched at a time.
const CHUNK: usize = 200;

const PARAMETERS: [&str; 6] = ["type", "subject", "created_after", "created_before", "limit", "cursor"];

/// An id of ours.
const ID: Text = Text { bytes_max: 255, alphabet: Alphabet::Token };

/// What is asked for.
struct Wish {
    tenant: TenantId,
    kind: Option<Kind>,
    subject: Option<String>,
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
    /// Only events with smaller ids.
    below: Option<[u8; 16]>,
    limit: usize,
}

#[derive(Serialize)]
struct ReplayedView<'a> {
    event: &'a str,
    endpoint: String,
    replayed: bool,
}

/// `GET /v1/events`
pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &PARAMETERS)?;
    let tenant = caller.tenant.id;
    let cursors = List::new("events", tenant, &parameters.filters());
    let wish = Wish {
        tenant,
        kind: parameters.parsed("type", "a type of events, as GET /schemas lists them", kind_of_type)?,
        subject: parameters.text("subject").map(str::to_owned),
        created_after: parameters.time("created_after")?,
        created_before: parameters.time("created_before")?,
        below: cursors.fixed_position(parameters.text("cursor"))?,
        limit: parameters.limit()?,
    };
    let (found, next) = handle.read(move |reader| read(reader, &wish)).await?;
    let bodies: Result<Vec<&RawValue>, _> = found.iter().map(|event| serde_json::from_slice(&event.body)).collect();
    let data = bodies.map_err(|error| Problem::internal(&format!("an event is no JSON: {error}")))?;
    let next_cursor = next.map(|position| cursors.cursor(&position));
    Ok(render::ok(&ListView { data, has_more: next.is_some(), next_cursor }))
}

/// One page, and the last id that was looked at where there may be more.
fn read(reader: &mut dyn Reader, wish: &Wish) -> Result<(Vec<EventRow>, Option<[u8; 16]>), StoreError> {
    let before = wish.created_before.map(|at| first_id_of(at.plus_ms(CLOCK_SLACK_MS)));
    let mut prefix = vec![wish.tenant.bytes().into()];
    prefix.extend(wish.subject.as_deref().map(Into::into));
    let mut scan = Scan {
        index: wish.subject.as_ref().map(|_| &EVENTS.indexes[0]),
        after: [before, wish.below].into_iter().flatten().min().map(|id| vec![id.into()]),
        until: wish.created_after.map(|at| vec![first_id_of(at).into()]),
        direction: Direction::Backward,
        ..Scan::forward(&EVENTS, prefix, CHUNK)
    };
    let (mut found, mut examined, mut last) = (Vec::new(), 0, None);
    loop {
        let page: Vec<EventRow> = rows::page(reader, &scan)?;
        let is_end = page.len() < CHUNK;
        for event in page {
            if examined == EXAMINED_MAX || found.len() == wish.limit {
                return Ok((found, last));
            }
            examined += 1;
            last = Some(event.id.bytes());
            if wish.takes(&event) {
                found.push(event);
            }
        }
        if is_end {
            return Ok((found, None));
        }
        scan.after = last.map(|id| vec![id.into()]);
    }
}

impl Wish {
    fn takes(&self, event: &EventRow) -> bool {
        !event.is_pruned()
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self.created_after.is_none_or(|at| event.at > at)
            && self.created_before.is_none_or(|at| event.at < at)
    }
}

/// `GET /v1/events/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, &id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    Parameters::of(uri, &[])?;
    let event = find(handle, caller.tenant.id, id).await?;
    Ok(render::response(200, EVENT_MEDIA_TYPE, event.body))
}

/// A tenant's event.
pub(super) async fn find(handle: &Handle, tenant: TenantId, id: &str) -> Result<EventRow, Problem> {
    let unknown = || Problem::new(&catalogue::NOT_FOUND, "no event is known by this id");
    let id: EventId = id.parse().map_err(|_| unknown())?;
    let found: Option<EventRow> = handle.read(move |reader| rows::get(reader, EventRow::place(tenant, id))).await?;
    let event = found.ok_or_else(unknown)?;
    match event.is_pruned() {
        true => Err(Problem::new(&catalogue::NOT_FOUND, "the event is old, and its bytes are not kept any more")),
        false => Ok(event),
    }
}

/// `POST /v1/events/{id}/replay`
pub(super) async fn replay(State(handle): State<Handle>, Name(id): Name, request: Request) -> Response {
    or_problem(try_replay(&handle, &id, request).await)
}

async fn try_replay(handle: &Handle, id: &str, request: Request) -> Result<Response, Problem> {
    let intake = KeylessIntake::read(handle, request, Scope::Admin).await?;
    let mut fields = Fields::of(&intake.body).map_err(Problem::invalid_body)?;
    let endpoint = fields.text("endpoint", Need::Required, ID).unwrap_or_default();
    let reason = fields.text("reason", Need::Required, REASON).unwrap_or_default();
    fields.finish().map_err(Problem::invalid_body)?;
    let tenant = intake.caller.tenant.id;
    let event = find(handle, tenant, id).await?.id;
    let endpoint = endpoints::find(handle, tenant, &endpoint).await?;
    if !endpoint.is_enabled() {
        return Err(Problem::new(&catalogue::ENDPOINT_DISABLED, "nothing is sent there"));
    }
    let replayed = Replayed { by: intake.caller.credential.to_string(), reason, at: handle.now() };
    let replay = ReplayEvent { tenant, event, endpoint: endpoint.id, replayed };
    endpoints::submit(handle, Submission::ReplayEvent(Box::new(replay))).await?;
    Ok(render::ok(&ReplayedView { event: id, endpoint: endpoint.id.to_string(), replayed: true }))
}
