//! Owns: reading refunds, disputes, payouts and the balance. Does not own: anything that changes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::reading::{list, one, page, passes, select};
use crate::answer::{Answer, ApiError};
use crate::books::Books;
use crate::dialect::list_query::ListQuery;
use crate::dialect::operation::{Expand, Operation};

pub(super) fn read(books: &Books, id: &str, operation: Operation) -> Result<Answer, ApiError> {
    match operation {
        Operation::ReadRefund(expand) => {
            one(&books.refunds, id, "refund", "id").map(|refund| show(books, refund, expand))
        }
        Operation::ReadDispute => one(&books.disputes, id, "dispute", "id").map(Answer::ok),
        Operation::ReadTransaction => one(&books.transactions, id, "balance transaction", "id").map(Answer::ok),
        Operation::ReadPayout(expand) => {
            one(&books.payouts, id, "payout", "id").map(|payout| show(books, payout, expand))
        }
        Operation::ReadBalance => Ok(balance(books)),
        Operation::ListRefunds(query) => list_refunds(books, &query),
        Operation::ListDisputes(query) => list_disputes(books, &query),
        Operation::ListTransactions(query) => list_transactions(books, &query),
        Operation::ListPayouts(query) => {
            let all = crate::books::Selection::All;
            let wanted = query.status.as_deref();
            let page = page(&books.payouts, all, &query, |payout| passes(wanted, Some(payout.status.name())));
            page.map(|(rows, has_more)| list("/v1/payouts", rows, has_more))
        }
        // Writes never come here: `Execution::run` takes them.
        _ => Err(ApiError::internal()),
    }
}

/// An object as JSON, with its balance transaction inside when that was asked for.
pub(super) fn show(books: &Books, object: &impl Serialize, expand: Expand) -> Answer {
    if expand != Expand::BalanceTransaction {
        return Answer::ok(object);
    }
    let mut value = json!(object);
    match value["balance_transaction"].as_str().and_then(|id| books.transactions.get(id)) {
        None => Answer::ok(object),
        Some(transaction) => {
            value["balance_transaction"] = json!(transaction);
            Answer::ok(&value)
        }
    }
}

fn list_refunds(books: &Books, query: &ListQuery) -> Result<Answer, ApiError> {
    let selection = match &query.charge {
        Some(charge) => select(&books.refunds_by_charge, Some(charge)),
        None => select(&books.refunds_by_intent, query.payment_intent.as_deref()),
    };
    let (rows, has_more) = page(&books.refunds, selection, query, |refund| {
        passes(query.payment_intent.as_deref(), refund.payment_intent.as_deref())
    })?;
    Ok(list("/v1/refunds", rows, has_more))
}

fn list_disputes(books: &Books, query: &ListQuery) -> Result<Answer, ApiError> {
    let selection = match &query.charge {
        Some(charge) => select(&books.disputes_by_charge, Some(charge)),
        None => select(&books.disputes_by_intent, query.payment_intent.as_deref()),
    };
    let (rows, has_more) = page(&books.disputes, selection, query, |dispute| {
        passes(query.payment_intent.as_deref(), dispute.payment_intent.as_deref())
    })?;
    Ok(list("/v1/disputes", rows, has_more))
}

fn list_transactions(books: &Books, query: &ListQuery) -> Result<Answer, ApiError> {
    if let Some(id) = &query.payout
        && !one(&books.payouts, id, "payout", "payout")?.is_automatic
    {
        let message = "Balance transaction history can only be filtered on automatic transfers, not manual.";
        return Err(ApiError::bad_request(message).param("payout"));
    }
    let selection = match &query.payout {
        Some(payout) => select(&books.transactions_by_payout, Some(payout)),
        None => select(&books.transactions_by_source, query.source.as_deref()),
    };
    let (rows, has_more) = page(&books.transactions, selection, query, |row| {
        passes(query.source.as_deref(), Some(&row.source))
            && passes(query.currency.as_deref(), Some(&row.currency))
            && passes(query.types.first().map(String::as_str), Some(row.movement.name()))
    })?;
    Ok(list("/v1/balance_transactions", rows, has_more))
}

/// Nothing is ever held back, so all of it is available.
fn balance(books: &Books) -> Answer {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for row in books.transactions.rows() {
        *sums.entry(&row.currency).or_default() += row.net();
    }
    let entry =
        |currency: &str, amount: i64| json!({"amount": amount, "currency": currency, "source_types": {"card": amount}});
    let available: Vec<_> = sums.iter().map(|(currency, amount)| entry(currency, *amount)).collect();
    let pending: Vec<_> = sums.keys().map(|currency| entry(currency, 0)).collect();
    Answer::ok(&json!({"object": "balance", "available": available, "livemode": false, "pending": pending}))
}
