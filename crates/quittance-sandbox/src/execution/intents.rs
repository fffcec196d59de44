//! Owns: creating, changing, canceling and capturing payment intents. Does not own: confirming
//! them (`charging`) and what happens later (`outcomes`).

use super::reading::view;
use super::{Execution, unless_empty};
use crate::answer::{Answer, ApiError};
use crate::dialect::currency;
use crate::dialect::operation::Expand;
use crate::dialect::payment_params::{IntentDraft, IntentPatch};
use crate::objects::{Charge, Intent, IntentView, Status};

impl Execution<'_> {
    pub(super) fn create_intent(&mut self, draft: IntentDraft) -> Result<Answer, ApiError> {
        let mut intent = self.new_intent(&draft);
        self.apply_details(&mut intent, draft.details)?;
        if let Some(confirmation) = &draft.confirmation {
            // What cannot be confirmed is refused before anything exists.
            self.check_confirmable(&intent, confirmation)?;
        }
        let place = self.books.intents.add(intent.clone());
        if let Some(customer) = &intent.customer {
            self.books.intents_by_customer.add(customer, place);
        }
        self.emit_intent("payment_intent.created", &intent);
        if let Some(confirmation) = draft.confirmation {
            intent = self.confirm(intent, confirmation)?;
        }
        Ok(self.show(&intent, draft.expand))
    }

    fn new_intent(&mut self, draft: &IntentDraft) -> Intent {
        let id = self.mint.id("pi_3");
        Intent {
            client_secret: format!("{id}_{}", self.mint.id("secret_")),
            id,
            created: self.now,
            status: Status::RequiresPaymentMethod,
            amount: draft.amount,
            amount_capturable: 0,
            amount_received: 0,
            currency: draft.currency.clone(),
            capture_method: draft.capture_method,
            confirmation_method: draft.confirmation_method,
            automatic_methods: draft.automatic_methods,
            payment_method_types: draft.payment_method_types.clone(),
            payment_method_options: None,
            payment_method: None,
            customer: None,
            latest_charge: None,
            last_payment_error: None,
            next_action: None,
            canceled_at: None,
            cancellation_reason: None,
            description: None,
            receipt_email: None,
            statement_descriptor: None,
            statement_descriptor_suffix: None,
            transfer_group: None,
            setup_future_usage: None,
            shipping: None,
            metadata: Default::default(),
            return_url: None,
            confirmations: 0,
            is_authenticated: false,
        }
    }

    pub(super) fn update_intent(&mut self, id: &str, mut patch: IntentPatch) -> Result<Answer, ApiError> {
        let mut intent = self.intent(id)?;
        let expand = patch.expand;
        let is_open = matches!(
            intent.status,
            Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction
        );
        let changes_payment = patch.amount.is_some()
            || patch.currency.is_some()
            || patch.customer.is_some()
            || patch.payment_method.is_some();
        if changes_payment && !is_open {
            let message = format!(
                "This PaymentIntent could not be updated because it has a status of {}. You may only update the \
                 amount, currency, customer and payment method of a PaymentIntent with one of the following \
                 statuses: requires_payment_method, requires_confirmation, requires_action.",
                intent.status.name()
            );
            return Err(unexpected_state(&intent, message));
        }
        let amount = patch.amount.take().unwrap_or(intent.amount);
        let currency = patch.currency.take().unwrap_or_else(|| intent.currency.clone());
        currency::check_amount(amount, &currency)?;
        intent.amount = amount;
        intent.currency = currency;
        self.apply_details(&mut intent, patch)?;
        self.save(&intent);
        Ok(self.show(&intent, expand))
    }

    fn apply_details(&mut self, intent: &mut Intent, patch: IntentPatch) -> Result<(), ApiError> {
        if let Some(customer) = patch.customer {
            self.customer(&customer, "customer")?;
            intent.customer = Some(customer);
        }
        if let Some(method) = patch.payment_method {
            self.choose_method(intent, &method)?;
        }
        let fields = [
            (&mut intent.description, patch.description),
            (&mut intent.receipt_email, patch.receipt_email),
            (&mut intent.statement_descriptor, patch.statement_descriptor),
            (&mut intent.statement_descriptor_suffix, patch.statement_descriptor_suffix),
            (&mut intent.transfer_group, patch.transfer_group),
        ];
        for (field, change) in fields {
            if let Some(text) = change {
                *field = unless_empty(text);
            }
        }
        intent.setup_future_usage = patch.setup_future_usage.or(intent.setup_future_usage);
        intent.payment_method_options = patch.payment_method_options.or(intent.payment_method_options.take());
        intent.shipping = patch.shipping.or(intent.shipping.take());
        match patch.metadata {
            Some(metadata) => metadata.apply(&mut intent.metadata),
            None => Ok(()),
        }
    }

    /// An empty name takes the payment method away again.
    pub(super) fn choose_method(&mut self, intent: &mut Intent, name: &str) -> Result<(), ApiError> {
        intent.next_action = None;
        intent.is_authenticated = false;
        if name.is_empty() {
            intent.payment_method = None;
            intent.status = Status::RequiresPaymentMethod;
            return Ok(());
        }
        let method = self.method(name, intent.customer.as_deref())?;
        let kind = method.test.kind();
        let is_allowed =
            intent.automatic_methods.is_some() || intent.payment_method_types.iter().any(|allowed| allowed == kind);
        if !is_allowed {
            let message = format!("The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent.");
            let code = "payment_intent_incompatible_payment_method";
            return Err(ApiError::invalid(code, message).param("payment_method"));
        }
        intent.payment_method = Some(method.id);
        intent.status = Status::RequiresConfirmation;
        Ok(())
    }

    pub(super) fn cancel_intent(
        &mut self,
        id: &str,
        reason: Option<&'static str>,
        expand: Expand,
    ) -> Result<Answer, ApiError> {
        let intent = self.intent(id)?;
        match intent.status {
            Status::RequiresPaymentMethod
            | Status::RequiresConfirmation
            | Status::RequiresAction
            | Status::RequiresCapture => {}
            // "Processing" can be canceled "in rare cases" only: never here.
            Status::Processing | Status::Succeeded | Status::Canceled => {
                let message = format!(
                    "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent with \
                     one of the following statuses may be canceled: requires_payment_method, requires_capture, \
                     requires_confirmation, requires_action, processing.",
                    intent.status.name()
                );
                return Err(unexpected_state(&intent, message));
            }
        }
        let intent = self.cancel(intent, reason);
        Ok(self.show(&intent, expand))
    }

    /// Ends an intent for good; what was only authorised is released.
    pub(super) fn cancel(&mut self, mut intent: Intent, reason: Option<&'static str>) -> Intent {
        if intent.status == Status::RequiresCapture
            && let Some(charge) = intent.latest_charge.as_deref().and_then(|id| self.books.charges.get_mut(id))
        {
            charge.amount_released = charge.amount;
        }
        intent.status = Status::Canceled;
        intent.amount_capturable = 0;
        intent.next_action = None;
        intent.canceled_at = Some(self.now);
        intent.cancellation_reason = reason;
        self.save(&intent);
        self.emit_intent("payment_intent.canceled", &intent);
        intent
    }

    pub(super) fn capture_intent(&mut self, id: &str, amount: Option<i64>, expand: Expand) -> Result<Answer, ApiError> {
        let mut intent = self.intent(id)?;
        if intent.status != Status::RequiresCapture {
            let message = format!(
                "This PaymentIntent could not be captured because it has a status of {}. Only a PaymentIntent with \
                 one of the following statuses may be captured: requires_capture.",
                intent.status.name()
            );
            return Err(unexpected_state(&intent, message));
        }
        let amount = amount.unwrap_or(intent.amount_capturable);
        if amount < 1 || amount > intent.amount_capturable {
            let message = format!(
                "The amount_to_capture must be between 1 and the capturable amount of {}.",
                intent.amount_capturable
            );
            return Err(ApiError::invalid("amount_too_large", message).param("amount_to_capture").intent(intent.raw()));
        }
        intent.status = Status::Succeeded;
        intent.amount_capturable = 0;
        intent.amount_received = amount;
        self.save(&intent);
        let charge = self.capture_charge(&intent, amount);
        self.emit_intent("payment_intent.succeeded", &intent);
        if let Some(charge) = charge {
            self.face_aftermath(&charge.id, charge.aftermath);
        }
        Ok(self.show(&intent, expand))
    }

    fn capture_charge(&mut self, intent: &Intent, amount: i64) -> Option<Charge> {
        let mut charge = intent.latest_charge.as_deref().and_then(|id| self.books.charges.get(id)).cloned()?;
        charge.is_captured = true;
        charge.amount_captured = amount;
        charge.amount_released = charge.amount - amount;
        self.credit(&mut charge);
        self.save_charge(&charge);
        self.emit("charge.captured", &charge);
        Some(charge)
    }

    /// A copy to work on; `save` puts it back.
    pub(super) fn intent(&self, id: &str) -> Result<Intent, ApiError> {
        let found = self.books.intents.get(id).cloned();
        found.ok_or_else(|| ApiError::missing("payment_intent", id, "intent"))
    }

    pub(super) fn save(&mut self, intent: &Intent) {
        let Some(place) = self.books.intents.place(&intent.id) else {
            return;
        };
        let Some(row) = self.books.intents.get_mut(&intent.id) else {
            return;
        };
        let before = std::mem::replace(row, intent.clone());
        if before.customer != intent.customer {
            if let Some(customer) = &before.customer {
                self.books.intents_by_customer.remove(customer, place);
            }
            if let Some(customer) = &intent.customer {
                self.books.intents_by_customer.add(customer, place);
            }
        }
    }

    pub(super) fn emit_intent(&mut self, kind: &'static str, intent: &Intent) {
        self.emit(kind, &IntentView { intent, latest_charge: None });
    }

    pub(super) fn show(&self, intent: &Intent, expand: Expand) -> Answer {
        Answer::ok(&view(self.books, intent, expand))
    }
}

pub(super) fn unexpected_state(intent: &Intent, message: impl Into<Box<str>>) -> ApiError {
    ApiError::invalid("payment_intent_unexpected_state", message).intent(intent.raw())
}
