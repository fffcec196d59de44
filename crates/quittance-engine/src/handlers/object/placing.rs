//! Whose an object is.
//!
//! What belongs to another object (a charge to its payment, a refund or a dispute to what it is about) belongs to
//! whom that belongs to. Everything else is ours when it carries the id of an effect, or the reference of a request.

use super::discrepancies::Found;
use super::look::{is_inert, is_placed};
use super::{Lesson, find_effect, looks_of, object_place, trouble};
use crate::handlers::Context;
use crate::handlers::effect_rows::{self, EffectRows};
use crate::handlers::learned::adopt;
use crate::handlers::orphans;
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::key::is_gateway_key;
use quittance_core::effect::{Effect, State, Step, Subject};
use quittance_core::fact::{ObjectKind, ObjectStatus, Sighting};
use quittance_store::records::{DiscrepancyKind, GatewayObject, ObjectState, Owner};

/// Where an object belongs.
pub(super) enum Place {
    /// To this effect, which is told of it.
    Ours(Box<EffectRows>),
    /// Not to an effect, or not yet: the row says where.
    Elsewhere(Lesson),
}

/// Finds out whose an object is, and writes it into its row. `before` is the gateway's word at the last look.
pub(super) fn place(
    row: &mut GatewayObject,
    before: Option<&str>,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Place, Miss> {
    let is_stray = row.state == ObjectState::Stray;
    if let (Some(owner), false) = (row.owner, is_stray) {
        row.state = ObjectState::Ours;
        row.troubled_since = None;
        return Ok(Place::Ours(Box::new(effect_rows::get(owner.book, owner.effect, rows)?)));
    }
    match &sighting.parent {
        // A charge carries its payment's metadata, and a refund made elsewhere none of ours.
        Some(parent) if sighting.kind == ObjectKind::Charge || sighting.effect_id.is_none() => {
            of_parent(row, parent, rows, context)
        }
        _ => of_effect(row, before, sighting, rows, context),
    }
}

fn of_effect(
    row: &mut GatewayObject,
    before: Option<&str>,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Place, Miss> {
    let Some(id) = sighting.effect_id else {
        let is_ours = sighting.reference.as_deref().is_some_and(is_gateway_key);
        return if is_ours { orphan(row, sighting, rows, context) } else { Ok(external(row)) };
    };
    let around = match sighting.book {
        Some(book) => find_effect(book, id, rows)?,
        None => None,
    };
    let Some(around) = around else { return orphan(row, sighting, rows, context) };
    let effect = &around.effect;
    let is_its_kind = sighting.kind == effect.object_kind() && effect.gateway == row.gateway;
    let is_its_own = effect.object_id.as_deref() == Some(row.object.as_str());
    let has_none = effect.object_id.is_none() && is_its_kind;
    let may_adopt = has_none && !effect.state.is_terminal();
    if is_its_own {
        adopt(row, Owner { book: effect.book, effect: effect.id, payment: effect.payment });
        return Ok(Place::Ours(Box::new(around)));
    }
    if has_none && is_late_refund(effect, before, sighting) {
        return Ok(Place::Ours(Box::new(around)));
    }
    if may_adopt && effect.step == Step::Execute {
        // Where one request does it all, its object may tell before the answer does.
        return Ok(Place::Ours(Box::new(around)));
    }
    if may_adopt {
        // It finds its object by itself, and takes it.
        return Ok(later(row, context));
    }
    Ok(stray(row, sighting, &around, context))
}

/// An effect is about to find out what an object is: it is looked at when that has had time.
fn later(row: &mut GatewayObject, context: &Context<'_>) -> Place {
    let policy = context.gateways.0.get(&row.gateway).map(|gateway| gateway.policy).unwrap_or_default();
    row.due_at = Some(context.now.plus_ms(policy.pending_poll_ms));
    Place::Elsewhere(Lesson::default())
}

/// Whether a refund of this payment is how its charge was released, of which nothing was taken: a refund without our
/// metadata, by which nothing moved. Not sure yet while the charge is being given up; nothing where it is not.
fn releases(around: &EffectRows) -> Option<bool> {
    let effect = &around.effect;
    let is_charge = effect.subject == Subject::Payment && effect.object_kind() == ObjectKind::Charge;
    let is_released = effect.state == State::Canceled && around.payment.captured_amount == 0;
    let is_under_way = effect.step == Step::Cancel && !effect.state.is_terminal();
    (is_charge && (is_released || is_under_way)).then_some(is_released)
}

/// Whether the first that is seen of a refund's object is that the refund did not fail after all. What was succeeded before,
/// a person had in review and decided about.
fn is_late_refund(effect: &Effect, before: Option<&str>, sighting: &Sighting) -> bool {
    matches!(effect.subject, Subject::Refund(_))
        && matches!(effect.state, State::Failed | State::Canceled)
        && sighting.status == ObjectStatus::Succeeded
        && before != Some(sighting.status.name())
}

/// An object of a lost request, beside the one that its effect took. Inert, it is canceled; else somebody has to look.
fn stray(row: &mut GatewayObject, sighting: &Sighting, around: &EffectRows, context: &Context<'_>) -> Place {
    let effect = &around.effect;
    row.owner = Some(Owner { book: effect.book, effect: effect.id, payment: effect.payment });
    row.state = ObjectState::Stray;
    row.troubled_since = None;
    let is_inert = sighting.kind == ObjectKind::Payment && is_inert(row.status.as_deref());
    // What is in review is a person's, with everything that may belong to it.
    row.due_at = match is_inert && effect.state != State::Review {
        true => Some(context.now),
        false => looks_of(&row.gateway, context).next(row, context.now),
    };
    // All that a person may have meant by money that came: that it went back is for people to book, too.
    let is_missed = effect.state == State::Succeeded && effect.object_id.is_none() && sighting.returned.is_some();
    let moved_nothing = is_inert || matches!(sighting.status, ObjectStatus::Canceled | ObjectStatus::Failed);
    if moved_nothing && !is_missed {
        return Place::Elsewhere(Lesson::default());
    }
    let taken = effect.object_id.as_deref().unwrap_or("none");
    let detail = format!("{} is {} beside {taken}, for one effect {}", row.object, sighting.status.name(), effect.id);
    let found = Found::of(DiscrepancyKind::DuplicateCharge, detail, Some(around));
    Place::Elsewhere(Lesson { found: Some(found), ..Lesson::default() })
}

/// What carries an effect that nobody knows. Where it says which payment it was for, it is noted for whoever asks for that
/// payment again.
fn orphan(
    row: &mut GatewayObject,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Place, Miss> {
    orphans::note(&row.gateway, sighting, rows)?;
    row.state = ObjectState::Orphan;
    row.due_at = looks_of(&row.gateway, context).next(row, context.now);
    let id = sighting.effect_id.map(|id| id.to_string()).or(sighting.reference.clone()).unwrap_or_default();
    let detail = format!("{} is {} and carries {id}, which is not known here", row.object, sighting.status.name());
    let found = Found::of(DiscrepancyKind::OrphanedObject, detail, None);
    Ok(Place::Elsewhere(Lesson { found: Some(found), ..Lesson::default() }))
}

fn external(row: &mut GatewayObject) -> Place {
    row.state = ObjectState::External;
    row.waiting_on = None;
    row.troubled_since = None;
    row.due_at = None;
    Place::Elsewhere(Lesson::default())
}

fn of_parent(
    row: &mut GatewayObject,
    parent: &str,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Place, Miss> {
    let known = rows.get::<GatewayObject>(&object_place(&row.gateway, parent))?;
    let Some(known) = known.filter(is_placed) else {
        return Ok(Place::Elsewhere(trouble::park(row, parent, context)));
    };
    let owner = known.owner.filter(|_| known.state != ObjectState::Stray);
    let Some(owner) = owner else { return Ok(external(row)) };
    let around = effect_rows::get(owner.book, owner.effect, rows)?;
    if row.kind == ObjectKind::Charge {
        adopt(row, owner);
        return Ok(Place::Ours(Box::new(around)));
    }
    match releases(&around) {
        Some(true) => return Ok(external(row)),
        Some(false) => return Ok(later(row, context)),
        None => {}
    }
    let status = row.status.as_deref().unwrap_or_default();
    let detail =
        format!("{} is a {} of {parent} that nobody asked for here, and is {status}", row.object, row.kind.name());
    let found = Found::of(DiscrepancyKind::RefundMadeElsewhere, detail, Some(&around));
    external(row);
    Ok(Place::Elsewhere(Lesson { found: Some(found), ..Lesson::default() }))
}
