//! The configured gateways, as far as deciding needs to know them.

use crate::looks::Looks;
use quittance_connectors::connector::Connector;
use quittance_core::effect::{Class, Policy, Subject};
use quittance_core::tenant::Mode;
use quittance_core::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One configured gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Whether its credentials move real money; none where that cannot be told from them.
    pub mode: Option<Mode>,
    /// The dialect it speaks.
    pub connector: Arc<dyn Connector>,
    /// What it offers, and how patient we are with it.
    pub policy: Policy,
    /// When its objects are looked at again.
    pub looks: Looks,
    /// How long a request may take; shorter than the lease by a margin.
    pub timeout_ms: u64,
    /// Requests under way at once, at most.
    pub in_flight_max: usize,
    /// Age of the oldest payment that waits to be sent at which further ones are refused; none for however old.
    pub backlog_age_max_ms: Option<u64>,
}

/// How long after its ticket a request is over at the latest, in milliseconds. Its time-out begins when it leaves; before that
/// the ticket has to be stored, which takes its time where the store is busy or far away, and must not be taken from the
/// gateway's. What is spared of the lease bounds both: the answer has to be stored in it, too.
#[must_use]
pub const fn over_ms(timeout_ms: u64, lease_ms: u64) -> u64 {
    let (storing_ms, spared_ms) = (timeout_ms + 1_000, lease_ms.saturating_sub(timeout_ms) / 2);
    timeout_ms + if storing_ms < spared_ms { storing_ms } else { spared_ms }
}

impl Gateway {
    /// When a request is over at the latest whose ticket is of now.
    pub(crate) const fn deadline(&self, now: Timestamp, leases: Leases) -> Timestamp {
        now.plus_ms(over_ms(self.timeout_ms, leases.lease_ms))
    }

    /// The API version under which objects are read; an event of another one says no more than which object changed.
    #[must_use]
    pub fn api_version(&self) -> String {
        self.connector.probe().api_version
    }

    /// How ambiguous answers are resolved there; nothing where the gateway offers nothing of the kind.
    #[must_use]
    pub fn class(&self, subject: Subject) -> Option<Class> {
        self.connector.capability(subject)?;
        Some(self.policy.capability(subject).class())
    }
}

/// Gateways by their configured names.
#[derive(Clone, Debug, Default)]
pub struct Gateways(pub BTreeMap<String, Gateway>);

/// Spans of leases; see the limits of the architecture.
#[derive(Clone, Copy, Debug)]
pub struct Leases {
    /// How long a claimed effect is ours, renewed with each ticket.
    pub lease_ms: u64,
}

impl Default for Leases {
    fn default() -> Self {
        Self { lease_ms: 30_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::over_ms;

    #[test]
    fn a_request_has_its_whole_time_and_is_over_before_its_lease() {
        for (timeout_ms, expected) in [(1_000, 3_000), (100, 1_200), (3_000, 7_000), (20_000, 25_000), (29_000, 29_500)]
        {
            let over_ms = over_ms(timeout_ms, 30_000);
            assert_eq!(over_ms, expected);
            assert!((timeout_ms..30_000).contains(&over_ms));
        }
    }
}
