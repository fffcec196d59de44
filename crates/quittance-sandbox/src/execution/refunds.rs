//! Owns: refunds and what they do to their charge, and the release of a charge by one. Does not own: the balance itself
//! (`balance`).
//!
//! The wording of Stripe's refusals is from memory, except "Refund amount (…) is greater than charge amount (…)",
//! which is quoted in woocommerce-gateway-stripe#1315.

use super::balance::Source;
use super::{Execution, Outcome, Task};
use crate::answer::{Answer, ApiError};
use crate::dialect::card::Aftermath;
use crate::dialect::currency;
use crate::dialect::money_params::{RefundDraft, RefundTarget};
use crate::dialect::params::MetadataPatch;
use crate::objects::{Charge, Movement, Refund, RefundStatus};

impl Execution<'_> {
    pub(super) fn create_refund(&mut self, draft: RefundDraft) -> Result<Answer, ApiError> {
        let mut charge = self.refund_target(&draft.target)?;
        let releases = charge.payment_intent.is_none() && charge.has_succeeded() && !charge.is_captured;
        let amount = match releases {
            true => check_release(&charge, draft.amount)?,
            false => self.check_refund(&charge, draft.amount)?,
        };
        let mut metadata = Default::default();
        if let Some(patch) = draft.metadata {
            patch.apply(&mut metadata)?;
        }
        let mut refund = self.new_refund(&charge, amount);
        refund.metadata = metadata;
        refund.reason = draft.reason;
        if releases {
            return Ok(self.release(charge, refund));
        }
        let movement = if charge.payment_method_kind == "card" { Movement::Refund } else { Movement::PaymentRefund };
        let from = Source { id: &refund.id, currency: &refund.currency, description: None };
        refund.balance_transaction = Some(self.post(movement, (-amount, 0), from).id);
        charge.amount_refunded += amount;
        self.save_charge(&charge);
        self.add_refund(&refund);
        self.emit("refund.created", &refund);
        self.emit("charge.refunded", &charge);
        self.plan_refund(&refund, charge.aftermath);
        Ok(Answer::ok(&refund))
    }

    /// Gives an authorisation up, which moves no money: the refund that says so has no balance transaction, and stays as
    /// it is. That these events tell of it is from memory.
    fn release(&mut self, mut charge: Charge, refund: Refund) -> Answer {
        let refund = Refund { status: RefundStatus::Succeeded, ..refund };
        charge.amount_released = charge.amount;
        self.save_charge(&charge);
        self.add_refund(&refund);
        self.emit("refund.created", &refund);
        self.emit("charge.refunded", &charge);
        Answer::ok(&refund)
    }

    /// Money is taken from the balance at once, also for a refund that is pending.
    fn new_refund(&mut self, charge: &Charge, amount: i64) -> Refund {
        let is_pending = charge.aftermath == Aftermath::RefundPends;
        Refund {
            id: self.mint.id(if charge.payment_intent.is_some() { "re_3" } else { "re_1" }),
            created: self.now,
            status: if is_pending { RefundStatus::Pending } else { RefundStatus::Succeeded },
            amount,
            currency: charge.currency.clone(),
            charge: charge.id.clone(),
            payment_intent: charge.payment_intent.clone(),
            payment_method_kind: charge.payment_method_kind,
            reason: None,
            metadata: Default::default(),
            balance_transaction: None,
            failure_balance_transaction: None,
            failure_reason: None,
        }
    }

    fn add_refund(&mut self, refund: &Refund) {
        let place = self.books.refunds.add(refund.clone());
        self.books.refunds_by_charge.add(&refund.charge, place);
        if let Some(intent) = &refund.payment_intent {
            self.books.refunds_by_intent.add(intent, place);
        }
    }

    fn plan_refund(&mut self, refund: &Refund, aftermath: Aftermath) {
        let outcome = match aftermath {
            Aftermath::RefundPends => Outcome::Succeed,
            Aftermath::RefundFails => Outcome::Fail,
            Aftermath::Nothing | Aftermath::Dispute(_) => return,
        };
        self.planned.push(Task::SettleRefund { refund: refund.id.clone(), outcome });
    }

    fn refund_target(&self, target: &RefundTarget) -> Result<Charge, ApiError> {
        let intent = match target {
            RefundTarget::Charge(id) => return self.charge(id, "charge"),
            RefundTarget::Intent(id) => id,
        };
        let found = self.books.intents.get(intent);
        let found = found.ok_or_else(|| ApiError::missing("payment_intent", intent, "payment_intent"))?;
        let charge = found.latest_charge.as_deref().and_then(|id| self.books.charges.get(id));
        let charge = charge.filter(|charge| charge.has_succeeded()).cloned();
        charge.ok_or_else(|| {
            let message = format!("This PaymentIntent ({intent}) does not have a successful charge to refund.");
            ApiError::bad_request(message).param("payment_intent")
        })
    }

    /// Returns the amount, or why there is nothing to refund.
    fn check_refund(&self, charge: &Charge, amount: Option<i64>) -> Result<i64, ApiError> {
        let id = &charge.id;
        if !charge.has_succeeded() || !charge.is_captured {
            let message = format!("Charge {id} is not captured. Cancel its payment instead of refunding it.");
            return Err(ApiError::bad_request(message));
        }
        if self.is_charged_back(id) {
            let message = format!("Charge {id} has been charged back; cannot issue a refund.");
            return Err(ApiError::invalid("charge_disputed", message));
        }
        let left = charge.amount_refundable();
        if left == 0 {
            let message = format!("Charge {id} has already been refunded.");
            return Err(ApiError::invalid("charge_already_refunded", message));
        }
        let amount = amount.unwrap_or(left);
        if amount > left {
            let what = if charge.amount_refunded == 0 { "charge amount" } else { "unrefunded amount on charge" };
            let [asked, left] = [amount, left].map(|amount| currency::display(amount, &charge.currency));
            let message = format!("Refund amount ({asked}) is greater than {what} ({left})");
            return Err(ApiError::bad_request(message).param("amount"));
        }
        Ok(amount)
    }

    pub(super) fn update_refund(&mut self, id: &str, metadata: Option<MetadataPatch>) -> Result<Answer, ApiError> {
        let mut refund = self.refund(id)?;
        if let Some(patch) = metadata {
            patch.apply(&mut refund.metadata)?;
        }
        Ok(self.save_refund(&refund, &["refund.updated"]))
    }

    pub(super) fn cancel_refund(&mut self, id: &str) -> Result<Answer, ApiError> {
        let mut refund = self.refund(id)?;
        if refund.status != RefundStatus::Pending {
            return Err(unexpected(&refund, "canceled"));
        }
        refund.status = RefundStatus::Canceled;
        self.return_money(&mut refund);
        Ok(self.save_refund(&refund, &["refund.updated"]))
    }

    /// The bank's word on a refund, which may come after a first "succeeded".
    pub(crate) fn settle_refund(&mut self, id: &str, outcome: Outcome) -> Result<Answer, ApiError> {
        let mut refund = self.refund(id)?;
        match (refund.status, outcome) {
            (RefundStatus::Pending, Outcome::Succeed) => {
                refund.status = RefundStatus::Succeeded;
                Ok(self.save_refund(&refund, &["refund.updated"]))
            }
            (RefundStatus::Pending | RefundStatus::Succeeded, Outcome::Fail) if !refund.is_release() => {
                refund.status = RefundStatus::Failed;
                refund.failure_reason = Some("expired_or_canceled_card");
                self.return_money(&mut refund);
                Ok(self.save_refund(&refund, &["refund.updated", "refund.failed"]))
            }
            _ => Err(unexpected(&refund, "settled")),
        }
    }

    fn return_money(&mut self, refund: &mut Refund) {
        let from = Source { id: &refund.id, currency: &refund.currency, description: Some("REFUND FAILURE") };
        let transaction = self.post(Movement::RefundFailure, (refund.amount, 0), from);
        refund.failure_balance_transaction = Some(transaction.id);
        if let Some(charge) = self.books.charges.get_mut(&refund.charge) {
            charge.amount_refunded -= refund.amount;
        }
    }

    fn refund(&self, id: &str) -> Result<Refund, ApiError> {
        self.books.refunds.get(id).cloned().ok_or_else(|| ApiError::missing("refund", id, "id"))
    }

    fn save_refund(&mut self, refund: &Refund, events: &[&'static str]) -> Answer {
        if let Some(row) = self.books.refunds.get_mut(&refund.id) {
            *row = refund.clone();
        }
        for event in events {
            self.emit(event, refund);
        }
        Answer::ok(refund)
    }
}

/// Returns the amount, or why there is no authorisation to release. That it is all or nothing is from memory.
fn check_release(charge: &Charge, amount: Option<i64>) -> Result<i64, ApiError> {
    let id = &charge.id;
    if charge.amount_released > 0 {
        let message = format!("Charge {id} has already been refunded.");
        return Err(ApiError::invalid("charge_already_refunded", message));
    }
    if amount.is_some_and(|amount| amount != charge.amount) {
        let message = format!("Charge {id} is not captured: it is released as a whole, or captured in part.");
        return Err(ApiError::bad_request(message).param("amount"));
    }
    Ok(charge.amount)
}

fn unexpected(refund: &Refund, verb: &str) -> ApiError {
    let message = format!("Refund {} cannot be {verb} because it has a status of {}.", refund.id, refund.status.name());
    ApiError::bad_request(message)
}
