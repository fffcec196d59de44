//! A person's decision on an effect in review.

use super::client::answered;
use super::effect_rows::{self, EffectRows};
use super::learned::{answer, hold_of_subject, journal};
use super::object::{make_due, object_place};
use super::{Context, Handled, Wanted};
use crate::ports::Answer;
use crate::submission::EffectRef;
use crate::working_set::{Miss, WorkingSet};
use quittance_core::decide::{
    Resolution, Resolved, hold_of, refund_hold_of, resolve, resolve_evidence, resolve_refund,
};
use quittance_core::effect::{Effect, PersonsWord, Subject};
use quittance_core::idempotency::Command;
use quittance_core::journal::Closing;
use quittance_core::rejection::Rejection;
use quittance_store::records::{ClosedHold, GatewayObject};
use quittance_store::value::Key;

fn hold_place(around: &EffectRows) -> Key {
    vec![around.book.id.bytes().into(), hold_of_subject(around).bytes().into()]
}

pub(super) fn reads(named: &EffectRef, wanted: &mut Wanted<'_>) {
    effect_rows::reads(named, wanted);
    if let Some(effect) = wanted.get::<Effect>(effect_rows::effect_place(named.book, named.effect)) {
        let hold = match effect.subject {
            Subject::Refund(refund) => refund_hold_of(refund),
            Subject::Payment | Subject::Dispute(_) => hold_of(effect.payment),
        };
        wanted.row::<ClosedHold>(vec![named.book.bytes().into(), hold.bytes().into()]);
        if let Some(object) = &effect.object_id {
            wanted.row::<GatewayObject>(object_place(&effect.gateway, object));
        }
    }
}

pub(super) fn handle(
    named: &EffectRef,
    resolution: Resolution,
    word: &PersonsWord,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let mut around = effect_rows::get(named.book, named.effect, rows)?;
    if around.effect.tenant != command.tenant {
        return Ok(answered(command, &Answer::Rejected(&Rejection::NotInReview), context));
    }
    let payment = || around.payment.id.to_string();
    command.subject = Some(around.refund.as_ref().map_or_else(payment, |refund| refund.id.to_string()));
    let closed = rows.get::<ClosedHold>(&hold_place(&around))?.map(|closed| closed.closing);
    let resolved = match decide(&mut around, closed, resolution, word) {
        Ok(resolved) => resolved,
        Err(rejection) => return Ok(answered(command, &Answer::Rejected(&rejection), context)),
    };
    journal(&mut around, &resolved.records, rows, context);
    if around.effect.is_paid {
        look_again(&around, rows, context)?;
    }
    // Whoever still waits for the payment finds its answer in the row.
    answer(&mut around, None, rows, context)?;
    effect_rows::put(&around, rows);
    let answer = match (&around.refund, &around.dispute) {
        (Some(refund), _) => Answer::ExistingRefund(refund),
        (None, Some(dispute)) => Answer::ExistingDispute(dispute),
        (None, None) => Answer::ExistingPayment(&around.payment),
    };
    Ok(answered(command, &answer, context))
}

/// What a person booked is compared with the gateway at once: more may have been given back than came.
fn look_again(around: &EffectRows, rows: &mut WorkingSet<'_>, context: &Context<'_>) -> Result<(), Miss> {
    let Some(object) = &around.effect.object_id else { return Ok(()) };
    if let Some(mut row) = rows.get::<GatewayObject>(&object_place(&around.effect.gateway, object))? {
        make_due(&mut row, context);
        rows.put(&row);
    }
    Ok(())
}

fn decide(
    around: &mut EffectRows,
    closed: Option<Closing>,
    resolution: Resolution,
    word: &PersonsWord,
) -> Result<Resolved, Rejection> {
    let EffectRows { effect, payment, book, refund, dispute, .. } = around;
    let balances = &mut book.balances;
    match (refund, dispute) {
        (Some(refund), _) => resolve_refund(effect, refund, payment, balances, closed, (resolution, word.clone())),
        // It holds nothing: the hold of its payment is not its own.
        (None, Some(dispute)) => resolve_evidence(effect, dispute.id, (resolution, word.clone())),
        (None, None) => resolve(effect, payment, balances, closed, resolution, word.clone()),
    }
}
