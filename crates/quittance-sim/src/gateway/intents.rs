//! Payments in two phases: an inert object, which is confirmed, captured or canceled.

use super::books::{Charge, Intent};
use super::form::{Fields, integer, metadata};
use super::later::Task;
use super::{Gateway, Reply, missing, shown};

const HOUR_MS: u64 = 3_600_000;

impl Gateway {
    pub(super) fn create_intent(&mut self, fields: &Fields) -> Reply {
        if fields.get("payment_method").is_some_and(|method| method == "pm_unknown") {
            return (400, shown::error("invalid_request_error", "parameter_unknown", None));
        }
        let intent = Intent {
            id: self.id("pi"),
            amount: integer(fields, "amount").unwrap_or(0),
            currency: fields.get("currency").cloned().unwrap_or_default(),
            status: "requires_confirmation",
            received: 0,
            method: fields.get("payment_method").cloned(),
            is_manual: fields.get("capture_method").is_some_and(|method| method == "manual"),
            charge: None,
            declined_at: None,
            attempts: 0,
            metadata: metadata(fields),
            created_s: self.now_s(),
        };
        let shown = shown::intent(&intent);
        self.books.intents.push(intent);
        self.emit("payment_intent.created", &shown);
        (200, shown)
    }

    pub(super) fn confirm(&mut self, id: &str, fields: &Fields) -> Reply {
        let Some(at) = self.intent_at(id) else { return missing() };
        let intent = &mut self.books.intents[at];
        if !matches!(intent.status, "requires_confirmation" | "requires_payment_method") {
            return self.unexpected(at);
        }
        if let Some(method) = fields.get("payment_method") {
            intent.method = Some(method.clone());
        }
        let Some(method) = intent.method.clone() else { return self.unexpected(at) };
        intent.attempts += 1;
        match method.as_str() {
            "pm_declined" => self.decline(at),
            // Declined once for each object, then it works.
            "pm_flaky" if self.is_first_try(at) => self.decline(at),
            "pm_action" | "pm_action_fails" | "pm_action_never" | "pm_action_bank" => {
                self.step_to(at, "requires_action", "payment_intent.requires_action");
                if method != "pm_action_never" {
                    let after_ms = self.dice.between(20_000, 2 * HOUR_MS);
                    self.later(after_ms, Task::Act(id.to_owned(), method));
                }
                (200, shown::intent(&self.books.intents[at]))
            }
            "pm_bank" | "pm_bank_fails" => {
                self.process(at, &method);
                (200, shown::intent(&self.books.intents[at]))
            }
            _ => {
                self.pay(at);
                (200, shown::intent(&self.books.intents[at]))
            }
        }
    }

    fn is_first_try(&mut self, at: usize) -> bool {
        let id = self.books.intents[at].id.clone();
        self.declined.insert(id)
    }

    /// The money is on its way, and is heard of again in hours or days.
    pub(super) fn process(&mut self, at: usize, method: &str) {
        let charge = self.charge_of_intent(at, "pending", false);
        self.books.intents[at].charge = Some(charge);
        self.step_to(at, "processing", "payment_intent.processing");
        let after_ms = self.dice.between(HOUR_MS / 2, 16 * HOUR_MS);
        let id = self.books.intents[at].id.clone();
        self.later(after_ms, Task::Settle(id, method != "pm_bank_fails"));
    }

    /// The money is taken, or held where that was asked for.
    pub(super) fn pay(&mut self, at: usize) {
        let is_manual = self.books.intents[at].is_manual;
        let charge = self.charge_of_intent(at, "succeeded", !is_manual);
        let intent = &mut self.books.intents[at];
        intent.charge = Some(charge);
        if is_manual {
            let id = intent.id.clone();
            self.step_to(at, "requires_capture", "payment_intent.amount_capturable_updated");
            return self.later(60 * HOUR_MS, Task::Expire(id));
        }
        intent.received = intent.amount;
        self.step_to(at, "succeeded", "payment_intent.succeeded");
        self.plan_aftermath(at);
    }

