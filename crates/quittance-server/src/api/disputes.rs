//! Disputes, as the gateways tell of them: one, and lists, the newest first.

use super::cursor::List;
use super::payment_steps;
use super::query::{Name, Parameters};
use super::rows::{self, EXAMINED_MAX};
use super::waiting::or_problem;
use crate::auth::authenticate;
use crate::problem::{Problem, catalogue};
use crate::render::{self, DisputeView, ListView};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::dispute::{Dispute, DisputeStatus};
use quittance_core::id::{DisputeId, TenantId};
use quittance_core::payment::Payment;
use quittance_core::tenant::Scope;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::DISPUTES;

/// Rows fetched at a time.
const CHUNK: usize = 200;

/// `GET /v1/disputes/{id}`
pub(super) async fn show(State(handle): State<Handle>, Name(id): Name, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_show(&handle, &id, &uri, &headers).await)
}

async fn try_show(handle: &Handle, id: &str, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    Parameters::of(uri, &[])?;
    let dispute = find(handle, caller.tenant.id, id).await?;
    Ok(render::ok(&DisputeView::of(&dispute)))
}

/// The tenant's dispute of this id.
pub(super) async fn find(handle: &Handle, tenant: TenantId, id: &str) -> Result<Dispute, Problem> {
    let not_found = || Problem::new(&catalogue::NOT_FOUND, "no dispute has this id");
    let id: DisputeId = id.parse().map_err(|_| not_found())?;
    handle.read(move |reader| rows::dispute(reader, tenant, id)).await?.ok_or_else(not_found)
}

/// `GET /v1/disputes`: newest first, of the tenant or of one payment.
pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &["payment", "status", "limit", "cursor"])?;
    let tenant = caller.tenant.id;
    let cursors = List::new("disputes", tenant, &parameters.filters());
    let known: Vec<_> = DisputeStatus::KNOWN.iter().map(DisputeStatus::name).collect();
    let status = parameters.parsed("status", &format!("one of {}", known.join(", ")), |word| {
        known.contains(&word).then(|| DisputeStatus::from_word(word))
    })?;
    let payment = match parameters.text("payment") {
        Some(id) => Some(payment_steps::find(handle, tenant, id).await?),
        None => None,
    };
    let below = cursors.fixed_position(parameters.text("cursor"))?;
    let limit = parameters.limit()?;
    let scan = scan_of(tenant, payment.as_ref(), below);
    let page = handle.read(move |reader| read(reader, scan, status.as_ref(), limit)).await?;
    Ok(render::ok(&ListView {
        data: page.disputes.iter().map(DisputeView::of).collect(),
        has_more: page.next.is_some(),
        next_cursor: page.next.map(|position| cursors.cursor(&position)),
    }))
}

/// One page, and the last id that was looked at where there may be more.
struct Page {
    disputes: Vec<Dispute>,
    next: Option<[u8; 16]>,
}

fn scan_of(tenant: TenantId, payment: Option<&Payment>, below: Option<[u8; 16]>) -> Scan {
    let (index, prefix) = match payment {
        Some(payment) => (&DISPUTES.indexes[2], vec![payment.book.bytes().into(), payment.id.bytes().into()]),
        None => (&DISPUTES.indexes[0], vec![tenant.bytes().into()]),
    };
    Scan {
        table: &DISPUTES,
        index: Some(index),
        prefix,
        after: below.map(|id| vec![id.into()]),
        until: None,
        direction: Direction::Backward,
        limit: CHUNK,
    }
}

fn read(
    reader: &mut dyn Reader,
    mut scan: Scan,
    status: Option<&DisputeStatus>,
    limit: usize,
) -> Result<Page, StoreError> {
    let mut page = Page { disputes: Vec::new(), next: None };
    let mut examined = 0;
    let mut last = None;
    loop {
        let found: Vec<Dispute> = rows::page(reader, &scan)?;
        let is_end = found.len() < scan.limit;
        for dispute in found {
            if examined == EXAMINED_MAX || page.disputes.len() == limit {
                page.next = last;
                return Ok(page);
            }
            examined += 1;
            last = Some(dispute.id.bytes());
            if status.is_none_or(|status| dispute.status == *status) {
                page.disputes.push(dispute);
            }
        }
        if is_end {
            return Ok(page);
        }
        scan.after = last.map(|id| vec![id.into()]);
    }
}
