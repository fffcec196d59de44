//! Objects that cannot be read, are not there, or wait for another one.

use super::discrepancies::Found;
use super::{Lesson, looks_of};
use crate::handlers::Context;
use crate::handlers::effect_rows::{self, EffectRows};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::effect::{Policy, State};
use quittance_store::records::{DiscrepancyKind, GatewayObject, ObjectState};

/// A back-off in its middle: outages are waited for at an even pace.
const OUTAGE_TRIES: u32 = 8;

/// The gateway does not answer, or does not let us: nothing was learned, and nothing counts.
pub(super) fn outage(row: &mut GatewayObject, context: &mut Context<'_>) {
    let policy = context.gateways.0.get(&row.gateway).map_or_else(Policy::default, |gateway| gateway.policy);
    row.due_at = Some(context.now.plus_ms(policy.backoff_ms(OUTAGE_TRIES, context.ids.dice())));
}

/// A stray was not canceled: whatever it is now, it is read before anything else is done about it.
pub(super) fn not_canceled(row: &mut GatewayObject, context: &mut Context<'_>) -> Lesson {
    row.status = None;
    outage(row, context);
    Lesson::default()
}

/// An answer that makes no sense. One object that cannot be read is given to a person; the others go on.
pub(super) fn unreadable(row: &mut GatewayObject, context: &Context<'_>) -> Lesson {
    let (now, looks) = (context.now, looks_of(&row.gateway, context));
    let since = *row.troubled_since.get_or_insert(now);
    row.tries = row.tries.saturating_add(1);
    if row.tries < looks.unreadable_tries || now.ms_since(since) < looks.unreadable_ms {
        row.due_at = Some(now.plus_ms(looks.unreadable_wait_ms(row.tries)));
        return Lesson::default();
    }
    quarantine(row, format!("{} could not be read in {} tries", row.object, row.tries))
}

fn quarantine(row: &mut GatewayObject, detail: String) -> Lesson {
    row.state = ObjectState::Quarantined;
    row.due_at = None;
    Lesson { found: Some(Found::of(DiscrepancyKind::Quarantined, detail, None)), ..Lesson::default() }
}

/// It waits until the object it belongs to is known, for a while.
pub(super) fn park(row: &mut GatewayObject, parent: &str, context: &Context<'_>) -> Lesson {
    let (now, looks) = (context.now, looks_of(&row.gateway, context));
    if row.state != ObjectState::Parked {
        row.troubled_since = None;
    }
    let since = *row.troubled_since.get_or_insert(now);
    row.waiting_on = Some(parent.to_owned());
    if now.ms_since(since) >= looks.parked_ms_max {
        return quarantine(row, format!("{} belongs to {parent}, which did not become known", row.object));
    }
    row.state = ObjectState::Parked;
    row.due_at = Some(now.plus_ms(looks.parked_wait_ms(since, now)));
    Lesson::default()
}

/// The gateway does not have it. What was proven stays, and nothing is charged again.
pub(super) fn absent(
    row: &mut GatewayObject,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Lesson, Miss> {
    row.read_sequence = row.lease_epoch;
    row.last_read_at = Some(context.now);
    row.tries = 0;
    if row.state != ObjectState::Missing {
        row.state = ObjectState::Missing;
        row.troubled_since = Some(context.now);
    }
    row.waiting_on = None;
    let Some(owner) = row.owner else {
        // Nobody's, and gone: an event named it, or another object.
        row.due_at = None;
        return Ok(Lesson::default());
    };
    row.due_at = looks_of(&row.gateway, context).next(row, context.now);
    let around = effect_rows::get(owner.book, owner.effect, rows)?;
    Ok(match is_proven(&around, row) {
        true => Lesson { found: Some(missing(&around, row)), ..Lesson::default() },
        false => Lesson::default(),
    })
}

/// Whether our books say that money moved by this object.
fn is_proven(around: &EffectRows, row: &GatewayObject) -> bool {
    let is_out = around.effect.state == State::Succeeded || around.effect.is_paid;
    is_out && around.effect.object_id.as_deref() == Some(row.object.as_str())
}

fn missing(around: &EffectRows, row: &GatewayObject) -> Found {
    let detail = format!("{} succeeded by {}, which the gateway does not have", around.effect.id, row.object);
    Found::of(DiscrepancyKind::MissingAtGateway, detail, Some(around))
}
