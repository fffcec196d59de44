//! `GET /v1/refunds`: newest first, with filters, never looking at more than a bounded number of rows.
//!
//! Ids are time-ordered, so the newest first is the greatest id first, in every index that ends with the id.

use super::cursor::List;
use super::payment_steps::find;
use super::query::Parameters;
use super::rows::{self, EXAMINED_MAX};
use super::waiting::or_problem;
use crate::auth::authenticate;
use crate::problem::Problem;
use crate::render::{self, ListView, RefundView};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::id::TenantId;
use quittance_core::payment::Payment;
use quittance_core::refund::{Refund, RefundStatus};
use quittance_core::tenant::Scope;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::REFUNDS;

/// Rows fetched at a time.
const CHUNK: usize = 200;

/// What is asked for.
struct Wish {
    tenant: TenantId,
    payment: Option<Payment>,
    status: Option<RefundStatus>,
    reference: Option<String>,
    /// Only refunds with smaller ids.
    below: Option<[u8; 16]>,
    limit: usize,
}

/// One page, and the last id that was looked at where there may be more.
struct Page {
    refunds: Vec<Refund>,
    next: Option<[u8; 16]>,
}

pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &["payment", "status", "reference", "limit", "cursor"])?;
    let tenant = caller.tenant.id;
    let cursors = List::new("refunds", tenant, &parameters.filters());
    let words: Vec<_> = RefundStatus::ALL.iter().map(|status| status.name()).collect();
    let payment = match parameters.text("payment") {
        Some(id) => Some(find(handle, tenant, id).await?),
        None => None,
    };
    let wish = Wish {
        tenant,
        payment,
        status: parameters.parsed("status", &format!("one of {}", words.join(", ")), RefundStatus::from_name)?,
        reference: parameters.text("reference").map(str::to_owned),
        below: cursors.fixed_position(parameters.text("cursor"))?,
        limit: parameters.limit()?,
    };
    let page = handle.read(move |reader| read(reader, &wish)).await?;
    Ok(render::ok(&ListView {
        data: page.refunds.iter().map(RefundView::of).collect(),
        has_more: page.next.is_some(),
        next_cursor: page.next.map(|position| cursors.cursor(&position)),
    }))
}

fn read(reader: &mut dyn Reader, wish: &Wish) -> Result<Page, StoreError> {
    if let (Some(reference), None) = (&wish.reference, &wish.payment)
        && let Some(page) = of_reference(reader, wish, reference)?
    {
        return Ok(page);
    }
    let mut scan = scan_of(wish);
    let mut page = Page { refunds: Vec::new(), next: None };
    let mut examined = 0;
    let mut last = None;
    loop {
        let found: Vec<Refund> = rows::page(reader, &scan)?;
        let is_end = found.len() < scan.limit;
        for refund in found {
            if examined == EXAMINED_MAX || page.refunds.len() == wish.limit {
                page.next = last;
                return Ok(page);
            }
            examined += 1;
            last = Some(refund.id.bytes());
            if wish.takes(&refund) {
                page.refunds.push(refund);
            }
        }
        if is_end {
            return Ok(page);
        }
        scan.after = last.map(|id| vec![id.into()]);
    }
}

/// The index that is ordered by the id under what is wished.
fn scan_of(wish: &Wish) -> Scan {
    let (index, prefix) = match &wish.payment {
        Some(payment) => (&REFUNDS.indexes[1], vec![payment.book.bytes().into(), payment.id.bytes().into()]),
        None => (&REFUNDS.indexes[0], vec![wish.tenant.bytes().into()]),
    };
    Scan {
        index: Some(index),
        direction: Direction::Backward,
        after: wish.below.map(|id| vec![id.into()]),
        ..Scan::forward(&REFUNDS, prefix, CHUNK)
    }
}

/// The refunds of a reference under any payment: their index is ordered by book first, so all of them are read. None where
/// they are too many; then every refund is looked at.
fn of_reference(reader: &mut dyn Reader, wish: &Wish, reference: &str) -> Result<Option<Page>, StoreError> {
    let prefix = vec![wish.tenant.bytes().into(), reference.into()];
    let scan = Scan { index: Some(&REFUNDS.indexes[2]), ..Scan::forward(&REFUNDS, prefix, EXAMINED_MAX + 1) };
    let mut refunds: Vec<Refund> = rows::page(reader, &scan)?;
    if refunds.len() > EXAMINED_MAX {
        return Ok(None);
    }
    refunds.retain(|refund| wish.takes(refund) && wish.below.is_none_or(|below| refund.id.bytes() < below));
    refunds.sort_by_key(|refund| std::cmp::Reverse(refund.id));
    let has_more = refunds.len() > wish.limit;
    refunds.truncate(wish.limit);
    let next = refunds.last().filter(|_| has_more).map(|refund| refund.id.bytes());
    Ok(Some(Page { refunds, next }))
}

impl Wish {
    fn takes(&self, refund: &Refund) -> bool {
        self.status.is_none_or(|status| refund.status == status)
            && self.reference.as_deref().is_none_or(|reference| refund.reference.as_deref() == Some(reference))
    }
}
