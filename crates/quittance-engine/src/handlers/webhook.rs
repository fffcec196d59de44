//! A gateway's event: stored once, and in the same transaction told to the effect it is about, or turned into a look at
//! its object.
//!
//! An event is a hint. What it shows is used where the effect is under way and will look for itself, or where it says
//! nothing new; whatever else follows from it is read from the gateway first.

use super::effect_rows;
use super::learned::{adopt, apply};
use super::object::{audit, effect_of, is_news_afterwards, make_due, object_place, reads_of_sighting};
use super::{Context, Handled, Wanted};
use crate::submission::{Outcome, Replay, WebhookEvent};
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::connector::Seen;
use quittance_connectors::event::Event;
use quittance_core::effect::{Effect, Source, State, Step, Stimulus};
use quittance_core::fact::{ObjectKind, Sighting};
use quittance_core::id::CustomerId;
use quittance_core::mutation::{self, Mutation};
use quittance_store::records::{Disposition, EventSource, GatewayObject, InboxEntry, ObjectState, Owner};
use quittance_store::value::Key;

/// Place of an event by its id.
pub(super) fn inbox_place_of(gateway: &str, event: &str) -> Key {
    vec![gateway.into(), event.into()]
}

fn inbox_place(gateway: &str, event: &Event) -> Key {
    vec![gateway.into(), event.id.as_str().into()]
}

pub(super) fn reads(event: &WebhookEvent, wanted: &mut Wanted<'_>) {
    if wanted.get::<InboxEntry>(inbox_place(&event.gateway, &event.event)).is_none() {
        reads_around(&event.gateway, &event.event, wanted);
    }
}

pub(super) fn reads_replay(replay: &Replay, wanted: &mut Wanted<'_>) {
    wanted.row::<InboxEntry>(inbox_place(&replay.gateway, &replay.event));
    reads_around(&replay.gateway, &replay.event, wanted);
}

fn reads_around(gateway: &str, event: &Event, wanted: &mut Wanted<'_>) {
    let Some(object) = object_of(event) else { return };
    if let Some(owner) = wanted.get::<GatewayObject>(object_place(gateway, object)).and_then(|row| row.owner) {
        effect_rows::reads(&effect_of(owner), wanted);
    }
    if let Some(Seen::Object(sighting)) = &event.seen {
        reads_of_sighting(gateway, sighting, wanted);
    }
}

fn object_of(event: &Event) -> Option<&str> {
    event.seen.as_ref().map(Seen::object_id).or(event.object_id.as_deref())
}

pub(super) fn handle(
    event: &WebhookEvent,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let known = rows.get::<InboxEntry>(&inbox_place(&event.gateway, &event.event))?;
    if let Some(known) = known.filter(|_| !mutation::is(Mutation::WebhookTwice)) {
        if event.source == EventSource::Webhook && known.verified_at.is_none() {
            rows.put(&brought(known, event, context));
        }
        return Ok(Outcome::Duplicate.into());
    }
    let taken = take(&event.gateway, &event.event, event.source, rows, context)?;
    rows.put(&entry(event, &taken, context));
    Ok(taken.outcome.into())
}

/// An event that a sweep had found first: that the gateway did send it tells that its webhooks come.
fn brought(known: InboxEntry, event: &WebhookEvent, context: &Context<'_>) -> InboxEntry {
    let (endpoint, secret) = (event.endpoint.clone(), event.secret.clone());
    InboxEntry { endpoint, secret, verified_at: Some(context.now), ..known }
}

