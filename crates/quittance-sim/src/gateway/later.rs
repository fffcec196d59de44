//! What happens at a gateway by itself, later: customers who act, banks that answer, work that is rolled forward.

use super::Gateway;
use quittance_connectors::message::Request;

const HOUR_MS: u64 = 3_600_000;

/// Something that a gateway does later.
#[derive(Clone, Debug)]
pub enum Task {
    /// Carries a request out that it answered with an error of its own.
    Carry(Box<Request>),
    /// The customer acts on an intent, as this method has it.
    Act(String, String),
    /// A bank says whether money of an intent or a charge has come.
    Settle(String, bool),
    /// An authorisation ends.
    Expire(String),
    /// A refund moves on to this status.
    Refund(String, &'static str),
    /// A bank takes back what had come by a charge.
    Return(String),
    /// The customer disputes a charge.
    Dispute(String),
    /// A dispute is decided.
    Decide(String),
}

impl Gateway {
    pub(super) fn later(&mut self, after_ms: u64, task: Task) {
        self.made += 1;
        self.tasks.insert((self.now_ms + after_ms, self.made), task);
    }

    /// What may become of money that has come by a charge.
    pub(super) fn aftermath(&mut self, charge: &str, method: &str) {
        match method {
            "pm_returned" => {
                let after_ms = self.dice.between(HOUR_MS, 48 * HOUR_MS);
                self.later(after_ms, Task::Return(charge.to_owned()));
            }
            "pm_disputed" if self.profile != crate::plan::Profile::Rail => {
                let after_ms = self.dice.between(HOUR_MS, 48 * HOUR_MS);
                self.later(after_ms, Task::Dispute(charge.to_owned()));
            }
            _ => {}
        }
    }

    /// Does what is due. Says how many tasks that were.
    pub fn run_tasks(&mut self, now_ms: u64) -> usize {
        let mut count = 0;
        self.now_ms = now_ms;
        while let Some(entry) = self.tasks.first_entry().filter(|entry| entry.key().0 <= now_ms) {
            let task = entry.remove();
            self.run_task(task);
            count += 1;
        }
        count
    }

    fn run_task(&mut self, task: Task) {
        match task {
            Task::Carry(request) => {
                self.carry_out(&request);
            }
            Task::Act(intent, method) => self.act_on(&intent, &method),
            Task::Settle(object, has_come) => self.settle(&object, has_come),
            Task::Expire(object) => self.expire(&object),
            Task::Refund(refund, to) => self.refund_moves(&refund, to),
            Task::Return(charge) => self.take_back(&charge),
            Task::Dispute(charge) => self.open_dispute(&charge),
            Task::Decide(dispute) => self.decide_dispute(&dispute),
        }
    }

    fn act_on(&mut self, intent: &str, method: &str) {
        let Some(at) = self.intent_at(intent) else { return };
        if self.books.intents[at].status != "requires_action" {
            return;
        }
        match method {
            "pm_action_fails" => self.fail_attempt(at),
            "pm_action_bank" => self.process(at, method),
            _ => self.pay(at),
        }
    }

    fn settle(&mut self, object: &str, has_come: bool) {
        if let Some(at) = self.intent_at(object) {
            return self.settle_intent(at, has_come);
        }
        let Some(at) = self.charge_at(object).filter(|at| self.books.charges[*at].status == "pending") else { return };
        let charge = &mut self.books.charges[at];
        charge.status = if has_come { "succeeded" } else { "failed" };
        charge.is_captured = has_come;
        charge.captured = if has_come { charge.amount } else { 0 };
        self.emit_charge(at, if has_come { "charge.succeeded" } else { "charge.failed" });
    }

    fn settle_intent(&mut self, at: usize, has_come: bool) {
        if self.books.intents[at].status != "processing" {
            return;
        }
        let id = self.books.intents[at].charge.clone().unwrap_or_default();
        if let Some(charge) = self.charge_at(&id) {
            let known = &mut self.books.charges[charge];
            known.status = if has_come { "succeeded" } else { "failed" };
            known.is_captured = has_come;
            known.captured = if has_come { known.amount } else { 0 };
            self.emit_charge(charge, if has_come { "charge.succeeded" } else { "charge.failed" });
        }
        match has_come {
            true => {
                self.books.intents[at].received = self.books.intents[at].amount;
                self.step_to(at, "succeeded", "payment_intent.succeeded");
            }
            false => self.fail_attempt(at),
        }
    }

    fn expire(&mut self, object: &str) {
        if let Some(at) = self.intent_at(object) {
            if self.books.intents[at].status == "requires_capture" {
                self.cancel_intent(object, "canceled");
            }
            return;
        }
        let Some(at) = self.charge_at(object) else { return };
        if !self.books.charges[at].is_captured && !self.books.charges[at].is_released {
            self.books.charges[at].is_released = true;
            self.emit_charge(at, "charge.refunded");
        }
    }

    /// A person sees to it that nothing of an effect can move money any more.
    pub fn fence(&mut self, effect: &str, payment: &str, now_ms: u64) {
        self.now_ms = now_ms;
        let is_theirs = |metadata: &std::collections::BTreeMap<String, String>| {
            metadata.get("effect_id").is_some_and(|id| id == effect)
                || metadata.get("payment_id").is_some_and(|id| id == payment)
        };
        let intents = self.books.intents.iter().filter(|intent| is_theirs(&intent.metadata));
        let intents: Vec<String> = intents.map(|intent| intent.id.clone()).collect();
        for intent in intents {
            self.cancel_intent(&intent, "canceled");
        }
        let charges = self.books.charges.iter().filter(|charge| is_theirs(&charge.metadata) && charge.intent.is_none());
        let charges: Vec<String> = charges.map(|charge| charge.id.clone()).collect();
        for charge in charges {
            if self.charge_at(&charge).is_some_and(|at| self.books.charges[at].status == "succeeded") {
                self.expire(&charge);
            }
        }
    }

    fn take_back(&mut self, charge: &str) {
        let Some(at) = self.charge_at(charge).filter(|_| self.books.given_back(charge) == 0) else { return };
        let movement = self.id("txn");
        let known = &mut self.books.charges[at];
        // The rail's transfer stands for the movement; a card's charge fails, and names it.
        known.status = "failed";
        known.returned_by = Some(movement);
        self.emit_charge(at, "charge.failed");
    }
}
