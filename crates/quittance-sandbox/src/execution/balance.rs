//! Owns: posting to the balance, and fees. Does not own: why money moves (`refunds`, `disputes`, `payouts`).
//!
//! Everything is available at once: nothing waits for two days, and the pending balance is always 0. A refund does not
//! return the fee, as with Stripe.

use super::{Execution, Task};
use crate::answer::{Answer, ApiError};
use crate::config::TransactionTiming;
use crate::objects::{Charge, Movement, Transaction};

impl Execution<'_> {
    /// Moves the balance of the currency by `amount` less `fee`.
    pub(super) fn post(&mut self, movement: Movement, (amount, fee): (i64, i64), from: Source<'_>) -> Transaction {
        let number = self.books.transactions_by_source.find(from.id).len();
        let transaction = Transaction {
            id: self.mint.derived("txn_3", from.id, number),
            created: self.now,
            movement,
            amount,
            fee,
            currency: from.currency.to_owned(),
            source: from.id.to_owned(),
            description: from.description.map(str::to_owned),
            payout: None,
        };
        let place = self.books.transactions.add(transaction.clone());
        self.books.transactions_by_source.add(from.id, place);
        transaction
    }

    /// Credits what a charge has captured, now or on the agenda. The caller saves the charge.
    pub(super) fn credit(&mut self, charge: &mut Charge) {
        match self.balance_transactions {
            TransactionTiming::AtOnce => self.credit_now(charge),
            TransactionTiming::Later => self.planned.push(Task::Credit { charge: charge.id.clone() }),
        }
    }

    fn credit_now(&mut self, charge: &mut Charge) {
        let movement = if charge.payment_method_kind == "card" { Movement::Charge } else { Movement::Payment };
        let fee = self.fees.of(charge.amount_captured);
        let from = Source { id: &charge.id, currency: &charge.currency, description: charge.description.as_deref() };
        let transaction = self.post(movement, (charge.amount_captured, fee), from);
        charge.balance_transaction = Some(transaction.id);
    }

    /// The balance transaction that was not there at first.
    pub(super) fn credit_later(&mut self, id: &str) -> Result<Answer, ApiError> {
        let mut charge = self.charge(id, "id")?;
        if charge.balance_transaction.is_some() {
            return Err(ApiError::bad_request(format!("{id} has its balance transaction already.")));
        }
        self.credit_now(&mut charge);
        self.save_charge(&charge);
        self.emit("charge.updated", &charge);
        Ok(Answer::ok(&charge))
    }

    /// What could be paid out.
    pub(super) fn available(&self, currency: &str) -> i64 {
        let rows = self.books.transactions.rows().filter(|row| row.currency == currency);
        rows.map(Transaction::net).sum()
    }
}

/// What a balance transaction is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) id: &'a str,
    pub(super) currency: &'a str,
    pub(super) description: Option<&'a str>,
}
