//! Owns: reading products, prices, subscriptions and invoices, and the lists inside them. Does not own: anything that
//! changes.

use super::reading::{list, one, page, passes, select};
use crate::answer::{Answer, ApiError};
use crate::books::{Books, Selection};
use crate::dialect::billing::BillingOperation;
use crate::dialect::list_query::ListQuery;
use crate::objects::{
    ItemView, LineView, NESTED_ROWS_MAX, Subscription, SubscriptionItem, SubscriptionStatus, SubscriptionView,
};

pub(super) fn read(books: &Books, id: &str, operation: BillingOperation) -> Result<Answer, ApiError> {
    match operation {
        BillingOperation::ReadProduct => one(&books.products, id, "product", "id").map(Answer::ok),
        BillingOperation::ReadPrice => one(&books.prices, id, "price", "id").map(Answer::ok),
        BillingOperation::ReadSubscription => {
            one(&books.subscriptions, id, "subscription", "id").map(|found| Answer::ok(&view(books, found)))
        }
        BillingOperation::ReadInvoice => one(&books.invoices, id, "invoice", "id").map(Answer::ok),
        BillingOperation::ListProducts(query) => {
            let page = page(&books.products, Selection::All, &query, |product| {
                query.active.is_none_or(|wanted| wanted == product.is_active)
            });
            page.map(|(rows, has_more)| list("/v1/products", rows, has_more))
        }
        BillingOperation::ListPrices(query) => list_prices(books, &query),
        BillingOperation::ListSubscriptions(query) => list_subscriptions(books, &query),
        BillingOperation::ListItems { subscription, query } => list_items(books, &subscription, &query),
        BillingOperation::ListInvoices(query) => list_invoices(books, &query),
        BillingOperation::ListLines(query) => list_lines(books, id, &query),
        // Writes never come here: `Execution::run_billing` takes them.
        _ => Err(ApiError::internal()),
    }
}

pub(super) fn view<'a>(books: &'a Books, subscription: &'a Subscription) -> SubscriptionView<'a> {
    let items = subscription.items.iter().take(NESTED_ROWS_MAX);
    SubscriptionView { subscription, items: items.map(|item| item_view(books, subscription, item)).collect() }
}

fn item_view<'a>(books: &'a Books, subscription: &'a Subscription, item: &'a SubscriptionItem) -> ItemView<'a> {
    ItemView { subscription, item, price: books.prices.get(&item.price) }
}

fn list_prices(books: &Books, query: &ListQuery) -> Result<Answer, ApiError> {
    let selection = select(&books.prices_by_product, query.product.as_deref());
    let (rows, has_more) = page(&books.prices, selection, query, |price| {
        query.active.is_none_or(|wanted| wanted == price.is_active)
            && passes(query.currency.as_deref(), Some(&price.currency))
            && passes(query.types.first().map(String::as_str), Some(price.kind()))
    })?;
    Ok(list("/v1/prices", rows, has_more))
}

/// Without a status: all that are not canceled, as Stripe's reference says.
fn list_subscriptions(books: &Books, query: &ListQuery) -> Result<Answer, ApiError> {
    let is_wanted = |status: SubscriptionStatus| match query.status.as_deref() {
        None => status != SubscriptionStatus::Canceled,
        Some("all") => true,
        Some("ended") => status.is_terminal(),
        Some(wanted) => wanted == status.name(),
    };
    let selection = select(&books.subscriptions_by_customer, query.customer.as_deref());
    let (rows, has_more) = page(&books.subscriptions, selection, query, |row| {
        let has_price = |wanted: &String| row.items.iter().any(|item| item.price == *wanted);
        is_wanted(row.status) && query.price.as_ref().is_none_or(has_price)
    })?;
    let views = rows.into_iter().map(|subscription| view(books, subscription)).collect();
    Ok(list("/v1/subscriptions", views, has_more))
}

