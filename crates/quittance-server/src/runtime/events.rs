//! Events on their way to tenants' endpoints: how many at once, and what came of each handed back to the engine.
//!
//! An endpoint that does not answer takes its own places and nobody else's. Does not own when something is sent, nor how.

use super::executor::Executor;
use super::jobs::hand_back;
use super::shared::Shared;
use crate::config::Webhooks;
use crate::metrics;
use crate::outgoing::Sender;
use quittance_core::id::{EndpointId, TenantId};
use quittance_core::time::Timestamp;
use quittance_engine::submission::{Delivered, Dispatch, Sendable, Submission};
use quittance_store::store::StoreError;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Events under way at once, to all endpoints.
const IN_FLIGHT_MAX: usize = 128;

/// Events under way at once to all endpoints of one tenant: none can take every place.
const IN_FLIGHT_TENANT_MAX: usize = IN_FLIGHT_MAX / 2;

/// Events under way at once to one endpoint.
const IN_FLIGHT_EACH_MAX: usize = 16;

/// An endpoint, and whose it is.
type Receiver = (TenantId, EndpointId);

/// Events under way.
pub(crate) struct Deliveries {
    sender: Sender,
    under_way: Mutex<BTreeMap<Receiver, usize>>,
}

impl Deliveries {
    pub(super) fn new(config: &Webhooks) -> Self {
        Self { sender: Sender::new(config.allow_private_addresses), under_way: Mutex::new(BTreeMap::new()) }
    }

    /// How many more may be sent now.
    pub(super) fn room(&self) -> Sendable {
        let in_flight = self.lock().clone();
        let left = IN_FLIGHT_MAX.saturating_sub(in_flight.values().sum());
        Sendable { left, each_max: IN_FLIGHT_EACH_MAX, tenant_max: IN_FLIGHT_TENANT_MAX, in_flight }
    }

    /// How many are under way.
    pub(super) fn in_flight(&self) -> usize {
        self.lock().values().sum()
    }

    pub(super) fn report(&self, due_since: Option<Timestamp>, now: Timestamp) {
        let age = Duration::from_millis(due_since.map_or(0, |since| now.ms_since(since)));
        metrics::events_due(age, self.in_flight());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Receiver, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the events under way; given back when dropped.
struct Place {
    shared: Arc<Shared>,
    receiver: Receiver,
}

impl Place {
    fn take(shared: &Arc<Shared>, receiver: Receiver) -> Self {
        *shared.deliveries.lock().entry(receiver).or_default() += 1;
        Self { shared: Arc::clone(shared), receiver }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.shared.deliveries.lock();
        if let Some(count) = under_way.get_mut(&self.receiver) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.receiver);
            }
        }
    }
}

impl Executor {
    /// Sends events that are due, where this process is a worker.
    pub(super) fn tell(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if !self.shared.roles.worker || self.shared.is_winding_down() {
            return Ok(());
        }
        let sending = self.engine.poll_deliveries(now, &self.shared.deliveries.room())?;
        self.has_more_to_tell = sending.is_more;
        self.shared.deliveries.report(sending.due_since, now);
        for dispatch in sending.dispatches {
            spawn(&self.shared, &self.tokio, dispatch);
        }
        Ok(())
    }
}

/// Sends an event on the runtime and submits what came of it.
fn spawn(shared: &Arc<Shared>, tokio: &tokio::runtime::Handle, dispatch: Dispatch) {
    let place = Place::take(shared, (dispatch.delivery.tenant, dispatch.delivery.endpoint));
    tokio.spawn(async move {
        let attempt = place.shared.deliveries.sender.send(&dispatch).await;
        let result = match attempt.status {
            Some(_) if attempt.is_taken() => "delivered",
            Some(_) => "refused",
            None => "unreachable",
        };
        metrics::event_sent(result);
        let (endpoint, event) = (dispatch.delivery.endpoint, dispatch.delivery.event);
        if !attempt.is_taken() {
            tracing::info!(%endpoint, %event, status = attempt.status, error = attempt.error, "an event was not taken");
        }
        let shared = Arc::clone(&place.shared);
        // The place is free before the engine looks for the next event.
        drop(place);
        let delivered = Delivered { delivery: dispatch.delivery, url: dispatch.url, attempt: Some(attempt) };
        hand_back(&shared, None, Submission::Delivered(Box::new(delivered)));
    });
}
