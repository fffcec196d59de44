//! Bytes that are kept for their own sake, and may go when they are old.

use quittance_core::id::{CommandId, EventId, TenantId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::time::Timestamp;
use quittance_store::records::{Disposition, EventRow, EventSource, InboxEntry};

/// How long answers are kept at least, in days: as long as a client is promised the same bytes again.
pub const ANSWERS_DAYS_MIN: u32 = 30;

/// How long the bytes of events are kept at least, in days: as long as Stripe's own log has them.
pub const EVENTS_DAYS_MIN: u32 = 30;

/// How long the bytes of events that tenants are told are kept at least, in days: far longer than any is sent by itself.
pub const TOLD_DAYS_MIN: u32 = 30;

/// Rows that one transaction prunes, at most.
pub const PRUNED_MAX: usize = 500;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// Rows whose bytes an operator drops, where they are as old as is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prune {
    /// Commands whose answers go. Their keys stay, and say that they were used.
    pub answers: Vec<CommandId>,
    /// Only answers from before.
    pub answered_before: Timestamp,
    /// Events, each with its gateway, whose bytes go. Their digests stay.
    pub events: Vec<(String, String)>,
    /// Only events that came before.
    pub received_before: Timestamp,
    /// Events that tenants were told, each with its tenant, whose bytes go. They are sent no more.
    pub told: Vec<(TenantId, EventId)>,
    /// Only events that were told before.
    pub told_before: Timestamp,
}

impl Prune {
    /// The same within what is promised, whatever was asked.
    #[must_use]
    pub fn within(self, now: Timestamp) -> Self {
        Self {
            answered_before: self.answered_before.min(days_ago(ANSWERS_DAYS_MIN, now)),
            received_before: self.received_before.min(days_ago(EVENTS_DAYS_MIN, now)),
            told_before: self.told_before.min(days_ago(TOLD_DAYS_MIN, now)),
            ..self
        }
    }

    /// The bytes of an answer that would go with it.
    #[must_use]
    pub fn of_answer(command: &Command, answered_before: Timestamp) -> Option<usize> {
        match &command.progress {
            Progress::Completed { body, at, .. } if *at < answered_before => Some(body.len()),
            _ => None,
        }
    }

    /// The bytes of an event that would go with it. What an operator did says who and why, and what waits for another object
    /// may be applied yet.
    #[must_use]
    pub fn of_event(entry: &InboxEntry, received_before: Timestamp) -> Option<usize> {
        let is_old = entry.received_at < received_before && !entry.is_pruned();
        let is_done = entry.source != EventSource::Operator && entry.disposition != Disposition::Parked;
        let less = (is_old && is_done).then(|| entry.clone().prune());
        less.filter(|less| *less > 0)
    }

    /// The bytes of an event that a tenant was told that would go with it.
    #[must_use]
    pub fn of_told(event: &EventRow, told_before: Timestamp) -> Option<usize> {
        (event.at < told_before && !event.is_pruned()).then(|| event.clone().prune())
    }
}

/// So many days before.
#[must_use]
pub fn days_ago(days: u32, now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::from(days) * DAY_MS * 1_000))
}
