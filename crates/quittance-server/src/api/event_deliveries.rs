//! The log of deliveries: of one endpoint, newest event first, and of one event.

use super::cursor::List;
use super::query::{Name, Parameters};
use super::rows::{self, EXAMINED_MAX};
use super::waiting::or_problem;
use super::{endpoints, events};
use crate::auth::authenticate;
use crate::problem::Problem;
use crate::render::{self, DeliveryView, ListView};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::event::{Delivery, DeliveryState};
use quittance_core::id::EndpointId;
use quittance_core::tenant::Scope;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::DELIVERIES;
use quittance_store::value::Key;

/// Rows fetched at a time.
const CHUNK: usize = 200;

/// What is asked for.
struct Wish {
    endpoint: EndpointId,
    state: Option<DeliveryState>,
    /// Only deliveries of events with smaller ids.
    below: Option<[u8; 16]>,
    limit: usize,
}

/// `GET /v1/webhook_endpoints/{id}/deliveries`
pub(super) async fn of_endpoint(
    State(handle): State<Handle>,
    Name(id): Name,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    or_problem(try_of_endpoint(&handle, &id, &uri, &headers).await)
}

async fn try_of_endpoint(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Admin).await?;
    let parameters = Parameters::of(uri, &["status", "limit", "cursor"])?;
    let endpoint = endpoints::find(handle, caller.tenant.id, id).await?.id;
    let cursors = List::new(&format!("deliveries {endpoint}"), caller.tenant.id, &parameters.filters());
    let words = DeliveryState::ALL.map(DeliveryState::name).join(", ");
    let wish = Wish {
        endpoint,
        state: parameters.parsed("status", &format!("one of {words}"), DeliveryState::from_name)?,
        below: cursors.fixed_position(parameters.text("cursor"))?,
        limit: parameters.limit()?,
    };
    let (found, next) = handle.read(move |reader| read(reader, &wish)).await?;
    Ok(render::ok(&ListView {
        data: found.into_iter().map(DeliveryView::of).collect(),
        has_more: next.is_some(),
        next_cursor: next.map(|position| cursors.cursor(&position)),
    }))
}

fn read(reader: &mut dyn Reader, wish: &Wish) -> Result<(Vec<Delivery>, Option<[u8; 16]>), StoreError> {
    let mut scan = Scan {
        after: wish.below.map(|id| vec![id.into()]),
        direction: Direction::Backward,
        ..Scan::forward(&DELIVERIES, vec![wish.endpoint.bytes().into()], CHUNK)
    };
    let (mut found, mut examined, mut last) = (Vec::new(), 0, None);
    loop {
        let page: Vec<Delivery> = rows::page(reader, &scan)?;
        let is_end = page.len() < CHUNK;
        for delivery in page {
            if examined == EXAMINED_MAX || found.len() == wish.limit {
                return Ok((found, last));
            }
            examined += 1;
            last = Some(delivery.event.bytes());
            if wish.state.is_none_or(|state| delivery.state == state) {
                found.push(delivery);
            }
        }
        if is_end {
            return Ok((found, None));
        }
        scan.after = last.map(|id| vec![id.into()]);
    }
}

/// `GET /v1/events/{id}/deliveries`: one for each endpoint that the event was, or is, to be sent to.
pub(super) async fn of_event(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_of_event(&handle, &id, &uri, &headers).await)
}

async fn try_of_event(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Admin).await?;
    Parameters::of(uri, &[])?;
    let event = events::find(handle, caller.tenant.id, id).await?.id;
    let endpoints = endpoints::all(handle, caller.tenant.id).await?;
    let places: Vec<Key> =
        endpoints.iter().map(|endpoint| vec![endpoint.id.bytes().into(), event.bytes().into()]).collect();
    let found = handle.read(move |reader| rows::many::<Delivery>(reader, &places)).await?;
    let data = found.into_iter().map(DeliveryView::of).collect();
    Ok(render::ok(&ListView { data, has_more: false, next_cursor: None }))
}
