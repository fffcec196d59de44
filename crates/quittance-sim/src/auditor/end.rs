//! The end of a world: what must be true once everything has come to rest.

use super::facts::{Rows, charges_of};
use super::{Auditor, asked, events, history, ledger, pairs};
use crate::coverage::{Coverage, dispute_word};
use crate::gateway::Gateway;
use quittance_core::effect::State;
use quittance_core::idempotency::Progress;
use quittance_core::payment::{Payment, Status};
use quittance_engine::verify::verify;
use quittance_store::records::ObjectState;
use quittance_store::store::Reader;
use std::collections::BTreeMap;

impl Auditor {
    /// Looks at everything, once.
    pub fn at_end(&mut self, reader: &mut dyn Reader, gateways: &[Gateway], coverage: &mut Coverage) {
        match verify(reader, &mut |_| {}) {
            Ok(report) if report.is_sound() => {}
            Ok(report) => self.fail("verify", format!("{:?}", report.findings.first())),
            Err(error) => self.fail("verify", error.to_string()),
        }
        let rows = match Rows::read(reader) {
            Ok(rows) => rows,
            Err(what) => return self.fail("unreadable", what),
        };
        let names: Vec<&str> = gateways.iter().map(|gateway| gateway.profile.name()).collect();
        self.after_crash(reader, &names);
        self.at_rest(&rows);
        self.at_most_once(&rows, gateways);
        self.brakes_held(&rows, gateways);
        self.answers_hold(&rows, gateways);
        for what in self.asked.differences(&rows, gateways, self.is_restored) {
            self.fail("not_asked", what);
        }
        for what in ledger::differences(&rows, gateways) {
            self.fail("ledger", what);
        }
        for what in ledger::differences_of_disputes(&rows, gateways) {
            self.fail("disputes", what);
        }
        for what in pairs::differences(&rows, gateways) {
            self.fail("pair", what);
        }
        let replayed = self.replayed.iter().map(|(_, event)| event.clone()).collect();
        for (rule, what) in history::faults(&rows.journal, &replayed, coverage) {
            self.fail(rule, what);
        }
        // Where rows or journals are wrong already, events that do not fit them say nothing more.
        if self.failures.is_empty() {
            match events::faults(reader, &rows) {
                Ok(faults) => faults.into_iter().for_each(|what| self.fail("events", what)),
                Err(what) => self.fail("unreadable", what),
            }
        }
        count(&rows, coverage);
    }

    /// Every effect has come to its end, every command has its answer, and nothing is held or waits any more.
    fn at_rest(&mut self, rows: &Rows) {
        for effect in rows.effects.iter().filter(|effect| !effect.state.is_terminal() || effect.state == State::Review)
        {
            let (state, step) = (effect.state.name(), effect.step.name());
            let what = format!("{} for {:?} is {state} at {step}, due {:?}", effect.id, effect.subject, effect.due_at);
            self.fail("unexplained", what);
        }
        for command in rows.commands.iter().filter(|command| command.progress == Progress::InProgress) {
            self.fail("unanswered", format!("{} under {} has no answer", command.operation, command.key));
        }
        for object in rows.objects.iter().filter(|object| object.state == ObjectState::Parked) {
            let (id, on) = (&object.object, &object.waiting_on);
            self.fail("unexplained", format!("{id} still waits for {on:?}, due {:?}", object.due_at));
        }
        for book in &rows.books {
            let held =
                book.balances.0.iter().find(|(_, balance)| balance.held_debits != 0 || balance.held_credits != 0);
            if let Some(((account, _), _)) = held {
                self.fail("held", format!("{} still holds money in {account}", book.id));
            }
        }
    }

    /// At most one success for a reference, and never more given back than came.
    fn at_most_once(&mut self, rows: &Rows, gateways: &[Gateway]) {
        let mut successes: BTreeMap<(String, &str), BTreeMap<String, i64>> = BTreeMap::new();
        for effect in &rows.effects {
            let Some(payment) = rows.payments.iter().find(|payment| payment.effect == effect.id) else { continue };
            let Some(gateway) = gateway_of(gateways, &payment.gateway) else { continue };
            let charges = charges_of(&gateway.books, effect);
            let came = charges.into_iter().filter(|charge| charge.has_come());
            let seen = successes.entry((payment.book.to_string(), payment.reference.as_str())).or_default();
            seen.extend(came.map(|charge| (charge.id.clone(), charge.captured)));
        }
        // What a charge says of itself holds also where a restore lost whatever we knew of it.
        for charge in gateways.iter().flat_map(|gateway| &gateway.books.charges).filter(|charge| charge.has_come()) {
            let said = ["customer_id", "payment_reference"].map(|name| charge.metadata.get(name));
            if let [Some(customer), Some(reference)] = said {
                let seen = successes.entry((customer.clone(), reference.as_str())).or_default();
                seen.insert(charge.id.clone(), charge.captured);
            }
        }
        for ((customer, reference), charges) in successes {
            if charges.len() > 1 {
                self.fail("charged_twice", format!("{reference} of {customer} was paid by {charges:?}"));
            }
        }
        for effect in &rows.effects {
            let Some(refund) = rows.refunds.iter().find(|refund| refund.effect == effect.id) else { continue };
            let Some(gateway) = gateway_of(gateways, &refund.gateway) else { continue };
            let id = effect.id.to_string();
            let gone = gateway.books.refunds_of(&id).filter(|refund| refund.has_gone() || refund.returned_by.is_some());
            let ids: Vec<&str> = gone.map(|refund| refund.id.as_str()).collect();
            if ids.len() > 1 {
                self.fail("refunded_twice", format!("{} was given back by {ids:?}", refund.id));
            }
        }
        self.refund_sums(rows);
    }

