//! The configured gateways, as far as deciding needs to know them.

use quittance_connectors::stripe::Stripe;
use quittance_core::effect::Policy;
use quittance_core::tenant::Mode;
use std::collections::BTreeMap;

/// One configured gateway.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// Whether its credentials move real money; none where that cannot be told from them.
    pub mode: Option<Mode>,
    /// The dialect it speaks.
    pub stripe: Stripe,
    /// How patient we are with it.
    pub policy: Policy,
    /// How long a request may take; shorter than the lease by a margin.
    pub timeout_ms: u64,
    /// Requests under way at once, at most.
    pub in_flight_max: usize,
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
