//! Owns: the payout's members and JSON. Does not own: its transitions (`execution::payouts`).

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::nulls;

/// The states of Stripe's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PayoutStatus {
    Pending,
    InTransit,
    Paid,
    Failed,
    Canceled,
}

impl PayoutStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InTransit => "in_transit",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Payout {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) status: PayoutStatus,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Made by the gateway's own schedule: then its transactions can be listed.
    pub(crate) is_automatic: bool,
    pub(crate) balance_transaction: String,
    pub(crate) failure_balance_transaction: Option<String>,
}

const NULLS: [&str; 5] =
    ["application_fee", "application_fee_amount", "original_payout", "payout_method", "reversed_by"];

impl Payout {
    fn reconciliation_status(&self) -> &'static str {
        match (self.is_automatic, self.status) {
            (false, _) => "not_applicable",
            (true, PayoutStatus::Paid) => "completed",
            (true, _) => "in_progress",
        }
    }
}

impl Serialize for Payout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_failed = self.status == PayoutStatus::Failed;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "payout")?;
        map.serialize_entry("amount", &self.amount)?;
        map.serialize_entry("arrival_date", &self.created)?;
        map.serialize_entry("automatic", &self.is_automatic)?;
        map.serialize_entry("balance_transaction", &self.balance_transaction)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("currency", &self.currency)?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("destination", "ba_1SandboxAccount")?;
        map.serialize_entry("failure_balance_transaction", &self.failure_balance_transaction)?;
        map.serialize_entry("failure_code", &is_failed.then_some("account_closed"))?;
        map.serialize_entry("failure_message", &is_failed.then_some("The bank account has been closed."))?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("method", "standard")?;
        map.serialize_entry("reconciliation_status", self.reconciliation_status())?;
        map.serialize_entry("source_type", "card")?;
        map.serialize_entry("statement_descriptor", &self.statement_descriptor)?;
        map.serialize_entry("status", self.status.name())?;
        map.serialize_entry("trace_id", &json!({"status": "unsupported", "value": null}))?;
        map.serialize_entry("type", "bank_account")?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}
