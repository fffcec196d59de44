//! The gateways as the runtime sees them: connections, requests under way, brakes.

use super::health::{Complaint, Health};
use super::hearing::{Expected, Hearing, Unheard};
use crate::config::{Config, Secrets};
use crate::transport::{Transport, TransportError};
use crate::{clock, metrics};
use quittance_connectors::connector::Connector;
use quittance_core::time::Timestamp;
use quittance_engine::backlog::Backlog;
use quittance_engine::breaker;
use quittance_engine::condition::Limits;
use quittance_engine::gateways::{Gateway, Gateways};
use quittance_engine::pause::Paused;
use quittance_engine::room::{Permits, Room};
use quittance_store::records::Lane;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// Whether it is read and not sent to, since records were lost.
    is_recovering: AtomicBool,
    pub(super) health: Health,
    pub(super) hearing: Hearing,
    /// The API versions of its events that were logged.
    versions: Mutex<BTreeSet<String>>,
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
    pub(super) fn new(config: &Config, secrets: &Secrets, breaker: breaker::Limits) -> Result<Self, TransportError> {
        let mut by_name = BTreeMap::new();
        for (name, gateway) in &config.gateways {
            let Some(api_key) = secrets.api_key(name) else { continue };
            let rates = gateway.rates(secrets.gateway_mode(name));
            let limits = Limits { breaker, rates, retries: gateway.retry_budget };
            let connector = gateway.dialect.connector();
            let connections = gateway.in_flight_max + read_places(gateway.in_flight_max);
            let webhooks = gateway.webhook_endpoint.is_some();
            let expected = Expected { webhooks, endpoint: webhooks && gateway.webhook_url.is_some() };
            let state = GatewayState {
                name: name.clone(),
                transport: Transport::new(&gateway.api_base, api_key, connector.headers(), connections)?,
                connector,
                timeout: Duration::from_millis(gateway.timeout_ms),
                in_flight_max: gateway.in_flight_max,
                in_flight: Arc::new(AtomicUsize::new(0)),
                is_paused: AtomicBool::new(false),
                is_recovering: AtomicBool::new(false),
                health: Health::new(name, limits, gateway.backlog_age_max_ms),
                hearing: Hearing::new(name, expected, clock::now()),
                versions: Mutex::new(BTreeSet::new()),
            };
            metrics::paused(name, false);
            metrics::recovering(name, false);
            if let Some(endpoint) = &gateway.webhook_endpoint {
                metrics::expects_webhooks(endpoint, name);
            }
            by_name.insert(name.clone(), Arc::new(state));
        }
        Ok(Self { by_name })
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<GatewayState>> {
        self.by_name.get(name).cloned()
    }

    /// Follows the committed switches. Once this returns, no request begins at a gateway that is paused.
    pub(super) fn follow(&self, paused: &Paused) {
        for gateway in self.by_name.values() {
            gateway.set_paused(paused.holds_back(&gateway.name));
            gateway.set_recovering(paused.is_recovering(&gateway.name));
        }
    }

    /// What may begin now.
    pub(super) fn permits(&self) -> Permits {
        Permits(self.by_name.iter().filter_map(|(name, gateway)| Some((name.clone(), gateway.room()?))).collect())
    }

    /// Notes how far behind the gateways are.
    pub(super) fn note_backlog(&self, backlog: &BTreeMap<String, Backlog>, now: Timestamp) {
        for (gateway, backlog) in
            self.by_name.values().filter_map(|gateway| Some((gateway, backlog.get(&gateway.name)?)))
        {
            gateway.health.note_backlog(*backlog, gateway.is_paused(), now);
        }
    }

    /// How far behind the gateways were when it was last looked.
    pub(crate) fn backlog(&self) -> Vec<(String, Backlog)> {
        self.by_name.values().map(|gateway| (gateway.name.clone(), gateway.health.backlog())).collect()
    }

    /// Whether a gateway that is talked to has as many requests under way as it may, so that work waits for a place.
    pub(super) fn is_any_saturated(&self) -> bool {
        self.by_name.values().any(|gateway| gateway.is_saturated())
    }

    /// Requests under way, at all gateways.
    pub(crate) fn in_flight(&self) -> usize {
        self.by_name.values().map(|gateway| gateway.in_flight.load(Ordering::Acquire)).sum()
    }

    /// Gateways of which something is held back and whose probe is due; each has to be probed by the caller.
    pub(super) fn take_probes(&self, now: Timestamp) -> Vec<Arc<GatewayState>> {
        self.by_name
            .values()
            .filter(|gateway| !gateway.is_paused() && gateway.health.take_probe(now))
            .cloned()
            .collect()
    }

    /// What is wrong with which gateway.
    pub(crate) fn degraded(&self) -> Vec<(String, Complaint)> {
        let of = |gateway: &Arc<GatewayState>| {
            let name = gateway.name.clone();
            gateway.complaints().into_iter().map(move |complaint| (name.clone(), complaint))
        };
        self.by_name.values().flat_map(of).collect()
    }

    /// Whose webhooks do not come, as far as this process sweeps; and the gateways of which it does not know whether what became wrong
    /// before a time is so still.
    pub(crate) fn unheard(&self) -> (Vec<(String, Unheard)>, BTreeMap<String, Timestamp>) {
        let (mut wrong, mut unknown) = (Vec::new(), BTreeMap::new());
        for (name, gateway) in &self.by_name {
            let (unheard, before) = gateway.hearing.heard();
            wrong.extend(unheard.into_iter().map(|one| (name.clone(), one)));
            unknown.extend(before.map(|before| (name.clone(), before)));
        }
        (wrong, unknown)
    }

    pub(crate) fn report_gauges(&self, now: Timestamp) {
        for gateway in self.by_name.values() {
            metrics::gateway_in_flight(&gateway.name, gateway.in_flight.load(Ordering::Acquire));
            gateway.health.report_gauges(now);
        }
    }
}

