//! `GET /v1/ledger/entries`: what was held, posted and let go, book by book, the oldest first.

use super::{Filter, PARAMETERS, side};
use crate::api::cursor::List;
use crate::api::query::Parameters;
use crate::api::rows::{self, EXAMINED_MAX};
use crate::api::waiting::or_problem;
use crate::auth::authenticate;
use crate::problem::Problem;
use crate::render::{self, ListView, time};
use crate::runtime::Handle;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Uri};
use quittance_core::effect::{Effect, Subject};
use quittance_core::id::{CustomerId, DisputeId, EffectId, HoldId, PaymentId, RefundId, TenantId};
use quittance_core::journal::{Closing, Record};
use quittance_core::ledger::Posting;
use quittance_core::tenant::Scope;
use quittance_store::records::journal::decode;
use quittance_store::records::{Book, JournalEntry};
use quittance_store::store::{Direction, Reader, Scan, StoreError};
use quittance_store::tables::{BOOKS, JOURNAL};
use serde::Serialize;

/// Rows fetched at a time.
const CHUNK: usize = 200;
/// Bytes of a position: the book and the record's number.
const POSITION_BYTES: usize = 24;

#[derive(Serialize)]
struct EntryView {
    object: &'static str,
    customer: String,
    seq: i64,
    at: String,
    movement: &'static str,
    hold: Option<String>,
    payment: Option<String>,
    refund: Option<String>,
    dispute: Option<String>,
    postings: Vec<PostingView>,
    record_hash: String,
}

#[derive(Serialize)]
struct PostingView {
    account: String,
    side: &'static str,
    amount: i64,
    currency: &'static str,
}

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
                    self.entries.push(view(&entry, movement.completed(reader, book)?));
                }
            }
            if is_end {
                return Ok(false);
            }
        }
    }
}

/// The record's movement of money, if it has one.
fn movement_of(entry: &JournalEntry) -> Result<Option<Movement>, StoreError> {
    let record = decode(entry.kind, &entry.body).map_err(|error| StoreError::Corrupt {
        place: format!("journal of {}, record {}", entry.book, entry.seq),
        what: error.to_string(),
    })?;
    Ok(movement(record))
}

fn view(entry: &JournalEntry, movement: Movement) -> EntryView {
    EntryView {
        object: "ledger_entry",
        customer: entry.book.to_string(),
        seq: entry.seq,
        at: time(entry.at),
        movement: movement.word,
        hold: movement.hold.map(|hold| hold.to_string()),
        payment: movement.payment.map(|payment| payment.to_string()),
        refund: movement.refund.map(|refund| refund.to_string()),
        dispute: movement.dispute.map(|dispute| dispute.to_string()),
        postings: movement.postings.iter().map(posting).collect(),
        record_hash: entry.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// Money held, posted or let go, and what for.
#[derive(Default)]
struct Movement {
    word: &'static str,
    hold: Option<HoldId>,
    payment: Option<PaymentId>,
    refund: Option<RefundId>,
    dispute: Option<DisputeId>,
    /// The effect, where the record does not name both payment and refund and it has to tell.
    effect: Option<EffectId>,
    postings: Vec<Posting>,
}

impl Movement {
    /// With the payment and the refund that its effect is about.
    fn completed(mut self, reader: &mut dyn Reader, book: CustomerId) -> Result<Self, StoreError> {
        let Some(effect) = self.effect else { return Ok(self) };
        if let Some(effect) = rows::get::<Effect>(reader, vec![book.bytes().into(), effect.bytes().into()])? {
            self.payment = Some(effect.payment);
            if let Subject::Refund(refund) = effect.subject {
                self.refund = Some(refund);
            }
        }
        Ok(self)
    }
}

const fn closing_word(closing: Closing) -> &'static str {
    match closing {
        Closing::Posted => "posted",
        Closing::Voided => "voided",
    }
}

fn movement(record: Record) -> Option<Movement> {
    let nothing = Movement::default();
    match record {
        Record::PaymentAccepted { hold, payment, postings, .. } => {
            Some(Movement { word: "held", hold: Some(hold), payment: Some(payment), postings, ..nothing })
        }
        Record::EffectAdvanced(advanced) => {
            let (hold, closing) = advanced.closing?;
            let (word, postings) = (closing_word(closing), advanced.postings);
            Some(Movement { word, hold: Some(hold), payment: Some(advanced.payment), postings, ..nothing })
        }
        Record::RefundAccepted(accepted) => {
            let (payment, refund) = (Some(accepted.payment), Some(accepted.refund));
            let (hold, postings) = (Some(accepted.hold), accepted.postings);
            Some(Movement { word: "held", hold, payment, refund, postings, ..nothing })
        }
        Record::RefundAdvanced(advanced) => {
            let (hold, closing) = advanced.closing?;
            let (word, postings) = (closing_word(closing), advanced.postings);
            let (refund, effect) = (Some(advanced.refund), Some(advanced.effect));
            Some(Movement { word, hold: Some(hold), refund, effect, postings, ..nothing })
        }
        Record::Corrected(corrected) => {
            let (payment, effect, postings) = (Some(corrected.payment), Some(corrected.effect), corrected.postings);
            Some(Movement { word: "corrected", payment, effect, postings, ..nothing })
        }
        Record::DisputeSeen(seen) => {
            let (payment, dispute) = (Some(seen.payment), Some(seen.dispute));
            let moved = Movement { word: "posted", payment, dispute, postings: seen.postings, ..nothing };
            (!moved.postings.is_empty()).then_some(moved)
        }
        Record::BookOpened { .. }
        | Record::TicketIssued { .. }
        | Record::StepAsked { .. }
        | Record::EvidenceAccepted { .. }
        | Record::EvidenceAdvanced(_)
        | Record::ObservationKept { .. } => None,
    }
}

fn posting(posting: &Posting) -> PostingView {
    PostingView {
        account: posting.account.to_string(),
        side: side(posting.side),
        amount: posting.amount,
        currency: posting.currency.code(),
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
