//! Beginning a look at an object that is due.

use super::{effect_of, end_lease, looks_of, object_place};
use crate::gateways::Gateway;
use crate::handlers::begin::{OTHER_MODE_MS, STANDSTILL_MS, has_room, permitted};
use crate::handlers::effect_rows::{self, EffectRows};
use crate::handlers::{Context, Handled, Wanted};
use crate::submission::{Look, LookPlan, ObjectRef, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::connector::Ask;
use quittance_connectors::key::gateway_key;
use quittance_core::effect::{Class, Source, State, Step, Subject};
use quittance_core::fact::ObjectKind;
use quittance_core::journal::Record;
use quittance_core::time::Timestamp;
use quittance_store::records::{GatewayObject, Lane, ObjectState, Operation};

/// To cancel a stray is a write. Nothing of ours was sent before it that would make it a retry.
const CANCEL: Lane = Lane::Send { operation: Operation::Payments, step: Step::Cancel, is_again: false };

/// How long a stray is left alone whose cancel there is no room for: it is inert, and nobody waits for it.
const CANCEL_LATER_MS: u64 = 60_000;

pub(in crate::handlers) fn reads_look(named: &ObjectRef, wanted: &mut Wanted<'_>) {
    let Some(row) = wanted.get::<GatewayObject>(object_place(&named.gateway, &named.object)) else { return };
    if let Some(parent) = &row.waiting_on {
        wanted.row::<GatewayObject>(object_place(&row.gateway, parent));
    }
    if let Some(owner) = row.owner {
        effect_rows::reads(&effect_of(owner), wanted);
    }
}

pub(in crate::handlers) fn look(
    named: &ObjectRef,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let mut row: GatewayObject = rows.expect(&object_place(&named.gateway, &named.object))?;
    if row.lease_epoch != named.epoch {
        return Ok(Outcome::Fenced.into());
    }
    let around = match row.owner {
        Some(owner) => Some(effect_rows::get(owner.book, owner.effect, rows)?),
        None => None,
    };
    if let Some(due_at) = put_off(&mut row, around.as_ref(), rows, context)? {
        end_lease(&mut row);
        row.due_at = due_at;
        rows.put(&row);
        return Ok(Outcome::Done.into());
    }
    let Some(gateway) = permitted(&row.gateway, context) else {
        return Err(Miss::Corrupt(format!("{} is looked at through no gateway", row.object)));
    };
    let Some((lane, plan)) = plan(&row, &gateway, around, rows, context)? else {
        end_lease(&mut row);
        row.due_at = Some(context.now.plus_ms(CANCEL_LATER_MS));
        rows.put(&row);
        return Ok(Outcome::Done.into());
    };
    row.lease_owner = context.owner;
    row.due_at = Some(context.now.plus_ms(context.leases.lease_ms));
    row.is_stale = false;
    let deadline = gateway.deadline(context.now, context.leases);
    context.look = Some(Look { object: named.clone(), kind: row.kind, lane, plan, deadline });
    rows.put(&row);
    Ok(Outcome::Done.into())
}

/// Until when the object is left alone, if it is: the outer option says whether.
fn put_off(
    row: &mut GatewayObject,
    around: Option<&EffectRows>,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<Option<Timestamp>>, Miss> {
    let now = context.now;
    let readable = permitted(&row.gateway, context).filter(|_| has_room(&row.gateway, Lane::Read, context));
    let Some(gateway) = readable else {
        return Ok(Some(Some(now.plus_ms(STANDSTILL_MS))));
    };
    if let Some(around) = around {
        // What another account answers says nothing about our objects.
        if gateway.mode.is_some_and(|mode| mode != around.tenant.mode) {
            return Ok(Some(Some(now.plus_ms(OTHER_MODE_MS))));
        }
        // An effect that is under way reads its object itself.
        if row.state == ObjectState::Ours && !around.effect.state.is_terminal() {
            row.is_stale = false;
            return Ok(Some(Some(now.plus_ms(gateway.policy.pending_ms(u32::MAX)))));
        }
    }
    match row.state {
        ObjectState::Parked => wait_for_parent(row, &gateway, rows, context),
        _ => Ok(None),
    }
}

/// An object that waits for another one: nothing is asked until that is known, or for too long.
fn wait_for_parent(
    row: &mut GatewayObject,
    gateway: &Gateway,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<Option<Timestamp>>, Miss> {
    let now = context.now;
    let (Some(parent_id), since) = (row.waiting_on.clone(), row.troubled_since.unwrap_or(now)) else {
        return Ok(None);
    };
    let looks = looks_of(&row.gateway, context);
    let parent = rows.get::<GatewayObject>(&object_place(&row.gateway, &parent_id))?;
    if parent.as_ref().is_some_and(is_placed) {
        return Ok(None);
    }
    let waited_ms = now.ms_since(since);
    if waited_ms >= looks.parked_ms_max {
        // One more look decides: it is read, and found to wait for nobody any more.
        return Ok(None);
    }
    if parent.is_none() && waited_ms >= looks.parent_ms {
        let kind = parent_kind(row.kind, gateway);
        rows.put(&GatewayObject::new(row.gateway.clone(), parent_id, kind, now));
    }
    Ok(Some(Some(now.plus_ms(looks.parked_wait_ms(since, now)))))
}

/// Whether it is known whose an object is.
pub(super) const fn is_placed(row: &GatewayObject) -> bool {
    match row.state {
        ObjectState::Ours | ObjectState::Stray | ObjectState::Orphan | ObjectState::External | ObjectState::Missing => {
            true
        }
        ObjectState::Unread | ObjectState::Parked | ObjectState::Quarantined => false,
    }
}

/// What kind of object another one belongs to. Sightings name it by its id alone.
fn parent_kind(kind: ObjectKind, gateway: &Gateway) -> ObjectKind {
    let is_two_phase = gateway.class(Subject::Payment) == Some(Class::P);
    match kind {
        ObjectKind::Charge => ObjectKind::Payment,
        ObjectKind::Refund | ObjectKind::Dispute if is_two_phase => ObjectKind::Payment,
        ObjectKind::Refund | ObjectKind::Dispute | ObjectKind::Payment => ObjectKind::Charge,
    }
}

/// Reads the object, or cancels a stray that was just seen to be inert; nothing where there is no room for the cancel.
fn plan(
    row: &GatewayObject,
    gateway: &Gateway,
    around: Option<EffectRows>,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Option<(Lane, LookPlan)>, Miss> {
    let read = || Some((Lane::Read, LookPlan::Read(gateway.connector.read(row.kind, &row.object))));
    let Some(mut around) = around else { return Ok(read()) };
    let is_its_own = around.effect.object_id.as_deref() == Some(row.object.as_str());
    let is_left_to_a_person = around.effect.state == State::Review;
    if row.state != ObjectState::Stray || is_its_own || is_left_to_a_person || !is_inert(row.status.as_deref()) {
        return Ok(read());
    }
    let ask = Ask::Cancel { object: (row.kind, &row.object) };
    let Ok(request) = gateway.connector.write(&ask) else { return Ok(read()) };
    if !has_room(&row.gateway, CANCEL, context) {
        return Ok(None);
    }
    let record = Record::ObservationKept {
        effect: around.effect.id,
        source: Source::Sweep,
        saw: format!("seen:{}", row.status.as_deref().unwrap_or_default()),
        because: format!("{} is a stray of a lost request and is canceled", row.object),
    };
    rows.append(&mut around.book, &record, context.now);
    rows.put(&around.book);
    let (tenant, step) = (&around.tenant, format!("stray {}", row.object));
    let key = gateway_key(&tenant.gateway_key_secret, tenant.id, around.effect.id, &step, 0);
    Ok(Some((CANCEL, LookPlan::Cancel(request.with_key(key)))))
}

/// Whether an object in this status has moved nothing and can be canceled.
pub(super) fn is_inert(status: Option<&str>) -> bool {
    matches!(status, Some("requires_payment_method" | "requires_confirmation"))
}
