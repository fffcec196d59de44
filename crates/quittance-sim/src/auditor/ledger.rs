//! Sums: what each book says a gateway holds for a customer, beside what the gateway's own books say.

use super::facts::Rows;
use crate::gateway::Gateway;
use crate::gateway::books::{Charge, Refund};
use crate::plan::Profile;
use quittance_core::account::{Account, Side};
use quittance_core::payment::Payment;
use quittance_core::refund::RefundStatus;
use std::collections::{BTreeMap, BTreeSet};

/// Where they differ, by customer, gateway and currency.
pub(super) fn differences(rows: &Rows, gateways: &[Gateway]) -> Vec<String> {
    let mut found = Vec::new();
    for gateway in gateways {
        let (ours, theirs) = (booked(rows, gateway), held(rows, gateway));
        let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        for key in keys {
            let [ours, theirs] = [&ours, &theirs].map(|sums| sums.get(key).copied().unwrap_or(0));
            if ours != theirs {
                let ((customer, currency), name) = (key, gateway.profile.name());
                let what = format!("{name} holds {theirs} {currency} for {customer}, and the book says {ours}");
                found.push(what);
            }
        }
    }
    found
}

type Sums = BTreeMap<(String, String), i128>;

/// What disputes came to, on the accounts that are theirs: what is withdrawn, what is lost, and what that cost.
pub(super) fn differences_of_disputes(rows: &Rows, gateways: &[Gateway]) -> Vec<String> {
    let mut found = Vec::new();
    let mut lost = Sums::new();
    for gateway in gateways {
        let (mut withdrawn, mut fees) = (Sums::new(), Sums::new());
        for dispute in &gateway.books.disputes {
            let charge = gateway.books.charges.iter().find(|charge| charge.id == dispute.charge);
            let Some(charge) = charge.filter(|charge| said_by_person(rows, charge).is_none()) else { continue };
            let Some(customer) = customer_of(rows, gateway, &charge.metadata) else { continue };
            let place = (customer, dispute.currency.to_ascii_uppercase());
            let sums = if dispute.status == "lost" { &mut lost } else { &mut withdrawn };
            for (_, amount, fee) in &dispute.movements {
                *sums.entry(place.clone()).or_default() -= i128::from(*amount);
                *fees.entry(place.clone()).or_default() += i128::from(*fee);
            }
        }
        let name = || gateway.profile.name().to_owned();
        found.extend(compared(rows, &Account::Disputed(name()), withdrawn));
        found.extend(compared(rows, &Account::GatewayFees(name()), fees));
    }
    found.extend(compared(rows, &Account::DisputeLoss, lost));
    found.extend(compared(rows, &Account::Suspense, Sums::new()));
    found
}

/// Where an account is not what it has to be, by customer and currency.
fn compared(rows: &Rows, account: &Account, mut due: Sums) -> Option<String> {
    due.retain(|_, sum| *sum != 0);
    let ours = balances(rows, account);
    (ours != due).then(|| format!("{account} is {ours:?} in the books, and by the gateways {due:?}"))
}

fn booked(rows: &Rows, gateway: &Gateway) -> Sums {
    balances(rows, &Account::GatewayClearing(gateway.profile.name().to_owned()))
}

fn balances(rows: &Rows, account: &Account) -> Sums {
    let mut sums = Sums::new();
    for book in &rows.books {
        for ((other, currency), balance) in &book.balances.0 {
            if other == account {
                let place = (book.id.to_string(), currency.code().to_owned());
                *sums.entry(place).or_default() += balance.amount(Side::Debit);
            }
        }
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

fn held(rows: &Rows, gateway: &Gateway) -> Sums {
    let (books, mut sums) = (&gateway.books, Sums::new());
    for charge in &books.charges {
        let Some(customer) = customer_of(rows, gateway, &charge.metadata) else { continue };
        if let Some(said) = said_by_person(rows, charge) {
            *sums.entry((customer, charge.currency.to_ascii_uppercase())).or_default() += said;
            continue;
        }
        let mut sum = i128::from(charge.kept());
        for refund in books.refunds.iter().filter(|refund| refund.charge == charge.id) {
            sum -= i128::from(given_back(rows, refund));
        }
        for dispute in books.disputes.iter().filter(|dispute| dispute.charge == charge.id) {
            sum += dispute.movements.iter().map(|(_, amount, fee)| i128::from(amount - fee)).sum::<i128>();
        }
        *sums.entry((customer, charge.currency.to_ascii_uppercase())).or_default() += sum;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// What a person said of a charge that no effect of ours ever saw, and of which people are told: what becomes of it later is
/// theirs to book as well.
fn said_by_person(rows: &Rows, charge: &Charge) -> Option<i128> {
    let object = charge.intent.as_ref().unwrap_or(&charge.id);
    let is_known = rows.effects.iter().any(|effect| effect.object_id.as_ref() == Some(object));
    let is_told = rows.discrepancies.iter().any(|found| found.object == charge.id && found.closed_at.is_none());
    // A transfer names its payment alone.
    let is_of_it = |payment: &&Payment| match charge.metadata.get("effect_id") {
        Some(effect) => *effect == payment.effect.to_string(),
        None => charge.metadata.get("payment_id") == Some(&payment.id.to_string()),
    };
    let payment = rows.payments.iter().find(is_of_it)?;
    (!is_known && is_told).then(|| i128::from(payment.captured_amount))
}

/// Whose money a charge is: cards say so themselves, a transfer names its payment.
fn customer_of(rows: &Rows, gateway: &Gateway, metadata: &BTreeMap<String, String>) -> Option<String> {
    if gateway.profile != Profile::Rail {
        return metadata.get("customer_id").cloned();
    }
    let of_it = |payment: &&Payment| metadata.get("payment_id").is_some_and(|id| *id == payment.id.to_string());
    rows.payments.iter().find(of_it).map(|payment| payment.book.to_string())
}

/// How much of a refund is to be booked. One that nobody asked the engine for is no entry of ours, and neither is what
/// became of one that no effect of ours ever saw, beyond what a person said: both have to be told to people instead, and are
/// missing here until they are.
fn given_back(rows: &Rows, refund: &Refund) -> i64 {
    let is_told = rows.discrepancies.iter().any(|found| found.object == refund.id && found.closed_at.is_none());
    let is_known = rows.effects.iter().any(|effect| effect.object_id.as_ref() == Some(&refund.id));
    let gone = if refund.has_gone() { refund.amount } else { 0 };
    if !is_told || is_known {
        return gone;
    }
    let effect = rows.effects.iter().find(|effect| refund.metadata.get("effect_id") == Some(&effect.id.to_string()));
    let ours = effect.and_then(|effect| rows.refunds.iter().find(|ours| ours.effect == effect.id));
    ours.filter(|ours| ours.status == RefundStatus::Succeeded).map_or(0, |ours| ours.money.amount)
}
