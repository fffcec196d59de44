//! Owns: totals and the invariants the gateway checks of itself. Does not own: any change.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Books;
use super::transfers::{self, TransferTotals};
use crate::objects::{Charge, ChargeStatus, Intent, Movement, Status, Transaction};

/// What `GET /_sandbox/books` answers.
#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    currencies: BTreeMap<String, Totals>,
    /// The rail's books: no amount stands in both.
    transfers: BTreeMap<String, TransferTotals>,
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
    /// Pending refunds included, failed ones not.
    amount_refunded: i128,
    /// What disputes took, less what they gave back.
    amount_disputed: i128,
    fees: i128,
    amount_paid_out: i128,
    /// What is left: the sum of all net amounts.
    balance: i128,
}

// Enough to see what is wrong; a broken invariant breaks for thousands at once.
const VIOLATIONS_MAX: usize = 20;

/// Reads everything once.
pub(crate) fn audit(books: &Books) -> Audit {
    let mut currencies: BTreeMap<String, Totals> = BTreeMap::new();
    for charge in books.charges.rows() {
        add(currencies.entry(charge.currency.clone()).or_default(), charge);
    }
    for transaction in books.transactions.rows() {
        move_balance(currencies.entry(transaction.currency.clone()).or_default(), transaction);
    }
    let mut payment_intents = BTreeMap::new();
    for intent in books.intents.rows() {
        *payment_intents.entry(intent.status.name()).or_default() += 1;
    }
    let wrong = books.intents.rows().filter_map(|intent| violation(books, intent));
    let wrong = wrong.chain(books.charges.rows().filter_map(|charge| money_violation(books, charge)));
    let wrong = wrong.chain(transfers::violations(books));
    let violations: Vec<String> = wrong.take(VIOLATIONS_MAX).collect();
    let living = books.customers.rows().filter(|customer| !customer.is_deleted);
    Audit {
        currencies,
        transfers: transfers::totals(books),
        payment_intents,
        customers: count(living.count()),
        events: count(books.events.len()),
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
        totals.amount_released += i128::from(charge.amount_released);
        totals.amount_refunded += i128::from(charge.amount_refunded);
    }
}

fn move_balance(totals: &mut Totals, transaction: &Transaction) {
    let amount = i128::from(transaction.amount);
    totals.fees += i128::from(transaction.fee);
    totals.balance += i128::from(transaction.net());
    match transaction.movement {
        Movement::DisputeWithdrawal | Movement::DisputeReinstatement => totals.amount_disputed -= amount,
        Movement::Payout | Movement::PayoutCancel | Movement::PayoutFailure => totals.amount_paid_out -= amount,
        Movement::Charge | Movement::Payment | Movement::Refund | Movement::PaymentRefund | Movement::RefundFailure => {
        }
    }
}

/// What a charge says of its refunds and credits, compared with them.
fn money_violation(books: &Books, charge: &Charge) -> Option<String> {
    let id = &charge.id;
    let places = books.refunds_by_charge.find(id).iter();
    let refunds = places.filter_map(|place| books.refunds.at(*place));
    let refunded: i64 = refunds.filter(|refund| refund.holds_money()).map(|refund| refund.amount).sum();
    if refunded != charge.amount_refunded || refunded > charge.amount_captured {
        let (captured, claimed) = (charge.amount_captured, charge.amount_refunded);
        return Some(format!("{id} captured {captured}, says it refunded {claimed}, and refunded {refunded}"));
    }
    let places = books.transactions_by_source.find(id).iter();
    let credits = places.filter_map(|place| books.transactions.at(*place));
    let credited: Vec<i64> = credits.map(|credit| credit.amount).collect();
    match credited.as_slice() {
        [] if charge.balance_transaction.is_none() => None,
        [credit] if *credit == charge.amount_captured => None,
        other => Some(format!("{id} captured {}, its credits are {other:?}", charge.amount_captured)),
    }
}

fn violation(books: &Books, intent: &Intent) -> Option<String> {
    let charges = books.charges_by_intent.find(&intent.id);
    let charges = || charges.iter().filter_map(|place| books.charges.at(*place));
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

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
