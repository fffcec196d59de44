//! Owns: the price's members and JSON, and how long its interval is. Does not own: who pays it.

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::nulls;
use crate::clock;

#[derive(Debug, Clone)]
pub(crate) struct Price {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) is_active: bool,
    pub(crate) currency: String,
    /// Minor units.
    pub(crate) unit_amount: i64,
    pub(crate) product: String,
    /// `None`: it is paid once.
    pub(crate) recurring: Option<Recurring>,
    pub(crate) nickname: Option<String>,
    pub(crate) lookup_key: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// How often a price is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recurring {
    pub(crate) interval: Interval,
    pub(crate) count: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Interval {
    Day,
    Week,
    Month,
    Year,
}

impl Recurring {
    /// The end of a period that begins at this second.
    pub(crate) fn end(self, start: i64) -> i64 {
        let count = i64::from(self.count);
        match self.interval {
            Interval::Day => start + count * clock::DAY,
            Interval::Week => start + count * 7 * clock::DAY,
            Interval::Month => clock::months_later(start, count),
            Interval::Year => clock::months_later(start, count * 12),
        }
    }
}

impl Price {
    pub(crate) fn kind(&self) -> &'static str {
        if self.recurring.is_some() { "recurring" } else { "one_time" }
    }

    /// What older clients read beside the price of a subscription's item.
    pub(super) fn plan(&self) -> serde_json::Value {
        let recurring = self.recurring;
        json!({
            "id": self.id, "object": "plan", "active": self.is_active, "amount": self.unit_amount,
            "amount_decimal": self.unit_amount.to_string(), "billing_scheme": "per_unit", "created": self.created,
            "currency": self.currency, "interval": recurring.map(|recurring| recurring.interval),
            "interval_count": recurring.map(|recurring| recurring.count), "livemode": false, "metadata": self.metadata,
            "meter": null, "nickname": self.nickname, "product": self.product, "tiers_mode": null,
            "transform_usage": null, "trial_period_days": null, "usage_type": "licensed",
        })
    }
}

const NULLS: [&str; 3] = ["custom_unit_amount", "tiers_mode", "transform_quantity"];

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let recurring = self.recurring.map(|recurring| {
            json!({
                "interval": recurring.interval, "interval_count": recurring.count, "meter": null,
                "trial_period_days": null, "usage_type": "licensed",
            })
        });
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("object", "price")?;
        map.serialize_entry("active", &self.is_active)?;
        map.serialize_entry("billing_scheme", "per_unit")?;
        map.serialize_entry("created", &self.created)?;
        map.serialize_entry("currency", &self.currency)?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("lookup_key", &self.lookup_key)?;
        map.serialize_entry("metadata", &self.metadata)?;
        map.serialize_entry("nickname", &self.nickname)?;
        map.serialize_entry("product", &self.product)?;
        map.serialize_entry("recurring", &recurring)?;
        map.serialize_entry("tax_behavior", "unspecified")?;
        map.serialize_entry("type", self.kind())?;
        map.serialize_entry("unit_amount", &self.unit_amount)?;
        map.serialize_entry("unit_amount_decimal", &self.unit_amount.to_string())?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}
