//! The requests, by what is asked for.
//!
//! Deterministic: the same parameters give the same bytes. None carries an idempotency key; the caller adds it to
//! the writes ([`Request::with_key`]). Only what is given is sent, since a peer may refuse parameters it does not know.

use quittance_core::currency::{stripe_rule, to_wire};
use quittance_core::fact::ObjectKind;
use quittance_core::money::Money;

use super::{Flow, Stripe};
use crate::connector::{Ask, Unsayable};
use crate::form::{Form, encoded};
use crate::message::{Method, Request};

mod evidence;
mod known_object;
mod payment;
mod reading;

pub(super) use evidence::EVIDENCE_NAMES;
pub(super) use payment::{OWN_METADATA, PAYMENT_REFERENCE};

/// Where objects of a kind are found.
const fn path(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Payment => "/v1/payment_intents",
        ObjectKind::Charge => "/v1/charges",
        ObjectKind::Refund => "/v1/refunds",
        ObjectKind::Dispute => "/v1/disputes",
    }
}

/// Where one object is found, or what is done to it.
fn object_path(kind: ObjectKind, object_id: &str, action: &str) -> String {
    format!("{}/{}{action}", path(kind), encoded(object_id))
}

/// The parameter by which a request names a payment.
const fn parameter(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::Payment => Some("payment_intent"),
        ObjectKind::Charge => Some("charge"),
        ObjectKind::Refund | ObjectKind::Dispute => None,
    }
}

/// An amount as Stripe writes it.
pub(super) fn wire_amount(money: Money) -> Result<String, Unsayable> {
    let amount = to_wire(money, stripe_rule(money.currency));
    amount.map(|wire| wire.to_string()).map_err(|error| Unsayable(format!("{money}: {error}")))
}

/// What is asked of an object that Stripe has no such request for.
fn not_for(kind: ObjectKind, what: &str) -> Unsayable {
    Unsayable(format!("a {} cannot be {what}", kind.name()))
}

impl Stripe {
    pub(super) fn write_request(&self, ask: &Ask<'_>) -> Result<Request, Unsayable> {
        match ask {
            Ask::Payment(parameters) => match self.flow {
                Flow::PaymentIntents => self.create_intent(parameters),
                Flow::Charges => self.create_charge(parameters),
            },
            Ask::Confirm { object_id, payment_method, return_url } => {
                Ok(self.confirm_intent(object_id, *payment_method, *return_url))
            }
            Ask::Capture { object, money, is_whole } => self.capture(*object, (!is_whole).then_some(*money)),
            Ask::Cancel { object } => self.cancel(*object),
            Ask::Refund(parameters) => self.refund(parameters),
            Ask::Evidence { object_id, evidence } => Ok(self.submit_evidence(object_id, evidence)),
        }
    }

    fn get(&self, target: String) -> Request {
        self.request(Method::Get, target, Vec::new())
    }

    fn post(&self, target: String, form: Form) -> Request {
        self.request(Method::Post, target, form.into_text().into_bytes())
    }

    fn request(&self, method: Method, target: String, body: Vec<u8>) -> Request {
        Request { method, target, body, idempotency_key: None, api_version: self.api_version.to_owned() }
    }
}
