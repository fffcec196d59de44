//! What a job taught us, applied under the lease it ran with.

use super::begin::{begin, release};
use super::client::complete;
use super::effect_rows::{self, EffectRows};
use super::{Context, Handled};
use crate::ports::Answer;
use crate::submission::{Job, LearnedFact, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::decide::{Learned, Lesson, hold_of, learn};
use quittance_core::effect::{Policy, Source, Stimulus};
use quittance_core::id::CommandId;
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::Record;
use quittance_store::records::{ClosedHold, GatewayObject};

/// Commands that got their answer, each with it.
type Finished = Vec<(CommandId, u16, Vec<u8>)>;

pub(super) fn handle(
    fact: &LearnedFact,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let mut around = effect_rows::get(fact.effect.book, fact.effect.effect, rows)?;
    if around.effect.lease_epoch != fact.effect.epoch {
        return fenced(fact, &mut around, rows, context);
    }
    let (learned, answered) = apply(&mut around, fact.source.clone(), fact.stimulus.clone(), rows, context)?;
    let job = go_on(&mut around, rows, context)?;
    effect_rows::put(&around, rows);
    Ok(Handled { outcome: Outcome::Applied { answered, alarm: learned.alarm }, job })
}

/// Somebody else holds the lease now: the outcome is dropped, what was seen at the gateway is kept.
fn fenced(
    fact: &LearnedFact,
    around: &mut EffectRows,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Handled, Miss> {
    let saw = match &fact.stimulus {
        Stimulus::Answered(fact) | Stimulus::Read(fact) | Stimulus::FindFailed(fact) => fact.word(),
        Stimulus::Found(Some(sighting)) | Stimulus::Observed(sighting) => sighting.word(),
        Stimulus::Found(None) => "absent".into(),
    };
    let because = "the lease was lost".into();
    let record = Record::ObservationKept { effect: around.effect.id, source: fact.source.clone(), saw, because };
    rows.append(&mut around.book, &record, context.now);
    rows.put(&around.book);
    Ok(Outcome::Fenced.into())
}

/// Applies one lesson to the rows around an effect and journals it. The caller puts effect, payment and book.
pub(super) fn apply(
    around: &mut EffectRows,
    source: Source,
    stimulus: Stimulus,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<(Learned, Finished), Miss> {
    let policy = context.gateways.0.get(&around.effect.gateway).map_or_else(Policy::default, |gateway| gateway.policy);
    let known_object = around.effect.object_id.clone();
    let lesson = Lesson { source, stimulus, now: context.now, dice: context.ids.dice() };
    let learned = learn(&mut around.effect, &mut around.payment, &mut around.book.balances, lesson, &policy)
        .map_err(|error| Miss::Corrupt(format!("the hold of {} cannot be closed: {error}", around.payment.id)))?;
    if let Some(reason) = learned.alarm {
        let (payment, effect, gateway) = (around.payment.id, around.effect.id, &around.effect.gateway);
        tracing::error!(%payment, %effect, gateway, reason, "a person should look at a payment");
    }
    if let Some(record) = &learned.record {
        rows.append(&mut around.book, record, context.now);
    }
    if let Some(closing) = learned.closing {
        let hold = hold_of(around.payment.id);
        rows.put(&ClosedHold { book: around.book.id, hold, closing, seq: around.book.records });
    }
    if known_object != around.effect.object_id {
        adopt_object(around, rows);
    }
    let answered = if learned.is_answered { answer(around, rows, context)? } else { Vec::new() };
    Ok((learned, answered))
}

/// From now on, events about the effect's object are about this effect.
pub(super) fn adopt_object(around: &EffectRows, rows: &mut WorkingSet<'_>) {
    let effect = &around.effect;
    if let Some(object) = effect.object_id.clone() {
        let (book, payment) = (effect.book, effect.payment);
        rows.overwrite(&GatewayObject { gateway: effect.gateway.clone(), object, book, effect: effect.id, payment });
    }
}

/// Answers the payment's own command, and those that joined it: they asked for the payment that there is.
pub(super) fn answer(around: &EffectRows, rows: &mut WorkingSet<'_>, context: &Context<'_>) -> Result<Finished, Miss> {
    let payment = &around.payment;
    let existing = match payment.decline {
        None => Answer::ExistingPayment(payment),
        Some(_) => Answer::Payment(payment),
    };
    let own = std::iter::once((payment.command, Answer::Payment(payment)));
    let joined = around.effect.joined.iter().map(|command| (*command, existing));
    let mut finished = Vec::new();
    for (id, answer) in own.chain(joined) {
        let mut command: Command = rows.expect(&vec![id.bytes().into()])?;
        if command.progress == Progress::InProgress {
            let (status, body) = complete(&mut command, &answer, context);
            rows.put(&command);
            finished.push((id, status, body));
        }
    }
    Ok(finished)
}

/// Goes on with an effect that is due at once; gives the lease of any other back.
fn go_on(around: &mut EffectRows, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Option<Job>, Miss> {
    match around.effect.due_at {
        None => Ok(None),
        Some(due_at) if due_at <= context.now => begin(around, rows, context),
        Some(due_at) => {
            release(around, due_at);
            Ok(None)
        }
    }
}
