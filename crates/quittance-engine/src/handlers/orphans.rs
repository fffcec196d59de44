//! What a restore or a failover lost and the gateway still has: noted when a look finds it, and looked up before the first
//! request that could charge the same payment again.
//!
//! Owns which rows are asked and written. What follows for the effect is the core's business, and whether an object is an
//! orphan that of `object/placing`.

use super::effect_rows::{EffectRows, effect_place};
use super::object::{close, object_place, reads_of};
use super::{Context, Wanted};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::customer::Customer;
use quittance_core::effect::{Effect, Move, Orphan, Orphans, Step, Subject, is_before_charge};
use quittance_core::fact::{ObjectKind, ObjectStatus, Sighting};
use quittance_core::id::CustomerId;
use quittance_store::records::{Book, DiscrepancyKind, Entity, GatewayObject, OrphanEntry};

/// Which payment a lost record was of, as an object of it says.
struct Said<'a> {
    book: CustomerId,
    reference: &'a str,
}

/// What an object says of the payment that it was made for; nothing where it stands for no payment, or does not say.
fn said(sighting: &Sighting) -> Option<Said<'_>> {
    let is_payment = match sighting.kind {
        ObjectKind::Payment => true,
        ObjectKind::Charge => sighting.parent.is_none(),
        ObjectKind::Refund | ObjectKind::Dispute => false,
    };
    let (book, reference) = (sighting.book?, sighting.payment_reference.as_deref()?);
    (is_payment && sighting.effect_id.is_some()).then_some(Said { book, reference })
}

/// Names the rows in which an object is noted whose effect is not known. The book is among them: nothing is charged in it
/// while the note is made.
pub(super) fn reads_of_sighting(gateway: &str, sighting: &Sighting, wanted: &mut Wanted<'_>) {
    let Some(Said { book, reference }) = said(sighting) else { return };
    let is_unknown = |id| wanted.loaded.row(Effect::table(), &effect_place(book, id)) == Some(None);
    if !sighting.effect_id.is_some_and(is_unknown) {
        return;
    }
    wanted.row::<OrphanEntry>(OrphanEntry::place(book, gateway, reference));
    if wanted.get::<Book>(vec![book.bytes().into()]).is_none() {
        wanted.row::<OrphanEntry>(OrphanEntry::place(OrphanEntry::NO_BOOK, gateway, reference));
    }
}

/// Notes an orphan as it was just seen, or that it has ended without money.
pub(super) fn note(gateway: &str, sighting: &Sighting, rows: &mut WorkingSet<'_>) -> Result<(), Miss> {
    let Some(Said { book, reference }) = said(sighting) else { return Ok(()) };
    note_in(book, (gateway, reference), sighting, rows)?;
    if rows.get::<Book>(&vec![book.bytes().into()])?.is_none() {
        note_in(OrphanEntry::NO_BOOK, (gateway, reference), sighting, rows)?;
    }
    Ok(())
}

fn note_in(
    book: CustomerId,
    (gateway, reference): (&str, &str),
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
) -> Result<(), Miss> {
    let stored = rows.get::<OrphanEntry>(&OrphanEntry::place(book, gateway, reference))?;
    let mut entry = stored.clone().unwrap_or_else(|| OrphanEntry::new(book, gateway.to_owned(), reference.to_owned()));
    match ending(&sighting.status) {
        Ending::WithoutMoney => entry.forget(&sighting.object_id),
        Ending::Inert => entry.note(Orphan { object: sighting.object_id.clone(), is_inert: true }),
        Ending::Unproven => entry.note(Orphan { object: sighting.object_id.clone(), is_inert: false }),
    }
    let is_news = match &stored {
        Some(stored) => *stored != entry,
        None => !entry.found.is_empty(),
    };
    if is_news {
        rows.put(&entry);
    }
    Ok(())
}

/// What an object's status proves about money.
enum Ending {
    /// None moved, and none can.
    WithoutMoney,
    /// None moved by what was seen of it; it may be confirmed.
    Inert,
    /// It moved, or may.
    Unproven,
}

