//! How a world ended, one line for each thing that counts: what moved at the gateways, what our rows say, what clients heard.
//!
//! Ids are left out, for a process that started anew gives others; so are inert objects, by which nothing moved.

use crate::auditor::facts::Rows;
use crate::gateway::Gateway;
use crate::world::Outcome;
use quittance_core::idempotency::{Command, Progress};
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::{Entity, InboxEntry};
use quittance_store::store::{Reader, Scan};

/// Rows of a table that are looked at: these worlds are small.
const ROWS_MAX: usize = 10_000;

/// What the books of the gateways and the rows of the store come to.
pub(super) fn lines(database: &MemoryDatabase, gateways: &[Gateway]) -> Vec<String> {
    let mut lines: Vec<String> = gateways.iter().flat_map(at_gateway).collect();
    match Rows::read(&mut database.reader()) {
        Ok(rows) => lines.extend(in_store(&rows)),
        Err(what) => lines.push(format!("unreadable: {what}")),
    }
    lines
}

/// What a process that starts finds: commands, effects and events, one line each.
pub(crate) fn found(database: &MemoryDatabase) -> Vec<String> {
    let mut lines = Vec::new();
    let word = |command: &Command| match command.progress {
        Progress::InProgress => "in progress",
        Progress::Completed { .. } | Progress::Tombstone { .. } => "completed",
    };
    let commands = all::<Command>(database);
    let commands = commands.iter().filter(|command| command.operation != "POST /v1/customers");
    lines.extend(commands.map(|command| format!("command {}", word(command))));
    if let Ok(rows) = Rows::read(&mut database.reader()) {
        let effects = rows.effects.iter();
        lines.extend(effects.map(|effect| format!("effect {} at {}", effect.state.name(), effect.step.name())));
    }
    lines.extend(all::<InboxEntry>(database).iter().map(|entry| format!("event {}", entry.kind)));
    lines
}

fn all<E: Entity>(database: &MemoryDatabase) -> Vec<E> {
    let rows = database.reader().scan(&Scan::forward(E::table(), Vec::new(), ROWS_MAX)).unwrap_or_default();
    rows.iter().filter_map(|row| E::from_row(row).ok()).collect()
}

/// What clients heard, without the ids.
pub(super) fn answers(outcome: &Outcome) -> Vec<String> {
    let without_id = |body: &str| {
        let words: Vec<&str> = body.split(' ').collect();
        words.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    };
    let line = |(key, (status, body)): (&String, &(u16, String))| format!("{key} hears {status} {}", without_id(body));
    outcome.answers.iter().map(line).collect()
}

fn at_gateway(gateway: &Gateway) -> Vec<String> {
    let books = &gateway.books;
    let is_inert = |status: &str| matches!(status, "requires_confirmation" | "requires_payment_method" | "canceled");
    let live = books.intents.iter().filter(|intent| intent.status != "succeeded" && !is_inert(intent.status));
    let mut lines: Vec<String> = live.map(|intent| format!("gateway: an intent {}", intent.status)).collect();
    for charge in books.charges.iter().filter(|charge| charge.status != "failed" || charge.returned_by.is_some()) {
        let what = if charge.is_released { "released" } else { charge.status };
        lines.push(format!("gateway: a charge {what}, {} of {} captured", charge.captured, charge.amount));
    }
    for refund in books.refunds.iter().filter(|refund| !refund.is_release) {
        lines.push(format!("gateway: a refund {} of {}", refund.status, refund.amount));
    }
    for dispute in &books.disputes {
        let times = dispute.submissions;
        lines.push(format!("gateway: a dispute {} of {}, answered {times} times", dispute.status, dispute.amount));
    }
    lines
}

fn in_store(rows: &Rows) -> Vec<String> {
    let mut lines = Vec::new();
    for payment in &rows.payments {
        let (status, captured) = (payment.status.name(), payment.captured_amount);
        lines.push(format!("store: {} {status}, {captured} of {}", payment.reference, payment.money.amount));
    }
    for refund in &rows.refunds {
        lines.push(format!("store: a refund {} of {}", refund.status.name(), refund.money.amount));
    }
    lines.extend(rows.disputes.iter().map(|dispute| format!("store: a dispute {}", dispute.status.name())));
    let open = rows.discrepancies.iter().filter(|found| found.closed_at.is_none());
    lines.extend(open.map(|found| format!("store: open {} of {}", found.kind.name(), found.object)));
    lines
}
