//! The command of each accepted payment: whose it is, and whether what it answered is what the journal says.

use super::cursor::PAGE_ROWS;
use super::finding::Findings;
use super::history::{Accepted, History};
use super::rows::{readable, same};
use quittance_core::id::PaymentId;
use quittance_core::idempotency::{Command, Progress};
use quittance_core::payment::Status;
use quittance_store::records::Entity;
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::COMMANDS;
use quittance_store::value::Key;

/// Checks the commands of a book's payments, a page at a time.
pub(super) fn check(reader: &mut dyn Reader, history: &History, findings: &mut Findings) -> Result<(), StoreError> {
    let accepted: Vec<(&PaymentId, &Accepted)> = history.accepted.iter().collect();
    for page in accepted.chunks(PAGE_ROWS) {
        let keys: Vec<Key> = page.iter().map(|(_, accepted)| vec![accepted.command.bytes().into()]).collect();
        for ((payment, accepted), row) in page.iter().zip(reader.get_many(&COMMANDS, &keys)?) {
            let Some(row) = row else {
                findings.row(format!("payment {payment}: its command {} has no row", accepted.command));
                continue;
            };
            if let Some(command) = readable(Command::from_row(&row), findings) {
                compare(&command, **payment, history, findings);
            }
        }
    }
    Ok(())
}

fn compare(command: &Command, payment: PaymentId, history: &History, findings: &mut Findings) {
    let subject = format!("command {}", command.id);
    same(findings, &subject, "subject", &command.subject, &Some(payment.to_string()));
    same(findings, &subject, "tenant", &Some(command.tenant), &history.tenant);
    let answer = history.replay.payments.get(&payment).and_then(|payment| payment.answer);
    if let Some(what) = dispute(&command.progress, answer) {
        findings.row(format!("{subject}: {what}"));
    }
}

/// What is wrong with a command's progress, given the first status of its payment that answers the client's question:
/// with that record the answer is frozen, and not before.
fn dispute(progress: &Progress, answer: Option<Status>) -> Option<String> {
    match (progress, answer) {
        (Progress::InProgress, None) | (Progress::Tombstone { .. }, Some(_)) => None,
        (Progress::InProgress, Some(answer)) => {
            Some(format!("it is in progress, but by the journal its payment was {}", answer.name()))
        }
        (Progress::Completed { .. } | Progress::Tombstone { .. }, None) => {
            Some("it is completed, but by the journal its payment never came so far".to_owned())
        }
        (Progress::Completed { status, .. }, Some(answer)) => {
            let due = if answer == Status::Failed { 402 } else { 201 };
            let what =
                || format!("it was answered with {status}, but by the journal its payment was {}", answer.name());
            (*status != due).then(what)
        }
    }
}
