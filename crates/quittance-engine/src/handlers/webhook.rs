//! A verified webhook event: stored once, applied as an observation in the same transaction.

use super::effect_rows;
use super::learned::apply;
use super::{Context, Handled, Wanted, disputed};
use crate::submission::{EffectRef, Outcome, WebhookEvent};
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::connector::Seen;
use quittance_core::effect::{Source, Stimulus};
use quittance_core::id::CustomerId;
use quittance_store::records::{Disposition, GatewayObject, InboxEntry};
use quittance_store::value::Key;

fn inbox_place(event: &WebhookEvent) -> Key {
    vec![event.endpoint.as_str().into(), event.event.id.as_str().into()]
}

fn object_place(event: &WebhookEvent) -> Option<Key> {
    let seen = event.event.seen.as_ref()?;
    Some(vec![event.gateway.as_str().into(), seen.object_id().into()])
}

pub(super) fn reads(event: &WebhookEvent, wanted: &mut Wanted<'_>) {
    if wanted.row::<InboxEntry>(inbox_place(event)).is_some() {
        return;
    }
    if let Some(Seen::Dispute(dispute)) = &event.event.seen {
        return disputed::reads(dispute, &event.gateway, wanted);
    }
    if let Some(object) = object_place(event).and_then(|place| wanted.row::<GatewayObject>(place)) {
        effect_rows::reads(&named(&object), wanted);
    }
}

fn named(object: &GatewayObject) -> EffectRef {
    EffectRef { book: object.book, effect: object.effect, payment: object.payment, epoch: 0 }
}

pub(super) fn handle(
    event: &WebhookEvent,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    if rows.get::<InboxEntry>(&inbox_place(event))?.is_some() {
        return Ok(Outcome::Duplicate.into());
    }
    let (disposition, book, outcome) = match &event.event.seen {
        Some(seen) => match see(event, seen, rows, context)? {
            Some((book, outcome)) => (Disposition::Applied, Some(book), outcome),
            None => (Disposition::Unmatched, None, Outcome::Done),
        },
        None => (Disposition::Ignored, None, Outcome::Done),
    };
    rows.put(&entry(event, disposition, book, context));
    Ok(outcome.into())
}

/// Applies what the event shows; none where it is about nothing of ours.
fn see(
    event: &WebhookEvent,
    seen: &Seen,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<(CustomerId, Outcome)>, Miss> {
    match seen {
        Seen::Object(sighting) => {
            let place = vec![event.gateway.as_str().into(), sighting.object_id.as_str().into()];
            let Some(object) = rows.get::<GatewayObject>(&place)? else { return Ok(None) };
            let outcome = observe(event, &object, Stimulus::Observed(sighting.clone()), rows, context)?;
            Ok(Some((object.book, outcome)))
        }
        Seen::Dispute(dispute) => {
            let source = Source::Webhook(event.event.id.clone());
            let book = disputed::observe(dispute, &event.gateway, source, rows, context)?;
            Ok(book.map(|book| (book, Outcome::Applied { answered: Vec::new(), alarm: None })))
        }
    }
}

fn observe(
    event: &WebhookEvent,
    object: &GatewayObject,
    stimulus: Stimulus,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Outcome, Miss> {
    let mut around = effect_rows::get(object.book, object.effect, rows)?;
    let source = Source::Webhook(event.event.id.clone());
    let (learned, answered) = apply(&mut around, source, stimulus, rows, context)?;
    effect_rows::put(&around, rows);
    Ok(Outcome::Applied { answered, alarm: learned.alarm })
}

fn entry(
    event: &WebhookEvent,
    disposition: Disposition,
    book: Option<CustomerId>,
    context: &Context<'_>,
) -> InboxEntry {
    InboxEntry {
        endpoint: event.endpoint.clone(),
        event: event.event.id.clone(),
        kind: event.event.kind.clone(),
        object: event.event.object_id.clone(),
        book,
        disposition,
        secret_index: i64::try_from(event.secret_index).unwrap_or(i64::MAX),
        received_at: context.now,
        body: event.body.clone(),
    }
}
