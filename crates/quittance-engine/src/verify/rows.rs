//! Rows of the tables that are derived from a journal, compared with it one by one. Effects are compared in `effects`, refunds
//! and disputes in `refunds`.

use super::finding::Findings;
use super::history::{History, ObjectKey};
use quittance_connectors::message::Request;
use quittance_core::brake::Limit;
use quittance_core::id::{DisputeId, EffectId, HoldId, PaymentId, RefundId};
use quittance_core::payment::Payment;
use quittance_store::records::{ClosedHold, Corrupt, Entity, IntentEntry, Ticket};
use quittance_store::value::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Which rows were found, so that what is missing can be told at the end.
#[derive(Default)]
pub(super) struct Seen {
    payments: BTreeSet<PaymentId>,
    pub(super) refunds: BTreeSet<RefundId>,
    pub(super) disputes: BTreeSet<DisputeId>,
    pub(super) effects: BTreeSet<EffectId>,
    tickets: BTreeSet<super::history::TicketKey>,
    holds: BTreeSet<HoldId>,
    intents: BTreeSet<String>,
    /// Objects of earlier attempts that these took over, where no record says so yet.
    pub(super) inherited: BTreeMap<ObjectKey, EffectId>,
}

/// A comparison of one row with the history of its book.
pub(super) type Compare = fn(&Row, &History, &mut Seen, &mut Findings);

/// Says of two values that should be the same that they are not.
pub(super) fn same<T: PartialEq + Debug>(findings: &mut Findings, subject: &str, member: &str, row: &T, journal: &T) {
    if row != journal {
        findings.row(format!("{subject}: {member} is {row:?} in its row and {journal:?} by the journal"));
    }
}

pub(super) fn readable<T>(read: Result<T, Corrupt>, findings: &mut Findings) -> Option<T> {
    read.map_err(|error| findings.row(error.to_string())).ok()
}

pub(super) fn payment(row: &Row, history: &History, seen: &mut Seen, findings: &mut Findings) {
    let Some(row) = readable(Payment::from_row(row), findings) else { return };
    seen.payments.insert(row.id);
    let subject = format!("payment {}", row.id);
    let (Some(replayed), Some(accepted)) = (history.replay.payments.get(&row.id), history.accepted.get(&row.id)) else {
        return findings.row(format!("{subject}: it has a row, but the journal never accepted it"));
    };
    let f = findings;
    same(f, &subject, "amount", &row.money.amount, &replayed.money.amount);
    same(f, &subject, "currency", &row.money.currency.code(), &replayed.money.currency.code());
    same(f, &subject, "status", &row.status.name(), &replayed.status.name());
    same(f, &subject, "captured amount", &row.captured_amount, &replayed.captured_amount);
    same(f, &subject, "brake", &row.parked_by.map(Limit::name), &replayed.parked_by.map(Limit::name));
    same(f, &subject, "refunded amount", &row.refunded_amount, &replayed.refunded_amount);
    same(f, &subject, "refunding amount", &row.refunding_amount, &replayed.refunding_amount);
    same(f, &subject, "disputed amount", &row.disputed_amount, &replayed.disputed_amount);
    same(f, &subject, "returned amount", &row.returned_amount, &replayed.returned_amount);
    same(f, &subject, "gateway object", &row.gateway_object, &replayed.object);
    same(f, &subject, "decline", &row.decline, &replayed.decline);
    same(f, &subject, "reference", &row.reference, &replayed.reference);
    same(f, &subject, "effect", &row.effect, &replayed.effect);
    same(f, &subject, "command", &row.command, &accepted.command);
    same(f, &subject, "gateway", &row.gateway, &accepted.gateway);
    same(f, &subject, "tenant", &Some(row.tenant), &history.tenant);
}

pub(super) fn ticket(row: &Row, history: &History, seen: &mut Seen, findings: &mut Findings) {
    let Some(row) = readable(Ticket::from_row(row), findings) else { return };
    let key = (row.effect, row.step, row.generation, row.send_no);
    seen.tickets.insert(key);
    let subject = ticket_name(key);
    let Some(record) = history.tickets.get(&key) else {
        return findings.row(format!("{subject}: it has a row, but the journal never issued it"));
    };
    same(findings, &subject, "gateway key", &row.gateway_key, &record.gateway_key);
    if row.reference.as_ref().is_some_and(|reference| *reference != record.gateway_key) {
        same(findings, &subject, "reference", &row.reference.as_deref(), &Some(record.gateway_key.as_str()));
    }
    same(findings, &subject, "lease", &row.lease_epoch, &record.lease_epoch);
    let is_its_request = Request::decode(&row.request).is_ok_and(|request| request.digest() == record.request_digest);
    if row.request_digest != record.request_digest || !is_its_request {
        findings.row(format!("{subject}: its request is not the one the journal names"));
    }
}

pub(super) fn closed_hold(row: &Row, history: &History, seen: &mut Seen, findings: &mut Findings) {
    let Some(row) = readable(ClosedHold::from_row(row), findings) else { return };
    seen.holds.insert(row.hold);
    let subject = format!("hold {}", row.hold);
    let Some((closing, seq)) = history.closings.get(&row.hold) else {
        return findings
            .row(format!("{subject}: its row says {}, but the journal never closed it", row.closing.name()));
    };
    same(findings, &subject, "closing", &row.closing.name(), &closing.name());
    same(findings, &subject, "closing record", &row.seq, seq);
}

pub(super) fn intent(row: &Row, history: &History, seen: &mut Seen, findings: &mut Findings) {
    let Some(row) = readable(IntentEntry::from_row(row), findings) else { return };
    let subject = format!("intent {:?}", row.intent);
    let Some(newest) = history.intents.get(&row.intent) else {
        return findings.row(format!("{subject}: it has a row, but the journal knows nothing of it"));
    };
    same(findings, &subject, "holder", &row.holder, newest);
    seen.intents.insert(row.intent);
}

/// Names what the journal promises and no row holds.
pub(super) fn missing(history: &History, seen: &Seen, findings: &mut Findings) {
    absent(findings, "payment", history.replay.payments.keys(), &seen.payments, PaymentId::to_string);
    absent(findings, "refund", history.replay.refunds.keys(), &seen.refunds, RefundId::to_string);
    absent(findings, "dispute", history.replay.disputes.keys(), &seen.disputes, DisputeId::to_string);
    absent(findings, "effect", history.replay.effects.keys(), &seen.effects, EffectId::to_string);
    absent(findings, "hold", history.closings.keys(), &seen.holds, HoldId::to_string);
    absent(findings, "intent", history.intents.keys(), &seen.intents, |name| format!("{name:?}"));
    absent(findings, "", history.tickets.keys(), &seen.tickets, |key| ticket_name(*key));
}

fn absent<'a, T: Ord + 'a>(
    findings: &mut Findings,
    kind: &str,
    promised: impl Iterator<Item = &'a T>,
    seen: &BTreeSet<T>,
    name: impl Fn(&T) -> String,
) {
    for id in promised.filter(|id| !seen.contains(id)) {
        let subject = format!("{kind} {}", name(id));
        findings.row(format!("{}: the journal has it, but its row is missing", subject.trim_start()));
    }
}

fn ticket_name((effect, step, generation, send_no): super::history::TicketKey) -> String {
    format!("send {send_no} of {} {generation} of effect {effect}", step.name())
}
