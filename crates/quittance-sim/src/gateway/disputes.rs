//! Disputes: opened, answered, won and lost; money moves by movements of their own.

use super::books::Dispute;
use super::later::Task;
use super::{Gateway, Reply, missing, shown};

const HOUR_MS: u64 = 3_600_000;
const FEE: i64 = 15;

impl Gateway {
    pub(super) fn open_dispute(&mut self, charge: &str) {
        let Some(at) = self.charge_at(charge) else { return };
        let left = self.books.charges[at].kept() - self.books.given_back(charge);
        if left <= 0 {
            return;
        }
        let is_inquiry = self.dice.chance(30);
        let (id, created_s) = (self.id("dp"), self.now_s());
        let known = &self.books.charges[at];
        let dispute = Dispute {
            id: id.clone(),
            charge: charge.to_owned(),
            intent: known.intent.clone(),
            amount: left,
            currency: known.currency.clone(),
            status: if is_inquiry { "warning_needs_response" } else { "needs_response" },
            submissions: 0,
            movements: Vec::new(),
            due_by_s: created_s + 7 * 86_400,
            created_s,
        };
        self.books.disputes.push(dispute);
        let at = self.books.disputes.len() - 1;
        if !is_inquiry {
            self.withdraw(at);
        }
        self.emit_dispute(at, "charge.dispute.created");
        let after_ms = self.dice.between(10 * HOUR_MS, 60 * HOUR_MS);
        self.later(after_ms, Task::Decide(id));
    }

    fn withdraw(&mut self, at: usize) {
        let movement = self.id("txn");
        let dispute = &mut self.books.disputes[at];
        dispute.movements.push((movement, -dispute.amount, FEE));
    }

    /// The bank decides, or an inquiry becomes a chargeback.
    pub(super) fn decide_dispute(&mut self, id: &str) {
        let Some(at) = self.books.disputes.iter().position(|dispute| dispute.id == id) else { return };
        match self.books.disputes[at].status {
            "warning_needs_response" | "warning_under_review" if self.dice.chance(50) => {
                self.books.disputes[at].status = "warning_closed";
                self.emit_dispute(at, "charge.dispute.closed");
            }
            "warning_needs_response" | "warning_under_review" => {
                self.books.disputes[at].status = "needs_response";
                self.withdraw(at);
                self.emit_dispute(at, "charge.dispute.funds_withdrawn");
                self.later(20 * HOUR_MS, Task::Decide(id.to_owned()));
            }
            "needs_response" | "under_review" if self.dice.chance(50) => {
                self.books.disputes[at].status = "lost";
                self.emit_dispute(at, "charge.dispute.closed");
            }
            "needs_response" | "under_review" => {
                let movement = self.id("txn");
                let dispute = &mut self.books.disputes[at];
                dispute.status = "won";
                dispute.movements.push((movement, dispute.amount, 0));
                self.emit_dispute(at, "charge.dispute.funds_reinstated");
            }
            _ => {}
        }
    }

    pub(super) fn submit_evidence(&mut self, id: &str) -> Reply {
        let Some(at) = self.books.disputes.iter().position(|dispute| dispute.id == id) else { return missing() };
        let dispute = &mut self.books.disputes[at];
        dispute.status = match dispute.status {
            "needs_response" => "under_review",
            "warning_needs_response" => "warning_under_review",
            _ => return (400, shown::error("invalid_request_error", "dispute_closed", None)),
        };
        dispute.submissions += 1;
        self.emit_dispute(at, "charge.dispute.updated");
        (200, shown::dispute(&self.books.disputes[at]))
    }

    fn emit_dispute(&mut self, at: usize, word: &str) {
        let shown = shown::dispute(&self.books.disputes[at]);
        self.emit(word, &shown);
    }
}
