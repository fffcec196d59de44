//! Owns: the rail's transfers: making, settling, returning and reading them. Does not own: the wire (`dialect::rail`).

use serde::Serialize;

use super::{Execution, Outcome, Task};
use crate::answer::{Answer, ApiError};
use crate::books::{Books, Selection};
use crate::dialect::rail::{Refusal, Source, TransferDraft, TransferQuery};
use crate::objects::{Transfer, TransferEntry, TransferState};

#[derive(Serialize)]
struct TransferPage<'a> {
    transfers: Vec<&'a Transfer>,
    next: Option<&'a str>,
}

impl Execution<'_> {
    /// Makes a transfer, whatever was made under the same reference before.
    pub(crate) fn create_transfer(&mut self, draft: TransferDraft) -> Answer {
        let (state, reason) = match draft.source {
            Source::Good | Source::Returning => (TransferState::Settled, None),
            Source::Slow => (TransferState::Pending, None),
            Source::Empty => (TransferState::Rejected, Some("insufficient_funds")),
            Source::Closed => (TransferState::Rejected, Some("account_closed")),
        };
        let transfer = Transfer {
            id: self.mint.id("trf_"),
            state,
            amount: draft.amount,
            currency: draft.currency,
            reference: draft.reference,
            reason,
            created: self.now,
            memo: draft.memo,
        };
        if state == TransferState::Settled {
            self.book_transfer(&transfer, transfer.amount);
        }
        let later = match draft.source {
            Source::Slow => Some(Outcome::Succeed),
            Source::Returning => Some(Outcome::Fail),
            Source::Good | Source::Empty | Source::Closed => None,
        };
        let plan = |outcome| Task::SettleTransfer { transfer: transfer.id.clone(), outcome };
        self.planned.extend(later.map(plan));
        let answer = Answer::created(&transfer);
        let reference = transfer.reference.clone();
        let place = self.books.transfers.add(transfer);
        self.books.transfers_by_reference.add(&reference, place);
        answer
    }

    /// The bank's word on a transfer, which may come after it was settled.
    pub(crate) fn settle_transfer(&mut self, id: &str, outcome: Outcome) -> Result<Answer, ApiError> {
        let transfer = self.books.transfers.get(id).cloned();
        let mut transfer = transfer.ok_or_else(|| ApiError::missing("transfer", id, "id"))?;
        match (transfer.state, outcome) {
            (TransferState::Pending, Outcome::Succeed) => {
                transfer.state = TransferState::Settled;
                self.book_transfer(&transfer, transfer.amount);
            }
            (TransferState::Pending, Outcome::Fail) => {
                transfer.state = TransferState::Rejected;
                transfer.reason = Some("insufficient_funds");
            }
            (TransferState::Settled, Outcome::Fail) => {
                transfer.state = TransferState::Returned;
                transfer.reason = Some("payer_objected");
                self.book_transfer(&transfer, -transfer.amount);
            }
            _ => return Err(ApiError::bad_request(format!("Transfer {id} has come to its end."))),
        }
        let answer = Answer::ok(&transfer);
        if let Some(row) = self.books.transfers.get_mut(id) {
            *row = transfer;
        }
        Ok(answer)
    }

    fn book_transfer(&mut self, transfer: &Transfer, amount: i64) {
        self.books.transfer_entries.push(TransferEntry { transfer: transfer.id.clone(), amount });
    }
}

/// Answers a read of one transfer.
pub(crate) fn read_transfer(books: &Books, id: &str) -> Result<Answer, Refusal> {
    let missing = || Refusal::new(404, "transfer_not_found", "There is no such transfer.");
    books.transfers.get(id).map(Answer::ok).ok_or_else(missing)
}

/// Answers a page of transfers.
pub(crate) fn list_transfers(books: &Books, query: &TransferQuery) -> Result<Answer, Refusal> {
    if query.page.starting_after.as_deref().is_some_and(|cursor| !books.transfers.contains(cursor)) {
        return Err(Refusal::invalid("The cursor is not one of this list."));
    }
    let reference = query.reference.as_deref();
    let found = reference.map(|reference| books.transfers_by_reference.find(reference));
    let (transfers, has_more) =
        books.transfers.page(found.map_or(Selection::All, Selection::These), &query.page, |_| true);
    let next = transfers.last().filter(|_| has_more).map(|last| last.id.as_str());
    Ok(Answer::ok(&TransferPage { transfers, next }))
}
