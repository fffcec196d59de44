//! A dispute seen at the gateway: whose payment it is about, and what its movements and its status do to the books.

use super::effect_rows::effect_place;
use super::learned::apply;
use super::{Context, Wanted, effect_rows};
use crate::submission::EffectRef;
use crate::working_set::{Miss, WorkingSet};
use quittance_core::decide::{DisputeLesson, learn_dispute};
use quittance_core::dispute::{Dispute, DisputeSighting, Stage};
use quittance_core::effect::{Effect, Source, State, Stimulus};
use quittance_core::id::{CustomerId, DisputeId, PaymentId};
use quittance_core::journal::{DisputeSeen, Record};
use quittance_core::payment::Payment;
use quittance_store::records::{Book, BookedMovement, GatewayObject, IntentEntry};
use quittance_store::schema::Index;
use quittance_store::tables::DISPUTES;
use quittance_store::value::{Key, Value};
use std::collections::BTreeSet;

/// The index that leads from a gateway's dispute to ours.
static BY_OBJECT: &Index = &DISPUTES.indexes[1];

fn object_place(dispute: &DisputeSighting, gateway: &str) -> Vec<Value> {
    vec![gateway.into(), dispute.object_id.as_str().into()]
}

fn movement_place(gateway: &str, movement: &str) -> Key {
    vec![gateway.into(), movement.into()]
}

pub(super) fn intent_place(book: CustomerId, dispute: DisputeId, stage: Stage) -> Key {
    vec![book.bytes().into(), IntentEntry::of_evidence(dispute, stage).into()]
}

/// The gateway's objects that may be ours and lead to the disputed payment, the surest first.
fn disputed_objects(dispute: &DisputeSighting) -> impl Iterator<Item = &str> {
    dispute.payment_object.as_deref().into_iter().chain([dispute.charge.as_str()])
}

/// Names the rows that [`observe`] needs.
pub(super) fn reads(dispute: &DisputeSighting, gateway: &str, wanted: &mut Wanted<'_>) {
    let known = wanted.unique::<Dispute>(BY_OBJECT, object_place(dispute, gateway));
    let mut place = known.as_ref().map(|known| (known.book, known.payment));
    for object in disputed_objects(dispute) {
        let object = wanted.get::<GatewayObject>(vec![gateway.into(), object.into()]);
        let owner = object.and_then(|object| object.owner);
        place = place.or(owner.map(|owner| (owner.book, owner.payment)));
    }
    let Some((book, payment)) = place else { return };
    wanted.row::<Book>(vec![book.bytes().into()]);
    wanted.row::<Payment>(vec![book.bytes().into(), payment.bytes().into()]);
    for movement in &dispute.movements {
        wanted.row::<BookedMovement>(movement_place(gateway, &movement.id));
    }
    let Some(known) = known else { return };
    for stage in Stage::ALL {
        let intent = wanted.get::<IntentEntry>(intent_place(book, known.id, stage));
        if let Some(effect) = intent.and_then(|intent| intent.holder.evidence()) {
            effect_rows::reads(&EffectRef { book, effect, payment, epoch: 0 }, wanted);
        }
    }
}

/// Learns how a dispute stands, and has an answer to it that is under way looked at again. Gives the book of the disputed
/// payment; none where that payment is not known here.
pub(super) fn observe(
    dispute: &DisputeSighting,
    gateway: &str,
    source: Source,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<CustomerId>, Miss> {
    let known = rows.unique::<Dispute>(BY_OBJECT, &object_place(dispute, gateway))?;
    let learned = learn_of(dispute, gateway, source.clone(), rows, context)?;
    if let Some(known) = known {
        wake(&known, dispute, &source, rows, context)?;
    }
    Ok(learned)
}

/// As [`observe`], and nothing is woken.
pub(super) fn learn_of(
    dispute: &DisputeSighting,
    gateway: &str,
    source: Source,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<CustomerId>, Miss> {
    let known = rows.unique::<Dispute>(BY_OBJECT, &object_place(dispute, gateway))?;
    let place = match &known {
        Some(known) => Some((known.book, known.payment)),
        None => disputed_payment(dispute, gateway, rows)?,
    };
    let Some((book, payment)) = place else { return Ok(None) };
    let mut payment: Payment = rows.expect(&vec![book.bytes().into(), payment.bytes().into()])?;
    let mut book: Book = rows.expect(&vec![book.bytes().into()])?;
    let id = DisputeId::from_uuid(context.ids.uuid(context.now));
    let booked = booked(dispute, gateway, rows)?;
    let lesson = DisputeLesson { sighting: dispute, source, booked, id, now: context.now };
    let learned = learn_dispute(lesson, known, &mut payment, &mut book.balances)
        .map_err(|error| Miss::Corrupt(format!("dispute {} cannot be booked: {error}", dispute.object_id)))?;
    for reason in learned.alarms {
        let (payment, dispute, due_by) = (payment.id, learned.dispute.id, learned.dispute.evidence_due_by);
        let evidence_due_by = due_by.map(|at| at.seconds());
        tracing::error!(%payment, %dispute, gateway, evidence_due_by, reason, "a person should look at a dispute");
    }
    for record in &learned.records {
        rows.append(&mut book, record, context.now);
        if let Record::DisputeSeen(DisputeSeen { movement: Some(movement), .. }) = record {
            let (gateway, movement) = (gateway.to_owned(), movement.clone());
            rows.put(&BookedMovement { gateway, movement, book: book.id, seq: book.records });
        }
    }
    rows.put(&learned.dispute);
    rows.put(&payment);
    rows.put(&book);
    Ok(Some(book.id))
}

fn disputed_payment(
    dispute: &DisputeSighting,
    gateway: &str,
    rows: &WorkingSet<'_>,
) -> Result<Option<(CustomerId, PaymentId)>, Miss> {
    for object in disputed_objects(dispute) {
        let object = rows.get::<GatewayObject>(&vec![gateway.into(), object.into()])?;
        if let Some(owner) = object.and_then(|object| object.owner) {
            return Ok(Some((owner.book, owner.payment)));
        }
    }
    Ok(None)
}

fn booked(dispute: &DisputeSighting, gateway: &str, rows: &WorkingSet<'_>) -> Result<BTreeSet<String>, Miss> {
    let mut booked = BTreeSet::new();
    for movement in &dispute.movements {
        if rows.get::<BookedMovement>(&movement_place(gateway, &movement.id))?.is_some() {
            booked.insert(movement.id.clone());
        }
    }
    Ok(booked)
}

/// What waits to find out whether evidence arrived is read again at once.
fn wake(
    known: &Dispute,
    dispute: &DisputeSighting,
    source: &Source,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<(), Miss> {
    for stage in Stage::ALL {
        let intent = rows.get::<IntentEntry>(&intent_place(known.book, known.id, stage))?;
        let Some(effect) = intent.and_then(|intent| intent.holder.evidence()) else { continue };
        let effect: Effect = rows.expect(&effect_place(known.book, effect))?;
        if effect.state == State::Unknown && effect.lease_owner == 0 {
            let mut around = effect_rows::get(known.book, effect.id, rows)?;
            let stimulus = Stimulus::ObservedDispute(Box::new(dispute.clone()));
            apply(&mut around, source.clone(), stimulus, rows, context)?;
            effect_rows::put(&around, rows);
        }
    }
    Ok(())
}
