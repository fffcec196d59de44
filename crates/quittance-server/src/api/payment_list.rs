//! `GET /v1/payments`: newest first, with filters, never looking at more than a bounded number of rows.
//!
//! Ids are time-ordered, so the newest first is the greatest id first, in every index that ends with the id.

use super::cursor::List;
use super::customers;
use super::query::Parameters;
use super::rows::{self, EXAMINED_MAX};
use super::waiting::or_problem;
use crate::auth::{Caller, authenticate};
use crate::problem::Problem;
use crate::render::{self, ListView, PaymentView};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::id::{CustomerId, TenantId};
use quittance_core::payment::{Payment, Status};
use quittance_core::tenant::Scope;
use quittance_core::time::Timestamp;
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::PAYMENTS;
use quittance_store::value::Value;

/// Rows fetched at a time.
const CHUNK: usize = 200;
/// How far an id's time may be ahead of its row's: ids go on rising where the clock was set back.
pub(super) const CLOCK_SLACK_MS: u64 = 24 * 3_600_000;

pub(crate) const PARAMETERS: [&str; 7] =
    ["customer", "status", "reference", "created_after", "created_before", "limit", "cursor"];

/// What is asked for.
struct Wish {
    tenant: TenantId,
    book: Option<CustomerId>,
    status: Option<Status>,
    reference: Option<String>,
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
    /// Only payments with smaller ids.
    below: Option<[u8; 16]>,
    limit: usize,
}

/// One page, and the last id that was looked at where there may be more.
struct Page {
    payments: Vec<Payment>,
    next: Option<[u8; 16]>,
}

pub(super) async fn list(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_list(&handle, &uri, &headers).await)
}

async fn try_list(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let page = page(handle, &caller, &Parameters::of(uri, &PARAMETERS)?).await?;
    Ok(render::ok(&ListView {
        data: page.data.iter().map(PaymentView::of).collect(),
        has_more: page.has_more,
        next_cursor: page.next_cursor,
    }))
}

/// The caller's payments that are wished.
pub(crate) async fn page(
    handle: &Handle,
    caller: &Caller,
    parameters: &Parameters,
) -> Result<ListView<Payment>, Problem> {
    let tenant = caller.tenant.id;
    let cursors = List::new("payments", tenant, &parameters.filters());
    let words: Vec<_> = Status::ALL.iter().map(|status| status.name()).collect();
    let book = match parameters.text("customer") {
        Some(name) => Some(customers::find(handle, caller, name).await?.id),
        None => None,
    };
    let wish = Wish {
        tenant,
        book,
        status: parameters.parsed("status", &format!("one of {}", words.join(", ")), Status::from_name)?,
        reference: parameters.text("reference").map(str::to_owned),
        created_after: parameters.time("created_after")?,
        created_before: parameters.time("created_before")?,
        below: cursors.fixed_position(parameters.text("cursor"))?,
        limit: parameters.limit()?,
    };
    let page = handle.read(move |reader| read(reader, &wish)).await?;
    Ok(ListView {
        data: page.payments,
        has_more: page.next.is_some(),
        next_cursor: page.next.map(|position| cursors.cursor(&position)),
    })
}

fn read(reader: &mut dyn Reader, wish: &Wish) -> Result<Page, StoreError> {
    if let (Some(reference), None) = (&wish.reference, wish.book)
        && let Some(page) = of_reference(reader, wish, reference)?
    {
        return Ok(page);
    }
    let mut scan = scan_of(wish);
    let mut page = Page { payments: Vec::new(), next: None };
    let mut examined = 0;
    let mut last = None;
    loop {
        let found: Vec<Payment> = rows::page(reader, &scan)?;
        let is_end = found.len() < scan.limit;
        for payment in found {
            if examined == EXAMINED_MAX || page.payments.len() == wish.limit {
                page.next = last;
                return Ok(page);
            }
            examined += 1;
            last = Some(payment.id.bytes());
            if wish.takes(&payment) {
                page.payments.push(payment);
            }
        }
        if is_end {
            return Ok(page);
        }
        scan.after = last.map(|id| vec![id.into()]);
    }
}

/// The narrowest index that is ordered by the id under what is wished.
fn scan_of(wish: &Wish) -> Scan {
    let tenant: Value = wish.tenant.bytes().into();
    let (index, prefix) = match (wish.book, &wish.reference) {
        (Some(book), Some(reference)) => {
            (Some(&PAYMENTS.indexes[1]), vec![tenant, reference.as_str().into(), book.bytes().into()])
        }
        (Some(book), None) => (None, vec![book.bytes().into()]),
        (None, _) => (Some(&PAYMENTS.indexes[0]), vec![tenant]),
    };
    let before = wish.created_before.map(|at| at.plus_ms(CLOCK_SLACK_MS));
    let after = [before.map(first_id_of), wish.below].into_iter().flatten().min();
    Scan {
        table: &PAYMENTS,
        index,
        prefix,
        after: after.map(|id| vec![id.into()]),
        until: wish.created_after.map(|at| vec![first_id_of(at).into()]),
        direction: Direction::Backward,
        limit: CHUNK,
    }
}

/// The payments of a reference under any customer: their index is ordered by customer first, so all of them are read.
/// None where they are too many; then every payment is looked at.
fn of_reference(reader: &mut dyn Reader, wish: &Wish, reference: &str) -> Result<Option<Page>, StoreError> {
    let scan = Scan {
        index: Some(&PAYMENTS.indexes[1]),
        limit: EXAMINED_MAX + 1,
        ..Scan::forward(&PAYMENTS, vec![wish.tenant.bytes().into(), reference.into()], EXAMINED_MAX + 1)
    };
    let mut payments: Vec<Payment> = rows::page(reader, &scan)?;
    if payments.len() > EXAMINED_MAX {
        return Ok(None);
    }
    payments.retain(|payment| wish.takes(payment) && wish.below.is_none_or(|below| payment.id.bytes() < below));
    payments.sort_by_key(|payment| std::cmp::Reverse(payment.id));
    let has_more = payments.len() > wish.limit;
    payments.truncate(wish.limit);
    let next = payments.last().filter(|_| has_more).map(|payment| payment.id.bytes());
    Ok(Some(Page { payments, next }))
}

impl Wish {
    fn takes(&self, payment: &Payment) -> bool {
        self.status.is_none_or(|status| payment.status == status)
            && self.reference.as_deref().is_none_or(|reference| payment.reference == reference)
            && self.created_after.is_none_or(|at| payment.created_at > at)
            && self.created_before.is_none_or(|at| payment.created_at < at)
    }
}

/// Not above any id of version 7 (RFC 9562) that was drawn at this time, and above all that were drawn earlier.
pub(super) fn first_id_of(at: Timestamp) -> [u8; 16] {
    let ms = at.ms_since(Timestamp::default());
    let mut id = [0; 16];
    id[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    id
}
