//! Owns: every read. Does not own: anything that changes.

use std::sync::Arc;

use super::{reading_billing, reading_money};
use crate::answer::{Answer, ApiError};
use crate::books::{Books, Index, Row, Selection, Table};
use crate::dialect::card;
use crate::dialect::list_query::ListQuery;
use crate::dialect::operation::{Expand, Operation};
use crate::objects::{Intent, IntentView, Page, PaymentMethod};

/// Answers a read of the object (or list) named by the URL.
pub(crate) fn read(books: &Books, id: &str, operation: Operation) -> Result<Answer, ApiError> {
    match operation {
        Operation::ReadIntent(expand) => {
            let intent = one(&books.intents, id, "payment_intent", "intent")?;
            Ok(Answer::ok(&view(books, intent, expand)))
        }
        Operation::ReadCharge(expand) => {
            one(&books.charges, id, "charge", "id").map(|charge| reading_money::show(books, charge, expand))
        }
        Operation::ReadEvent => one(&books.events, id, "event", "id").map(|event| Answer::ok(event.as_ref())),
        Operation::ReadCustomer => one(&books.customers, id, "customer", "id").map(Answer::ok),
        Operation::ReadMethod => read_method(books, id),
        Operation::ListIntents(query, expand) => list_intents(books, &query, expand),
        Operation::ListCharges(query) => list_charges(books, &query),
        Operation::ListEvents(query) => list_events(books, &query),
        Operation::ListCustomers(query) => {
            let page = page(&books.customers, Selection::All, &query, |customer| {
                !customer.is_deleted && passes(query.email.as_deref(), customer.email.as_deref())
            });
            page.map(|(rows, has_more)| list("/v1/customers", rows, has_more))
        }
        Operation::ListMethods(query) => {
            let selection = select(&books.methods_by_customer, query.customer.as_deref());
            let page = page(&books.methods, selection, &query, |_| true);
            page.map(|(rows, has_more)| list("/v1/payment_methods", rows, has_more))
        }
        Operation::Billing(operation) => reading_billing::read(books, id, *operation),
        of_money => reading_money::read(books, id, of_money),
    }
}

/// A filter that was not given lets everything through.
pub(super) fn passes(filter: Option<&str>, value: Option<&str>) -> bool {
    filter.is_none() || filter == value
}

pub(super) fn view<'a>(books: &'a Books, intent: &'a Intent, expand: Expand) -> IntentView<'a> {
    let latest_charge = match expand {
        Expand::Nothing | Expand::BalanceTransaction => None,
        Expand::LatestCharge => intent.latest_charge.as_deref().and_then(|id| books.charges.get(id)),
    };
    IntentView { intent, latest_charge }
}

fn list_intents(books: &Books, query: &ListQuery, expand: Expand) -> Result<Answer, ApiError> {
    let selection = select(&books.intents_by_customer, query.customer.as_deref());
    let (rows, has_more) = page(&books.intents, selection, query, |_| true)?;
    let views = rows.into_iter().map(|intent| view(books, intent, expand)).collect();
    Ok(list("/v1/payment_intents", views, has_more))
}

fn list_charges(books: &Books, query: &ListQuery) -> Result<Answer, ApiError> {
    let selection = match &query.payment_intent {
        Some(intent) => select(&books.charges_by_intent, Some(intent)),
        None => select(&books.charges_by_customer, query.customer.as_deref()),
    };
    let (rows, has_more) =
        page(&books.charges, selection, query, |charge| passes(query.customer.as_deref(), charge.customer.as_deref()))?;
    Ok(list("/v1/charges", rows, has_more))
}

fn list_events(books: &Books, query: &ListQuery) -> Result<Answer, ApiError> {
    // `charge.*` selects a family, as in Stripe's own filter.
    let matches = |wanted: &str, kind: &str| match wanted.strip_suffix('*') {
        Some(prefix) => kind.starts_with(prefix),
        None => kind == wanted,
    };
    let selection = match query.types.as_slice() {
        [one] if !one.ends_with('*') => select(&books.events_by_type, Some(one)),
        _ => Selection::All,
    };
    let (rows, has_more) = page(&books.events, selection, query, |event| {
        let has_type = query.types.is_empty() || query.types.iter().any(|wanted| matches(wanted, event.kind));
        let is_hidden = query.hidden_events.iter().any(|hidden| is_of(hidden, event.kind));
        !is_hidden && has_type && query.delivery_success.is_none_or(|wanted| wanted == event.is_delivered())
    })?;
    Ok(list("/v1/events", rows.into_iter().map(Arc::as_ref).collect(), has_more))
}

/// Whether an event is about objects of this kind; disputes have the names of charges before theirs.
fn is_of(kind: &str, event: &str) -> bool {
    let rest = event.strip_prefix(kind).and_then(|rest| rest.strip_prefix('.'));
    rest.is_some_and(|rest| !rest.starts_with("dispute."))
}

/// The test names can be read as if they were payment methods; nothing is created.
fn read_method(books: &Books, id: &str) -> Result<Answer, ApiError> {
    match card::test_method(id) {
        Some(test) => {
            let method = PaymentMethod { id: id.to_owned(), created: 0, customer: None, test };
            Ok(Answer::ok(&method))
        }
        None => match books.methods.get(id) {
            Some(method) => Ok(Answer::ok(method)),
            None => Err(ApiError { status: 404, ..ApiError::missing("PaymentMethod", id, "payment_method") }),
        },
    }
}

pub(super) fn one<'a, T: Row>(table: &'a Table<T>, id: &str, noun: &str, param: &str) -> Result<&'a T, ApiError> {
    table.get(id).ok_or_else(|| ApiError::missing(noun, id, param))
}

pub(super) fn select<'a>(index: &'a Index, value: Option<&str>) -> Selection<'a> {
    value.map_or(Selection::All, |value| Selection::These(index.find(value)))
}

pub(super) fn page<'a, T: Row>(
    table: &'a Table<T>,
    selection: Selection<'a>,
    query: &ListQuery,
    keep: impl Fn(&T) -> bool,
) -> Result<(Vec<&'a T>, bool), ApiError> {
    let cursors = [("starting_after", &query.starting_after), ("ending_before", &query.ending_before)];
    for (param, cursor) in cursors {
        if let Some(id) = cursor
            && !table.contains(id)
        {
            return Err(ApiError::missing("object", id, param));
        }
    }
    Ok(table.page(selection, query, keep))
}

pub(super) fn list<T: serde::Serialize>(url: &str, data: Vec<T>, has_more: bool) -> Answer {
    Answer::ok(&Page { object: "list", data, has_more, url: url.to_owned() })
}
