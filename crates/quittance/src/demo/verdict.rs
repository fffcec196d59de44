//! Owns: the comparison of what we say with what the gateway says, as a pure function. Does not own: gathering the
//! evidence, or printing the verdict.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Evidence, Presence, Promise};

/// What the evidence comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Commands whose clients got a final answer.
    pub(crate) acknowledged: u64,
    /// Our payments by status.
    pub(crate) statuses: BTreeMap<String, u64>,
    /// Orders that the gateway charged at least once.
    pub(crate) orders_charged: u64,
    /// Charges beyond the first of an order.
    pub(crate) duplicate_charges: u64,
    /// Answers that changed, and payments that were promised and are gone.
    pub(crate) lost_commands: u64,
    /// In minor units, added up over currencies.
    pub(crate) unexplained_amount: i128,
    /// Both sides and what is between them, by currency.
    pub(crate) currencies: BTreeMap<String, Totals>,
    /// Whether our payments and the gateway's charges are the same.
    pub(crate) gateway_matches: bool,
    /// Whether our own books prove sound.
    pub(crate) books_balanced: bool,
    /// Journal records that were proven.
    pub(crate) records: u64,
    /// What is wrong, in sentences; at most [`FINDINGS_MAX`].
    pub(crate) findings: Vec<String>,
    /// How many findings there are in all.
    pub(crate) findings_count: u64,
}

/// What lies at the gateway in one currency, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// By the gateway's own total.
    pub(crate) gateway: i128,
    /// By our ledger.
    pub(crate) ledger: i128,
    /// Differences between single payments and their charges, added up without their signs.
    pub(crate) differences: i128,
}

/// Enough to see what is wrong.
pub(crate) const FINDINGS_MAX: usize = 20;

impl Totals {
    /// The larger of the difference of the totals and the sum of the differences: neither can hide the other.
    pub(crate) const fn unexplained(self) -> i128 {
        let total = (self.gateway - self.ledger).abs();
        if total > self.differences { total } else { self.differences }
    }
}

impl Verdict {
    /// How many of our payments have this status.
    pub(crate) fn with_status(&self, status: &str) -> u64 {
        self.statuses.get(status).copied().unwrap_or(0)
    }

    /// Whether everything is as promised.
    pub(crate) fn is_good(&self) -> bool {
        let counts = [self.duplicate_charges, self.lost_commands, self.findings_count];
        let open = self.statuses.iter().filter(|(status, _)| !is_settled(status));
        counts.iter().all(|count| *count == 0)
            && open.count() == 0
            && self.unexplained_amount == 0
            && self.books_balanced
            && self.gateway_matches
    }

    fn find(&mut self, finding: String) {
        self.findings_count += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// What every payment of the demo must come to.
fn is_settled(status: &str) -> bool {
    matches!(status, "succeeded" | "failed" | "canceled")
}

/// Judges the evidence.
pub(crate) fn judge(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict {
        acknowledged: count(evidence.promises.len()),
        books_balanced: evidence.proof.is_sound,
        records: evidence.proof.records,
        ..Verdict::default()
    };
    for payment in &evidence.payments {
        *verdict.statuses.entry(payment.status.clone()).or_default() += 1;
    }
    look_for_duplicates(evidence, &mut verdict);
    compare_payments(evidence, &mut verdict);
    compare_totals(evidence, &mut verdict);
    verdict.gateway_matches = verdict.findings_count == 0 && evidence.gateway_violations.is_empty();
    for promise in &evidence.promises {
        if let Some(loss) = loss(promise) {
            verdict.lost_commands += 1;
            verdict.find(loss);
        }
    }
    for sentence in evidence.gateway_violations.iter().chain(&evidence.surprises) {
        verdict.find(sentence.clone());
    }
    for payment in evidence.payments.iter().filter(|payment| !is_settled(&payment.status)) {
        verdict.find(format!("{} is {}", payment.id, payment.status));
    }
    if !evidence.proof.is_sound {
        verdict.find(format!("our books do not prove sound: {}", evidence.proof.text.trim()));
    }
    verdict
}

/// By the client's own name for the order, which both sides only carry along; by the intent where there is none.
fn look_for_duplicates(evidence: &Evidence, verdict: &mut Verdict) {
    let mut charged: BTreeMap<&str, u64> = BTreeMap::new();
    for charge in evidence.charges.iter().filter(|charge| charge.taken_amount > 0) {
        *charged.entry(charge.order.as_deref().unwrap_or(&charge.intent)).or_default() += 1;
    }
    verdict.orders_charged = count(charged.len());
    for (order, times) in charged.into_iter().filter(|(_, times)| *times > 1) {
        verdict.duplicate_charges += times - 1;
        verdict.find(format!("{order} was charged {times} times"));
    }
}

/// One gateway object and one currency; attempts under one reference share the object.
type Place<'a> = (&'a str, &'a str);

/// What is left of our captured amounts must be what the gateway has left of them, object by object.
fn compare_payments(evidence: &Evidence, verdict: &mut Verdict) {
    let mut ours: BTreeMap<Place<'_>, i128> = BTreeMap::new();
    for payment in evidence.payments.iter().filter(|payment| payment.status == "succeeded") {
        let object = payment.gateway_id.as_deref().unwrap_or(&payment.id);
        *ours.entry((object, &payment.currency)).or_default() += payment.kept_amount;
    }
    let mut theirs: BTreeMap<Place<'_>, i128> = BTreeMap::new();
    for charge in evidence.charges.iter().filter(|charge| charge.taken_amount > 0) {
        *theirs.entry((&charge.intent, &charge.currency)).or_default() += charge.kept_amount;
    }
    let places: BTreeSet<Place<'_>> = ours.keys().chain(theirs.keys()).copied().collect();
    for place in places {
        let (our, their) = (amount(&ours, place), amount(&theirs, place));
        if our != their {
            let (object, currency) = place;
            verdict.currencies.entry(currency.to_owned()).or_default().differences += (our - their).abs();
            verdict.find(format!("{object}: we say {our} {currency}, the gateway says {their} (in minor units)"));
        }
    }
}

fn amount(sums: &BTreeMap<Place<'_>, i128>, place: Place<'_>) -> i128 {
    sums.get(&place).copied().unwrap_or(0)
}

/// Our ledger's balance against the gateway's total: neither knows of the lists compared before.
fn compare_totals(evidence: &Evidence, verdict: &mut Verdict) {
    for (currency, total) in &evidence.gateway_totals {
        verdict.currencies.entry(currency.clone()).or_default().gateway = *total;
    }
    for (currency, total) in &evidence.ledger_totals {
        verdict.currencies.entry(currency.clone()).or_default().ledger = *total;
    }
    for (currency, totals) in verdict.currencies.clone() {
        verdict.unexplained_amount += totals.unexplained();
        if totals.gateway != totals.ledger {
            let Totals { gateway, ledger, .. } = totals;
            verdict.find(format!("{currency}: our ledger says {ledger}, the gateway's total is {gateway}"));
        }
    }
}

fn loss(promise: &Promise) -> Option<String> {
    let key = &promise.key;
    if promise.presence == Presence::Missing {
        return Some(format!("the payment promised to key {key} cannot be read"));
    }
    match &promise.repeated {
        None => Some(format!("key {key} is no longer answered")),
        Some(repeated) if *repeated != promise.told => {
            Some(format!("key {key} was answered with {} and now with {}", promise.told.status, repeated.status))
        }
        Some(_) => None,
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
