//! What Stripe's objects look like from outside, as far as it is published: how ids begin, where in an object the values
//! are that applications keep copies of, and which words may stand there.
//!
//! Owns data, written down by hand from Stripe's own libraries and specification (stripe-python 15.3.1, stripe/openapi).
//! Does not own how objects are listed ([`super::listing`]), nor what states mean.

mod places;
mod words;

use quittance_core::propose::ids::Prefix;

/// How ids begin, from the particular to the general: where a table has ids of several, it is more often about the
/// former, and refers to the latter.
pub const ID_PREFIXES: [Prefix<'static>; 23] = [
    listed("re_", "refund"),
    listed("pyr_", "refund"),
    listed("dp_", "dispute"),
    listed("du_", "dispute"),
    listed("cn_", "credit_note"),
    listed("pi_", "payment_intent"),
    listed("ch_", "charge"),
    listed("py_", "charge"),
    listed("in_", "invoice"),
    listed("sub_", "subscription"),
    listed("po_", "payout"),
    listed("txn_", "balance_transaction"),
    listed("price_", "price"),
    listed("plan_", "price"),
    listed("prod_", "product"),
    listed("cus_", "customer"),
    other("sub_sched_", "subscription_schedule"),
    other("si_", "subscription_item"),
    other("il_", "line_item"),
    other("pm_", "payment_method"),
    other("seti_", "setup_intent"),
    other("cs_", "checkout_session"),
    other("acct_", "account"),
];

const fn listed(text: &'static str, object: &'static str) -> Prefix<'static> {
    Prefix { text, object, is_listed: true }
}

const fn other(text: &'static str, object: &'static str) -> Prefix<'static> {
    Prefix { text, object, is_listed: false }
}

/// Where values are that applications keep copies of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surface {
    /// What Stripe calls the object.
    pub object: &'static str,
    /// Members and pointers, the plain ones first. Some are there in some versions of the API only.
    pub places: &'static [&'static str],
    /// Every word that is published for a place.
    pub words: &'static [(&'static str, &'static [&'static str])],
}

/// Every object whose list can be compared with a table.
pub const SURFACES: [Surface; 12] = [
    Surface { object: "subscription", places: &places::SUBSCRIPTION, words: &words::SUBSCRIPTION },
    Surface { object: "customer", places: &places::CUSTOMER, words: &[] },
    Surface { object: "invoice", places: &places::INVOICE, words: &words::INVOICE },
    Surface { object: "charge", places: &places::CHARGE, words: &words::CHARGE },
    Surface { object: "payment_intent", places: &places::PAYMENT_INTENT, words: &words::PAYMENT_INTENT },
    Surface { object: "refund", places: &places::REFUND, words: &words::REFUND },
    Surface { object: "dispute", places: &places::DISPUTE, words: &words::DISPUTE },
    Surface { object: "payout", places: &places::PAYOUT, words: &words::PAYOUT },
    Surface { object: "product", places: &places::PRODUCT, words: &[] },
    Surface { object: "price", places: &places::PRICE, words: &[] },
    Surface { object: "balance_transaction", places: &places::BALANCE_TRANSACTION, words: &[] },
    Surface { object: "credit_note", places: &places::CREDIT_NOTE, words: &words::CREDIT_NOTE },
];

impl Surface {
    /// The surface of an object.
    #[must_use]
    pub fn of(object: &str) -> Option<&'static Self> {
        SURFACES.iter().find(|surface| surface.object == object)
    }
}
