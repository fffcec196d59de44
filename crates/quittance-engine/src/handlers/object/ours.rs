//! An object of ours as a look shows it: told to its effect where that is news.

use super::{Found, Lesson, looks_of, object_place};
use crate::handlers::Context;
use crate::handlers::effect_rows::{self, EffectRows};
use crate::handlers::learned::{adopt, apply};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::effect::{Advance, Effect, Source, Stimulus, judge_afterwards};
use quittance_core::fact::{ObjectKind, ObjectStatus, Sighting};
use quittance_store::records::{DiscrepancyKind, GatewayObject, ObjectState, Owner};

/// Applies a sighting to the effect that the object belongs to. `before` is the gateway's word at the last look, if the
/// object was the effect's by then.
pub(super) fn learn(
    row: &mut GatewayObject,
    mut around: EffectRows,
    before: Option<&str>,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Lesson, Miss> {
    let mut lesson = Lesson::default();
    if is_news(&around.effect, before, sighting) {
        let stimulus = Stimulus::Observed(sighting.clone());
        let (learned, answered) = apply(&mut around, Source::Sweep, stimulus, rows, context)?;
        effect_rows::put(&around, rows);
        (lesson.answered, lesson.alarm) = (answered, learned.alarm);
        if row.state != ObjectState::Ours && around.effect.object_id.as_deref() == Some(row.object.as_str()) {
            let effect = &around.effect;
            adopt(row, Owner { book: effect.book, effect: effect.id, payment: effect.payment });
        }
    }
    lesson.found = disagreement(&around, sighting);
    row.due_at = looks_of(&row.gateway, context).next(row, context.now);
    follow_charge(row, sighting, rows, context)?;
    Ok(lesson)
}

/// Whether a sighting says more than is known. What contradicts a proven end is told once, not at every look.
fn is_news(effect: &Effect, before: Option<&str>, sighting: &Sighting) -> bool {
    if !effect.state.is_terminal() {
        return true;
    }
    match judge_afterwards(&mut effect.clone(), &Stimulus::Observed(sighting.clone())) {
        Advance::Unchanged => false,
        // Nor is a person overruled who has decided since.
        Advance::Contradicted | Advance::Paid => before != Some(sighting.status.name()),
        _ => true,
    }
}

/// What a refund's object shows and the books do not, or only with more given back than came.
fn disagreement(around: &EffectRows, sighting: &Sighting) -> Option<Found> {
    let (effect, payment, refund) = (&around.effect, &around.payment, around.refund.as_ref()?);
    let object = &sighting.object_id;
    if sighting.status == ObjectStatus::Succeeded && refund.status.is_void() {
        let detail = format!("{object} is succeeded, and {} counts as {}", refund.id, refund.status.name());
        return Some(Found::of(DiscrepancyKind::RefundNotBooked, detail, Some(around)));
    }
    if effect.is_paid && payment.is_overrefunded() {
        let (gone, came) = (payment.refunded_amount + payment.refunding_amount, payment.captured_amount);
        let detail = format!("{object} succeeded after it had failed: {gone} of {came} is given back or on its way");
        return Some(Found::of(DiscrepancyKind::RefundedTooMuch, detail, Some(around)));
    }
    None
}

/// Whether an event about an object of a terminal effect says more than is known.
pub(in crate::handlers) fn is_news_afterwards(effect: &Effect, sighting: &Sighting) -> bool {
    is_news(effect, None, sighting)
}

/// What takes a succeeded payment's money back is shown by its charge alone, so that is looked at from now on.
fn follow_charge(
    row: &GatewayObject,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<(), Miss> {
    let (ObjectKind::Payment, ObjectStatus::Succeeded, Some(charge), Some(owner)) =
        (row.kind, &sighting.status, &sighting.latest_charge, row.owner)
    else {
        return Ok(());
    };
    let place = object_place(&row.gateway, charge);
    let known = rows.get::<GatewayObject>(&place)?;
    if known.as_ref().is_some_and(|known| known.owner == Some(owner)) {
        return Ok(());
    }
    let new = || GatewayObject::new(row.gateway.clone(), charge.clone(), ObjectKind::Charge, context.now);
    let mut charge = known.unwrap_or_else(new);
    adopt(&mut charge, owner);
    charge.due_at = Some(context.now);
    rows.put(&charge);
    Ok(())
}
