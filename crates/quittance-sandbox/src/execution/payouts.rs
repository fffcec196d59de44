//! Owns: payouts, by hand and by schedule. Does not own: what the balance holds (`balance`).
//!
//! From memory: that only an automatic payout knows its transactions, its own among them, and that it ends with
//! `payout.reconciliation_completed`.

use super::balance::Source;
use super::{Execution, Outcome, Task, unless_empty};
use crate::answer::{Answer, ApiError};
use crate::dialect::money_params::PayoutDraft;
use crate::objects::{Movement, Payout, PayoutStatus};

impl Execution<'_> {
    pub(super) fn create_payout(&mut self, draft: PayoutDraft) -> Result<Answer, ApiError> {
        if draft.amount > self.available(&draft.currency) {
            // From memory; Stripe's wording goes on.
            let message = "You have insufficient funds in your Stripe account for this transfer.";
            return Err(ApiError::invalid("balance_insufficient", message));
        }
        let mut metadata = Default::default();
        if let Some(patch) = draft.metadata {
            patch.apply(&mut metadata)?;
        }
        let mut payout = self.new_payout(draft.amount, &draft.currency);
        payout.metadata = metadata;
        payout.description = draft.description.and_then(unless_empty);
        payout.statement_descriptor = draft.statement_descriptor.and_then(unless_empty);
        Ok(self.add_payout(&payout))
    }

    /// What the gateway's own schedule does: pays out all there is and remembers what that was made of.
    pub(crate) fn pay_out(&mut self, currency: &str) -> Result<Answer, ApiError> {
        let amount = self.available(currency);
        if amount < 1 {
            return Err(ApiError::invalid("balance_insufficient", format!("There is no {currency} to pay out.")));
        }
        let rows = self.books.transactions.rows();
        let unpaid = rows.filter(|row| row.currency == currency && row.payout.is_none());
        let unpaid: Vec<String> = unpaid.map(|row| row.id.clone()).collect();
        let mut payout = self.new_payout(amount, currency);
        payout.is_automatic = true;
        payout.description = Some("STRIPE PAYOUT".to_owned());
        let own = payout.balance_transaction.clone();
        for id in unpaid.into_iter().chain([own]) {
            if let Some(place) = self.books.transactions.place(&id) {
                self.books.transactions_by_payout.add(&payout.id, place);
            }
            if let Some(row) = self.books.transactions.get_mut(&id) {
                row.payout = Some(payout.id.clone());
            }
        }
        Ok(self.add_payout(&payout))
    }

    /// Takes the money from the balance.
    fn new_payout(&mut self, amount: i64, currency: &str) -> Payout {
        let id = self.mint.id("po_1");
        let from = Source { id: &id, currency, description: Some("STRIPE PAYOUT") };
        let transaction = self.post(Movement::Payout, (-amount, 0), from);
        Payout {
            id,
            created: self.now,
            status: PayoutStatus::Pending,
            amount,
            currency: currency.to_owned(),
            description: None,
            statement_descriptor: None,
            metadata: Default::default(),
            is_automatic: false,
            balance_transaction: transaction.id,
            failure_balance_transaction: None,
        }
    }

    fn add_payout(&mut self, payout: &Payout) -> Answer {
        self.books.payouts.add(payout.clone());
        self.emit("payout.created", payout);
        self.planned.push(Task::AdvancePayout { payout: payout.id.clone() });
        Answer::ok(payout)
    }

    pub(super) fn cancel_payout(&mut self, id: &str) -> Result<Answer, ApiError> {
        let mut payout = self.payout(id)?;
        if payout.status != PayoutStatus::Pending || payout.is_automatic {
            return Err(unexpected(&payout, "canceled"));
        }
        self.return_payout(&mut payout, PayoutStatus::Canceled, Movement::PayoutCancel);
        Ok(self.save_payout(&payout, &["payout.canceled"]))
    }

    /// One step further, or the bank's refusal, which may also come after "paid".
    pub(crate) fn settle_payout(&mut self, id: &str, outcome: Outcome) -> Result<Answer, ApiError> {
        let mut payout = self.payout(id)?;
        match (payout.status, outcome) {
            (PayoutStatus::Pending, Outcome::Succeed) => {
                payout.status = PayoutStatus::InTransit;
                self.planned.push(Task::AdvancePayout { payout: payout.id.clone() });
                Ok(self.save_payout(&payout, &["payout.updated"]))
            }
            (PayoutStatus::InTransit, Outcome::Succeed) => {
                payout.status = PayoutStatus::Paid;
                let events: &[_] = if payout.is_automatic {
                    &["payout.paid", "payout.reconciliation_completed"]
                } else {
                    &["payout.paid"]
                };
                Ok(self.save_payout(&payout, events))
            }
            (PayoutStatus::Pending | PayoutStatus::InTransit | PayoutStatus::Paid, Outcome::Fail) => {
                self.return_payout(&mut payout, PayoutStatus::Failed, Movement::PayoutFailure);
                Ok(self.save_payout(&payout, &["payout.failed"]))
            }
            _ => Err(unexpected(&payout, "settled")),
        }
    }

    fn return_payout(&mut self, payout: &mut Payout, status: PayoutStatus, movement: Movement) {
        payout.status = status;
        let from = Source { id: &payout.id, currency: &payout.currency, description: None };
        payout.failure_balance_transaction = Some(self.post(movement, (payout.amount, 0), from).id);
    }

    fn payout(&self, id: &str) -> Result<Payout, ApiError> {
        self.books.payouts.get(id).cloned().ok_or_else(|| ApiError::missing("payout", id, "id"))
    }

    fn save_payout(&mut self, payout: &Payout, events: &[&'static str]) -> Answer {
        if let Some(row) = self.books.payouts.get_mut(&payout.id) {
            *row = payout.clone();
        }
        for event in events {
            self.emit(event, payout);
        }
        Answer::ok(payout)
    }
}

fn unexpected(payout: &Payout, verb: &str) -> ApiError {
    let message = format!("Payout {} cannot be {verb} because it has a status of {}.", payout.id, payout.status.name());
    ApiError::bad_request(message)
}
