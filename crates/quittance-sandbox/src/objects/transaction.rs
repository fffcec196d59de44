//! Owns: the balance transaction's members and JSON. Does not own: when money moves.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;

/// What moved money into the balance or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Movement {
    Charge,
    Payment,
    Refund,
    PaymentRefund,
    RefundFailure,
    DisputeWithdrawal,
    DisputeReinstatement,
    Payout,
    PayoutCancel,
    PayoutFailure,
}

impl Movement {
    /// Stripe's `type`. Disputes are adjustments there; only the category tells them apart.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::PaymentRefund => "payment_refund",
            Self::RefundFailure => "refund_failure",
            Self::DisputeWithdrawal | Self::DisputeReinstatement => "adjustment",
            Self::Payout => "payout",
            Self::PayoutCancel => "payout_cancel",
            Self::PayoutFailure => "payout_failure",
        }
    }

    pub(crate) fn category(self) -> &'static str {
        match self {
            Self::Charge | Self::Payment => "charge",
            Self::Refund | Self::PaymentRefund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::DisputeWithdrawal => "dispute",
            Self::DisputeReinstatement => "dispute_reversal",
            Self::Payout => "payout",
            Self::PayoutCancel | Self::PayoutFailure => "payout_reversal",
        }
    }
}

/// One movement of the balance. It never changes, except that a payout may claim it.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) movement: Movement,
    /// Minor units; negative takes from the balance.
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) currency: String,
    pub(crate) source: String,
    pub(crate) description: Option<String>,
    /// The automatic payout that paid it out; not part of the JSON.
    pub(crate) payout: Option<String>,
}

impl Transaction {
    pub(crate) fn net(&self) -> i64 {
        self.amount - self.fee
    }

    fn fee_details(&self) -> serde_json::Value {
        if self.fee == 0 {
            return json!([]);
        }
        let description = match self.movement {
            Movement::DisputeWithdrawal => "Dispute fee",
            _ => "Stripe processing fees",
        };
        json!([{
            "amount": self.fee, "application": null, "currency": self.currency, "description": description,
            "type": "stripe_fee",
        }])
    }
}

impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "balance_transaction")?;
        map.serialize_entry("amount", &self.amount)?;
        map.serialize_entry("available_on", &self.created)?;
        map.serialize_entry("balance_type", "payments")?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("currency", &self.currency)?;
        map.serialize_entry("description", &self.description)?;
        map.serialize_entry("exchange_rate", &())?;
        map.serialize_entry("fee", &self.fee)?;
        map.serialize_entry("fee_details", &self.fee_details())?;
        map.serialize_entry("net", &self.net())?;
        map.serialize_entry("reporting_category", self.movement.category())?;
        map.serialize_entry("source", &self.source)?;
        map.serialize_entry("status", "available")?;
        map.serialize_entry("type", self.movement.name())?;
        map.end()
    }
}
