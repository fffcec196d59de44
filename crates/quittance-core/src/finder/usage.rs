//! What is used after its subscription has ended.

use super::{Finding, Kind, Report, text};
use crate::record::value::Value;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// How long after the end somebody may still be seen, in milliseconds, unless somebody says otherwise: an hour, for
/// clocks that differ and sessions that run out.
pub const WINDOW_MS: u64 = 60 * 60 * 1_000;

/// A subscription, as far as access goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub customer: Option<String>,
    /// When it ended; none while it runs.
    pub ended_at: Option<Timestamp>,
}

/// A row of the application: who used it when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usage {
    /// The row.
    pub id: String,
    /// The subscription it believes in.
    pub subscription: Option<String>,
    /// The customer it believes in.
    pub customer: Option<String>,
    /// When it was used last.
    pub used_at: Timestamp,
}

/// What is known of everybody's subscriptions.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    subscriptions: BTreeMap<String, Subscription>,
    /// Of each customer when the last subscription ended, and which it is; none while any runs.
    customers: BTreeMap<String, Option<(Timestamp, String)>>,
}

impl Standing {
    /// Takes every subscription there is, the running ones as well.
    #[must_use]
    pub fn new(subscriptions: impl Iterator<Item = Subscription>) -> Self {
        let mut standing = Self::default();
        for subscription in subscriptions {
            if let Some(customer) = &subscription.customer {
                let end = subscription.ended_at.map(|at| (at, subscription.id.clone()));
                let known = standing.customers.entry(customer.clone()).or_insert_with(|| end.clone());
                *known = known.take().zip(end).map(|(one, two)| one.max(two));
            }
            standing.subscriptions.insert(subscription.id.clone(), subscription);
        }
        standing
    }

    /// When a row lost its right, and by the end of which subscription; none while it has one, or where nothing is known.
    /// A customer with another running subscription may use what it likes.
    fn ended(&self, usage: &Usage) -> Option<(Timestamp, String)> {
        let named = usage.subscription.as_ref().and_then(|id| self.subscriptions.get(id));
        let customer = named.and_then(|it| it.customer.as_ref()).or(usage.customer.as_ref());
        match (named, customer.and_then(|customer| self.customers.get(customer))) {
            (Some(named), _) if named.ended_at.is_none() => None,
            (_, Some(ended)) => ended.clone(),
            (Some(named), None) => named.ended_at.map(|at| (at, named.id.clone())),
            (None, None) => None,
        }
    }
}

/// Names every row that was used later than the window after the end.
#[must_use]
pub fn used_after_end(usages: impl Iterator<Item = Usage>, standing: &Standing, window_ms: u64) -> Report {
    let late = usages.filter_map(|usage| {
        let (ended_at, subscription) = standing.ended(&usage)?;
        let late_ms = usage.used_at.ms_since(ended_at);
        (late_ms > window_ms).then_some((usage, ended_at, subscription))
    });
    let mut late: Vec<_> = late.collect();
    late.sort_unstable();
    late.dedup();
    let mut report = Report::default();
    for (usage, ended_at, subscription) in late {
        let hours = usage.used_at.ms_since(ended_at) / (60 * 60 * 1_000);
        let finding = Finding::new(Kind::UsedAfterCancelation, [usage.id, subscription].into_iter())
            .with("customer", usage.customer.as_deref().map_or(Value::Null, text))
            .with("ended_at", Value::Timestamp(ended_at))
            .with("used_at", Value::Timestamp(usage.used_at))
            .with("hours_after", Value::integer(i64::try_from(hours).unwrap_or(i64::MAX)));
        report.add(finding);
    }
    report
}
