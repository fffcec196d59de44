//! An operator drops bytes that were kept for their own sake: answers, events as they came, and events as they were told.

use super::webhook::inbox_place_of;
use super::{Context, Handled, Wanted};
use crate::submission::{Outcome, Prune};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::idempotency::{Command, Progress};
use quittance_store::records::{EventRow, InboxEntry};

pub(super) fn reads(prune: &Prune, wanted: &mut Wanted<'_>) {
    for command in &prune.answers {
        wanted.row::<Command>(vec![command.bytes().into()]);
    }
    for (gateway, event) in &prune.events {
        wanted.row::<InboxEntry>(inbox_place_of(gateway, event));
    }
    for (tenant, event) in &prune.told {
        wanted.row::<EventRow>(EventRow::place(*tenant, *event));
    }
}

/// What is too young, or is not there any more, stays as it is.
pub(super) fn handle(prune: &Prune, rows: &mut WorkingSet<'_>, context: &Context<'_>) -> Result<Handled, Miss> {
    if context.paused.recovering().next().is_some() {
        return Ok(Outcome::Conflict("a gateway recovers from a restore: nothing is dropped before it has").into());
    }
    let prune = prune.clone().within(context.now);
    for id in &prune.answers {
        let Some(mut command) = rows.get::<Command>(&vec![id.bytes().into()])? else { continue };
        if let (Some(_), Progress::Completed { at, .. }) =
            (Prune::of_answer(&command, prune.answered_before), &command.progress)
        {
            command.progress = Progress::Tombstone { at: *at };
            rows.put(&command);
        }
    }
    for (gateway, event) in &prune.events {
        let Some(mut entry) = rows.get::<InboxEntry>(&inbox_place_of(gateway, event))? else { continue };
        if Prune::of_event(&entry, prune.received_before).is_some() {
            entry.prune();
            rows.put(&entry);
        }
    }
    for (tenant, event) in &prune.told {
        let Some(mut event) = rows.get::<EventRow>(&EventRow::place(*tenant, *event))? else { continue };
        if Prune::of_told(&event, prune.told_before).is_some() {
            event.prune();
            rows.put(&event);
        }
    }
    Ok(Outcome::Done.into())
}
