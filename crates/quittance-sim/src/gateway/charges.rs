//! Payments in one request: charges of cards, and transfers of the rail.

use super::books::Charge;
use super::form::{Fields, integer, metadata};
use super::later::Task;
use super::{Gateway, Reply, missing, shown};
use crate::plan::Profile;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;

impl Gateway {
    pub(super) fn create_charge(&mut self, fields: &Fields) -> Reply {
        let method = fields.get("source").cloned().unwrap_or_default();
        let metadata = metadata(fields);
        if method == "pm_unknown" {
            return (400, shown::error("invalid_request_error", "parameter_unknown", None));
        }
        // Declined once for each payment, then it works.
        let payment = metadata.get("payment_id").cloned().unwrap_or_default();
        let is_declined = method == "pm_declined" || method == "pm_flaky" && self.declined.insert(payment);
        let is_manual = fields.get("capture").is_some_and(|capture| capture == "false");
        let charge = self.new_charge(integer(fields, "amount"), fields.get("currency"), method.clone(), metadata);
        let at = self.keep_charge(charge, is_declined, is_manual);
        if is_declined {
            return (402, shown::error("card_error", "card_declined", None));
        }
        (200, shown::charge(&self.books.charges[at]))
    }

    fn new_charge(
        &mut self,
        amount: Option<i64>,
        currency: Option<&String>,
        method: String,
        metadata: BTreeMap<String, String>,
    ) -> Charge {
        Charge {
            id: self.id(if self.profile == Profile::Rail { "tr" } else { "ch" }),
            intent: None,
            amount: amount.unwrap_or(0),
            currency: currency.map(|code| code.to_ascii_lowercase()).unwrap_or_default(),
            status: "succeeded",
            is_captured: false,
            captured: 0,
            is_released: false,
            returned_by: None,
            method,
            metadata,
            reference: None,
            created_s: self.now_s(),
        }
    }

    /// Books a charge as its method has it.
    fn keep_charge(&mut self, mut charge: Charge, is_declined: bool, is_manual: bool) -> usize {
        let (id, method) = (charge.id.clone(), charge.method.clone());
        let is_slow = matches!(method.as_str(), "pm_bank" | "pm_bank_fails" | "pm_action_bank");
        if is_declined {
            charge.status = "failed";
        } else if is_slow {
            charge.status = "pending";
            let after_ms = self.dice.between(HOUR_MS / 2, 16 * HOUR_MS);
            self.later(after_ms, Task::Settle(id.clone(), method != "pm_bank_fails"));
        } else if is_manual {
            self.later(60 * HOUR_MS, Task::Expire(id.clone()));
        } else {
            (charge.is_captured, charge.captured) = (true, charge.amount);
        }
        let has_come = charge.is_captured;
        self.books.charges.push(charge);
        let at = self.books.charges.len() - 1;
        let word = match self.books.charges[at].status {
            "failed" => "charge.failed",
            "pending" => "charge.pending",
            _ => "charge.succeeded",
        };
        self.emit_charge(at, word);
        if has_come {
            self.aftermath(&id, &method);
        }
        at
    }

    pub(super) fn emit_charge(&mut self, at: usize, word: &str) {
        let shown = shown::charge(&self.books.charges[at]);
        self.emit(word, &shown);
    }

    pub(super) fn capture_charge(&mut self, id: &str, fields: &Fields) -> Reply {
        let Some(at) = self.charge_at(id) else { return missing() };
        let charge = &mut self.books.charges[at];
        if charge.status != "succeeded" || charge.is_captured || charge.is_released {
            return (400, shown::error("invalid_request_error", "charge_already_captured", None));
        }
        charge.is_captured = true;
        charge.captured = integer(fields, "amount").unwrap_or(charge.amount);
        let method = charge.method.clone();
        self.emit_charge(at, "charge.captured");
        self.aftermath(id, &method);
        (200, shown::charge(&self.books.charges[at]))
    }

    pub(super) fn charge_at(&self, id: &str) -> Option<usize> {
        self.books.charges.iter().position(|charge| charge.id == id)
    }

    /// A transfer of the rail: a second one takes the money again, whatever its reference.
    pub(super) fn transfer(&mut self, body: &str) -> Reply {
        let Ok(asked) = serde_json::from_str::<Value>(body) else {
            return (400, json!({"code": "parameter_body", "message": "no JSON"}));
        };
        let method = asked["source"].as_str().unwrap_or_default().to_owned();
        if method == "pm_unknown" {
            return (422, json!({"code": "parameter_source", "message": "no such source"}));
        }
        let currency = asked["currency"].as_str().map(str::to_owned);
        let mut charge = self.new_charge(asked["amount"].as_i64(), currency.as_ref(), method, BTreeMap::new());
        charge.reference = asked["reference"].as_str().map(str::to_owned);
        // The memo names the payment, and so whose money it is; the books keep it where cards keep metadata.
        let memo = asked["memo"].as_str().unwrap_or_default().to_owned();
        charge.metadata.insert("payment_id".to_owned(), memo.clone());
        let is_declined = charge.method == "pm_declined" || charge.method == "pm_flaky" && self.declined.insert(memo);
        let at = self.keep_charge(charge, is_declined, false);
        (201, shown::transfer(&self.books.charges[at]))
    }
}
