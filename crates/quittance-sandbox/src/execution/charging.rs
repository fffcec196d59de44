//! Owns: confirming a payment intent, and the charge that follows. Does not own: what the customer
//! or the bank does afterwards (`outcomes`).

use serde_json::json;

use super::Execution;
use super::intents::unexpected_state;
use crate::answer::{Answer, ApiError, ErrorKind, to_raw};
use crate::dialect::card::{AUTHENTICATION_REQUIRED, Behaviour, Decline};
use crate::dialect::payment_params::Confirmation;
use crate::objects::{Charge, ChargeStatus, Intent, PaymentMethod, Status};

/// Stripe cancels an intent after too many confirmations and does not publish the number.
const CONFIRMATIONS_MAX: u32 = 25;

impl Execution<'_> {
    pub(super) fn confirm_intent(&mut self, id: &str, confirmation: Confirmation) -> Result<Answer, ApiError> {
        let mut intent = self.intent(id)?;
        check_status(&intent)?;
        if intent.confirmations >= CONFIRMATIONS_MAX {
            let intent = self.cancel(intent, Some("automatic"));
            let message = "This PaymentIntent was canceled because it was confirmed too often.";
            return Err(unexpected_state(&intent, message));
        }
        if let Some(method) = &confirmation.payment_method {
            self.choose_method(&mut intent, method)?;
        }
        self.check_confirmable(&intent, &confirmation)?;
        let expand = confirmation.expand;
        let intent = self.confirm(intent, confirmation)?;
        Ok(self.show(&intent, expand))
    }

    /// What is wrong with the request rather than with the card.
    pub(super) fn check_confirmable(&self, intent: &Intent, confirmation: &Confirmation) -> Result<(), ApiError> {
        if intent.payment_method.is_none() {
            let message = "You cannot confirm this PaymentIntent because it's missing a payment method. You can \
                either update the PaymentIntent with a payment method and then confirm it again, or confirm it \
                again directly with a payment method or ConfirmationToken.";
            return Err(unexpected_state(intent, message));
        }
        let has_return_url = confirmation.return_url.is_some() || intent.return_url.is_some();
        if intent.automatic_methods == Some("always") && !has_return_url && !confirmation.off_session {
            let message = "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. \
                Because some of these payment methods might redirect your customer off of your page, you must \
                provide a `return_url`. If you don't want to accept redirect-based payment methods, set \
                `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` \
                to `never` when creating Setup Intents and Payment Intents.";
            return Err(ApiError::bad_request(message).intent(intent.raw()));
        }
        Ok(())
    }

    /// Does what the payment method does. Every path saves the intent.
    pub(super) fn confirm(&mut self, mut intent: Intent, confirmation: Confirmation) -> Result<Intent, ApiError> {
        let method = intent.payment_method.as_deref().and_then(|id| self.books.methods.get(id)).cloned();
        let Some(method) = method else {
            return Err(unexpected_state(&intent, "This PaymentIntent has no payment method."));
        };
        intent.confirmations += 1;
        intent.return_url = confirmation.return_url.or(intent.return_url);
        intent.receipt_email = confirmation.receipt_email.or(intent.receipt_email);
        match method.test.behaviour {
            Behaviour::Succeeds => Ok(self.succeed(intent, &method)),
            Behaviour::Declines(decline) => Err(self.decline(intent, &method, decline)),
            Behaviour::Processes => Ok(self.process(intent, &method)),
            Behaviour::NeedsAuthentication if intent.is_authenticated => Ok(self.succeed(intent, &method)),
            Behaviour::NeedsAuthentication if confirmation.off_session || confirmation.error_on_requires_action => {
                Err(self.decline(intent, &method, AUTHENTICATION_REQUIRED))
            }
            Behaviour::NeedsAuthentication => Ok(self.ask_customer(intent)),
        }
    }

    /// Takes the money, or holds it when capture is manual.
    pub(super) fn succeed(&mut self, mut intent: Intent, method: &PaymentMethod) -> Intent {
        let captured = intent.capture_method != "manual";
        let mut charge = self.new_charge(&intent, method);
        charge.status = ChargeStatus::Succeeded;
        charge.is_captured = captured;
        charge.amount_captured = if captured { intent.amount } else { 0 };
        if captured {
            self.credit(&mut charge);
        }
        let id = charge.id.clone();
        intent.last_payment_error = None;
        intent.next_action = None;
        if captured {
            intent.status = Status::Succeeded;
            intent.amount_received = intent.amount;
        } else {
            intent.status = Status::RequiresCapture;
            intent.amount_capturable = intent.amount;
        }
        self.book(&mut intent, charge, "charge.succeeded");
        let event = if captured { "payment_intent.succeeded" } else { "payment_intent.amount_capturable_updated" };
        self.emit_intent(event, &intent);
        if captured {
            self.face_aftermath(&id, method.test.aftermath);
        }
        intent
    }

    /// Leaves a failed charge and an intent that waits for another payment method.
    pub(super) fn decline(&mut self, mut intent: Intent, method: &PaymentMethod, decline: Decline) -> ApiError {
        let mut charge = self.new_charge(&intent, method);
        charge.status = ChargeStatus::Failed;
        charge.failure = Some(decline);
        let mut error = card_error(decline);
        error.charge = Some(charge.id.as_str().into());
        error.payment_method = Some(to_raw(method));
        intent.last_payment_error = Some(to_raw(&error));
        intent.status = Status::RequiresPaymentMethod;
        intent.payment_method = None;
        intent.next_action = None;
        intent.is_authenticated = false;
        self.book(&mut intent, charge, "charge.failed");
        self.emit_intent("payment_intent.payment_failed", &intent);
        error.intent(intent.raw())
    }

    fn process(&mut self, mut intent: Intent, method: &PaymentMethod) -> Intent {
        let charge = self.new_charge(&intent, method);
        intent.status = Status::Processing;
        intent.last_payment_error = None;
        self.book(&mut intent, charge, "charge.pending");
        self.emit_intent("payment_intent.processing", &intent);
        intent
    }

    fn ask_customer(&mut self, mut intent: Intent) -> Intent {
        let url = format!("http://{}/_sandbox/authenticate/{}", self.host, intent.id);
        intent.next_action = Some(match &intent.return_url {
            Some(return_url) => json!({
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": return_url, "url": url},
            }),
            None => json!({
                "type": "use_stripe_sdk",
                "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
            }),
        });
        intent.status = Status::RequiresAction;
        self.save(&intent);
        self.emit_intent("payment_intent.requires_action", &intent);
        intent
    }

    /// A pending charge; the caller says how it ended.
    fn new_charge(&mut self, intent: &Intent, method: &PaymentMethod) -> Charge {
        Charge {
            customer: intent.customer.clone(),
            description: intent.description.clone(),
            receipt_email: intent.receipt_email.clone(),
            statement_descriptor: intent.statement_descriptor.clone(),
            // Stripe copies the metadata once, when it makes the charge.
            metadata: intent.metadata.clone(),
            payment_intent: Some(intent.id.clone()),
            ..self.blank_charge("ch_3", (intent.amount, &intent.currency), method)
        }
    }

    /// Writes the charge and the intent that points to it.
    fn book(&mut self, intent: &mut Intent, charge: Charge, event: &'static str) {
        intent.latest_charge = Some(charge.id.clone());
        self.emit(event, &charge);
        self.add_charge(charge);
        self.save(intent);
    }
}

fn check_status(intent: &Intent) -> Result<(), ApiError> {
    match intent.status {
        Status::RequiresPaymentMethod | Status::RequiresConfirmation => Ok(()),
        Status::Succeeded => Err(unexpected_state(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
        )),
        Status::RequiresAction | Status::Processing | Status::RequiresCapture | Status::Canceled => {
            let message = format!(
                "You cannot confirm this PaymentIntent because it has a status of {}. Only a PaymentIntent with one \
                 of the following statuses may be confirmed: requires_payment_method, requires_confirmation.",
                intent.status.name()
            );
            Err(unexpected_state(intent, message))
        }
    }
}

pub(super) fn card_error(decline: Decline) -> ApiError {
    let mut error = ApiError::new(402, ErrorKind::Card, decline.message).code(decline.code);
    error.decline_code = Some(decline.decline_code);
    error
}