    /// What is above the limit reached no gateway before a person approved it.
    fn brakes_held(&mut self, rows: &Rows, gateways: &[Gateway]) {
        let Some(limit) = self.parked_above else { return };
        for payment in rows.payments.iter().filter(|payment| payment.money.amount > limit) {
            let id = payment.id.to_string();
            let is_of_it = |metadata: &BTreeMap<String, String>| metadata.get("payment_id") == Some(&id);
            let reached = gateway_of(gateways, &payment.gateway).is_some_and(|gateway| {
                gateway.books.intents.iter().any(|intent| is_of_it(&intent.metadata))
                    || gateway.books.charges.iter().any(|charge| is_of_it(&charge.metadata))
            });
            if reached && !self.approved.contains(&payment.effect) {
                self.fail("unapproved", format!("{id} is above {limit}, and nobody approved it"));
            }
        }
    }

    fn refund_sums(&mut self, rows: &Rows) {
        for payment in &rows.payments {
            let of_it = rows.refunds.iter().filter(|refund| refund.payment == payment.id && !refund.status.is_void());
            let mut references: Vec<_> = of_it.clone().filter_map(|refund| refund.reference.as_deref()).collect();
            let sum: i64 = of_it.clone().map(|refund| refund.money.amount).sum();
            let is_late = rows.effects.iter().any(|effect| effect.is_paid && effect.payment == payment.id);
            if sum > payment.captured_amount && !is_late {
                let came = payment.captured_amount;
                self.fail("refund_sum", format!("{sum} of {came} of {} is given back or on its way", payment.id));
            }
            references.sort_unstable();
            let count = references.len();
            references.dedup();
            if references.len() < count && !is_late {
                self.fail("refund_reference", format!("{} was refunded twice under one reference", payment.id));
            }
        }
    }

    /// What clients were told is so, and stays so.
    fn answers_hold(&mut self, rows: &Rows, gateways: &[Gateway]) {
        let mut wrong = Vec::new();
        let mut refused = Vec::new();
        for (key, told) in &self.told {
            let Some((_, body)) = &told.answer else { continue };
            let text = String::from_utf8_lossy(body);
            let action = self.asked.under(key, &told.fingerprint);
            if text == "rejected refund-too-large"
                && action.is_some_and(|action| !self.asked.may_be_too_large(action, rows))
            {
                refused.push(format!("{key} was refused as too large, and there was enough: {action:?}"));
            }
            wrong.extend(action.and_then(|action| asked::wrong_answer(action, &text, rows, gateways)));
            let words: Vec<&str> = text.split(' ').collect();
            let ["payment", id, status, captured, _] = words[..] else { continue };
            let Some(payment) = rows.payments.iter().find(|payment| payment.id.to_string() == id) else {
                wrong.push(format!("{key} was answered with {id}, which is not there"));
                continue;
            };
            let is_still = match status {
                "succeeded" => {
                    is_paid_at_gateway(payment, rows, gateways) && payment.captured_amount.to_string() == captured
                }
                "failed" | "canceled" => payment.status.name() == status,
                _ => true,
            };
            if !is_still {
                wrong.push(format!("{key} was answered `{text}`, and it is {}", payment.status.name()));
            }
        }
        if let Some(what) = wrong.into_iter().next() {
            self.fail("answer_false", what);
        }
        if let Some(what) = refused.into_iter().next() {
            self.fail("refused_falsely", what);
        }
    }
}

fn is_paid_at_gateway(payment: &Payment, rows: &Rows, gateways: &[Gateway]) -> bool {
    let effect = rows.effects.iter().find(|effect| effect.id == payment.effect);
    let gateway = gateway_of(gateways, &payment.gateway);
    let charges = effect.zip(gateway).map(|(effect, gateway)| charges_of(&gateway.books, effect)).unwrap_or_default();
    payment.status == Status::Succeeded
        && charges.iter().any(|charge| charge.has_come() && charge.captured == payment.captured_amount)
}

pub(super) fn gateway_of<'a>(gateways: &'a [Gateway], name: &str) -> Option<&'a Gateway> {
    gateways.iter().find(|gateway| gateway.profile.name() == name)
}

fn count(rows: &Rows, coverage: &mut Coverage) {
    rows.payments.iter().for_each(|payment| coverage.count("payment", payment.status.name()));
    rows.refunds.iter().for_each(|refund| coverage.count("refund", refund.status.name()));
    rows.effects.iter().for_each(|effect| coverage.count("effect", effect.state.name()));
    for dispute in &rows.disputes {
        if let Some(word) = dispute_word(dispute.status.name()) {
            coverage.count("dispute", word);
        }
    }
    for found in &rows.discrepancies {
        coverage.count("discrepancy", found.kind.name());
    }
}
