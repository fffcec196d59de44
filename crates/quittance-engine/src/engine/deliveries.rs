//! Claiming events that are to be sent: each endpoint is a lane, so that one that does not answer holds nobody else up.
//!
//! The lane of an endpoint that is disabled is passed over where it stands: what is due there waits. Does not own sockets.

use super::Engine;
use crate::places;
use crate::room::Permits;
use crate::submission::{Delivered, DeliveryRef, Dispatch, Sendable, Sending, Submission};
use quittance_core::event::{Delivery, Endpoints, LEASE_MS_MIN, WAIT_MS_MAX};
use quittance_core::id::{EndpointId, TenantId};
use quittance_core::time::Timestamp;
use quittance_store::records::{Corrupt, Entity, EventRow};
use quittance_store::store::{Claim, Scan, Share, StoreError, TakeOver};
use quittance_store::tables::{DELIVERIES, EVENTS, WEBHOOK_ENDPOINTS};
use quittance_store::value::{Key, Row, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Lanes that one look goes through; the next goes on behind them.
const LANES_MAX: usize = 32;

/// Deliveries to an endpoint that is gone, given up at once.
const CANCELED_MAX: usize = 100;

/// A lane in which something is due.
struct DueLane {
    endpoint: EndpointId,
    tenant: TenantId,
    since: Timestamp,
}

impl DueLane {
    /// The lane of its first row. What else the row says is read when it is claimed.
    fn of(row: &Row) -> Option<Self> {
        let column = |name| &row[DELIVERIES.position(name)];
        match (column("endpoint"), column("tenant"), column("due_at")) {
            (Value::Bytes(endpoint), Value::Bytes(tenant), Value::Integer(since)) => Some(Self {
                endpoint: EndpointId::from_bytes(endpoint.as_slice().try_into().ok()?),
                tenant: TenantId::from_bytes(tenant.as_slice().try_into().ok()?),
                since: Timestamp(*since),
            }),
            _ => None,
        }
    }
}

/// How many are taken of the lane of an endpoint.
fn share(endpoint: EndpointId, limit: usize) -> Share {
    Share { lane: vec![endpoint.bytes().into()], limit }
}

impl Engine {
    /// Takes over what earlier processes were sending. It is sent again, under the same ids.
    pub(super) fn take_over_deliveries(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let (owner, due_at_max) = (self.store.writer_epoch(), now.plus_ms(WAIT_MS_MAX).0);
        self.store.take_over(&DELIVERIES, &TakeOver { owner, now: now.0, due_at_max })
    }

    /// Claims events that are due, as many as there is room for. Nothing that is paused at gateways stops them.
    ///
    /// # Errors
    ///
    /// As [`Engine::step`].
    pub fn poll_deliveries(&mut self, now: Timestamp, room: &Sendable) -> Result<Sending, StoreError> {
        let lanes = self.due_lanes(now)?;
        if lanes.is_empty() {
            return Ok(Sending::default());
        }
        let endpoints = self.endpoints_of(&lanes)?;
        let (mut sending, mut shares, mut open) = (Sending::default(), Vec::new(), Vec::new());
        for lane in &lanes {
            // Of what cannot be read nothing is given up.
            let Some(of_tenant) = endpoints.get(&lane.tenant) else { continue };
            match of_tenant.get(lane.endpoint) {
                None => shares.push(share(lane.endpoint, CANCELED_MAX)),
                Some(endpoint) if !endpoint.is_enabled() => {}
                Some(_) => {
                    sending.due_since = sending.due_since.into_iter().chain([lane.since]).min();
                    open.push((lane.tenant, lane.endpoint));
                }
            }
        }
        for ((_, endpoint), places) in open.iter().zip(places::share_out(&open, room)) {
            sending.is_more |= places == 0;
            shares.extend((places > 0).then(|| share(*endpoint, places)));
        }
        if !shares.is_empty() {
            self.claim_deliveries(now, shares, &endpoints, &mut sending)?;
        }
        Ok(sending)
    }

    /// Endpoints to which something is due, from where the last look ended. Asks once for each to which anything is to be
    /// sent, now or later.
    fn due_lanes(&mut self, now: Timestamp) -> Result<Vec<DueLane>, StoreError> {
        let mut lanes = Vec::new();
        for _ in 0..LANES_MAX {
            let after = self.looked_after.clone().map(|endpoint| vec![endpoint]);
            let first = Scan::forward(&DELIVERIES, Vec::new(), 1);
            let scan = Scan { index: Some(DELIVERIES.due_index()), after, ..first };
            let Some(row) = self.store.scan(&scan)?.pop() else {
                self.looked_after = None;
                break;
            };
            // Whatever it says, the next look goes on behind it.
            self.looked_after = Some(row[DELIVERIES.position("endpoint")].clone());
            let Some(lane) = DueLane::of(&row) else {
                let reason = "the first of an endpoint's deliveries cannot be read, and nothing is sent there";
                tracing::error!(reason);
                continue;
            };
            lanes.extend((lane.since <= now).then_some(lane));
        }
        Ok(lanes)
    }

    /// The endpoints of whom something is due to, by tenant. A tenant whose endpoints cannot be read is left out: what is due
    /// there waits, and nobody else does.
    fn endpoints_of(&mut self, lanes: &[DueLane]) -> Result<BTreeMap<TenantId, Endpoints>, StoreError> {
        let tenants: BTreeSet<TenantId> = lanes.iter().map(|lane| lane.tenant).collect();
        let places: Vec<Key> = tenants.iter().map(|tenant| vec![tenant.bytes().into()]).collect();
        let mut endpoints = BTreeMap::new();
        for (tenant, row) in tenants.into_iter().zip(self.store.get_many(&WEBHOOK_ENDPOINTS, &places)?) {
            match row.as_ref().map_or_else(|| Ok(Endpoints::new(tenant)), Endpoints::from_row) {
                Ok(of_tenant) => {
                    self.unreadable.remove(&tenant);
                    endpoints.insert(tenant, of_tenant);
                }
                Err(corrupt) => {
                    if self.unreadable.insert(tenant) {
                        tracing::error!(%tenant, %corrupt, "endpoints cannot be read; what is due there waits");
                    }
                }
            }
        }
        Ok(endpoints)
    }

    fn claim_deliveries(
        &mut self,
        now: Timestamp,
        shares: Vec<Share>,
        endpoints: &BTreeMap<TenantId, Endpoints>,
        sending: &mut Sending,
    ) -> Result<(), StoreError> {
        let limits: BTreeMap<Key, usize> = shares.iter().map(|share| (share.lane.clone(), share.limit)).collect();
        let lease_ms = self.leases.lease_ms.max(LEASE_MS_MIN);
        let (owner, leased_until) = (self.store.writer_epoch(), now.plus_ms(lease_ms).0);
        let rows = self.store.claim(&DELIVERIES, &Claim { shares, now: now.0, owner, leased_until })?;
        let left_alone = |corrupt: &Corrupt| tracing::error!(%corrupt, "a delivery cannot be read and is left alone");
        let deliveries: Vec<Delivery> =
            rows.iter().filter_map(|row| Delivery::from_row(row).inspect_err(left_alone).ok()).collect();
        let places: Vec<Key> = deliveries.iter().map(|one| EventRow::place(one.tenant, one.event)).collect();
        let events = self.store.get_many(&EVENTS, &places)?;
        let (mut canceled, mut taken) = (Vec::new(), BTreeMap::<Key, usize>::new());
        for (delivery, event) in deliveries.into_iter().zip(events) {
            let Delivery { tenant, endpoint, event: id, lease_epoch: epoch, .. } = delivery;
            *taken.entry(vec![endpoint.bytes().into()]).or_default() += 1;
            let delivery = DeliveryRef { tenant, endpoint, event: id, epoch };
            let event = match event.as_ref().map(EventRow::from_row).transpose() {
                Ok(event) => event,
                Err(corrupt) => {
                    tracing::error!(event = %id, %corrupt, "an event cannot be read, and waits until it can");
                    continue;
                }
            };
            match (endpoints.get(&tenant).and_then(|of_tenant| of_tenant.get(endpoint)), event) {
                (Some(endpoint), Some(event)) if !event.is_pruned() => {
                    let (url, keys) = (endpoint.url.clone(), endpoint.keys(now).copied().collect());
                    sending.dispatches.push(Dispatch { delivery, url, keys, body: event.body, at: now });
                }
                (_, event) => {
                    if event.is_none() {
                        tracing::error!(event = %id, "an event is not there, and is not sent");
                    }
                    canceled.push(Submission::Delivered(Box::new(Delivered {
                        delivery,
                        url: String::new(),
                        attempt: None,
                    })));
                }
            }
        }
        sending.is_more |= taken.iter().any(|(lane, count)| limits.get(lane).is_some_and(|limit| count >= limit));
        if !canceled.is_empty() {
            self.step(now, canceled, &mut Permits::default())?;
        }
        Ok(())
    }
}
