//! `GET /v1/discrepancies`: what gateways show and the books do not, or the other way round, newest first; with
//! `source=pair` what comparisons of pairs found.
//!
//! Of gateways' a tenant sees its own; credentials of scope `admin` see those, too, of which nobody knows whose they are.

use super::cursor::List;
use super::findings::{self, Detail, FindingView, Wanted};
use super::query::{Name, Parameters};
use super::rows::{self, EXAMINED_MAX};
use super::waiting::or_problem;
use crate::auth::{Caller, authenticate};
use crate::problem::{Problem, catalogue};
use crate::render::{self, ListView, time};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::id::{DiscrepancyId, TenantId};
use quittance_core::tenant::Scope;
use quittance_store::records::Discrepancy;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::DISCREPANCIES;
use serde::Serialize;

/// Rows fetched at a time.
const CHUNK: usize = 200;

/// A discrepancy, as clients see it.
#[derive(Serialize)]
struct DiscrepancyView {
    id: String,
    object: &'static str,
    source: &'static str,
    kind: &'static str,
    status: &'static str,
    gateway: String,
    gateway_id: String,
    payment: Option<String>,
    detail: String,
    opened_at: String,
    last_seen_at: String,
    closed_at: Option<String>,
}

impl DiscrepancyView {
    fn of(one: Discrepancy) -> Self {
        Self {
            id: one.id.to_string(),
            object: "discrepancy",
            source: "gateway",
            kind: one.kind.name(),
            status: if one.closed_at.is_some() { "closed" } else { "open" },
            gateway: one.gateway,
            gateway_id: one.object,
            payment: one.payment.map(|payment| payment.to_string()),
            detail: one.detail,
            opened_at: time(one.opened_at),
            last_seen_at: time(one.last_seen_at),
            closed_at: one.closed_at.map(time),
        }
    }
}

/// One page, and the last id that was looked at where there may be more.
struct Page {
    found: Vec<Discrepancy>,
    next: Option<[u8; 16]>,
}

/// `GET /v1/discrepancies`
pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &findings::PARAMETERS)?;
    let is_of_pairs = parameters.parsed("source", "one of gateway, pair", |word| match word {
        "gateway" => Some(false),
        "pair" => Some(true),
        _ => None,
    })?;
    if is_of_pairs == Some(true) {
        needs_admin(&caller)?;
        let page = findings::page(handle, &caller.tenant, &parameters).await?;
        return Ok(render::ok(&page.map(FindingView::of)));
    }
    Ok(render::ok(&page(handle, &caller, &parameters).await?.map(DiscrepancyView::of)))
}

/// The discrepancies of gateways that the caller may see and wants, the newest first.
pub(crate) async fn page(
    handle: &Handle,
    caller: &Caller,
    parameters: &Parameters,
) -> Result<ListView<Discrepancy>, Problem> {
    let viewer = Viewer::of(caller);
    let wanted = Wanted::of(parameters)?;
    let cursors = List::new("discrepancies", caller.tenant.id, &parameters.filters());
    let (below, limit) = (cursors.fixed_position::<16>(parameters.text("cursor"))?, parameters.limit()?);
    let page = handle.read(move |reader| read(reader, viewer, &wanted, below, limit)).await?;
    Ok(ListView {
        data: page.found,
        has_more: page.next.is_some(),
        next_cursor: page.next.map(|position| cursors.cursor(&position)),
    })
}

/// `GET /v1/discrepancies/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, &id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    Parameters::of(uri, &[])?;
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no discrepancy has this id");
    let id: DiscrepancyId = id.parse().map_err(|_| not_found())?;
    match find(handle, &caller, id).await?.ok_or_else(not_found)? {
        Found::AtGateway(one) => Ok(render::ok(&DiscrepancyView::of(*one))),
        Found::OfPair(detail) => Ok(detail.answer()),
    }
}

/// A discrepancy of either source.
pub(crate) enum Found {
    /// Of a gateway.
    AtGateway(Box<Discrepancy>),
    /// Of a pair.
    OfPair(Box<Detail>),
}

/// The discrepancy of an id, as far as the caller may see it.
pub(crate) async fn find(handle: &Handle, caller: &Caller, id: DiscrepancyId) -> Result<Option<Found>, Problem> {
    let found = handle.read(move |reader| rows::get::<Discrepancy>(reader, vec![id.bytes().into()])).await?;
    if let Some(one) = found.filter(|one| Viewer::of(caller).sees(one)) {
        return Ok(Some(Found::AtGateway(Box::new(one))));
    }
    // Who may not see those of pairs does not learn that there is one.
    if caller.scope != Scope::Admin {
        return Ok(None);
    }
    let detail = findings::detail(handle, id).await?;
    Ok(detail.map(|detail| Found::OfPair(Box::new(detail))))
}

/// Pairs are the whole installation's.
pub(crate) fn needs_admin(caller: &Caller) -> Result<(), Problem> {
    if caller.scope == Scope::Admin {
        return Ok(());
    }
    Err(Problem::new(&catalogue::FORBIDDEN, "scope admin is needed for what pairs of systems show"))
}

fn read(
    reader: &mut dyn Reader,
    viewer: Viewer,
    wanted: &Wanted,
    below: Option<[u8; 16]>,
    limit: usize,
) -> Result<Page, StoreError> {
    let mut scan = Scan {
        after: below.map(|id| vec![id.into()]),
        direction: Direction::Backward,
        ..Scan::forward(&DISCREPANCIES, Vec::new(), CHUNK)
    };
    let (mut page, mut examined, mut last) = (Page { found: Vec::new(), next: None }, 0, None);
    loop {
        let rows: Vec<Discrepancy> = rows::page(reader, &scan)?;
        let is_end = rows.len() < CHUNK;
        for one in rows {
            if examined == EXAMINED_MAX || page.found.len() == limit {
                page.next = last;
                return Ok(page);
            }
            examined += 1;
            last = Some(one.id.bytes());
            if viewer.sees(&one) && wanted.is_of_gateway(&one) {
                page.found.push(one);
            }
        }
        if is_end {
            return Ok(page);
        }
        scan.after = last.map(|id| vec![id.into()]);
    }
}

/// Whose eyes a list is read with.
#[derive(Clone, Copy)]
struct Viewer {
    tenant: TenantId,
    scope: Scope,
}

impl Viewer {
    fn of(caller: &Caller) -> Self {
        Self { tenant: caller.tenant.id, scope: caller.scope }
    }

    fn sees(self, one: &Discrepancy) -> bool {
        match one.tenant {
            Some(tenant) => tenant == self.tenant,
            None => self.scope == Scope::Admin,
        }
    }
}
