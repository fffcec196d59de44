//! A person's decision on an effect in review.

use super::client::answered;
use super::effect_rows::{self, EffectRows};
use super::learned::answer;
use super::{Context, Handled, Wanted};
use crate::ports::Answer;
use crate::submission::EffectRef;
use crate::working_set::{Miss, WorkingSet};
use quittance_core::decide::{Resolution, hold_of, resolve};
use quittance_core::effect::PersonsWord;
use quittance_core::idempotency::Command;
use quittance_core::rejection::Rejection;
use quittance_store::records::ClosedHold;
use quittance_store::value::Key;

fn hold_place(named: &EffectRef) -> Key {
    vec![named.book.bytes().into(), hold_of(named.payment).bytes().into()]
}

pub(super) fn reads(named: &EffectRef, wanted: &mut Wanted<'_>) {
    effect_rows::reads(named, wanted);
    wanted.row::<ClosedHold>(hold_place(named));
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
    command.subject = Some(around.payment.id.to_string());
    let closed = rows.get::<ClosedHold>(&hold_place(named))?.map(|closed| closed.closing);
    let EffectRows { effect, payment, book, .. } = &mut around;
    let decided = resolve(effect, payment, &mut book.balances, closed, resolution, word.clone());
    let (record, closing) = match decided {
        Ok(decided) => decided,
        Err(rejection) => return Ok(answered(command, &Answer::Rejected(&rejection), context)),
    };
    rows.append(&mut around.book, &record, context.now);
    if let Some(closing) = closing {
        let hold = hold_of(around.payment.id);
        rows.put(&ClosedHold { book: around.book.id, hold, closing, seq: around.book.records });
    }
    // Whoever still waits for the payment finds its answer in the row.
    answer(&around, rows, context)?;
    effect_rows::put(&around, rows);
    Ok(answered(command, &Answer::ExistingPayment(&around.payment), context))
}
