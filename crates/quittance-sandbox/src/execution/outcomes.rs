//! Owns: what happens to a payment without an API call: the customer authenticates, a bank debit
//! settles, an authorisation expires. Does not own: who decides it (`control`).

use super::Execution;
use super::charging::card_error;
use super::intents::unexpected_state;
use crate::answer::{Answer, ApiError, to_raw};
use crate::dialect::card::Decline;
use crate::dialect::operation::Expand;
use crate::objects::{ChargeStatus, Intent, Status};

/// How something that was open ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Succeed,
    Fail,
}

const RETURNED_DEBIT: Decline = Decline {
    code: "insufficient_funds",
    decline_code: "insufficient_funds",
    message: "The customer's account has insufficient funds to cover this payment.",
};

impl Execution<'_> {
    /// The customer comes back from authentication.
    pub(crate) fn authenticate(&mut self, id: &str, outcome: Outcome) -> Result<Answer, ApiError> {
        let mut intent = self.expect_status(id, Status::RequiresAction)?;
        intent.next_action = None;
        let method = intent.payment_method.as_deref().and_then(|id| self.books.methods.get(id)).cloned();
        let intent = match (outcome, method) {
            (Outcome::Succeed, Some(method)) if intent.confirmation_method == "automatic" => {
                self.succeed(intent, &method)
            }
            (Outcome::Succeed, _) => {
                intent.status = Status::RequiresConfirmation;
                intent.is_authenticated = true;
                self.save(&intent);
                intent
            }
            (Outcome::Fail, method) => {
                let message = "The provided PaymentMethod has failed authentication. You can provide \
                    payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.";
                let mut error = ApiError::invalid("payment_intent_authentication_failure", message);
                error.payment_method = method.as_ref().map(to_raw);
                self.fail(intent, &error)
            }
        };
        Ok(self.show(&intent, Expand::Nothing))
    }

    /// The bank debit behind a `processing` intent ends.
    pub(crate) fn settle(&mut self, id: &str, outcome: Outcome) -> Result<Answer, ApiError> {
        let mut intent = self.expect_status(id, Status::Processing)?;
        self.settle_charge(&intent, outcome);
        let intent = match outcome {
            Outcome::Succeed => {
                intent.status = Status::Succeeded;
                intent.amount_received = intent.amount;
                self.save(&intent);
                self.emit_intent("payment_intent.succeeded", &intent);
                intent
            }
            Outcome::Fail => {
                let mut error = card_error(RETURNED_DEBIT);
                error.charge = intent.latest_charge.as_deref().map(Into::into);
                self.fail(intent, &error)
            }
        };
        Ok(self.show(&intent, Expand::Nothing))
    }

    fn settle_charge(&mut self, intent: &Intent, outcome: Outcome) {
        let charge = intent.latest_charge.as_deref().and_then(|id| self.books.charges.get(id)).cloned();
        let Some(mut charge) = charge else {
            return;
        };
        let event = match outcome {
            Outcome::Succeed => {
                charge.status = ChargeStatus::Succeeded;
                charge.is_captured = true;
                charge.amount_captured = charge.amount;
                self.credit(&mut charge);
                "charge.succeeded"
            }
            Outcome::Fail => {
                charge.status = ChargeStatus::Failed;
                charge.failure = Some(RETURNED_DEBIT);
                "charge.failed"
            }
        };
        self.save_charge(&charge);
        self.emit(event, &charge);
    }

    /// An authorisation that nobody captured ends, as after seven days.
    pub(crate) fn expire(&mut self, id: &str) -> Result<Answer, ApiError> {
        if id.starts_with("ch_") {
            return self.expire_charge(id);
        }
        let intent = self.expect_status(id, Status::RequiresCapture)?;
        let intent = self.cancel(intent, Some("automatic"));
        Ok(self.show(&intent, Expand::Nothing))
    }

    fn fail(&mut self, mut intent: Intent, error: &ApiError) -> Intent {
        intent.status = Status::RequiresPaymentMethod;
        intent.payment_method = None;
        intent.is_authenticated = false;
        intent.last_payment_error = Some(to_raw(error));
        self.save(&intent);
        self.emit_intent("payment_intent.payment_failed", &intent);
        intent
    }

    fn expect_status(&self, id: &str, status: Status) -> Result<Intent, ApiError> {
        let intent = self.intent(id)?;
        if intent.status == status {
            return Ok(intent);
        }
        let message = format!("{id} has a status of {}, not {}.", intent.status.name(), status.name());
        Err(unexpected_state(&intent, message))
    }
}
