//! What clients asked for, beside what was stored, what the gateways did and what was answered: the amount, the currency, the
//! customer, the order and the gateway of each are those that somebody asked for.
//!
//! Books that agree with every gateway may all the same be about another amount than the client's.

use super::end::gateway_of;
use super::facts::Rows;
use crate::gateway::Gateway;
use crate::gateway::books::{Charge, Refund};
use crate::plan::Profile;
use quittance_core::decide::{AskRefund, CreatePayment};
use quittance_core::id::PaymentId;
use quittance_core::payment::{CaptureMethod, Payment};
use quittance_core::refund;
use quittance_engine::submission::{Action, ClientCommand, CustomerRef};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that clients asked for, by key and fingerprint.
#[derive(Debug, Default)]
pub(super) struct Asked(BTreeMap<String, BTreeMap<[u8; 32], Action>>);

impl Asked {
    pub(super) fn note(&mut self, command: &ClientCommand) {
        let of_key = self.0.entry(command.key.as_str().to_owned()).or_default();
        of_key.insert(command.fingerprint, command.action.clone());
    }

    /// Whether several things were asked under this key.
    pub(super) fn is_shared(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|of_key| of_key.len() > 1)
    }

    pub(super) fn under(&self, key: &str, fingerprint: &[u8; 32]) -> Option<&Action> {
        self.0.get(key)?.get(fingerprint)
    }

    /// Whether a refund may be refused as too large: only where all that was ever asked of its payment, and what went
    /// otherwise, is more than came.
    pub(super) fn may_be_too_large(&self, action: &Action, rows: &Rows) -> bool {
        let Action::Refund { payment: named, .. } = action else { return false };
        let Some(payment) = rows.payments.iter().find(|payment| payment.id == named.payment) else { return false };
        let is_disputed = rows.disputes.iter().any(|dispute| dispute.payment == payment.id);
        let came = payment.captured_amount;
        let of_payment = self.0.values().flat_map(BTreeMap::values).filter_map(|action| match action {
            Action::Refund { payment: other, asked } if other.payment == payment.id => {
                Some(asked.amount.unwrap_or(came))
            }
            _ => None,
        });
        is_disputed || payment.returned_amount > 0 || of_payment.sum::<i64>() > came
    }

    /// What is stored or was done and nobody asked for. After a restore gateways may have charges of payments that were lost:
    /// how many of them there may be for one reference is another rule's.
    pub(super) fn differences(&self, rows: &Rows, gateways: &[Gateway], is_restored: bool) -> Vec<String> {
        let actions: BTreeMap<_, _> = rows
            .commands
            .iter()
            .filter_map(|command| Some((command.id, self.under(&command.key, &command.fingerprint)?)))
            .collect();
        let mut found = Vec::new();
        for payment in &rows.payments {
            match actions.get(&payment.command) {
                Some(Action::CreatePayment { customer, asked }) if is_what_was_asked(payment, customer, asked) => {}
                other => found.push(format!("{payment:?} is there, and asked was {other:?}")),
            }
        }
        for refund in &rows.refunds {
            match actions.get(&refund.command) {
                Some(Action::Refund { payment, asked }) if is_refund_asked(refund, payment.payment, asked) => {}
                other => found.push(format!("{refund:?} is there, and asked was {other:?}")),
            }
        }
        for gateway in gateways {
            let is_lost = |charge: &Charge| is_restored && made_by(charge, rows).is_none();
            let charges = gateway.books.charges.iter().filter(|charge| charge.has_come() && !is_lost(charge));
            found.extend(charges.filter_map(|charge| unasked_charge(charge, gateway, rows, &actions)));
            found.extend(gateway.books.refunds.iter().filter_map(|made| unasked_refund(made, rows)));
        }
        found
    }
}

fn is_what_was_asked(payment: &Payment, customer: &CustomerRef, asked: &CreatePayment) -> bool {
    *customer == CustomerRef::Id(payment.book)
        && payment.money == asked.money
        && payment.gateway == asked.gateway
        && payment.reference == asked.reference
        && payment.capture_method == asked.capture_method
}

fn is_refund_asked(refund: &refund::Refund, payment: PaymentId, asked: &AskRefund) -> bool {
    refund.payment == payment
        && refund.reference == asked.reference
        && asked.amount.is_none_or(|amount| refund.money.amount == amount)
}

/// The payment whose id a charge carries.
fn made_by<'a>(charge: &Charge, rows: &'a Rows) -> Option<&'a Payment> {
    let id = charge.metadata.get("payment_id")?;
    rows.payments.iter().find(|payment| payment.id.to_string() == *id)
}

