//! A person's decision on what a brake holds back.

use super::client::answered;
use super::effect_rows::{self, EffectRows};
use super::learned::{answer, journal};
use super::{Context, Handled};
use crate::ports::Answer;
use crate::submission::{EffectRef, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::decide::{Approval, Resolved, approve, approve_refund};
use quittance_core::effect::PersonsWord;
use quittance_core::id::CommandId;
use quittance_core::idempotency::Command;
use quittance_core::rejection::Rejection;
use quittance_core::time::Timestamp;

pub(super) fn handle(
    named: &EffectRef,
    approval: Approval,
    word: &PersonsWord,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let mut around = effect_rows::get(named.book, named.effect, rows)?;
    if around.effect.tenant != command.tenant {
        return Ok(answered(command, &Answer::Rejected(&Rejection::NotParked), context));
    }
    if approval == Approval::Approved && is_own(&around, command, rows)? {
        // Not stored: the same words of somebody else are another decision, and may come under the same key.
        return Ok(Outcome::Refused(Rejection::OwnRequest).into());
    }
    command.subject = Some(around.refund.as_ref().map_or_else(|| around.payment.id.to_string(), |r| r.id.to_string()));
    let resolved = match decide(&mut around, approval, word, context.now) {
        Ok(resolved) => resolved,
        Err(rejection) => return Ok(answered(command, &Answer::Rejected(&rejection), context)),
    };
    journal(&mut around, &resolved.records, rows, context);
    if approval == Approval::Refused {
        // Whoever still waits finds the answer in the row.
        answer(&mut around, None, rows, context)?;
    }
    effect_rows::put(&around, rows);
    let answer = match &around.refund {
        Some(refund) => Answer::ExistingRefund(refund),
        None => Answer::ExistingPayment(&around.payment),
    };
    Ok(answered(command, &answer, context))
}

/// Whether the credential that asked is the one that approves; where neither is known they cannot be told apart.
fn is_own(around: &EffectRows, command: &Command, rows: &WorkingSet<'_>) -> Result<bool, Miss> {
    let asked: CommandId = around.refund.as_ref().map_or(around.payment.command, |refund| refund.command);
    let asked: Command = rows.expect(&vec![asked.bytes().into()])?;
    Ok(around.effect.parked_by.is_some() && asked.credential == command.credential)
}

fn decide(
    around: &mut EffectRows,
    approval: Approval,
    word: &PersonsWord,
    now: Timestamp,
) -> Result<Resolved, Rejection> {
    let EffectRows { effect, payment, book, refund, .. } = around;
    let said = (approval, word.clone());
    match refund {
        Some(refund) => approve_refund(effect, refund, payment, &mut book.balances, said, now),
        None => approve(effect, payment, &mut book.balances, said, now),
    }
}
