//! Owns: charges made without a payment intent, as before 2019, and finding any charge. Does not own: the charges of
//! payment intents (`charging`).

use super::charging::card_error;
use super::{Execution, unless_empty};
use crate::answer::{Answer, ApiError};
use crate::dialect::card::{self, AUTHENTICATION_REQUIRED, Behaviour, Decline};
use crate::dialect::money_params::ChargeDraft;
use crate::objects::{Charge, ChargeStatus, PaymentMethod};

impl Execution<'_> {
    pub(super) fn create_charge(&mut self, draft: ChargeDraft) -> Result<Answer, ApiError> {
        let method = self.charge_source(draft.source.as_deref(), draft.customer.as_deref())?;
        let mut charge = self.blank_charge("ch_1", (draft.amount, &draft.currency), &method);
        if let Some(patch) = draft.metadata {
            patch.apply(&mut charge.metadata)?;
        }
        charge.customer = draft.customer;
        charge.description = draft.description.and_then(unless_empty);
        charge.receipt_email = draft.receipt_email.and_then(unless_empty);
        charge.statement_descriptor = draft.statement_descriptor.and_then(unless_empty);
        match method.test.behaviour {
            Behaviour::Succeeds if draft.captures => Ok(self.take(charge)),
            Behaviour::Succeeds => Ok(self.hold(charge)),
            Behaviour::Declines(decline) => Err(self.refuse(charge, decline)),
            // There is nobody to ask: this flow is older than authentication.
            Behaviour::NeedsAuthentication => Err(self.refuse(charge, AUTHENTICATION_REQUIRED)),
            Behaviour::Processes => Err(ApiError::bad_request("Bank accounts are charged by payment intents only.")),
        }
    }

    fn hold(&mut self, mut charge: Charge) -> Answer {
        charge.status = ChargeStatus::Succeeded;
        self.emit("charge.succeeded", &charge);
        let answer = Answer::ok(&charge);
        self.add_charge(charge);
        answer
    }

    fn take(&mut self, mut charge: Charge) -> Answer {
        charge.status = ChargeStatus::Succeeded;
        charge.is_captured = true;
        charge.amount_captured = charge.amount;
        self.credit(&mut charge);
        self.emit("charge.succeeded", &charge);
        self.add_charge(charge.clone());
        self.face_aftermath(&charge.id, charge.aftermath);
        self.show_charge(&charge)
    }

    fn refuse(&mut self, mut charge: Charge, decline: Decline) -> ApiError {
        charge.status = ChargeStatus::Failed;
        charge.failure = Some(decline);
        let mut error = card_error(decline);
        error.charge = Some(charge.id.as_str().into());
        self.emit("charge.failed", &charge);
        self.add_charge(charge);
        error
    }

    /// A token becomes a card; a customer pays with what was attached last.
    fn charge_source(&mut self, source: Option<&str>, customer: Option<&str>) -> Result<PaymentMethod, ApiError> {
        if let Some(customer) = customer {
            self.customer(customer, "customer")?;
        }
        if let Some(test) = source.and_then(card::test_token) {
            let customer = customer.map(str::to_owned);
            let method = PaymentMethod { id: self.mint.id("card_1"), created: self.now, customer, test };
            self.books.methods.add(method.clone());
            return Ok(method);
        }
        if let Some(source) = source {
            let known = self.books.methods.get(source).filter(|known| known.customer.as_deref() == customer);
            return known.cloned().ok_or_else(|| ApiError::missing("token", source, "source"));
        }
        let attached = customer.map_or(&[][..], |customer| self.books.methods_by_customer.find(customer));
        let last = attached.last().and_then(|place| self.books.methods.at(*place));
        last.cloned().ok_or_else(|| {
            ApiError::invalid("missing", "Cannot charge a customer that has no active card").param("card")
        })
    }

    pub(super) fn capture_charge_alone(&mut self, id: &str, amount: Option<i64>) -> Result<Answer, ApiError> {
        let mut charge = self.held_charge(id)?;
        let amount = amount.unwrap_or(charge.amount);
        if amount > charge.amount {
            let message = format!("You cannot capture more than the authorized {} of {id}.", charge.amount);
            return Err(ApiError::invalid("amount_too_large", message).param("amount"));
        }
        charge.is_captured = true;
        charge.amount_captured = amount;
        charge.amount_released = charge.amount - amount;
        self.credit(&mut charge);
        self.save_charge(&charge);
        self.emit("charge.captured", &charge);
        self.face_aftermath(id, charge.aftermath);
        Ok(self.show_charge(&charge))
    }

    /// Nobody captured it, as after seven days.
    pub(super) fn expire_charge(&mut self, id: &str) -> Result<Answer, ApiError> {
        let mut charge = self.held_charge(id)?;
        charge.amount_released = charge.amount;
        self.save_charge(&charge);
        self.emit("charge.expired", &charge);
        Ok(Answer::ok(&charge))
    }

    fn held_charge(&self, id: &str) -> Result<Charge, ApiError> {
        let charge = self.charge(id, "id")?;
        if charge.is_captured {
            let message = format!("Charge {id} has already been captured.");
            return Err(ApiError::invalid("charge_already_captured", message));
        }
        if charge.payment_intent.is_some() {
            let message = "A charge of a payment intent is captured by its payment intent.";
            return Err(ApiError::bad_request(message));
        }
        if !charge.has_succeeded() || charge.amount_released > 0 {
            let message = format!("Charge {id} cannot be captured: it failed or its authorization expired.");
            return Err(ApiError::invalid("charge_expired_for_capture", message));
        }
        Ok(charge)
    }

    /// A pending charge; the caller says how it ended.
    pub(super) fn blank_charge(
        &mut self,
        prefix: &str,
        (amount, currency): (i64, &str),
        method: &PaymentMethod,
    ) -> Charge {
        Charge {
            id: self.mint.id(prefix),
            created: self.now,
            status: ChargeStatus::Pending,
            amount,
            amount_captured: 0,
            amount_refunded: 0,
            amount_released: 0,
            currency: currency.to_owned(),
            is_captured: false,
            customer: None,
            description: None,
            receipt_email: None,
            statement_descriptor: None,
            failure: None,
            metadata: Default::default(),
            payment_intent: None,
            payment_method: method.id.clone(),
            payment_method_kind: method.test.kind(),
            brand: method.test.brand,
            aftermath: method.test.aftermath,
            balance_transaction: None,
            is_disputed: false,
        }
    }

    pub(super) fn add_charge(&mut self, charge: Charge) {
        let (intent, customer) = (charge.payment_intent.clone(), charge.customer.clone());
        let place = self.books.charges.add(charge);
        if let Some(intent) = intent {
            self.books.charges_by_intent.add(&intent, place);
        }
        if let Some(customer) = customer {
            self.books.charges_by_customer.add(&customer, place);
        }
    }

    /// A copy to work on; `save_charge` puts it back. `param` is what named it.
    pub(super) fn charge(&self, id: &str, param: &str) -> Result<Charge, ApiError> {
        self.books.charges.get(id).cloned().ok_or_else(|| ApiError::missing("charge", id, param))
    }

    pub(super) fn save_charge(&mut self, charge: &Charge) {
        if let Some(row) = self.books.charges.get_mut(&charge.id) {
            *row = charge.clone();
        }
    }

    /// As it is by now: a dispute may have come at once.
    fn show_charge(&self, charge: &Charge) -> Answer {
        Answer::ok(self.books.charges.get(&charge.id).unwrap_or(charge))
    }
}
