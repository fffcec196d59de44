//! Rows of refunds and disputes, compared with the journal. What a gateway says of a dispute besides, such as its reason
//! and its deadline, stands in no record and is not compared.

use super::finding::Findings;
use super::history::History;
use super::rows::{Seen, readable, same};
use quittance_core::brake::Limit;
use quittance_core::dispute::Dispute;
use quittance_core::refund::Refund;
use quittance_store::records::Entity;
use quittance_store::value::Row;

pub(super) fn refund(row: &Row, history: &History, seen: &mut Seen, findings: &mut Findings) {
    let Some(row) = readable(Refund::from_row(row), findings) else { return };
    seen.refunds.insert(row.id);
    let subject = format!("refund {}", row.id);
    let Some(replayed) = history.replay.refunds.get(&row.id) else {
        return findings.row(format!("{subject}: it has a row, but the journal never accepted it"));
    };
    let f = findings;
    same(f, &subject, "amount", &row.money.amount, &replayed.money.amount);
    same(f, &subject, "currency", &row.money.currency.code(), &replayed.money.currency.code());
    same(f, &subject, "status", &row.status.name(), &replayed.status.name());
    same(f, &subject, "gateway object", &row.gateway_object, &replayed.object);
    same(f, &subject, "failure code", &row.failure_code, &replayed.failure_code);
    same(f, &subject, "brake", &row.parked_by.map(Limit::name), &replayed.parked_by.map(Limit::name));
    same(f, &subject, "reference", &row.reference, &replayed.reference);
    same(f, &subject, "payment", &row.payment, &replayed.payment);
    same(f, &subject, "effect", &row.effect, &replayed.effect);
    same(f, &subject, "command", &row.command, &replayed.command);
    same(f, &subject, "gateway", &row.gateway, &replayed.gateway);
    same(f, &subject, "tenant", &Some(row.tenant), &history.tenant);
}

pub(super) fn dispute(row: &Row, history: &History, seen: &mut Seen, findings: &mut Findings) {
    let Some(row) = readable(Dispute::from_row(row), findings) else { return };
    seen.disputes.insert(row.id);
    let subject = format!("dispute {}", row.id);
    let Some(replayed) = history.replay.disputes.get(&row.id) else {
        return findings.row(format!("{subject}: it has a row, but the journal never saw it"));
    };
    let f = findings;
    same(f, &subject, "amount", &row.money.amount, &replayed.money.amount);
    same(f, &subject, "currency", &row.money.currency.code(), &replayed.money.currency.code());
    same(f, &subject, "status", &row.status.name(), &replayed.status.as_str());
    same(f, &subject, "withdrawn amount", &row.withdrawn_amount, &replayed.withdrawn_amount);
    same(f, &subject, "write-off", &row.is_written_off, &replayed.is_written_off());
    same(f, &subject, "payment", &row.payment, &replayed.payment);
    same(f, &subject, "gateway", &row.gateway, &replayed.gateway);
    same(f, &subject, "gateway object", &row.object_id, &replayed.object);
    same(f, &subject, "tenant", &Some(row.tenant), &history.tenant);
}
