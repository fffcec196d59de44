//! `GET /v1/discrepancies`: what gateways show and the books do not, or the other way round, newest first.
//!
//! A tenant sees its own; credentials of scope `admin` see those, too, of which nobody knows whose they are.

use super::cursor::List;
use super::query::Parameters;
use super::rows::{self, EXAMINED_MAX};
use super::waiting::or_problem;
use crate::auth::{Caller, authenticate};
use crate::problem::Problem;
use crate::render::{self, ListView, time};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::tenant::Scope;
use quittance_store::records::Discrepancy;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::DISCREPANCIES;
use serde::Serialize;

/// Rows fetched at a time.
const CHUNK: usize = 200;

const PARAMETERS: [&str; 3] = ["status", "limit", "cursor"];

/// A discrepancy, as clients see it.
#[derive(Serialize)]
struct DiscrepancyView {
    id: String,
    object: &'static str,
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
    let parameters = Parameters::of(uri, &PARAMETERS)?;
    let cursors = List::new("discrepancies", caller.tenant.id, &parameters.filters());
    let is_open = parameters.parsed("status", "one of open, closed", |word| match word {
        "open" => Some(true),
        "closed" => Some(false),
        _ => None,
    })?;
    let (below, limit) = (cursors.fixed_position::<16>(parameters.text("cursor"))?, parameters.limit()?);
    let page = handle.read(move |reader| read(reader, &caller, is_open, below, limit)).await?;
    Ok(render::ok(&ListView {
        data: page.found.into_iter().map(DiscrepancyView::of).collect(),
        has_more: page.next.is_some(),
        next_cursor: page.next.map(|position| cursors.cursor(&position)),
    }))
}

fn read(
    reader: &mut dyn Reader,
    caller: &Caller,
    is_open: Option<bool>,
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
            if is_visible(caller, &one) && is_open.is_none_or(|is_open| is_open == one.closed_at.is_none()) {
                page.found.push(one);
            }
        }
        if is_end {
            return Ok(page);
        }
        scan.after = last.map(|id| vec![id.into()]);
    }
}

fn is_visible(caller: &Caller, one: &Discrepancy) -> bool {
    match one.tenant {
        Some(tenant) => tenant == caller.tenant.id,
        None => caller.scope == Scope::Admin,
    }
}
