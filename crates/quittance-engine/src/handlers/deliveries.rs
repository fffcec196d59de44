//! What came of sending an event, under the delivery's own lease; and events that a person has sent again.

use super::endpoints::of;
use super::{Context, Handled, Wanted};
use crate::submission::{Delivered, DeliveryRef, Outcome, ReplayEvent};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::event::{Delivery, DeliveryState, Endpoint, EndpointState, Endpoints, Learned, Replayed, learn};
use quittance_core::id::{EndpointId, EventId};
use quittance_store::records::EventRow;
use quittance_store::value::Key;

fn place(endpoint: EndpointId, event: EventId) -> Key {
    vec![endpoint.bytes().into(), event.bytes().into()]
}

pub(super) fn reads(delivered: &Delivered, wanted: &mut Wanted<'_>) {
    let DeliveryRef { tenant, endpoint, event, .. } = delivered.delivery;
    wanted.row::<Delivery>(place(endpoint, event));
    wanted.row::<Endpoints>(vec![tenant.bytes().into()]);
}

pub(super) fn delivered(
    delivered: &Delivered,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let named = &delivered.delivery;
    let mut delivery: Delivery = rows.expect(&place(named.endpoint, named.event))?;
    if delivery.lease_epoch != named.epoch || delivery.state != DeliveryState::Pending {
        // Somebody else sends it now, or has had it sent again; under the same id.
        return Ok(Outcome::Fenced.into());
    }
    let mut endpoints = of(named.tenant, rows)?;
    // What was learned is taken once.
    delivery.lease_epoch += 1;
    let known = delivered.attempt.as_ref().zip(endpoints.get_mut(named.endpoint));
    let Some((attempt, endpoint)) = known else {
        delivery.cancel();
        rows.put(&delivery);
        return Ok(Outcome::Done.into());
    };
    let before = endpoint.clone();
    let mut learned = learn(&mut delivery, endpoint, attempt.clone(), context.now, context.ids.dice());
    if delivered.url != endpoint.url {
        // What was said at another address says nothing about this one.
        (*endpoint, learned) = (before, Learned::Same);
    }
    if learned == Learned::Disabled {
        warn_of(endpoint);
    }
    if learned != Learned::Same {
        rows.put(&endpoints);
    }
    rows.put(&delivery);
    Ok(Outcome::Done.into())
}

fn warn_of(endpoint: &Endpoint) {
    if let EndpointState::Disabled { why, .. } = &endpoint.state {
        tracing::warn!(endpoint = %endpoint.id, ?why, "an endpoint is sent nothing any more; its deliveries wait");
    }
}

pub(super) fn reads_replay(replay: &ReplayEvent, wanted: &mut Wanted<'_>) {
    wanted.row::<Delivery>(place(replay.endpoint, replay.event));
    wanted.row::<EventRow>(EventRow::place(replay.tenant, replay.event));
    wanted.row::<Endpoints>(vec![replay.tenant.bytes().into()]);
}

/// Sends an event again, or for the first time where the endpoint did not want it then. Which kinds the endpoint wants now
/// does not matter: a person has asked.
pub(super) fn replay(replay: &ReplayEvent, rows: &mut WorkingSet<'_>, context: &Context<'_>) -> Result<Handled, Miss> {
    let ReplayEvent { tenant, event, endpoint, replayed } = replay;
    if rows.get::<EventRow>(&EventRow::place(*tenant, *event))?.is_none_or(|event| event.is_pruned()) {
        return Ok(Outcome::Conflict("no event is kept under this id").into());
    }
    if of(*tenant, rows)?.get(*endpoint).is_none() {
        return Ok(Outcome::Conflict("no webhook endpoint is known by this id").into());
    }
    let known = rows.get::<Delivery>(&place(*endpoint, *event))?;
    let mut delivery = known.unwrap_or_else(|| Delivery::new(*tenant, *endpoint, *event, context.now));
    // By the clock that says what is due; that of the process which was asked may be another.
    delivery.replay(Replayed { at: context.now, ..replayed.clone() });
    rows.put(&delivery);
    Ok(Outcome::Done.into())
}
