//! The objects whose lists are read, and what is peculiar to each list.
//!
//! Paths and filters are those of Stripe's own libraries (stripe-python 15.3.1).

/// A kind of object that Stripe lists.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// What Stripe calls it, in the member `object`.
    pub name: &'static str,
    /// Where its list is; one of them is at this path and its id.
    pub path: &'static str,
    /// Parameters without which the list hides objects. More than one row: the list is read once with each.
    pub passes: &'static [&'static [(&'static str, &'static str)]],
    /// Fields that are filters of the list too, under the same name, and select few objects.
    pub filters: &'static [&'static str],
    /// Whether the list can be cut by time of creation; else it is read page after page.
    pub is_dated: bool,
}

const PLAIN: &[&[(&str, &str)]] = &[&[]];

/// Without a status, canceled subscriptions are not listed.
const EVERY_STATUS: &[&[(&str, &str)]] = &[&[("status", "all")]];

/// The reference calls it "a list of your active prices" and has the filter for the others; what is listed without it
/// is not said, so neither is relied upon.
const ACTIVE_OR_NOT: &[&[(&str, &str)]] = &[&[("active", "true")], &[("active", "false")]];

/// Every kind.
pub const KINDS: [Kind; 13] = [
    kind("subscription", "/v1/subscriptions", EVERY_STATUS, &["customer"]),
    kind("customer", "/v1/customers", PLAIN, &["email"]),
    kind("invoice", "/v1/invoices", PLAIN, &["customer", "subscription"]),
    kind("charge", "/v1/charges", PLAIN, &["customer", "payment_intent", "transfer_group"]),
    kind("payment_intent", "/v1/payment_intents", PLAIN, &["customer"]),
    kind("refund", "/v1/refunds", PLAIN, &["charge", "payment_intent"]),
    kind("dispute", "/v1/disputes", PLAIN, &["charge", "payment_intent"]),
    kind("payout", "/v1/payouts", PLAIN, &["destination"]),
    kind("product", "/v1/products", PLAIN, &[]),
    kind("price", "/v1/prices", ACTIVE_OR_NOT, &["product"]),
    kind("balance_transaction", "/v1/balance_transactions", PLAIN, &["source"]),
    Kind { is_dated: false, ..kind("payment_method", "/v1/payment_methods", PLAIN, &["customer"]) },
    kind("credit_note", "/v1/credit_notes", PLAIN, &["customer", "invoice"]),
];

const fn kind(
    name: &'static str,
    path: &'static str,
    passes: &'static [&'static [(&'static str, &'static str)]],
    filters: &'static [&'static str],
) -> Kind {
    Kind { name, path, passes, filters, is_dated: true }
}

impl Kind {
    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// The filter by which objects with a given value at a place are listed.
    #[must_use]
    pub fn filter(&self, place: &str) -> Option<&'static str> {
        let name = place.strip_prefix('/').unwrap_or(place);
        self.filters.iter().copied().find(|filter| *filter == name)
    }
}
