//! A client asks for a step of a payment under way: to capture it, or to give it up.

use super::begin::{begin, has_room_for_new};
use super::client::answered;
use super::effect_rows::{self, EffectRows};
use super::learned::{answer, journal};
use super::{Context, Handled};
use crate::ports::Answer;
use crate::submission::{EffectRef, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::decide::{StepAccepted, ask_cancel, ask_capture};
use quittance_core::effect::{Policy, State, Subject};
use quittance_core::idempotency::Command;
use quittance_core::rejection::Rejection;

/// What is asked for.
pub(super) enum Step<'a> {
    /// To take so much, or all.
    Capture(Option<i64>),
    /// To give it up, for this reason.
    Cancel(Option<&'a str>),
}

pub(super) fn handle(
    named: &EffectRef,
    step: &Step<'_>,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let mut around = effect_rows::get(named.book, named.effect, rows)?;
    if around.effect.tenant != command.tenant || around.effect.subject != Subject::Payment {
        return Ok(answered(command, &Answer::Rejected(&Rejection::PaymentNotFound), context));
    }
    command.subject = Some(around.payment.id.to_string());
    match ask(&mut around, step, command, context) {
        Err(rejection) => Ok(answered(command, &Answer::Rejected(&rejection), context)),
        Ok(StepAccepted::AlreadyDone) => Ok(answered(command, &Answer::ExistingPayment(&around.payment), context)),
        Ok(StepAccepted::Ended(records)) => {
            journal(&mut around, &records, rows, context);
            // Whoever still waits for the payment finds its answer in the row.
            answer(&mut around, None, rows, context)?;
            effect_rows::put(&around, rows);
            Ok(answered(command, &Answer::ExistingPayment(&around.payment), context))
        }
        Ok(StepAccepted::Begun(records)) => {
            journal(&mut around, &records, rows, context);
            let outcome =
                Outcome::Accepted { command: command.id, subject: around.payment.id.to_string(), payment: None };
            let job = go_on(&mut around, rows, context)?;
            effect_rows::put(&around, rows);
            Ok(Handled { outcome, job })
        }
    }
}

fn ask(
    around: &mut EffectRows,
    step: &Step<'_>,
    command: &Command,
    context: &Context<'_>,
) -> Result<StepAccepted, Rejection> {
    let EffectRows { effect, payment, book, .. } = around;
    let policy = context.gateways.0.get(&effect.gateway).map_or_else(Policy::default, |gateway| gateway.policy);
    match step {
        Step::Capture(amount) => ask_capture(effect, payment, *amount, command.id, &policy, context.now),
        Step::Cancel(reason) => {
            let asked = (command.id, reason.map(str::to_owned));
            ask_cancel(effect, payment, &mut book.balances, asked, &policy, context.now)
        }
    }
}

/// Begins at once where nothing is under way and the gateway has room; what was being read meanwhile is fenced.
fn go_on(
    around: &mut EffectRows,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<crate::submission::Job>, Miss> {
    if around.effect.state != State::Intended {
        return Ok(None);
    }
    around.effect.lease_epoch += 1;
    around.effect.lease_owner = 0;
    match has_room_for_new(&around.effect, context) {
        true => begin(around, rows, context),
        false => Ok(None),
    }
}
