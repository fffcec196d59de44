//! Money given back, in all the ways in which that may end.

use super::books::Refund;
use super::form::{Fields, integer, metadata};
use super::later::Task;
use super::{Gateway, Reply, missing, shown};
use std::collections::BTreeMap;

const HOUR_MS: u64 = 3_600_000;

impl Gateway {
    pub(super) fn create_refund(&mut self, fields: &Fields) -> Reply {
        let intent = fields.get("payment_intent");
        let found = self.books.charges.iter().position(|charge| match intent {
            Some(intent) => charge.intent.as_ref() == Some(intent) && charge.status == "succeeded",
            None => Some(&charge.id) == fields.get("charge"),
        });
        let Some(at) = found else { return missing() };
        let amount = integer(fields, "amount");
        if !self.books.charges[at].is_captured {
            return self.release(at, amount);
        }
        let left = self.books.charges[at].kept() - self.books.given_back(&self.books.charges[at].id);
        let amount = amount.unwrap_or(left);
        if amount > left || left == 0 {
            return (400, shown::error("invalid_request_error", "charge_already_refunded", None));
        }
        let (status, task) = self.fate();
        let refund = self.new_refund(at, amount, status, metadata(fields));
        let shown = shown::refund(&refund);
        if let Some((after_ms, status)) = task {
            self.later(after_ms, Task::Refund(refund.id.clone(), status));
        }
        self.books.refunds.push(refund);
        self.emit("refund.created", &shown);
        (200, shown)
    }

    /// A refund that nobody asked the engine for. Its id, if there was anything to give back.
    pub fn refund_elsewhere(&mut self, now_ms: u64) -> Option<String> {
        self.now_ms = now_ms;
        if self.profile == crate::plan::Profile::Rail {
            return None;
        }
        let left = |charge: &super::books::Charge| charge.kept() - self.books.given_back(&charge.id);
        let at = self.books.charges.iter().position(|charge| left(charge) > 1)?;
        let refund = self.new_refund(at, 1, "succeeded", BTreeMap::new());
        let (id, shown) = (refund.id.clone(), shown::refund(&refund));
        self.books.refunds.push(refund);
        self.emit("refund.created", &shown);
        Some(id)
    }

    /// How a refund begins, and what becomes of it later.
    fn fate(&mut self) -> (&'static str, Option<(u64, &'static str)>) {
        let (roll, after_ms) = (self.dice.below(100), self.dice.between(HOUR_MS / 4, 30 * HOUR_MS));
        match roll {
            0..60 => ("succeeded", None),
            60..72 => ("pending", Some((after_ms, "succeeded"))),
            72..82 => ("pending", Some((after_ms, "failed"))),
            82..90 => ("succeeded", Some((after_ms, "returned"))),
            90..94 => ("requires_action", Some((after_ms, "succeeded"))),
            94..97 => ("pending", Some((after_ms, "canceled"))),
            _ => ("pending", Some((after_ms, "failed_first"))),
        }
    }

    /// An authorisation is given up by a refund without an amount.
    fn release(&mut self, at: usize, amount: Option<i64>) -> Reply {
        let charge = &mut self.books.charges[at];
        if charge.status != "succeeded" || charge.is_released || amount.is_some() {
            return (400, shown::error("invalid_request_error", "charge_not_captured", None));
        }
        charge.is_released = true;
        let amount = charge.amount;
        self.emit_charge(at, "charge.refunded");
        let mut refund = self.new_refund(at, amount, "succeeded", BTreeMap::new());
        refund.is_release = true;
        let shown = shown::refund(&refund);
        self.books.refunds.push(refund);
        (200, shown)
    }

    fn new_refund(
        &mut self,
        at: usize,
        amount: i64,
        status: &'static str,
        metadata: BTreeMap<String, String>,
    ) -> Refund {
        let id = self.id("re");
        let created_s = self.now_s();
        let charge = &self.books.charges[at];
        Refund {
            id,
            intent: charge.intent.clone(),
            charge: charge.id.clone(),
            amount,
            currency: charge.currency.clone(),
            status,
            returned_by: None,
            is_release: false,
            metadata,
            created_s,
        }
    }

    pub(super) fn refund_moves(&mut self, id: &str, to: &'static str) {
        let Some(at) = self.books.refunds.iter().position(|refund| refund.id == id) else { return };
        let movement = (to == "returned").then(|| self.id("txn"));
        let refund = &mut self.books.refunds[at];
        let event = match to {
            "returned" => {
                refund.status = "failed";
                refund.returned_by = movement;
                "refund.failed"
            }
            "failed_first" => {
                refund.status = "failed";
                // The gateway carries it out after all, a day later.
                self.later(24 * HOUR_MS, Task::Refund(id.to_owned(), "succeeded"));
                "refund.failed"
            }
            "failed" => {
                refund.status = "failed";
                "refund.failed"
            }
            other => {
                // Money that is gone meanwhile is not given back after all.
                let (charge, amount, is_late) = (refund.charge.clone(), refund.amount, refund.status == "failed");
                let kept = self.books.charges.iter().find(|known| known.id == charge).map_or(0, |known| known.kept());
                if is_late && kept - self.books.given_back(&charge) < amount {
                    return;
                }
                self.books.refunds[at].status = other;
                "refund.updated"
            }
        };
        let shown = shown::refund(&self.books.refunds[at]);
        self.emit(event, &shown);
    }
}
