//! Owns: the dispute's members and JSON. Does not own: its transitions (`execution::disputes`).

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::Transaction;
use crate::dialect::card::Quarrel;

/// The states of Stripe's machine, without `prevented`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DisputeStatus {
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl DisputeStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// An inquiry moves no money and does not forbid a refund.
    pub(crate) fn is_warning(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) status: DisputeStatus,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) payment_intent: Option<String>,
    pub(crate) quarrel: Quarrel,
    pub(crate) brand: &'static str,
    pub(crate) evidence: BTreeMap<String, String>,
    pub(crate) submissions: u32,
    pub(crate) due_by: i64,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Withdrawn, and perhaps reinstated: zero, one or two.
    pub(crate) transactions: Vec<Transaction>,
}

/// The members of `evidence` that Stripe takes, as in stripe-python 15.3.1; each is a text here.
pub(crate) const EVIDENCE: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

impl Dispute {
    fn evidence(&self) -> serde_json::Value {
        let mut evidence = serde_json::Map::new();
        for name in EVIDENCE {
            evidence.insert(name.to_owned(), json!(self.evidence.get(name)));
        }
        evidence.insert("enhanced_evidence".to_owned(), json!({}));
        evidence.into()
    }

    fn method_details(&self) -> serde_json::Value {
        let case_type = if self.status.is_warning() { "inquiry" } else { "chargeback" };
        json!({"type": "card", "card": {
            "brand": self.brand, "case_type": case_type, "network": self.brand,
            "network_reason_code": self.quarrel.network_code(),
        }})
    }
}

impl Serialize for Dispute {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "dispute")?;
        map.serialize_entry("amount", &self.amount)?;
        map.serialize_entry("balance_transactions", &self.transactions)?;
        map.serialize_entry("charge", &self.charge)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("currency", &self.currency)?;
        map.serialize_entry("enhanced_eligibility_types", &json!([]))?;
        map.serialize_entry("evidence", &self.evidence())?;
        let details = json!({
            "due_by": self.due_by, "enhanced_eligibility": {}, "has_evidence": !self.evidence.is_empty(),
            "past_due": false, "submission_count": self.submissions,
        });
        map.serialize_entry("evidence_details", &details)?;
        map.serialize_entry("is_charge_refundable", &self.status.is_warning())?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("payment_intent", &self.payment_intent)?;
        map.serialize_entry("payment_method_details", &self.method_details())?;
        map.serialize_entry("reason", self.quarrel.reason())?;
        map.serialize_entry("status", self.status.name())?;
        map.end()
    }
}
