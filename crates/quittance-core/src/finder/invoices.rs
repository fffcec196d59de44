//! Subscriptions that run, and for which nothing was ever invoiced.

use super::{Finding, Kind, Report, text};
use crate::record::value::Value;
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// How long a subscription may run before its first invoice is missed, in milliseconds, unless somebody says otherwise:
/// three days.
pub const WINDOW_MS: u64 = 3 * 24 * 60 * 60 * 1_000;

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub customer: Option<String>,
    /// Its status, in the system's word.
    pub status: String,
    /// Since when it runs.
    pub since: Timestamp,
    /// Whether it names an invoice itself.
    pub has_invoice: bool,
}

/// Whether something is owed for a subscription of this status. A trial owes nothing yet.
#[must_use]
pub fn is_running(status: &str) -> bool {
    matches!(status.trim().to_lowercase().as_str(), "active" | "past_due")
}

/// Names every running subscription that is older than the window and that no invoice is for. `invoiced` holds the
/// subscriptions of all invoices.
#[must_use]
pub fn never_invoiced(
    subscriptions: impl Iterator<Item = Subscription>,
    invoiced: &BTreeSet<String>,
    now: Timestamp,
    window_ms: u64,
) -> Report {
    let is_missed = |it: &Subscription| {
        is_running(&it.status) && !it.has_invoice && !invoiced.contains(&it.id) && now.ms_since(it.since) > window_ms
    };
    let mut missed: Vec<Subscription> = subscriptions.filter(is_missed).collect();
    missed.sort_unstable();
    missed.dedup_by(|two, one| two.id == one.id);
    let mut report = Report::default();
    for it in missed {
        let days = now.ms_since(it.since) / (24 * 60 * 60 * 1_000);
        let finding = Finding::new(Kind::NeverInvoiced, std::iter::once(it.id))
            .with("customer", it.customer.as_deref().map_or(Value::Null, text))
            .with("status", text(&it.status))
            .with("since", Value::Timestamp(it.since))
            .with("days", Value::integer(i64::try_from(days).unwrap_or(i64::MAX)));
        report.add(finding);
    }
    report
}
