//! `GET /v1/ledger/entries`: what was held, posted and let go, book by book, the oldest first.

use super::{Filter, PARAMETERS};
use crate::api::cursor::List;
use crate::api::query::Parameters;
use crate::api::rows::{self, EXAMINED_MAX};
use crate::api::waiting::or_problem;
use crate::auth::authenticate;
use crate::entries::{EntryView, movement_of};
use crate::problem::Problem;
use crate::render::{self, ListView};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::id::{CustomerId, TenantId};
use quittance_core::tenant::Scope;
use quittance_store::records::{Book, JournalEntry};
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::{BOOKS, JOURNAL};

/// Rows fetched at a time.
const CHUNK: usize = 200;
/// Bytes of a position: the book and the record's number.
const POSITION_BYTES: usize = 24;

/// Where a list goes on: after this record of this book.
#[derive(Clone, Copy)]
struct Position {
    book: CustomerId,
    seq: i64,
}

struct Page {
    entries: Vec<EntryView>,
    examined: usize,
    limit: usize,
    last: Option<Position>,
}

pub(in crate::api) async fn entries(State(handle): State<Handle>, uri: Uri, headers: HeaderMap) -> Response {
    or_problem(try_entries(&handle, &uri, &headers).await)
}

async fn try_entries(handle: &Handle, uri: &Uri, headers: &HeaderMap) -> Result<Response, Problem> {
    let caller = authenticate(handle, headers, Scope::Read).await?;
    let parameters = Parameters::of(uri, &PARAMETERS)?;
    let filter = Filter::of(handle, &caller, &parameters).await?;
    let tenant = caller.tenant.id;
    let cursors = List::new("ledger/entries", tenant, &parameters.filters());
    let from = cursors.fixed_position(parameters.text("cursor"))?.map(Position::from_bytes);
    let page = Page { entries: Vec::new(), examined: 0, limit: parameters.limit()?, last: None };
    let (page, has_more) = handle.read(move |reader| read(reader, tenant, &filter, from, page)).await?;
    let next = page.last.filter(|_| has_more);
    Ok(render::ok(&ListView {
        data: page.entries,
        has_more,
        next_cursor: next.map(|position| cursors.cursor(&position.bytes())),
    }))
}

fn read(
    reader: &mut dyn Reader,
    tenant: TenantId,
    filter: &Filter,
    from: Option<Position>,
    mut page: Page,
) -> Result<(Page, bool), StoreError> {
    if let Some(book) = filter.book {
        let has_more = page.fill(reader, book, from.map_or(0, |from| from.seq), filter)?;
        return Ok((page, has_more));
    }
    let mut book = from.map(|from| from.book);
    if let Some(from) = from
        && page.fill(reader, from.book, from.seq, filter)?
    {
        return Ok((page, true));
    }
    loop {
        let books = books_after(reader, tenant, book)?;
        let is_end = books.len() < CHUNK;
        for next in books {
            if page.is_full() || page.fill(reader, next.id, 0, filter)? {
                return Ok((page, true));
            }
            // A book is looked at even where it has nothing to show, and the next page goes on behind it.
            page.examined += 1;
            page.last = Some(Position { book: next.id, seq: next.records });
            book = Some(next.id);
        }
        if is_end {
            return Ok((page, false));
        }
    }
}

fn books_after(reader: &mut dyn Reader, tenant: TenantId, book: Option<CustomerId>) -> Result<Vec<Book>, StoreError> {
    let scan = Scan {
        table: &BOOKS,
        index: Some(&BOOKS.indexes[0]),
        prefix: vec![tenant.bytes().into()],
        after: book.map(|book| vec![book.bytes().into()]),
        until: None,
        direction: Direction::Forward,
        limit: CHUNK,
    };
    rows::page(reader, &scan)
}

impl Page {
    fn is_full(&self) -> bool {
        self.entries.len() >= self.limit || self.examined >= EXAMINED_MAX
    }

    /// Goes on in one book; tells whether it ended before the book did.
    fn fill(
        &mut self,
        reader: &mut dyn Reader,
        book: CustomerId,
        after: i64,
        filter: &Filter,
    ) -> Result<bool, StoreError> {
        let mut scan = Scan::forward(&JOURNAL, vec![book.bytes().into()], CHUNK);
        scan.after = Some(vec![after.into()]);
        loop {
            let found: Vec<JournalEntry> = rows::page(reader, &scan)?;
            let is_end = found.len() < CHUNK;
            for entry in found {
                if self.is_full() {
                    return Ok(true);
                }
                self.examined += 1;
                self.last = Some(Position { book, seq: entry.seq });
                scan.after = Some(vec![entry.seq.into()]);
                if let Some(movement) = movement_of(&entry)?.filter(|movement| filter.takes_any(&movement.postings)) {
                    self.entries.push(EntryView::of(&entry, &movement.completed(reader, book)?));
                }
            }
            if is_end {
                return Ok(false);
            }
        }
    }
}

impl Position {
    fn bytes(self) -> [u8; POSITION_BYTES] {
        let mut bytes = [0; POSITION_BYTES];
        bytes[..16].copy_from_slice(&self.book.bytes());
        bytes[16..].copy_from_slice(&self.seq.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; POSITION_BYTES]) -> Self {
        let (mut book, mut seq) = ([0; 16], [0; 8]);
        book.copy_from_slice(&bytes[..16]);
        seq.copy_from_slice(&bytes[16..]);
        Self { book: CustomerId::from_bytes(book), seq: i64::from_be_bytes(seq) }
    }
}
