//! Rows of effects, compared with the journal: where each stands, what it is about, and which object it has.

use super::finding::Findings;
use super::history::History;
use super::rows::{Seen, readable, same};
use quittance_core::brake::Limit;
use quittance_core::effect::{Effect, Subject};
use quittance_core::money::Money;
use quittance_core::replay::ReplayedEffect;
use quittance_store::records::Entity;
use quittance_store::value::Row;

pub(super) fn effect(row: &Row, history: &History, seen: &mut Seen, findings: &mut Findings) {
    let Some(row) = readable(Effect::from_row(row), findings) else { return };
    seen.effects.insert(row.id);
    let subject = format!("effect {}", row.id);
    let Some(replayed) = history.replay.effects.get(&row.id) else {
        return findings.row(format!("{subject}: it has a row, but the journal never accepted it"));
    };
    let f = findings;
    same(f, &subject, "state", &row.state.name(), &replayed.state.name());
    same(f, &subject, "generation", &row.generation, &replayed.generation);
    // Before its first record the step is in its row alone: an attempt that takes over the object of an earlier one
    // does not begin with `create`.
    if replayed.is_advanced || replayed.tickets > 0 {
        same(f, &subject, "step", &row.step.name(), &replayed.step.name());
        same(f, &subject, "sends", &row.sends, &history.sends(row.id, replayed.step, replayed.generation));
    }
    same(f, &subject, "payment", &row.payment, &replayed.payment);
    same(f, &subject, "subject", &row.subject, &replayed.subject);
    same(f, &subject, "tenant", &Some(row.tenant), &history.tenant);
    let gateway = history.accepted.get(&replayed.payment).map(|accepted| accepted.gateway.as_str());
    same(f, &subject, "gateway", &Some(row.gateway.as_str()), &gateway);
    due(&row, replayed, &subject, f);
    match replayed.subject {
        Subject::Payment => {
            let payment = history.replay.payments.get(&replayed.payment);
            money(&row, payment.map(|payment| payment.money), f);
            brake(&row, payment.and_then(|payment| payment.parked_by), f);
            object_of_payment(&row, replayed, history, seen, f);
        }
        Subject::Refund(refund) => {
            let refund = history.replay.refunds.get(&refund);
            money(&row, refund.map(|refund| refund.money), f);
            brake(&row, refund.and_then(|refund| refund.parked_by), f);
            same(f, &subject, "late payment", &row.is_paid, &refund.is_some_and(|refund| refund.is_paid));
            same(f, &subject, "gateway object", &row.object_id, &replayed.object);
        }
        // Evidence moves no money, and its record does not say which object it is about.
        Subject::Dispute(_) => {}
    }
}

fn money(row: &Effect, journal: Option<Money>, findings: &mut Findings) {
    let Some(journal) = journal else { return };
    let subject = format!("effect {}", row.id);
    same(findings, &subject, "amount", &row.money.amount, &journal.amount);
    same(findings, &subject, "currency", &row.money.currency.code(), &journal.currency.code());
}

fn brake(row: &Effect, journal: Option<Limit>, findings: &mut Findings) {
    let subject = format!("effect {}", row.id);
    same(findings, &subject, "brake", &row.parked_by.map(Limit::name), &journal.map(Limit::name));
}

/// What has no due time is never looked at again; what is decided must not be. When it is due no record says.
fn due(row: &Effect, replayed: &ReplayedEffect, subject: &str, findings: &mut Findings) {
    let state = replayed.state.name();
    match row.due_at {
        None if !replayed.state.is_terminal() => {
            findings.row(format!("{subject}: it is {state} and never due, so nothing will ever be done about it"));
        }
        Some(_) if replayed.state.is_terminal() => {
            findings.row(format!("{subject}: it is {state}, but still due"));
        }
        _ => {}
    }
}

/// Before its first record a payment's object is in its row alone, where it took one over from an earlier attempt.
fn object_of_payment(
    row: &Effect,
    replayed: &ReplayedEffect,
    history: &History,
    seen: &mut Seen,
    findings: &mut Findings,
) {
    let subject = format!("effect {}", row.id);
    match &row.object_id {
        object if replayed.is_advanced => same(findings, &subject, "gateway object", object, &replayed.object),
        None => {}
        Some(object) => {
            let key = (row.gateway.clone(), object.clone());
            let holder = history.objects.get(&key).filter(|_| !replayed.is_fresh);
            let holder = holder.and_then(|effect| history.replay.effects.get(effect));
            if holder.is_none_or(|holder| !history.may_succeed(replayed.payment, holder.payment)) {
                let what =
                    format!("{subject}: no earlier attempt of its payment left it the gateway object {object:?}");
                return findings.row(what);
            }
            seen.inherited.insert(key, row.id);
        }
    }
}
