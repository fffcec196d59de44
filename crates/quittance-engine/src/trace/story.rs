//! The story of one payment or command: what is stored about it in several tables, in the order it happened.

use super::Story;
use super::find::{get, index, read};
use super::line::{self, Line};
use super::record;
use quittance_core::id::{CommandId, DisputeId, EffectId, PaymentId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::Record;
use quittance_core::payment::Payment;
use quittance_store::records::{Discrepancy, InboxEntry, JournalEntry, journal};
use quittance_store::store::{Reader, Scan, StoreError};
use quittance_store::tables::{DISCREPANCIES, INBOX, JOURNAL};
use std::collections::BTreeSet;

/// Records read at once.
const PAGE_ROWS: usize = 500;

/// Discrepancies told of one payment; each kind is one at an object.
const DISCREPANCIES_MAX: usize = 100;

/// Webhook events told of one object; the gateway sends a few.
const WEBHOOKS_MAX: usize = 200;

/// The story of a payment.
pub(super) fn of_payment(reader: &mut dyn Reader, payment: &Payment) -> Result<Story, StoreError> {
    let command = get::<Command>(reader, vec![payment.command.bytes().into()])?;
    let command = command.filter(|command| command.tenant == payment.tenant);
    let told = records(reader, payment)?;
    let mut lines = told.lines;
    for entry in webhooks(reader, payment, &told.objects)? {
        let line = line::webhook(&entry);
        // What an event changed is recorded at the moment it came in.
        let place = lines.iter().position(|other| other.at >= line.at).unwrap_or(lines.len());
        lines.insert(place, line);
    }
    for one in discrepancies(reader, payment)? {
        for line in line::discrepancy(&one) {
            let place = lines.iter().position(|other| other.at > line.at).unwrap_or(lines.len());
            lines.insert(place, line);
        }
    }
    if let Some(line) = command.as_ref().map(line::request) {
        lines.insert(0, line);
    }
    for line in command.iter().chain(&told.commands).filter_map(line::answer) {
        let place = lines.iter().position(|other| other.at > line.at).unwrap_or(lines.len());
        lines.insert(place, line);
    }
    Ok(Story {
        subject: payment.id.to_string(),
        payment: Some(payment.id),
        command: Some(payment.command),
        status: payment.status.name().to_owned(),
        lines,
    })
}

/// What does not agree about a payment.
fn discrepancies(reader: &mut dyn Reader, payment: &Payment) -> Result<Vec<Discrepancy>, StoreError> {
    let by_payment = Some(index(&DISCREPANCIES, "discrepancies_by_payment"));
    let prefix = vec![payment.id.bytes().into()];
    let scan = Scan { index: by_payment, ..Scan::forward(&DISCREPANCIES, prefix, DISCREPANCIES_MAX) };
    reader.scan(&scan)?.iter().map(read::<Discrepancy>).collect()
}

/// The story of a command that made neither payment nor refund.
pub(super) fn of_command(command: &Command) -> Story {
    let status = match command.progress {
        Progress::InProgress => "in_progress",
        Progress::Completed { .. } => "completed",
        Progress::Tombstone { .. } => "tombstone",
    };
    let subject = command.subject.clone().unwrap_or_else(|| CommandId::to_string(&command.id));
    let lines = [Some(line::request(command)), line::answer(command)].into_iter().flatten().collect();
    Story { subject, payment: None, command: Some(command.id), status: status.to_owned(), lines }
}

/// Lines of the journal, and what they name: the gateway's objects, and the commands of refunds and steps.
struct Told {
    lines: Vec<Line>,
    objects: BTreeSet<String>,
    commands: Vec<Command>,
}

/// What the journal says of a payment: its whole book is read, page by page, for records have no other index.
fn records(reader: &mut dyn Reader, payment: &Payment) -> Result<Told, StoreError> {
    let objects = payment.gateway_object.iter().cloned().collect();
    let mut told = Told { lines: Vec::new(), objects, commands: Vec::new() };
    let mut about = About::of(payment);
    let mut scan = Scan::forward(&JOURNAL, vec![payment.book.bytes().into()], PAGE_ROWS);
    loop {
        let rows = reader.scan(&scan)?;
        for row in &rows {
            let entry = read::<JournalEntry>(row)?;
            // Other records of the book are other stories, and verification judges them.
            let Ok(record) = journal::decode(entry.kind, &entry.body) else { continue };
            if !about.takes(&record) {
                continue;
            }
            told.objects.extend(object_of(&record));
            if let Some(command) = command_of(reader, payment, &record)? {
                told.lines.push(line::request(&command));
                told.commands.push(command);
            }
            told.lines.push(record::record(entry.seq, entry.at, &record));
        }
        match rows.last() {
            Some(last) if rows.len() == PAGE_ROWS => scan.after = Some(scan.position_of(last)),
            _ => return Ok(told),
        }
    }
}

/// What belongs to a payment's story: its own effect, and those of its refunds and disputes.
struct About {
    payment: PaymentId,
    effects: BTreeSet<EffectId>,
    disputes: BTreeSet<DisputeId>,
}

impl About {
    fn of(payment: &Payment) -> Self {
        Self { payment: payment.id, effects: BTreeSet::from([payment.effect]), disputes: BTreeSet::new() }
    }

    /// Whether a record belongs to the story; what begins within it belongs to it from then on.
    fn takes(&mut self, record: &Record) -> bool {
        match record {
            Record::BookOpened { .. } => false,
            Record::PaymentAccepted { effect, .. }
            | Record::TicketIssued { effect, .. }
            | Record::StepAsked { effect, .. }
            | Record::ObservationKept { effect, .. } => self.effects.contains(effect),
            Record::EffectAdvanced(advanced) => self.effects.contains(&advanced.effect),
            Record::RefundAdvanced(advanced) => self.effects.contains(&advanced.effect),
            Record::EvidenceAdvanced(advanced) => self.effects.contains(&advanced.effect),
            Record::Corrected(corrected) => corrected.payment == self.payment,
            Record::RefundAccepted(accepted) => {
                let is_ours = accepted.payment == self.payment;
                self.effects.extend(is_ours.then_some(accepted.effect));
                is_ours
            }
            Record::DisputeSeen(seen) => {
                let is_ours = seen.payment == self.payment;
                self.disputes.extend(is_ours.then_some(seen.dispute));
                is_ours
            }
            Record::EvidenceAccepted { effect, dispute, .. } => {
                let is_ours = self.disputes.contains(dispute);
                self.effects.extend(is_ours.then_some(*effect));
                is_ours
            }
        }
    }
}

/// The gateway's object that a record names.
fn object_of(record: &Record) -> Option<String> {
    match record {
        Record::EffectAdvanced(advanced) => advanced.object.clone(),
        Record::RefundAdvanced(advanced) => advanced.object.clone(),
        Record::DisputeSeen(seen) => Some(seen.object.clone()),
        _ => None,
    }
}

/// The command that a record goes back to, where that is not the payment's own.
fn command_of(reader: &mut dyn Reader, payment: &Payment, record: &Record) -> Result<Option<Command>, StoreError> {
    let id = match record {
        Record::RefundAccepted(accepted) => accepted.command,
        Record::StepAsked { command, .. } | Record::EvidenceAccepted { command, .. } => *command,
        _ => return Ok(None),
    };
    let command = get::<Command>(reader, vec![id.bytes().into()])?;
    Ok(command.filter(|command| command.tenant == payment.tenant))
}

/// Events of the payment's objects, the oldest first. Those of another book are not this payment's, should two gateways
/// give the same id to different objects.
fn webhooks(
    reader: &mut dyn Reader,
    payment: &Payment,
    objects: &BTreeSet<String>,
) -> Result<Vec<InboxEntry>, StoreError> {
    let mut entries = Vec::new();
    for object in objects {
        let by_object = Some(index(&INBOX, "inbox_by_object"));
        let scan = Scan { index: by_object, ..Scan::forward(&INBOX, vec![object.as_str().into()], WEBHOOKS_MAX) };
        for row in reader.scan(&scan)? {
            let entry = read::<InboxEntry>(&row)?;
            if entry.book.is_none_or(|book| book == payment.book) {
                entries.push(entry);
            }
        }
    }
    entries.sort_by(|one, other| (one.received_at, &one.event).cmp(&(other.received_at, &other.event)));
    Ok(entries)
}
