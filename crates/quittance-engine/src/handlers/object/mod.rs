//! Objects of gateways: begun looks and what they show, under the object's own lease.
//!
//! A look is begun by claiming the object's row. The number of the lease is taken before the request leaves, and an
//! answer is applied only under the newest one, so a slow reader never overwrites what was read later. Owns whose an
//! object is and when it is looked at again; what a sighting means for an effect is the core's business.

mod discrepancies;
mod dispute;
mod look;
mod ours;
mod placing;
mod requeue;
mod trouble;

pub(super) use discrepancies::{Found, close, open, reads_of};
pub(super) use look::{look, reads_look};
pub(super) use ours::is_news_afterwards;
pub(super) use requeue::{audit, make_due, reads_requeue, requeue};

use super::effect_rows::{self, EffectRows};
use super::{Context, Handled, Wanted, disputed, orphans};
use crate::looks::Looks;
use crate::submission::{EffectRef, Looked, ObjectRef, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::key::is_gateway_key;
use quittance_core::dispute::DisputeSighting;
use quittance_core::effect::Effect;
use quittance_core::fact::{Fact, Loss, Sighting};
use quittance_core::id::{CommandId, CustomerId};
use quittance_store::records::{GatewayObject, ObjectState, Owner, Ticket};
use quittance_store::tables::TICKETS;
use quittance_store::value::{Key, Value};

/// Place of an object's row.
pub(in crate::handlers) fn object_place(gateway: &str, object: &str) -> Key {
    vec![gateway.into(), object.into()]
}

/// The effect that an object belongs to, as other handlers name it.
pub(in crate::handlers) const fn effect_of(owner: Owner) -> EffectRef {
    EffectRef { book: owner.book, effect: owner.effect, payment: owner.payment, epoch: 0 }
}

/// When objects of a gateway are looked at again.
fn looks_of(gateway: &str, context: &Context<'_>) -> Looks {
    let looks = context.gateways.0.get(gateway).map_or_else(Looks::default, |gateway| gateway.looks);
    // An object may be known since the clock was behind: that it is right now makes no look unnecessary.
    looks.by_clock_ahead(context.era.ahead_ms)
}

/// What follows from a look, besides the rows.
#[derive(Default)]
struct Lesson {
    answered: Vec<(CommandId, u16, Vec<u8>)>,
    alarm: Option<&'static str>,
    /// What does not agree, and so stays or becomes a discrepancy; every other one of the object is over.
    found: Option<Found>,
}

/// A new look at an object: under a number of its own, by nobody yet.
fn end_lease(row: &mut GatewayObject) {
    row.lease_owner = 0;
}

/// Names the rows that a sighting may need: its effect by the id it carries, or by our reference, or its parent.
pub(in crate::handlers) fn reads_of_sighting(gateway: &str, sighting: &Sighting, wanted: &mut Wanted<'_>) {
    let ticket = bare_reference(sighting).and_then(|place| wanted.unique::<Ticket>(&TICKETS.indexes[0], place));
    let named = ticket.map(|ticket| (ticket.book, ticket.effect)).or(sighting.book.zip(sighting.effect_id));
    if let Some((book, id)) = named
        && let Some(effect) = wanted.get::<Effect>(effect_rows::effect_place(book, id))
    {
        effect_rows::reads(&EffectRef { book, effect: id, payment: effect.payment, epoch: 0 }, wanted);
    }
    if let Some(parent) = &sighting.parent {
        reads_of_parent(gateway, parent, wanted);
    }
    if let Some(charge) = &sighting.latest_charge {
        wanted.row::<GatewayObject>(object_place(gateway, charge));
    }
}

/// Our reference in what carries nothing else of ours, as the index of the tickets has it.
fn bare_reference(sighting: &Sighting) -> Option<Vec<Value>> {
    let reference = sighting.reference.as_deref().filter(|reference| is_gateway_key(reference))?;
    sighting.effect_id.is_none().then(|| vec![reference.into()])
}

/// The sighting with the effect that it belongs to, where only the reference of the request that made it says so.
fn identified(sighting: &Sighting, rows: &WorkingSet<'_>) -> Result<Sighting, Miss> {
    let mut sighting = sighting.clone();
    if let Some(place) = bare_reference(&sighting)
        && let Some(ticket) = rows.unique::<Ticket>(&TICKETS.indexes[0], &place)?
    {
        (sighting.effect_id, sighting.book) = (Some(ticket.effect), Some(ticket.book));
    }
    Ok(sighting)
}

fn reads_of_parent(gateway: &str, parent: &str, wanted: &mut Wanted<'_>) {
    let row = wanted.get::<GatewayObject>(object_place(gateway, parent));
    if let Some(owner) = row.and_then(|row| row.owner) {
        effect_rows::reads(&effect_of(owner), wanted);
    }
}

fn reads_of_dispute(gateway: &str, dispute: &DisputeSighting, wanted: &mut Wanted<'_>) {
    disputed::reads(dispute, gateway, wanted);
    reads_of_parent(gateway, dispute.payment_object.as_ref().unwrap_or(&dispute.charge), wanted);
}

pub(super) fn reads_looked(looked: &Looked, wanted: &mut Wanted<'_>) {
    let ObjectRef { gateway, object, .. } = &looked.object;
    discrepancies::reads(gateway, object, wanted);
    if let Some(owner) = wanted.get::<GatewayObject>(object_place(gateway, object)).and_then(|row| row.owner) {
        effect_rows::reads(&effect_of(owner), wanted);
    }
    match &looked.fact {
        Fact::Seen(sighting) => {
            reads_of_sighting(gateway, sighting, wanted);
            orphans::reads_of_sighting(gateway, sighting, wanted);
        }
        Fact::SeenDispute(dispute) => reads_of_dispute(gateway, dispute, wanted),
        _ => {}
    }
}

/// Applies what a look showed.
pub(super) fn looked(looked: &Looked, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Handled, Miss> {
    let ObjectRef { gateway, object, epoch } = &looked.object;
    let mut row: GatewayObject = rows.expect(&object_place(gateway, object))?;
    if row.lease_epoch != *epoch {
        // Somebody else has looked, or looks, since: this was read before.
        return Ok(Outcome::Fenced.into());
    }
    end_lease(&mut row);
    let lesson = match &looked.fact {
        Fact::Seen(sighting) if sighting.object_id == row.object => seen(&mut row, sighting, rows, context)?,
        Fact::SeenDispute(dispute) if dispute.object_id == row.object => {
            note_status(&mut row, dispute.status.name(), context);
            dispute::dispute_seen(&mut row, dispute, rows, context)?
        }
        Fact::Seen(_) | Fact::SeenDispute(_) => trouble::unreadable(&mut row, context),
        // A refusal to cancel says that the object has moved on: it is read first.
        _ if looked.is_cancel => trouble::not_canceled(&mut row, context),
        Fact::Absent => trouble::absent(&mut row, rows, context)?,
        fact if is_nobodys_evidence(fact) => {
            trouble::outage(&mut row, context);
            rows.put(&row);
            return Ok(Outcome::Done.into());
        }
        _ => trouble::unreadable(&mut row, context),
    };
    finish(row, lesson, rows, context)
}

/// An outage, a limit or a bad credential says nothing about the object and may last for ever.
fn is_nobodys_evidence(fact: &Fact) -> bool {
    match fact {
        Fact::Throttled { .. }
        | Fact::Unauthorised
        | Fact::NotSent
        | Fact::Lost(Loss::Timeout | Loss::Reset | Loss::ServerError | Loss::Unavailable | Loss::Unclear) => true,
        Fact::Seen(_)
        | Fact::SeenDispute(_)
        | Fact::Absent
        | Fact::Declined { .. }
        | Fact::Refused { .. }
        | Fact::InUse
        | Fact::KeyMismatch
        | Fact::Lost(Loss::Unreadable) => false,
    }
}

fn seen(
    row: &mut GatewayObject,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Lesson, Miss> {
    let before = row.status.clone();
    // What was seen before it was known whose it is has been told to nobody.
    let told = before.clone().filter(|_| row.state == ObjectState::Ours);
    note_status(row, sighting.status.name(), context);
    let sighting = identified(sighting, rows)?;
    match placing::place(row, before.as_deref(), &sighting, rows, context)? {
        placing::Place::Ours(around) => ours::learn(row, *around, told.as_deref(), &sighting, rows, context),
        placing::Place::Elsewhere(lesson) => Ok(lesson),
    }
}

/// Keeps the gateway's word, and since when it has held. Whatever is read ends what was troubling.
fn note_status(row: &mut GatewayObject, status: &str, context: &Context<'_>) {
    if row.status.as_deref() != Some(status) {
        row.status = Some(status.to_owned());
        row.status_since = Some(context.now);
    }
    row.read_sequence = row.lease_epoch;
    row.last_read_at = Some(context.now);
    row.tries = 0;
}

/// Writes the object, and opens and closes its discrepancies.
fn finish(
    mut row: GatewayObject,
    mut lesson: Lesson,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    if std::mem::take(&mut row.is_stale) && row.due_at.is_none_or(|due_at| due_at > context.now) {
        row.due_at = Some(context.now);
    }
    if let (Some(found), Some(owner)) = (&mut lesson.found, row.owner) {
        found.about(&effect_rows::get(owner.book, owner.effect, rows)?);
    }
    let opened = discrepancies::settle(&row, lesson.found, rows, context)?;
    rows.put(&row);
    Ok(Outcome::Applied { answered: lesson.answered, alarm: lesson.alarm.or(opened) }.into())
}

/// The rows around the effect of that id, if there is such an effect.
fn find_effect(
    book: CustomerId,
    effect: quittance_core::id::EffectId,
    rows: &WorkingSet<'_>,
) -> Result<Option<EffectRows>, Miss> {
    match rows.get::<Effect>(&effect_rows::effect_place(book, effect))? {
        Some(_) => effect_rows::get(book, effect, rows).map(Some),
        None => Ok(None),
    }
}
