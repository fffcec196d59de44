//! The gateways as the runtime sees them: connections, requests under way, health.

use crate::clock;
use crate::config::{Config, Secrets};
use crate::metrics;
use crate::transport::{Transport, TransportError};
use quittance_connectors::connector::Connector;
use quittance_core::fact::{Fact, Loss};
use quittance_core::time::Timestamp;
use quittance_engine::breaker::{Breaker, Health, Limits, State};
use quittance_engine::engine::Permits;
use quittance_engine::gateways::{Gateway, Gateways};
use quittance_engine::pause::Paused;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// API versions of events that are told apart in the log, for each gateway.
const VERSIONS_MAX: usize = 100;

/// Every configured gateway.
pub(crate) struct GatewayStates {
    by_name: BTreeMap<String, Arc<GatewayState>>,
}

/// One gateway.
pub(crate) struct GatewayState {
    pub(super) name: String,
    pub(super) transport: Transport,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) timeout: Duration,
    in_flight_max: usize,
    in_flight: Arc<AtomicUsize>,
    /// What the committed switches say; looked at before every request.
    is_paused: AtomicBool,
    condition: Mutex<Condition>,
    /// The API versions of its events that were logged.
    versions: Mutex<BTreeSet<String>>,
}

struct Condition {
    breaker: Breaker,
    is_unauthorised: bool,
}

/// A request under way; given back when dropped.
pub(crate) struct Slot {
    in_flight: Arc<AtomicUsize>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl GatewayStates {
    /// Prepares every configured gateway.
    pub(super) fn new(config: &Config, secrets: &Secrets, limits: Limits) -> Result<Self, TransportError> {
        let mut by_name = BTreeMap::new();
        for (name, gateway) in &config.gateways {
            let Some(api_key) = secrets.api_key(name) else { continue };
            let connector = gateway.dialect.connector();
            let headers = connector.headers();
            let state = GatewayState {
                name: name.clone(),
                transport: Transport::new(&gateway.api_base, api_key, headers, gateway.in_flight_max)?,
                connector,
                timeout: Duration::from_millis(gateway.timeout_ms),
                in_flight_max: gateway.in_flight_max,
                in_flight: Arc::new(AtomicUsize::new(0)),
                is_paused: AtomicBool::new(false),
                versions: Mutex::new(BTreeSet::new()),
                condition: Mutex::new(Condition { breaker: Breaker::new(limits), is_unauthorised: false }),
            };
            metrics::breaker(name, true);
            metrics::unauthorised(name, false);
            metrics::paused(name, false);
            by_name.insert(name.clone(), Arc::new(state));
        }
        Ok(Self { by_name })
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<GatewayState>> {
        self.by_name.get(name).cloned()
    }

    /// Follows the committed switches. Once this returns, no request begins at a gateway that is paused.
    pub(super) fn follow(&self, paused: &Paused) {
        self.by_name.values().for_each(|gateway| gateway.set_paused(paused.holds_back(&gateway.name)));
    }

    /// How many jobs may begin now.
    pub(super) fn permits(&self) -> Permits {
        Permits(self.by_name.iter().map(|(name, gateway)| (name.clone(), gateway.permits())).collect())
    }

    /// Whether a gateway that is talked to has as many requests under way as it may, so that work waits for a place.
    pub(super) fn is_any_saturated(&self) -> bool {
        self.by_name.values().any(|gateway| gateway.is_saturated())
    }

    /// Requests under way, at all gateways.
    pub(crate) fn in_flight(&self) -> usize {
        self.by_name.values().map(|gateway| gateway.in_flight.load(Ordering::Acquire)).sum()
    }

    /// Gateways whose breaker is open and whose probe is due; each has to be probed by the caller.
    pub(super) fn take_probes(&self, now: Timestamp) -> Vec<Arc<GatewayState>> {
        self.by_name
            .values()
            .filter(|gateway| !gateway.is_paused() && gateway.lock().breaker.take_probe(now))
            .cloned()
            .collect()
    }

    /// Gateways that are not talked to now, with the reason.
    pub(crate) fn degraded(&self) -> Vec<(String, &'static str)> {
        self.by_name.values().filter_map(|gateway| Some((gateway.name.clone(), gateway.complaint()?))).collect()
    }

    pub(crate) fn report_gauges(&self) {
        for gateway in self.by_name.values() {
            metrics::gateway_in_flight(&gateway.name, gateway.in_flight.load(Ordering::Acquire));
        }
    }
}

impl GatewayState {
    fn lock(&self) -> MutexGuard<'_, Condition> {
        // The breaker is a small pure machine; nothing under the lock panics half-way.
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says once for each API version that is not the one we read under: of such events only the object's id is used.
    pub(super) fn note_version(&self, version: &str) {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = versions.len() < VERSIONS_MAX && self.connector.probe().api_version != version;
        if is_new && versions.insert(version.to_owned()) {
            tracing::warn!(
                gateway = self.name,
                version,
                "events are rendered under another API version; objects are read"
            );
        }
    }

    pub(super) fn set_paused(&self, is_paused: bool) {
        if self.is_paused.swap(is_paused, Ordering::AcqRel) != is_paused {
            metrics::paused(&self.name, is_paused);
            tracing::warn!(gateway = self.name, is_paused, "an operator's brake was set or released");
        }
    }

    /// Whether nothing may leave for it.
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Acquire)
    }

