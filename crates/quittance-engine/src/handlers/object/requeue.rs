//! A person has an object looked at again.

use super::{effect_of, object_place};
use crate::handlers::effect_rows::{self, EffectRows};
use crate::handlers::{Context, Handled, Wanted};
use crate::submission::{Outcome, Requeue};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::effect::{PersonsWord, Source};
use quittance_core::journal::Record;
use quittance_store::records::{Disposition, EventSource, GatewayObject, InboxEntry, ObjectState};

pub(in crate::handlers) fn reads_requeue(requeue: &Requeue, wanted: &mut Wanted<'_>) {
    let row = wanted.get::<GatewayObject>(object_place(&requeue.gateway, &requeue.object));
    if let Some(owner) = row.and_then(|row| row.owner) {
        effect_rows::reads(&effect_of(owner), wanted);
    }
}

pub(in crate::handlers) fn requeue(
    requeue: &Requeue,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let Some(mut row) = rows.get::<GatewayObject>(&object_place(&requeue.gateway, &requeue.object))? else {
        return Ok(Outcome::Conflict("no such object of this gateway is known").into());
    };
    row.tries = 0;
    row.troubled_since = None;
    row.waiting_on = None;
    if matches!(row.state, ObjectState::Quarantined | ObjectState::Parked) {
        row.state = if row.owner.is_some() { ObjectState::Ours } else { ObjectState::Unread };
    }
    make_due(&mut row, context);
    rows.put(&row);
    let around = match row.owner {
        Some(owner) => Some(effect_rows::get(owner.book, owner.effect, rows)?),
        None => None,
    };
    audit(("quittance.requeue", &row.gateway, Some(&row.object)), &requeue.word, around, rows, context);
    Ok(Outcome::Done.into())
}

/// Has an object looked at as soon as there is room: at once, or once more after the look that is under way.
pub(in crate::handlers) fn make_due(row: &mut GatewayObject, context: &Context<'_>) {
    match row.lease_owner {
        0 => row.due_at = Some(context.now),
        _ => row.is_stale = true,
    }
}

/// Keeps what a person did to an object or an event: among the events of the gateway, and in the journal of the book it
/// is about. `what` says what was done, at which gateway, about which object.
pub(in crate::handlers) fn audit(
    what: (&str, &str, Option<&str>),
    word: &PersonsWord,
    around: Option<EffectRows>,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) {
    let (kind, gateway, object) = what;
    tracing::warn!(kind, gateway, object, by = word.by, reason = word.reason, "an operator acted");
    rows.put(&InboxEntry {
        gateway: gateway.to_owned(),
        event: context.ids.uuid(context.now).to_string(),
        kind: kind.to_owned(),
        object: object.map(str::to_owned),
        book: around.as_ref().map(|around| around.book.id),
        disposition: Disposition::Fetch,
        source: EventSource::Operator,
        endpoint: None,
        secret: None,
        verified_at: None,
        received_at: context.now,
        body: format!("by: {}\nreason: {}\nevidence: {}\n", word.by, word.reason, word.evidence).into_bytes(),
    });
    if let Some(mut around) = around {
        let record = Record::ObservationKept {
            effect: around.effect.id,
            source: Source::Person(word.clone()),
            saw: kind.to_owned(),
            because: format!("{} was asked for again", object.unwrap_or("an event")),
        };
        rows.append(&mut around.book, &record, context.now);
        rows.put(&around.book);
    }
}
