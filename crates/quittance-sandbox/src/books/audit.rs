//! Owns: totals and the invariants the gateway checks of itself. Does not own: any change.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Books;
use crate::objects::{Charge, ChargeStatus, Intent, Status};

/// What `GET /_sandbox/books` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    currencies: BTreeMap<String, Totals>,
    payment_intents: BTreeMap<&'static str, u64>,
    customers: u64,
    events: u64,
    /// Sentences about what is wrong; empty when all is well.
    violations: Vec<String>,
    sound: bool,
}

/// Amounts are in minor units of the currency they stand under.
#[derive(Debug, Default, Serialize)]
struct Totals {
    charges_succeeded: u64,
    charges_failed: u64,
    charges_pending: u64,
    /// Succeeded and not captured, released ones included.
    charges_uncaptured: u64,
    amount_authorized: i128,
    amount_captured: i128,
    amount_released: i128,
}

// Enough to see what is wrong; a broken invariant breaks for thousands at once.
const VIOLATIONS_MAX: usize = 20;

/// Reads everything once.
pub(crate) fn audit(books: &Books) -> Audit {
    let mut currencies: BTreeMap<String, Totals> = BTreeMap::new();
    for charge in books.charges.rows() {
        add(currencies.entry(charge.currency.clone()).or_default(), charge);
    }
    let mut payment_intents = BTreeMap::new();
    for intent in books.intents.rows() {
        *payment_intents.entry(intent.status.name()).or_default() += 1;
    }
    let wrong = books.intents.rows().iter().filter_map(|intent| violation(books, intent));
    let violations: Vec<String> = wrong.take(VIOLATIONS_MAX).collect();
    let living = books.customers.rows().iter().filter(|customer| !customer.is_deleted);
    Audit {
        currencies,
        payment_intents,
        customers: count(living.count()),
        events: count(books.events.rows().len()),
        sound: violations.is_empty(),
        violations,
    }
}

fn add(totals: &mut Totals, charge: &Charge) {
    match charge.status {
        ChargeStatus::Succeeded => totals.charges_succeeded += 1,
        ChargeStatus::Failed => totals.charges_failed += 1,
        ChargeStatus::Pending => totals.charges_pending += 1,
    }
    if charge.has_succeeded() {
        totals.charges_uncaptured += u64::from(!charge.is_captured);
        totals.amount_authorized += i128::from(charge.amount);
        totals.amount_captured += i128::from(charge.amount_captured);
        totals.amount_released += i128::from(charge.amount_refunded);
    }
}

fn violation(books: &Books, intent: &Intent) -> Option<String> {
    let charges = books.charges_by_intent.find(&intent.id);
    let charges = || charges.iter().filter_map(|position| books.charges.rows().get(*position));
    let succeeded = charges().filter(|charge| charge.has_succeeded()).count();
    let captured: i64 = charges().map(|charge| charge.amount_captured).sum();
    let id = &intent.id;
    if succeeded > 1 {
        return Some(format!("{id} has {succeeded} successful charges"));
    }
    let needs_charge = matches!(intent.status, Status::Succeeded | Status::RequiresCapture);
    if needs_charge && succeeded != 1 {
        return Some(format!("{id} is {} without a successful charge", intent.status.name()));
    }
    if captured != intent.amount_received {
        return Some(format!("{id} received {}, its charges {captured}", intent.amount_received));
    }
    if (intent.status == Status::Succeeded) != (captured > 0) {
        return Some(format!("{id} is {} with {captured} captured", intent.status.name()));
    }
    None
}

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
    let kept = |charge: &&Charge| charge.has_succeeded() && charge.amount_refunded == 0;
    for charge in books.charges.rows().iter().filter(kept) {
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

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