impl GatewayState {
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

    fn set_recovering(&self, is_recovering: bool) {
        if self.is_recovering.swap(is_recovering, Ordering::AcqRel) != is_recovering {
            metrics::recovering(&self.name, is_recovering);
        }
    }

    /// Whether it is read and not sent to, since records were lost.
    pub(super) fn is_recovering(&self) -> bool {
        self.is_recovering.load(Ordering::Acquire)
    }

    /// Whether nothing may leave for it.
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Acquire)
    }

    pub(super) fn takes_work(&self) -> bool {
        !self.is_paused() && self.health.takes_work()
    }

    /// Whether a read may leave now.
    pub(super) fn may_read(&self) -> bool {
        self.room().is_some_and(|room| room.left(Lane::Read) > 0)
    }

    fn room(&self) -> Option<Room> {
        if self.is_paused() {
            return None;
        }
        let in_flight = self.in_flight.load(Ordering::Acquire);
        let left = |places: usize| places.saturating_sub(in_flight);
        Some(self.health.room(left(self.in_flight_max), left(self.in_flight_max + read_places(self.in_flight_max))))
    }

    /// Places of which the engine keeps what is just being accepted away (`has_room_for_new` of `engine/handlers/begin.rs`).
    pub(super) const fn places_for_older(&self) -> usize {
        self.in_flight_max / 4
    }

    fn is_saturated(&self) -> bool {
        self.takes_work() && self.in_flight.load(Ordering::Acquire) >= self.in_flight_max
    }

    fn complaints(&self) -> Vec<Complaint> {
        if self.is_paused() {
            return vec![Complaint::of_all("paused", "it is paused")];
        }
        let mut complaints = self.health.complaints();
        if self.is_recovering() {
            complaints.push(Complaint::of_all(
                "recovering",
                "records were lost, by a restore or a failover, and it is not swept yet",
            ));
        }
        complaints
    }

    /// Takes a place among the requests under way, for a request that begins.
    pub(super) fn begin(&self, lane: Lane) -> Slot {
        self.health.begin(lane);
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        Slot { in_flight: Arc::clone(&self.in_flight) }
    }
}

/// Places beside those of all requests that only reads may take: a quarter as many.
fn read_places(in_flight_max: usize) -> usize {
    (in_flight_max / 4).max(1)
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
            backlog_age_max_ms: gateway.backlog_age_max_ms,
            mode,
        };
        (name.clone(), known)
    };
    Gateways(config.gateways.iter().map(|(name, config)| gateway(name, config)).collect())
}

#[cfg(test)]
pub(super) mod tests;
