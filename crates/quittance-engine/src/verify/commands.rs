//! The commands that a journal names: whose each is, and whether what it answered is what the journal says.

use super::cursor::PAGE_ROWS;
use super::finding::Findings;
use super::history::{AskedStep, History};
use super::rows::{readable, same};
use quittance_core::id::CommandId;
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::StepAsked;
use quittance_core::payment::Status;
use quittance_store::records::Entity;
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::COMMANDS;
use quittance_store::value::Key;

/// What the journal says of a command.
struct Promised {
    command: CommandId,
    /// What it is about, in words: `payment pay_…`.
    about: String,
    /// What it made or moved; none where no record says so.
    subject: Option<String>,
    answer: Answer,
}

/// The answer that is frozen with a record, and not before.
enum Answer {
    /// None yet.
    None,
    /// One of these HTTP statuses, because of the first status of its payment or refund that answers a client.
    Given(&'static str, &'static [u16]),
    /// No record says.
    Unsaid,
}

/// Checks the commands of a book, a page at a time.
pub(super) fn check(reader: &mut dyn Reader, history: &History, findings: &mut Findings) -> Result<(), StoreError> {
    let promised: Vec<Promised> = promised(history).collect();
    for page in promised.chunks(PAGE_ROWS) {
        let keys: Vec<Key> = page.iter().map(|promised| vec![promised.command.bytes().into()]).collect();
        for (promised, row) in page.iter().zip(reader.get_many(&COMMANDS, &keys)?) {
            let Some(row) = row else {
                findings.row(format!("{}: its command {} has no row", promised.about, promised.command));
                continue;
            };
            if let Some(command) = readable(Command::from_row(&row), findings) {
                compare(&command, promised, history, findings);
            }
        }
    }
    Ok(())
}

fn promised(history: &History) -> impl Iterator<Item = Promised> {
    let payments = history.accepted.iter().map(|(id, accepted)| {
        let answer = history.replay.payments.get(id).and_then(|payment| payment.answer);
        let answer = answer.map_or(Answer::None, |status| Answer::Given(status.name(), of_payment(status)));
        Promised::of(accepted.command, "payment", id.to_string(), answer)
    });
    let refunds = history.replay.refunds.iter().map(|(id, refund)| {
        // A refund that failed is still an answer to the question of what became of it.
        let answer = refund.answer.map_or(Answer::None, |status| Answer::Given(status.name(), &[201]));
        Promised::of(refund.command, "refund", id.to_string(), answer)
    });
    let steps = history.steps.iter().map(|(command, step)| {
        let answer = step.answer.map_or(Answer::None, |status| Answer::Given(status.name(), of_step(step, status)));
        Promised::of(*command, "payment", step.payment.to_string(), answer)
    });
    let submissions = history.submissions.iter().map(|command| Promised {
        command: *command,
        about: "evidence".to_owned(),
        subject: None,
        answer: Answer::Unsaid,
    });
    payments.chain(refunds).chain(steps).chain(submissions)
}

impl Promised {
    fn of(command: CommandId, kind: &'static str, id: String, answer: Answer) -> Self {
        Self { command, about: format!("{kind} {id}"), subject: Some(id), answer }
    }
}

fn of_payment(status: Status) -> &'static [u16] {
    if status == Status::Failed { &[402] } else { &[201] }
}

/// What a capture or a cancel is answered once its payment stands like this. An authorisation that is still there was
/// refused by the gateway, or asked for in vain.
fn of_step(step: &AskedStep, status: Status) -> &'static [u16] {
    match (&step.asked, status) {
        (StepAsked::Capture { .. }, Status::Succeeded) | (StepAsked::Cancel { .. }, Status::Canceled) => &[200],
        (StepAsked::Capture { .. }, Status::RequiresCapture) => &[402, 409],
        (StepAsked::Capture { .. } | StepAsked::Cancel { .. }, _) => &[409],
    }
}

fn compare(command: &Command, promised: &Promised, history: &History, findings: &mut Findings) {
    let subject = format!("command {}", command.id);
    if promised.subject.is_some() {
        same(findings, &subject, "subject", &command.subject, &promised.subject);
    }
    same(findings, &subject, "tenant", &Some(command.tenant), &history.tenant);
    let kind = promised.about.split(' ').next().unwrap_or_default();
    if let Some(what) = contradiction(&command.progress, &promised.answer, kind) {
        findings.row(format!("{subject}: {what}"));
    }
}

/// What is wrong with a command's progress, given its answer by the journal.
fn contradiction(progress: &Progress, answer: &Answer, kind: &str) -> Option<String> {
    match (progress, answer) {
        (_, Answer::Unsaid)
        | (Progress::InProgress, Answer::None)
        | (Progress::Tombstone { .. }, Answer::Given(..)) => None,
        (Progress::InProgress, Answer::Given(status, _)) => {
            Some(format!("it is in progress, but by the journal its {kind} was {status}"))
        }
        (Progress::Completed { .. } | Progress::Tombstone { .. }, Answer::None) => {
            Some(format!("it is completed, but by the journal its {kind} never came so far"))
        }
        (Progress::Completed { status, .. }, Answer::Given(word, due)) => {
            let what = || format!("it was answered with {status}, but by the journal its {kind} was {word}");
            (!due.contains(status)).then(what)
        }
    }
}