    pub(super) fn takes_work(&self) -> bool {
        !self.is_paused() && self.lock().breaker.is_closed()
    }

    fn permits(&self) -> usize {
        if !self.takes_work() {
            return 0;
        }
        self.in_flight_max.saturating_sub(self.in_flight.load(Ordering::Acquire))
    }

    fn is_saturated(&self) -> bool {
        self.takes_work() && self.in_flight.load(Ordering::Acquire) >= self.in_flight_max
    }

    fn complaint(&self) -> Option<&'static str> {
        if self.is_paused() {
            return Some("it is paused");
        }
        let condition = self.lock();
        match condition.breaker.state() {
            State::Closed if condition.is_unauthorised => Some("it refuses our credentials"),
            State::Closed => None,
            State::Open { .. } | State::Probing { .. } => Some("it does not answer"),
        }
    }

    /// Takes a place among the requests under way.
    pub(super) fn slot(&self) -> Slot {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        Slot { in_flight: Arc::clone(&self.in_flight) }
    }

    /// Reports what a request taught us.
    pub(super) fn report(&self, fact: &Fact) {
        let mut condition = self.lock();
        let was_closed = condition.breaker.is_closed();
        condition.breaker.report(health(fact), clock::now());
        self.note_credentials(&mut condition, fact);
        if was_closed && !condition.breaker.is_closed() {
            metrics::breaker(&self.name, false);
            tracing::warn!(gateway = self.name, "the gateway does not answer; its effects wait until a probe succeeds");
        }
    }

    /// Reports what a probe taught us.
    pub(super) fn probed(&self, fact: &Fact) {
        let mut condition = self.lock();
        condition.breaker.probed(health(fact), clock::now());
        self.note_credentials(&mut condition, fact);
        if condition.breaker.is_closed() {
            metrics::breaker(&self.name, true);
            tracing::info!(gateway = self.name, "the gateway answers again");
        }
    }

    /// One error when a gateway begins to refuse our credentials, one note when it accepts them again. What says
    /// nothing about them changes nothing.
    fn note_credentials(&self, condition: &mut Condition, fact: &Fact) {
        let is_unauthorised = *fact == Fact::Unauthorised;
        let is_silent = matches!(fact, Fact::NotSent | Fact::Lost(_) | Fact::Throttled { .. });
        if is_silent || is_unauthorised == condition.is_unauthorised {
            return;
        }
        condition.is_unauthorised = is_unauthorised;
        metrics::unauthorised(&self.name, is_unauthorised);
        if is_unauthorised {
            tracing::error!(gateway = self.name, "the gateway refuses our credentials; its effects wait");
        } else {
            tracing::info!(gateway = self.name, "the gateway accepts our credentials again");
        }
    }
}

/// Whether a fact speaks for or against the gateway's health. Refused credentials are an answer.
fn health(fact: &Fact) -> Health {
    match fact {
        Fact::NotSent | Fact::Lost(Loss::Timeout | Loss::Reset | Loss::ServerError | Loss::Unavailable) => {
            Health::Failing
        }
        Fact::Seen(_)
        | Fact::SeenDispute(_)
        | Fact::Absent
        | Fact::Declined { .. }
        | Fact::Refused { .. }
        | Fact::Unauthorised
        | Fact::Throttled { .. }
        | Fact::InUse
        | Fact::KeyMismatch
        | Fact::Lost(Loss::Unclear | Loss::Unreadable) => Health::Answered,
    }
}

/// The gateways as deciding needs to know them.
pub(super) fn for_engine(config: &Config, secrets: &Secrets) -> Gateways {
    let gateway = |name: &String, gateway: &crate::config::Gateway| {
        let mode = secrets.gateway_mode(name);
        if mode.is_none() {
            tracing::warn!(
                gateway = name,
                "its API key does not say whether it is live or test; tenants of both modes may use it"
            );
        }
        let known = Gateway {
            connector: gateway.dialect.connector(),
            policy: gateway.policy,
            looks: gateway.looks,
            timeout_ms: gateway.timeout_ms,
            in_flight_max: gateway.in_flight_max,
            mode,
        };
        (name.clone(), known)
    };
    Gateways(config.gateways.iter().map(|(name, config)| gateway(name, config)).collect())
}

#[cfg(test)]
pub(super) mod tests;
