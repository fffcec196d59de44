//! The requests that a charge needs: create, confirm, cancel, read, list.
//!
//! Deterministic: the same parameters give the same bytes. None carries an idempotency key; the caller adds it to
//! the writes ([`Request::with_key`]).

use std::collections::BTreeMap;

use quittance_core::currency::{WireError, stripe_rule, to_wire};
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::money::Money;

use super::Stripe;
use super::form::{Form, encoded};
use crate::message::{Method, Request};

/// Most objects that Stripe returns on one page of a list.
pub const PAGE_LIMIT_MAX: u32 = 100;

/// Metadata keys that are ours; a caller's values under them are not sent.
const RESERVED_METADATA: [&str; 2] = ["effect_id", "payment_id"];

const INTENTS: &str = "/v1/payment_intents";

/// What a new payment intent is to be.
///
/// Capture is always automatic, and the only method type is `card`: automatic method types demand a `return_url`.
#[derive(Clone, Copy, Debug)]
pub struct IntentParameters<'a> {
    /// The effect that wants it; travels in the metadata and comes back with every sighting.
    pub effect_id: EffectId,
    /// The payment it is for; travels in the metadata.
    pub payment_id: PaymentId,
    /// What to charge, in our minor units; above 0.
    pub money: Money,
    /// The method to attach (`pm_…`).
    pub payment_method: &'a str,
    /// Stripe's id of the customer (`cus_…`), if known.
    pub customer: Option<&'a str>,
    /// Free text for Stripe's dashboard; only sent when given, since some test peers refuse the parameter.
    pub description: Option<&'a str>,
    /// The client's metadata. Entries called `effect_id` or `payment_id` are left out: those names are ours.
    pub metadata: &'a BTreeMap<String, String>,
}

/// Which payment intents to list, newest first.
///
/// An empty filter is not sent: a peer may refuse parameters it does not know.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListParameters<'a> {
    /// Only those of this customer (`cus_…`).
    pub customer: Option<&'a str>,
    /// Only those created at or after this time, in seconds since the epoch.
    pub created_gte: Option<i64>,
    /// Only those created at or before this time, in seconds since the epoch.
    pub created_lte: Option<i64>,
    /// The `last_id` of the page before; none for the first page.
    pub starting_after: Option<&'a str>,
    /// Objects on a page, 1 to [`PAGE_LIMIT_MAX`]; a value outside is brought inside.
    pub limit: u32,
}

impl Stripe {
    /// Builds the creation of an unconfirmed payment intent: inert until it is confirmed.
    ///
    /// # Errors
    /// [`WireError`] when the amount cannot be written in Stripe's units of the currency.
    pub fn create_intent(&self, parameters: &IntentParameters<'_>) -> Result<Request, WireError> {
        let money = parameters.money;
        let amount = to_wire(money, stripe_rule(money.currency))?;
        let mut form = Form::default();
        form.add("amount", &amount.to_string());
        form.add("currency", &money.currency.code().to_ascii_lowercase());
        form.add("payment_method_types[]", "card");
        form.add("capture_method", "automatic");
        form.add("payment_method", parameters.payment_method);
        form.add_some("customer", parameters.customer);
        form.add_some("description", parameters.description);
        form.add_metadata("effect_id", &parameters.effect_id.to_string());
        form.add_metadata("payment_id", &parameters.payment_id.to_string());
        for (key, value) in parameters.metadata {
            if !RESERVED_METADATA.contains(&key.as_str()) {
                form.add_metadata(key, value);
            }
        }
        Ok(self.post(INTENTS.to_owned(), form))
    }

    /// Builds the confirmation of a payment intent: the step that may move money.
    ///
    /// The method is only sent when given, to try another one than the one attached; without it the body is empty,
    /// since a test peer fails on any parameter here.
    #[must_use]
    pub fn confirm_intent(&self, object_id: &str, payment_method: Option<&str>) -> Request {
        let mut form = Form::default();
        form.add_some("payment_method", payment_method);
        self.post(format!("{INTENTS}/{}/confirm", encoded(object_id)), form)
    }

    /// Builds the cancelation of a payment intent: the fence after which it can never charge. Has no parameters.
    #[must_use]
    pub fn cancel_intent(&self, object_id: &str) -> Request {
        self.post(format!("{INTENTS}/{}/cancel", encoded(object_id)), Form::default())
    }

    /// Builds the reading of one payment intent by its id.
    #[must_use]
    pub fn read_intent(&self, object_id: &str) -> Request {
        self.get(format!("{INTENTS}/{}", encoded(object_id)))
    }

    /// Builds the reading of one page of payment intents.
    #[must_use]
    pub fn list_intents(&self, parameters: &ListParameters<'_>) -> Request {
        let mut query = Form::default();
        query.add("limit", &parameters.limit.clamp(1, PAGE_LIMIT_MAX).to_string());
        query.add_some("customer", parameters.customer);
        // Brackets have no place in a query (RFC 3986, section 3.4).
        query.add_some("created%5Bgte%5D", seconds(parameters.created_gte).as_deref());
        query.add_some("created%5Blte%5D", seconds(parameters.created_lte).as_deref());
        query.add_some("starting_after", parameters.starting_after);
        self.get(format!("{INTENTS}?{}", query.into_text()))
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

fn seconds(time: Option<i64>) -> Option<String> {
    time.map(|seconds| seconds.to_string())
}
