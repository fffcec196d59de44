//! What a job taught us, applied under the lease it ran with.

use super::begin::{begin, may_overtake, release};
use super::client::complete;
use super::effect_rows::{self, EffectRows};
use super::object::object_place;
use super::{Context, Handled, Wanted, disputed};
use crate::looks::Looks;
use crate::ports::Answer;
use crate::submission::{Job, LearnedFact, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::decide::{Learned, Lesson, hold_of, learn, learn_evidence, learn_refund, refund_hold_of, word};
use quittance_core::dispute::DisputeSighting;
use quittance_core::effect::{Asked, Effect, Policy, Source, State, Stimulus};
use quittance_core::fact::{Fact, Sighting};
use quittance_core::id::{CommandId, HoldId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::{Closing, Correction, Record};
use quittance_core::ledger::LedgerError;
use quittance_core::mutation::{self, Mutation};
use quittance_core::payment::{Payment, Status};
use quittance_core::refund::Refund;
use quittance_core::rejection::Rejection;
use quittance_store::records::{BookedMovement, ClosedHold, GatewayObject, Holder, IntentEntry, ObjectState, Owner};

/// Commands that got their answer, each with it.
type Finished = Vec<(CommandId, u16, Vec<u8>)>;

pub(super) fn reads(fact: &LearnedFact, wanted: &mut Wanted<'_>) {
    effect_rows::reads(&fact.effect, wanted);
    let place = effect_rows::effect_place(fact.effect.book, fact.effect.effect);
    let Some(effect) = wanted.get::<Effect>(place) else { return };
    if let Some(dispute) = dispute_of(&fact.stimulus) {
        disputed::reads(dispute, &effect.gateway, wanted);
    }
    // An object that shows itself may be known already, from an event.
    if let Some(seen) = seen_in(&fact.stimulus)
        && effect.object_id.as_deref() != Some(&seen.object_id)
    {
        wanted.row::<GatewayObject>(object_place(&effect.gateway, &seen.object_id));
    }
}

/// The dispute that an answer about it shows.
fn dispute_of(stimulus: &Stimulus) -> Option<&DisputeSighting> {
    match stimulus {
        Stimulus::Answered(Fact::SeenDispute(dispute)) | Stimulus::Read(Fact::SeenDispute(dispute)) => Some(dispute),
        _ => None,
    }
}

/// The object that a lesson brings, whatever else it says.
fn seen_in(stimulus: &Stimulus) -> Option<&Sighting> {
    match stimulus {
        Stimulus::Answered(fact) | Stimulus::Read(fact) | Stimulus::FindFailed(fact) => match fact {
            Fact::Seen(sighting) => Some(sighting),
            Fact::Declined { sighting, .. } | Fact::Refused { sighting, .. } => sighting.as_ref(),
            _ => None,
        },
        Stimulus::Found(sighting) => sighting.as_ref(),
        Stimulus::Observed(sighting) => Some(sighting),
        Stimulus::ObservedDispute(_) | Stimulus::OutOfMeans | Stimulus::TooLittleLeft | Stimulus::Orphaned(_) => None,
    }
}

pub(super) fn handle(
    fact: &LearnedFact,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let mut around = effect_rows::get(fact.effect.book, fact.effect.effect, rows)?;
    if around.effect.lease_epoch != fact.effect.epoch && !mutation::is(Mutation::LeaseUnchecked) {
        return fenced(fact, &mut around, rows, context);
    }
    if let Some(dispute) = dispute_of(&fact.stimulus).filter(|_| around.dispute.is_some()) {
        // How the dispute itself stands is learned first, so that the client's answer shows it.
        disputed::learn_of(dispute, &around.effect.gateway, fact.source.clone(), rows, context)?;
        around = effect_rows::get(fact.effect.book, fact.effect.effect, rows)?;
    }
    let (learned, answered) = apply(&mut around, fact.source.clone(), fact.stimulus.clone(), rows, context)?;
    // A lesson is taken once: handed over again, it must not be the answer to what was sent after it.
    around.effect.lease_epoch += 1;
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
    let saw = word(&fact.stimulus);
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
    effect_rows::enter_era(&mut around.effect, context)?;
    let known_object = around.effect.object_id.clone();
    let lesson = Lesson { source, stimulus, now: context.now, dice: context.ids.dice() };
    let learned = decide(around, lesson, &policy)
        .map_err(|error| Miss::Corrupt(format!("the hold of {} cannot be closed: {error}", around.effect.id)))?;
    if let Some(reason) = learned.alarm {
        let (payment, effect, gateway) = (around.payment.id, around.effect.id, &around.effect.gateway);
        tracing::error!(%payment, %effect, gateway, reason, "a person should look at a payment");
    }
    journal(around, &learned.records, rows, context);
    if known_object != around.effect.object_id {
        adopt_object(around, rows, context);
    }
    let answered = match learned.is_answered {
        true => answer(around, learned.step_refused.as_deref(), rows, context)?,
        false => Vec::new(),
    };
    Ok((learned, answered))
}

fn decide(around: &mut EffectRows, lesson: Lesson, policy: &Policy) -> Result<Learned, LedgerError> {
    let EffectRows { effect, payment, book, refund, dispute, .. } = around;
    match (refund, dispute) {
        (Some(refund), _) => learn_refund(effect, refund, payment, &mut book.balances, lesson, policy),
        (None, Some(dispute)) => Ok(learn_evidence(effect, dispute.id, lesson, policy)),
        (None, None) => learn(effect, payment, &mut book.balances, lesson, policy),
    }
}

/// Appends records, and writes down what the database is to allow once because of each: the hold that it closes, the
/// movement that it books, the reference that it takes.
pub(super) fn journal(around: &mut EffectRows, records: &[Record], rows: &mut WorkingSet<'_>, context: &Context<'_>) {
    for record in records {
        rows.append(&mut around.book, record, context.now);
        let (book, seq) = (around.book.id, around.book.records);
        if let Some((hold, closing)) = closing_of(record) {
            rows.put(&ClosedHold { book, hold, closing, seq });
        }
        if let Record::Corrected(corrected) = record {
            book_movement(around, &corrected.movement, rows);
            if corrected.correction == Correction::RefundPaid {
                take_reference(around, rows);
            }
        }
    }
}

fn closing_of(record: &Record) -> Option<(HoldId, Closing)> {
    match record {
        Record::EffectAdvanced(advanced) => advanced.closing,
        Record::RefundAdvanced(advanced) => advanced.closing,
        _ => None,
    }
}

/// The hold of what an effect is about.
pub(super) fn hold_of_subject(around: &EffectRows) -> HoldId {
    around.refund.as_ref().map_or_else(|| hold_of(around.payment.id), |refund| refund_hold_of(refund.id))
}

/// Writes down that the newest record books a movement at the gateway, so that the database allows it once.
pub(super) fn book_movement(around: &EffectRows, movement: &str, rows: &mut WorkingSet<'_>) {
    let (gateway, movement) = (around.effect.gateway.clone(), movement.to_owned());
    rows.put(&BookedMovement { gateway, movement, book: around.book.id, seq: around.book.records });
}

/// The reference of a refund that had failed was free, and is not any more: whoever has it now, this one gave money back.
fn take_reference(around: &EffectRows, rows: &mut WorkingSet<'_>) {
    if let Some(Refund { id, payment, reference: Some(reference), .. }) = &around.refund {
        let intent = IntentEntry::of_refund(*payment, reference);
        rows.overwrite(&IntentEntry { book: around.book.id, intent, holder: Holder::Refund(*id) });
    }
}

/// From now on, the effect's object belongs to it, and so do events about it. It is looked at when it has had time to
/// settle; as long as the effect is under way it reads the object itself.
pub(super) fn adopt_object(around: &EffectRows, rows: &mut WorkingSet<'_>, context: &Context<'_>) {
    let effect = &around.effect;
    let Some(object) = effect.object_id.as_deref() else { return };
    let place = object_place(&effect.gateway, object);
    let known = rows.get::<GatewayObject>(&place);
    let is_loaded = known.is_ok();
    let new = || GatewayObject::new(effect.gateway.clone(), object.to_owned(), effect.object_kind(), context.now);
    let mut row = known.ok().flatten().unwrap_or_else(new);
    row.kind = effect.object_kind();
    // However it stood when nobody knew whose it is: the effect was not told.
    (row.status, row.status_since) = (None, None);
    let looks = context.gateways.0.get(&effect.gateway).map_or_else(Looks::default, |gateway| gateway.looks);
    adopt(&mut row, Owner { book: effect.book, effect: effect.id, payment: effect.payment });
    row.due_at = Some(context.now.plus_ms(looks.settle_ms));
    match is_loaded {
        true => rows.put(&row),
        false => rows.overwrite(&row),
    }
}

/// Writes down whose an object is.
pub(super) fn adopt(row: &mut GatewayObject, owner: Owner) {
    row.owner = Some(owner);
    row.state = ObjectState::Ours;
    row.waiting_on = None;
    row.troubled_since = None;
    row.tries = 0;
}

/// Answers the effect's own command, and those that joined it.
pub(super) fn answer(
    around: &mut EffectRows,
    step_refused: Option<&str>,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Finished, Miss> {
    let mut finished = Vec::new();
    if let Some(refund) = &around.refund {
        finish(refund.command, &Answer::Refund(refund), &mut finished, rows, context)?;
        return Ok(finished);
    }
    if let (Some(dispute), Some(evidence)) = (&around.dispute, &around.evidence) {
        let gateway_code = step_refused.unwrap_or("resolved_as_failed").to_owned();
        let refused = Rejection::RefusedByGateway { gateway_code };
        let answer = match around.effect.state {
            State::Succeeded => Answer::Evidence(dispute),
            _ => Answer::Rejected(&refused),
        };
        finish(evidence.command, &answer, &mut finished, rows, context)?;
        return Ok(finished);
    }
    let payment = &around.payment;
    finish(payment.command, &Answer::Payment(payment), &mut finished, rows, context)?;
    for joined in std::mem::take(&mut around.effect.joined) {
        let outcome = outcome_of(joined.asked, payment, step_refused);
        let answer = match &outcome {
            Err(rejection) => Answer::Rejected(rejection),
            Ok(()) if payment.decline.is_some() => Answer::Payment(payment),
            Ok(()) => Answer::ExistingPayment(payment),
        };
        finish(joined.command, &answer, &mut finished, rows, context)?;
    }
    Ok(finished)
}

/// What became of what a command asked for: the payment as it is now, or a refusal.
fn outcome_of(asked: Asked, payment: &Payment, step_refused: Option<&str>) -> Result<(), Rejection> {
    let status = payment.status;
    match (asked, status) {
        (Asked::Existing, _) | (Asked::Capture, Status::Succeeded) | (Asked::Cancel, Status::Canceled) => Ok(()),
        (Asked::Capture, _) => Err(match step_refused {
            Some(code) => Rejection::RefusedByGateway { gateway_code: code.to_owned() },
            None => Rejection::NotCapturable { status },
        }),
        (Asked::Cancel, _) => Err(Rejection::NotCancelable { status }),
    }
}

fn finish(
    command: CommandId,
    answer: &Answer<'_>,
    finished: &mut Finished,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<(), Miss> {
    let mut command: Command = rows.expect(&vec![command.bytes().into()])?;
    if command.progress == Progress::InProgress || mutation::is(Mutation::AnswerRerendered) {
        let (status, body) = complete(&mut command, answer, context);
        rows.put(&command);
        finished.push((command.id, status, body));
    }
    Ok(())
}

/// Goes on with an effect that is due at once; gives the lease of any other back.
fn go_on(around: &mut EffectRows, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Option<Job>, Miss> {
    match around.effect.due_at {
        None => Ok(None),
        Some(due_at) if due_at <= context.now && may_overtake(&around.effect, context) => begin(around, rows, context),
        Some(due_at) => {
            release(around, due_at);
            Ok(None)
        }
    }
}