/// A charge that came, and which none of the payments asked for that may have made it: they share gateway objects.
fn unasked_charge<C: Ord>(
    charge: &Charge,
    gateway: &Gateway,
    rows: &Rows,
    actions: &BTreeMap<C, &Action>,
) -> Option<String> {
    charge.metadata.get("payment_id")?;
    let Some(made_by) = made_by(charge, rows) else {
        return Some(format!("{charge:?} is of a payment that is not there"));
    };
    let is_attempt = |payment: &&Payment| {
        (payment.book, &payment.reference, payment.gateway.as_str())
            == (made_by.book, &made_by.reference, gateway.profile.name())
    };
    let attempts: Vec<&Payment> = rows.payments.iter().filter(is_attempt).collect();
    let of_amount = attempts.iter().filter(|payment| {
        payment.money.amount == charge.amount && payment.money.currency.code().eq_ignore_ascii_case(&charge.currency)
    });
    // What a bank collects is taken as a whole, whatever was asked about its capture.
    let is_whole =
        gateway.profile == Profile::Rail || charge.method.starts_with("pm_bank") || charge.method == "pm_action_bank";
    let mut may_be = BTreeSet::new();
    for payment in of_amount {
        if is_whole || payment.capture_method == CaptureMethod::Automatic {
            may_be.insert(payment.money.amount);
        }
        may_be.extend(actions.values().filter_map(|action| match action {
            Action::Capture { payment: named, amount } if named.payment == payment.id => {
                Some(amount.unwrap_or(payment.money.amount))
            }
            _ => None,
        }));
    }
    (!may_be.contains(&charge.captured)).then(|| format!("{charge:?} came, and asked was one of {may_be:?}"))
}

/// A refund that an effect of ours made, and that is not of the amount or of the payment that it was asked for.
fn unasked_refund(made: &Refund, rows: &Rows) -> Option<String> {
    let id = made.metadata.get("effect_id")?;
    let ours = rows.refunds.iter().find(|refund| refund.effect.to_string() == *id);
    let Some(ours) = ours else { return Some(format!("{made:?} is of a refund that is not there")) };
    let payment = rows.payments.iter().find(|payment| payment.id == ours.payment)?;
    let object = payment.gateway_object.as_ref();
    let is_its_money = made.amount == ours.money.amount
        && ours.money.currency.code().eq_ignore_ascii_case(&made.currency)
        && (object == made.intent.as_ref() || object == Some(&made.charge));
    (!is_its_money).then(|| format!("{made:?} gives back what {ours:?} of {object:?} does not"))
}

/// What is wrong with the answer that a client heard, given what it had asked; nothing where answers say no more.
pub(super) fn wrong_answer(action: &Action, text: &str, rows: &Rows, gateways: &[Gateway]) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let is_so = match words[..] {
        ["payment", id, status, captured, _] => {
            let payment = rows.payments.iter().find(|payment| payment.id.to_string() == id)?;
            match action {
                Action::CreatePayment { asked, customer } => {
                    *customer == CustomerRef::Id(payment.book)
                        && (&payment.reference, &payment.gateway) == (&asked.reference, &asked.gateway)
                        && payment.money == asked.money
                }
                Action::Capture { payment: named, amount } => {
                    let whole = amount.unwrap_or(payment.money.amount);
                    named.payment == payment.id && (status != "succeeded" || captured == whole.to_string())
                }
                Action::Cancel { payment: named, .. } => named.payment == payment.id,
                _ => false,
            }
        }
        ["refund", id, status, amount, currency] => {
            let refund = rows.refunds.iter().find(|refund| refund.id.to_string() == id);
            refund.is_some_and(|refund| {
                let is_asked = match action {
                    Action::Refund { payment, asked } => is_refund_asked(refund, payment.payment, asked),
                    _ => false,
                };
                let is_its_money =
                    (amount, currency) == (refund.money.amount.to_string().as_str(), refund.money.currency.code());
                is_asked && is_its_money && has_become(refund, status, rows, gateways)
            })
        }
        _ => true,
    };
    (!is_so).then(|| format!("asked was {action:?}, and the answer `{text}`"))
}

/// Whether a refund has become what its client was told; what became of that later is another story.
fn has_become(refund: &refund::Refund, status: &str, rows: &Rows, gateways: &[Gateway]) -> bool {
    let is_paid = rows.effects.iter().any(|effect| effect.id == refund.effect && effect.is_paid);
    match status {
        "succeeded" => gateway_of(gateways, &refund.gateway).is_some_and(|gateway| {
            let id = refund.effect.to_string();
            gateway.books.refunds_of(&id).any(|made| made.has_gone() || made.returned_by.is_some())
        }),
        "failed" | "canceled" => refund.status.name() == status || is_paid,
        _ => true,
    }
}