fn list_items(books: &Books, id: &str, query: &ListQuery) -> Result<Answer, ApiError> {
    let subscription = one(&books.subscriptions, id, "subscription", "subscription")?;
    let (items, has_more) = cut(&subscription.items, |item| &item.id, query)?;
    let views = items.iter().map(|item| item_view(books, subscription, item)).collect();
    Ok(list("/v1/subscription_items", views, has_more))
}

fn list_invoices(books: &Books, query: &ListQuery) -> Result<Answer, ApiError> {
    let selection = match &query.subscription {
        Some(subscription) => select(&books.invoices_by_subscription, Some(subscription)),
        None => select(&books.invoices_by_customer, query.customer.as_deref()),
    };
    let (rows, has_more) = page(&books.invoices, selection, query, |invoice| {
        passes(query.status.as_deref(), Some(invoice.status.name()))
            && passes(query.customer.as_deref(), Some(&invoice.customer))
    })?;
    Ok(list("/v1/invoices", rows, has_more))
}

fn list_lines(books: &Books, id: &str, query: &ListQuery) -> Result<Answer, ApiError> {
    let invoice = one(&books.invoices, id, "invoice", "id")?;
    let (lines, has_more) = cut(&invoice.lines, |line| &line.id, query)?;
    let views = lines.iter().map(|line| LineView { invoice, line }).collect();
    Ok(list(&invoice.lines_url(), views, has_more))
}

/// One page of the rows inside an object, in their own order.
fn cut<'a, T>(rows: &'a [T], id: impl Fn(&T) -> &str, query: &ListQuery) -> Result<(&'a [T], bool), ApiError> {
    let find = |cursor: &Option<String>, param| match cursor {
        None => Ok(None),
        Some(wanted) => {
            let position = rows.iter().position(|row| id(row) == wanted);
            position.map(Some).ok_or_else(|| ApiError::missing("object", wanted, param))
        }
    };
    let after = find(&query.starting_after, "starting_after")?;
    let (first, end) = match (after, find(&query.ending_before, "ending_before")?) {
        // The page ends with the row that it should begin after.
        (Some(after), _) if query.repeats_cursor => ((after + 1).saturating_sub(query.limit), after + 1),
        (Some(after), _) => (after + 1, rows.len().min(after + 1 + query.limit)),
        (None, Some(before)) => (before.saturating_sub(query.limit), before),
        (None, None) => (0, rows.len().min(query.limit)),
    };
    let has_more = query.repeats_cursor || if query.ending_before.is_some() { first > 0 } else { end < rows.len() };
    Ok((rows.get(first..end).unwrap_or_default(), has_more))
}

#[cfg(test)]
mod tests {
    use super::cut;
    use crate::dialect::list_query::ListQuery;

    fn check(query: ListQuery, expected: &str) {
        let rows = ["a", "b", "c", "d", "e"];
        let (found, has_more) = cut(&rows, |row| row, &query).expect("a cursor that is there");
        assert_eq!(format!("{} {has_more}", found.concat()), expected, "{query:?}");
    }

    #[test]
    fn rows_inside_an_object_are_cut_in_their_own_order() {
        let query = || ListQuery { limit: 2, ..ListQuery::default() };
        check(query(), "ab true");
        check(ListQuery { limit: 5, ..query() }, "abcde false");
        check(ListQuery { starting_after: Some("b".into()), ..query() }, "cd true");
        check(ListQuery { starting_after: Some("c".into()), ..query() }, "de false");
        check(ListQuery { starting_after: Some("e".into()), ..query() }, " false");
        check(ListQuery { ending_before: Some("d".into()), ..query() }, "bc true");
        check(ListQuery { ending_before: Some("a".into()), ..query() }, " false");
        check(ListQuery { starting_after: Some("d".into()), repeats_cursor: true, ..query() }, "cd true");
        let stranger = ListQuery { starting_after: Some("x".into()), ..query() };
        assert!(cut(&["a"], |row| row, &stranger).is_err());
    }
}
