//! Owns: the refund's members and JSON. Does not own: its transitions (`execution::refunds`).

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

use super::nulls;

/// The states of Stripe's machine. Nothing here ever starts in `requires_action`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
    Canceled,
}

impl RefundStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// The money has left, or is to leave, the balance, where there is any.
    fn holds_money(self) -> bool {
        matches!(self, Self::Pending | Self::Succeeded)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) status: RefundStatus,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) payment_intent: Option<String>,
    pub(crate) payment_method_kind: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// `None` where no money moved; see [`Refund::is_release`].
    pub(crate) balance_transaction: Option<String>,
    /// What gave the money back after a failure.
    pub(crate) failure_balance_transaction: Option<String>,
    pub(crate) failure_reason: Option<&'static str>,
}

impl Refund {
    /// It gave up an authorisation instead of money.
    pub(crate) fn is_release(&self) -> bool {
        self.balance_transaction.is_none()
    }

    /// Money has left, or is to leave, the balance because of it.
    pub(crate) fn holds_money(&self) -> bool {
        !self.is_release() && self.status.holds_money()
    }
}

const NULLS: [&str; 3] = ["receipt_number", "source_transfer_reversal", "transfer_reversal"];

impl Serialize for Refund {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "refund")?;
        map.serialize_entry("amount", &self.amount)?;
        map.serialize_entry("balance_transaction", &self.balance_transaction)?;
        map.serialize_entry("charge", &self.charge)?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("currency", &self.currency)?;
        let kind = self.payment_method_kind;
        let details =
            if kind == "card" { json!({"type": kind, kind: {"type": "refund"}}) } else { json!({"type": kind}) };
        map.serialize_entry("destination_details", &details)?;
        if let Some(transaction) = &self.failure_balance_transaction {
            map.serialize_entry("failure_balance_transaction", transaction)?;
        }
        if let Some(reason) = self.failure_reason {
            map.serialize_entry("failure_reason", reason)?;
        }
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("payment_intent", &self.payment_intent)?;
        if self.status == RefundStatus::Pending {
            map.serialize_entry("pending_reason", "processing")?;
        }
        map.serialize_entry("reason", &self.reason)?;
        map.serialize_entry("status", self.status.name())?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}