    /// What may become of money that has come.
    fn plan_aftermath(&mut self, at: usize) {
        let intent = &self.books.intents[at];
        if let (Some(charge), Some(method)) = (intent.charge.clone(), intent.method.clone()) {
            self.aftermath(&charge, &method);
        }
    }

    fn charge_of_intent(&mut self, at: usize, status: &'static str, is_captured: bool) -> String {
        let id = self.id("ch");
        let created_s = self.now_s();
        let intent = &self.books.intents[at];
        let charge = Charge {
            id: id.clone(),
            intent: Some(intent.id.clone()),
            amount: intent.amount,
            currency: intent.currency.clone(),
            status,
            is_captured,
            captured: if is_captured { intent.amount } else { 0 },
            is_released: false,
            returned_by: None,
            method: intent.method.clone().unwrap_or_default(),
            metadata: intent.metadata.clone(),
            reference: None,
            created_s,
        };
        let shown = shown::charge(&charge);
        self.books.charges.push(charge);
        let word = if status == "pending" { "charge.pending" } else { "charge.succeeded" };
        self.emit(word, &shown);
        id
    }

    /// The attempt failed: the object can be confirmed again, with another method.
    pub(super) fn fail_attempt(&mut self, at: usize) {
        let intent = &mut self.books.intents[at];
        intent.declined_at = Some(intent.attempts);
        intent.method = None;
        self.step_to(at, "requires_payment_method", "payment_intent.payment_failed");
    }

    fn decline(&mut self, at: usize) -> Reply {
        let charge = self.charge_of_intent(at, "failed", false);
        self.books.intents[at].charge = Some(charge);
        self.fail_attempt(at);
        let shown = shown::intent(&self.books.intents[at]);
        let mut error = shown::error("card_error", "card_declined", Some(shown));
        error["error"]["decline_code"] = "generic_decline".into();
        (402, error)
    }

    pub(super) fn capture_intent(&mut self, id: &str, fields: &Fields) -> Reply {
        let Some(at) = self.intent_at(id) else { return missing() };
        let intent = &mut self.books.intents[at];
        if intent.status != "requires_capture" {
            return self.unexpected(at);
        }
        intent.received = integer(fields, "amount_to_capture").unwrap_or(intent.amount);
        let (charge, received) = (intent.charge.clone().unwrap_or_default(), intent.received);
        if let Some(charge) = self.books.charges.iter_mut().find(|known| known.id == charge) {
            (charge.is_captured, charge.captured) = (true, received);
            let shown = shown::charge(charge);
            self.emit("charge.captured", &shown);
        }
        self.step_to(at, "succeeded", "payment_intent.succeeded");
        self.plan_aftermath(at);
        (200, shown::intent(&self.books.intents[at]))
    }

    pub(super) fn cancel_intent(&mut self, id: &str, status: &'static str) -> Reply {
        let Some(at) = self.intent_at(id) else { return missing() };
        let intent = &self.books.intents[at];
        if matches!(intent.status, "succeeded" | "canceled" | "processing") {
            return self.unexpected(at);
        }
        let charge = intent.charge.clone().filter(|_| intent.status == "requires_capture");
        if let Some(charge) = self.books.charges.iter_mut().find(|known| Some(&known.id) == charge.as_ref()) {
            charge.is_released = true;
        }
        self.step_to(at, status, "payment_intent.canceled");
        (200, shown::intent(&self.books.intents[at]))
    }

    pub(super) fn step_to(&mut self, at: usize, status: &'static str, event: &str) {
        self.books.intents[at].status = status;
        let shown = shown::intent(&self.books.intents[at]);
        self.emit(event, &shown);
    }

    pub(super) fn intent_at(&self, id: &str) -> Option<usize> {
        self.books.intents.iter().position(|intent| intent.id == id)
    }

    fn unexpected(&self, at: usize) -> Reply {
        let shown = shown::intent(&self.books.intents[at]);
        (400, shown::error("invalid_request_error", "payment_intent_unexpected_state", Some(shown)))
    }
}