/// Applies a stored event again, for a person who says why.
pub(super) fn replay(replay: &Replay, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Handled, Miss> {
    let Some(stored) = rows.get::<InboxEntry>(&inbox_place(&replay.gateway, &replay.event))? else {
        return Ok(Outcome::Conflict("no such event of this gateway is stored").into());
    };
    let taken = take(&replay.gateway, &replay.event, stored.source, rows, context)?;
    rows.put(&InboxEntry { disposition: taken.disposition, book: taken.book.or(stored.book), ..stored });
    audit(("quittance.replay", &replay.gateway, object_of(&replay.event)), &replay.word, None, rows, context);
    Ok(taken.outcome.into())
}

/// What was done with an event.
struct Taken {
    disposition: Disposition,
    book: Option<CustomerId>,
    outcome: Outcome,
}

impl Taken {
    const fn only(disposition: Disposition) -> Self {
        Self { disposition, book: None, outcome: Outcome::Done }
    }
}

fn take(
    gateway: &str,
    event: &Event,
    source: EventSource,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Taken, Miss> {
    let Some(object) = object_of(event) else { return Ok(Taken::only(Disposition::Ignored)) };
    let row = rows.get::<GatewayObject>(&object_place(gateway, object))?;
    let Some(seen) = &event.seen else {
        let row = row.or_else(|| unreadable_row(gateway, event, context));
        return Ok(row.map_or(Taken::only(Disposition::Ignored), |row| look_at(row, rows, context)));
    };
    let hint = Hint { gateway, event, source, is_comparable: is_comparable(gateway, event, context) };
    match (row, seen) {
        (Some(row), Seen::Object(sighting)) => known(&hint, row, sighting, rows, context),
        (None, Seen::Object(sighting)) => unknown(&hint, sighting, rows, context),
        (Some(row), Seen::Dispute(_)) => Ok(look_at(row, rows, context)),
        (None, Seen::Dispute(_)) => Ok(look_at(new_row(&hint, seen.kind(), context), rows, context)),
    }
}

/// An event whose object is readable.
struct Hint<'a> {
    gateway: &'a str,
    event: &'a Event,
    source: EventSource,
    /// Whether it was rendered as our own reads are; else it only says which object changed.
    is_comparable: bool,
}

fn is_comparable(gateway: &str, event: &Event, context: &Context<'_>) -> bool {
    let Some(version) = event.api_version.as_deref() else { return true };
    context.gateways.0.get(gateway).is_none_or(|gateway| gateway.api_version() == version)
}

fn new_row(hint: &Hint<'_>, kind: ObjectKind, context: &Context<'_>) -> GatewayObject {
    let object = object_of(hint.event).unwrap_or_default().to_owned();
    GatewayObject::new(hint.gateway.to_owned(), object, kind, context.now)
}

/// An object that no row knows and the event shows unreadably: it is read, or given to a person, for it may have moved
/// money of ours. None where it is of no kind of ours, or a payment that carries nothing of ours.
fn unreadable_row(gateway: &str, event: &Event, context: &Context<'_>) -> Option<GatewayObject> {
    let (kind, object) = (event.object_kind?, event.object_id.as_ref()?);
    let is_somebody_elses = match kind {
        ObjectKind::Payment | ObjectKind::Charge => event.effect_id.is_none(),
        // Made by others about payments of ours, so what they carry says nothing.
        ObjectKind::Refund | ObjectKind::Dispute => false,
    };
    (!is_somebody_elses).then(|| GatewayObject::new(gateway.to_owned(), object.clone(), kind, context.now))
}

/// Has the object looked at; several events before that cost one look.
fn look_at(mut row: GatewayObject, rows: &mut WorkingSet<'_>, context: &Context<'_>) -> Taken {
    let disposition = if row.state == ObjectState::Parked { Disposition::Parked } else { Disposition::Fetch };
    make_due(&mut row, context);
    rows.put(&row);
    Taken { disposition, book: row.owner.map(|owner| owner.book), outcome: Outcome::Done }
}

fn known(
    hint: &Hint<'_>,
    row: GatewayObject,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Taken, Miss> {
    match row.owner {
        Some(owner) if row.state != ObjectState::Stray => ours(hint, row, owner, sighting, rows, context),
        // Somebody else's payment is no business of ours, whatever becomes of it.
        None if row.state == ObjectState::External && is_payment(sighting) => Ok(Taken::only(Disposition::External)),
        _ => Ok(look_at(row, rows, context)),
    }
}

const fn is_payment(sighting: &Sighting) -> bool {
    matches!(sighting.kind, ObjectKind::Payment | ObjectKind::Charge)
}

fn ours(
    hint: &Hint<'_>,
    row: GatewayObject,
    owner: Owner,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Taken, Miss> {
    let effect: Effect = rows.expect(&effect_rows::effect_place(owner.book, owner.effect))?;
    let is_over = effect.state.is_terminal();
    if hint.is_comparable && (!is_over || !is_news_afterwards(&effect, sighting)) {
        return observe(hint, owner, sighting, rows, context);
    }
    if is_over {
        return Ok(look_at(row, rows, context));
    }
    wake(effect, rows, context);
    Ok(Taken { disposition: Disposition::Fetch, book: Some(owner.book), outcome: Outcome::Done })
}

/// Has an effect that waits look for itself. One that somebody works on looks anyway.
fn wake(mut effect: Effect, rows: &mut WorkingSet<'_>, context: &Context<'_>) {
    if matches!(effect.state, State::Unknown | State::Pending) && effect.lease_owner == 0 {
        effect.due_at = Some(context.now);
        rows.put(&effect);
    }
}

/// Tells an effect what an event shows.
fn observe(
    hint: &Hint<'_>,
    owner: Owner,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Taken, Miss> {
    let mut around = effect_rows::get(owner.book, owner.effect, rows)?;
    let source = match hint.source {
        EventSource::Webhook => Source::Webhook(hint.event.id.clone()),
        EventSource::Sweep | EventSource::Operator => Source::Sweep,
    };
    let stimulus = Stimulus::Observed(sighting.clone());
    let (learned, answered) = apply(&mut around, source, stimulus, rows, context)?;
    effect_rows::put(&around, rows);
    let outcome = Outcome::Applied { answered, alarm: learned.alarm };
    Ok(Taken { disposition: Disposition::Applied, book: Some(owner.book), outcome })
}

/// An object that no row knows. What carries nothing of ours is somebody else's; the rest is looked at.
fn unknown(
    hint: &Hint<'_>,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Taken, Miss> {
    let mut row = new_row(hint, sighting.kind, context);
    if let (Some(parent), ObjectKind::Charge) = (&sighting.parent, sighting.kind) {
        return of_payment(hint, row, parent, sighting, rows, context);
    }
    let effect = match (sighting.book, sighting.effect_id) {
        (Some(book), Some(id)) => rows.get::<Effect>(&effect_rows::effect_place(book, id))?,
        _ => None,
    };
    match effect {
        Some(effect) if effect.object_id.is_none() && !effect.state.is_terminal() => {
            if effect.step == Step::Execute && hint.is_comparable {
                let owner = Owner { book: effect.book, effect: effect.id, payment: effect.payment };
                return observe(hint, owner, sighting, rows, context);
            }
            // The answer is on its way, and brings the object to its effect.
            let policy = context.gateways.0.get(hint.gateway).map(|gateway| gateway.policy).unwrap_or_default();
            row.due_at = Some(context.now.plus_ms(policy.pending_poll_ms));
            rows.put(&row);
            Ok(Taken { book: Some(effect.book), ..Taken::only(Disposition::Fetch) })
        }
        None if sighting.effect_id.is_none() && sighting.parent.is_none() && sighting.reference.is_none() => {
            row.state = ObjectState::External;
            row.due_at = None;
            rows.put(&row);
            Ok(Taken::only(Disposition::External))
        }
        _ => Ok(look_at(row, rows, context)),
    }
}

/// A charge belongs to whom its payment belongs to.
fn of_payment(
    hint: &Hint<'_>,
    mut row: GatewayObject,
    parent: &str,
    sighting: &Sighting,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Taken, Miss> {
    match rows.get::<GatewayObject>(&object_place(hint.gateway, parent))? {
        Some(GatewayObject { owner: Some(owner), state: ObjectState::Ours, .. }) => {
            adopt(&mut row, owner);
            ours(hint, row, owner, sighting, rows, context)
        }
        Some(GatewayObject { state: ObjectState::External, .. }) => Ok(Taken::only(Disposition::External)),
        _ => Ok(look_at(row, rows, context)),
    }
}

fn entry(event: &WebhookEvent, taken: &Taken, context: &Context<'_>) -> InboxEntry {
    InboxEntry {
        gateway: event.gateway.clone(),
        event: event.event.id.clone(),
        kind: event.event.kind.clone(),
        object: event.event.object_id.clone(),
        book: taken.book,
        disposition: taken.disposition,
        source: event.source,
        endpoint: event.endpoint.clone(),
        secret: event.secret.clone(),
        verified_at: (event.source == EventSource::Webhook).then_some(context.now),
        received_at: context.now,
        body: event.body.clone(),
    }
}
