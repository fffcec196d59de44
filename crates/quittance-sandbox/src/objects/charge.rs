//! Owns: the charge's members and JSON. Does not own: when money moves.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::{empty_list, nulls};
use crate::dialect::card::{Aftermath, Brand, Decline};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChargeStatus {
    Pending,
    Succeeded,
    Failed,
}

#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) status: ChargeStatus,
    pub(crate) amount: i64,
    pub(crate) amount_captured: i64,
    /// What refunds that did not fail give back.
    pub(crate) amount_refunded: i64,
    /// What was authorised and is not captured any more: canceled, or the rest of a partial capture; Stripe shows it as
    /// refunded.
    pub(crate) amount_released: i64,
    pub(crate) currency: String,
    pub(crate) is_captured: bool,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) failure: Option<Decline>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// `None` for a charge made without a payment intent.
    pub(crate) payment_intent: Option<String>,
    pub(crate) payment_method: String,
    pub(crate) payment_method_kind: &'static str,
    pub(crate) brand: Brand,
    /// What follows the charge without anybody's doing; not part of the JSON.
    pub(crate) aftermath: Aftermath,
    pub(crate) balance_transaction: Option<String>,
    pub(crate) is_disputed: bool,
}

impl Charge {
    /// Money was taken or is held: what may exist at most once for each intent.
    pub(crate) fn has_succeeded(&self) -> bool {
        self.status == ChargeStatus::Succeeded
    }

    /// What can still be refunded.
    pub(crate) fn amount_refundable(&self) -> i64 {
        self.amount_captured - self.amount_refunded
    }

    fn is_refunded(&self) -> bool {
        let is_returned = self.amount_captured > 0 && self.amount_refundable() == 0;
        is_returned || self.amount_released == self.amount
    }

    /// The old card object, on charges made from a token.
    fn source(&self) -> Option<serde_json::Value> {
        self.payment_intent.is_none().then(|| {
            json!({
                "id": self.payment_method, "object": "card", "brand": self.brand.name, "country": "US",
                "customer": self.customer, "exp_month": 12, "exp_year": 2034, "funding": self.brand.funding,
                "last4": self.brand.last4, "metadata": {},
            })
        })
    }

    fn outcome(&self) -> serde_json::Value {
        match (self.status, self.failure) {
            (ChargeStatus::Failed, Some(failure)) => json!({
                "advice_code": null, "network_advice_code": null, "network_decline_code": null,
                "network_status": "declined_by_network", "reason": failure.decline_code,
                "risk_level": "normal", "seller_message": "The bank did not return any further details with this decline.",
                "type": "issuer_declined",
            }),
            _ => json!({
                "advice_code": null, "network_advice_code": null, "network_decline_code": null,
                "network_status": "approved_by_network", "reason": null, "risk_level": "normal",
                "seller_message": "Payment complete.", "type": "authorized",
            }),
        }
    }

    fn method_details(&self) -> serde_json::Value {
        if self.payment_method_kind == "us_bank_account" {
            return json!({"type": "us_bank_account", "us_bank_account": {
                "account_holder_type": "individual", "account_type": "checking",
                "bank_name": "STRIPE TEST BANK", "last4": self.brand.last4,
                "routing_number": "110000000",
            }});
        }
        json!({"type": "card", "card": {
            "amount_authorized": self.amount, "brand": self.brand.name,
            "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass"},
            "country": "US", "exp_month": 12, "exp_year": 2034, "funding": self.brand.funding,
            "installments": null, "last4": self.brand.last4, "mandate": null,
            "network": self.brand.name, "three_d_secure": null, "wallet": null,
        }})
    }
}

const NULLS: [&str; 12] = [
    "application",
    "application_fee",
    "application_fee_amount",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_number",
    "receipt_url",
    "review",
    "shipping",
    "source_transfer",
    "transfer_data",
    "transfer_group",
];

impl Serialize for Charge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "charge")?;
        map.serialize_entry("livemode", &false)?;
        self.money(&mut map)?;
        self.links(&mut map)?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}

impl Charge {
    fn money<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("amount", &self.amount)?;
        map.serialize_entry("amount_captured", &self.amount_captured)?;
        map.serialize_entry("amount_refunded", &(self.amount_refunded + self.amount_released))?;
        map.serialize_entry("balance_transaction", &self.balance_transaction)?;
        map.serialize_entry("captured", &self.is_captured)?;
        map.serialize_entry("currency", &self.currency)?;
        map.serialize_entry("disputed", &self.is_disputed)?;
        map.serialize_entry("failure_code", &self.failure.map(|failure| failure.code))?;
        map.serialize_entry("failure_message", &self.failure.map(|failure| failure.message))?;
        map.serialize_entry("outcome", &self.outcome())?;
        map.serialize_entry("paid", &self.has_succeeded())?;
        map.serialize_entry("refunded", &self.is_refunded())?;
        let status = match self.status {
            ChargeStatus::Pending => "pending",
            ChargeStatus::Succeeded => "succeeded",
            ChargeStatus::Failed => "failed",
        };
        map.serialize_entry("status", status)
    }

    fn links<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("billing_details", &super::payment_method::billing_details())?;
        map.serialize_entry("calculated_statement_descriptor", &self.statement_descriptor)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("customer", &self.customer)?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("fraud_details", &json!({}))?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("payment_intent", &self.payment_intent)?;
        map.serialize_entry("payment_method", &self.payment_method)?;
        map.serialize_entry("payment_method_details", &self.method_details())?;
        map.serialize_entry("receipt_email", &self.receipt_email)?;
        map.serialize_entry("refunds", &empty_list(&format!("/v1/charges/{}/refunds", self.id)))?;
        map.serialize_entry("source", &self.source())?;
        map.serialize_entry("statement_descriptor", &self.statement_descriptor)?;
        map.serialize_entry("statement_descriptor_suffix", &())
    }
}