const fn ending(status: &ObjectStatus) -> Ending {
    match status {
        ObjectStatus::Canceled | ObjectStatus::Failed => Ending::WithoutMoney,
        ObjectStatus::RequiresPaymentMethod | ObjectStatus::RequiresConfirmation => Ending::Inert,
        ObjectStatus::RequiresAction
        | ObjectStatus::Processing
        | ObjectStatus::RequiresCapture
        | ObjectStatus::Succeeded
        | ObjectStatus::Unrecognised(_) => Ending::Unproven,
    }
}

/// Names the rows that say whether an effect may charge what was charged before, if it has charged nothing yet.
pub(super) fn reads_of_effect(effect: &Effect, reference: &str, customer: Option<&Customer>, wanted: &mut Wanted<'_>) {
    let may_be_first = effect.subject == Subject::Payment && effect.sends == 0 && !effect.state.is_terminal();
    if may_be_first && matches!(effect.step, Step::Create | Step::Execute | Step::Confirm) {
        reads_of_payment(effect.book, (&effect.gateway, reference), customer, wanted);
    }
}

/// The same for a payment that is about to be accepted.
pub(super) fn reads_of_payment(
    book: CustomerId,
    (gateway, reference): (&str, &str),
    customer: Option<&Customer>,
    wanted: &mut Wanted<'_>,
) {
    if let Some(entry) = wanted.get::<OrphanEntry>(OrphanEntry::place(book, gateway, reference)) {
        for orphan in &entry.found {
            wanted.row::<GatewayObject>(object_place(gateway, &orphan.object));
            reads_of(gateway, &orphan.object, DiscrepancyKind::OrphanedObject, wanted);
        }
    }
    let lost_since = wanted.lost_since;
    if customer.is_some_and(|customer| lost_since.is_some_and(|since| customer.created_at >= since)) {
        wanted.row::<OrphanEntry>(OrphanEntry::place(OrphanEntry::NO_BOOK, gateway, reference));
    }
}

/// What the gateway has of the payment whose first charging request would be sent now. While a gateway recovers nothing is
/// sent to it, and not everything was found.
pub(super) fn before(
    around: &EffectRows,
    next: Move,
    rows: &WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Option<Orphans>, Miss> {
    let EffectRows { effect, payment, customer, .. } = around;
    if !is_before_charge(effect, next) || context.paused.is_recovering(&effect.gateway) {
        return Ok(None);
    }
    let own = found(effect.book, around, rows)?;
    if own.is_some() {
        return Ok(own);
    }
    // A customer who was there before is known by the same id since, and so is whatever was lost of them.
    let may_be_made_anew = context.paused.lost_since().is_some_and(|since| customer.created_at >= since);
    debug_assert!(effect.payment == payment.id);
    match may_be_made_anew {
        true => found(OrphanEntry::NO_BOOK, around, rows),
        false => Ok(None),
    }
}

fn found(book: CustomerId, around: &EffectRows, rows: &WorkingSet<'_>) -> Result<Option<Orphans>, Miss> {
    let place = OrphanEntry::place(book, &around.effect.gateway, &around.payment.reference);
    let entry = rows.get::<OrphanEntry>(&place)?.filter(|entry| !entry.found.is_empty() || entry.is_more);
    Ok(entry.map(|entry| Orphans {
        found: entry.found,
        is_same_book: book == around.effect.book,
        is_more: entry.is_more,
    }))
}

/// An effect has taken an orphan as its own: it is none any more.
pub(super) fn taken(around: &EffectRows, rows: &mut WorkingSet<'_>, context: &Context<'_>) -> Result<(), Miss> {
    let effect = &around.effect;
    let Some(object) = effect.object_id.as_deref() else { return Ok(()) };
    let place = OrphanEntry::place(effect.book, &effect.gateway, &around.payment.reference);
    let entry = rows.get::<OrphanEntry>(&place)?;
    let Some(mut entry) = entry.filter(|entry| entry.found.iter().any(|orphan| orphan.object == object)) else {
        return Ok(());
    };
    entry.forget(object);
    rows.put(&entry);
    close(&effect.gateway, object, DiscrepancyKind::OrphanedObject, rows, context)
}
