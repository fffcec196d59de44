//! Owns: what a client did to the same thing of its own more than once. Does not own: whether the gateway's books are
//! sound (`audit`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Books;
use super::audit::count;
use crate::objects::Charge;

/// How the client used the gateway: successful charges by the value of one metadata key.
#[derive(Debug, Serialize)]
pub(crate) struct Groups {
    metadata: String,
    groups: u64,
    charges_succeeded: u64,
    groups_charged_more_than_once: u64,
    /// At most 20 of them.
    examples: BTreeSet<String>,
}

/// Counts successful charges that were not released, for each value of a metadata key of the payment intent.
pub(crate) fn group(books: &Books, key: &str) -> Groups {
    let mut charged: BTreeMap<&str, u64> = BTreeMap::new();
    let kept = |charge: &&Charge| charge.has_succeeded() && charge.amount_released < charge.amount;
    for charge in books.charges.rows().filter(kept) {
        if let Some(value) = charge.metadata.get(key) {
            *charged.entry(value).or_default() += 1;
        }
    }
    let twice = || charged.iter().filter(|(_, charges)| **charges > 1);
    Groups {
        metadata: key.to_owned(),
        groups: count(charged.len()),
        charges_succeeded: charged.values().sum(),
        groups_charged_more_than_once: count(twice().count()),
        examples: twice().take(20).map(|(value, _)| (*value).to_owned()).collect(),
    }
}

/// The same of refunds.
#[derive(Debug, Serialize)]
pub(crate) struct RefundGroups {
    metadata: String,
    groups: u64,
    refunds: u64,
    groups_refunded_more_than_once: u64,
    /// At most 20 of them.
    examples: BTreeSet<String>,
}

/// Counts refunds that hold money, for each value of a metadata key of theirs.
pub(crate) fn group_refunds(books: &Books, key: &str) -> RefundGroups {
    let mut refunded: BTreeMap<&str, u64> = BTreeMap::new();
    for refund in books.refunds.rows().filter(|refund| refund.holds_money()) {
        if let Some(value) = refund.metadata.get(key) {
            *refunded.entry(value).or_default() += 1;
        }
    }
    let twice = || refunded.iter().filter(|(_, refunds)| **refunds > 1);
    RefundGroups {
        metadata: key.to_owned(),
        groups: count(refunded.len()),
        refunds: refunded.values().sum(),
        groups_refunded_more_than_once: count(twice().count()),
        examples: twice().take(20).map(|(value, _)| (*value).to_owned()).collect(),
    }
}
