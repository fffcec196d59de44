//! Owns: the payment intent's members and JSON. Does not own: its transitions
//! (`execution::intents`).

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;
use serde_json::value::RawValue;

use super::{Charge, nulls};
use crate::answer::to_raw;
use crate::dialect::Node;

/// The states of Stripe's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) client_secret: String,
    pub(crate) created: i64,
    pub(crate) status: Status,
    pub(crate) amount: i64,
    pub(crate) amount_capturable: i64,
    pub(crate) amount_received: i64,
    pub(crate) currency: String,
    pub(crate) capture_method: &'static str,
    pub(crate) confirmation_method: &'static str,
    /// `always` or `never` (redirects) when Stripe chooses the payment methods.
    pub(crate) automatic_methods: Option<&'static str>,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) payment_method_options: Option<Node>,
    pub(crate) payment_method: Option<String>,
    pub(crate) customer: Option<String>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) last_payment_error: Option<Box<RawValue>>,
    pub(crate) next_action: Option<serde_json::Value>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) cancellation_reason: Option<&'static str>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) transfer_group: Option<String>,
    pub(crate) setup_future_usage: Option<&'static str>,
    pub(crate) shipping: Option<Node>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Where the customer returns to; not part of the JSON.
    pub(crate) return_url: Option<String>,
    /// How often it was confirmed; not part of the JSON.
    pub(crate) confirmations: u32,
    /// With manual confirmation: the customer has authenticated, the next confirm charges.
    pub(crate) is_authenticated: bool,
}

impl Intent {
    pub(crate) fn raw(&self) -> Box<RawValue> {
        to_raw(&IntentView { intent: self, latest_charge: None })
    }
}

/// An intent as JSON, with its charge inside when that was asked for.
pub(crate) struct IntentView<'a> {
    pub(crate) intent: &'a Intent,
    pub(crate) latest_charge: Option<&'a Charge>,
}

const NULLS: [&str; 10] = [
    "application",
    "application_fee_amount",
    "customer_account",
    "excluded_payment_method_types",
    "on_behalf_of",
    "payment_method_configuration_details",
    "processing",
    "review",
    "source",
    "transfer_data",
];

impl Serialize for IntentView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let intent = self.intent;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &intent.id)?;
        map.serialize_entry("object", "payment_intent")?;
        map.serialize_entry("livemode", &false)?;
        self.amounts(&mut map)?;
        self.methods(&mut map)?;
        self.outcome(&mut map)?;
        self.details(&mut map)?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}

impl IntentView<'_> {
    fn amounts<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let intent = self.intent;
        map.serialize_entry("amount", &intent.amount)?;
        map.serialize_entry("amount_capturable", &intent.amount_capturable)?;
        map.serialize_entry("amount_details", &json!({"tip": {}}))?;
        map.serialize_entry("amount_received", &intent.amount_received)?;
        map.serialize_entry("currency", &intent.currency)
    }

    fn methods<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let intent = self.intent;
        let automatic =
            intent.automatic_methods.map(|redirects| json!({"enabled": true, "allow_redirects": redirects}));
        map.serialize_entry("automatic_payment_methods", &automatic)?;
        map.serialize_entry("capture_method", intent.capture_method)?;
        map.serialize_entry("confirmation_method", intent.confirmation_method)?;
        map.serialize_entry("payment_method", &intent.payment_method)?;
        match &intent.payment_method_options {
            Some(options) => map.serialize_entry("payment_method_options", options)?,
            None => map.serialize_entry("payment_method_options", &json!({}))?,
        }
        map.serialize_entry("payment_method_types", &intent.payment_method_types)?;
        map.serialize_entry("setup_future_usage", &intent.setup_future_usage)
    }

    fn outcome<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let intent = self.intent;
        map.serialize_entry("status", intent.status.name())?;
        map.serialize_entry("canceled_at", &intent.canceled_at)?;
        map.serialize_entry("cancellation_reason", &intent.cancellation_reason)?;
        map.serialize_entry("last_payment_error", &intent.last_payment_error)?;
        match self.latest_charge {
            Some(charge) => map.serialize_entry("latest_charge", charge)?,
            None => map.serialize_entry("latest_charge", &intent.latest_charge)?,
        }
        map.serialize_entry("next_action", &intent.next_action)
    }

    fn details<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let intent = self.intent;
        map.serialize_entry("client_secret", &intent.client_secret)?;
        map.serialize_entry("created", &intent.created)?;
        map.serialize_entry("customer", &intent.customer)?;
        map.serialize_entry("description", &intent.description)?;
        map.serialize_entry("metadata", &intent.metadata)?;
        map.serialize_entry("receipt_email", &intent.receipt_email)?;
        map.serialize_entry("shipping", &intent.shipping)?;
        map.serialize_entry("statement_descriptor", &intent.statement_descriptor)?;
        map.serialize_entry("statement_descriptor_suffix", &intent.statement_descriptor_suffix)?;
        map.serialize_entry("transfer_group", &intent.transfer_group)
    }
}
