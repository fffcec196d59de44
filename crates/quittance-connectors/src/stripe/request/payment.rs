//! The requests that make objects: payment intents, charges, refunds.

use std::collections::BTreeMap;

use quittance_core::fact::ObjectKind;
use quittance_core::id::EffectId;
use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;

use super::{Form, not_for, parameter, path, wire_amount};
use crate::connector::{PaymentParameters, RefundParameters, Unsayable};
use crate::message::Request;
use crate::stripe::Stripe;

/// Metadata key of the effect: ours, so a caller's value under it is not sent.
const EFFECT_ID: &str = "effect_id";

/// Metadata key of the payment; the same.
const PAYMENT_ID: &str = "payment_id";

/// Metadata key of the client's reference, by which a payment is known whose records were lost; the same.
pub(in crate::stripe) const PAYMENT_REFERENCE: &str = "payment_reference";

/// All metadata of payments that is ours, with that by which their customer is known.
pub(in crate::stripe) const OWN_METADATA: [&str; 4] = [EFFECT_ID, PAYMENT_ID, PAYMENT_REFERENCE, "customer_id"];

impl Stripe {
    /// Builds the creation of an unconfirmed payment intent: inert until it is confirmed.
    ///
    /// The only method type is `card`: automatic method types demand a `return_url`, which is for the confirm to say.
    pub(super) fn create_intent(&self, parameters: &PaymentParameters<'_>) -> Result<Request, Unsayable> {
        let mut form = amount_form(parameters.money)?;
        form.add("payment_method_types[]", "card");
        form.add("capture_method", parameters.capture_method.name());
        form.add("payment_method", parameters.payment_method);
        Ok(self.payment(ObjectKind::Payment, form, parameters))
    }

    /// Builds a charge, which takes or holds the money at once.
    ///
    /// Whatever token is given travels as `source`.
    pub(super) fn create_charge(&self, parameters: &PaymentParameters<'_>) -> Result<Request, Unsayable> {
        let mut form = amount_form(parameters.money)?;
        form.add("source", parameters.payment_method);
        match parameters.capture_method {
            CaptureMethod::Automatic => {}
            CaptureMethod::Manual => form.add("capture", "false"),
        }
        Ok(self.payment(ObjectKind::Charge, form, parameters))
    }

    fn payment(&self, kind: ObjectKind, mut form: Form, parameters: &PaymentParameters<'_>) -> Request {
        form.add_some("customer", parameters.customer);
        form.add_some("description", parameters.description);
        add_effect(&mut form, parameters.effect_id);
        form.add_metadata(PAYMENT_ID, &parameters.payment_id.to_string());
        form.add_metadata(PAYMENT_REFERENCE, parameters.payment_reference);
        add_metadata(&mut form, parameters.metadata, &[EFFECT_ID, PAYMENT_ID, PAYMENT_REFERENCE]);
        self.post(path(kind).to_owned(), form)
    }

    /// Builds a refund of an intent or of a charge.
    pub(super) fn refund(&self, parameters: &RefundParameters<'_>) -> Result<Request, Unsayable> {
        let (kind, object_id) = parameters.object;
        let mut form = Form::default();
        form.add(parameter(kind).ok_or_else(|| not_for(kind, "refunded"))?, object_id);
        form.add("amount", &wire_amount(parameters.money)?);
        form.add_some("reason", parameters.reason);
        add_effect(&mut form, parameters.effect_id);
        add_metadata(&mut form, parameters.metadata, &[EFFECT_ID]);
        Ok(self.post(path(ObjectKind::Refund).to_owned(), form))
    }
}

fn amount_form(money: Money) -> Result<Form, Unsayable> {
    let mut form = Form::default();
    form.add("amount", &wire_amount(money)?);
    form.add("currency", &money.currency.code().to_ascii_lowercase());
    Ok(form)
}

fn add_effect(form: &mut Form, effect_id: EffectId) {
    form.add_metadata(EFFECT_ID, &effect_id.to_string());
}

fn add_metadata(form: &mut Form, metadata: &BTreeMap<String, String>, ours: &[&str]) {
    for (key, value) in metadata {
        if !ours.contains(&key.as_str()) {
            form.add_metadata(key, value);
        }
    }
}
