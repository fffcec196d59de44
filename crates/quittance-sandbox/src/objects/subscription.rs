//! Owns: the members and JSON of subscriptions and their items. Does not own: their transitions
//! (`execution::subscriptions`).

use std::collections::BTreeMap;

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Page, Price, nulls};

/// The states of Stripe's machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SubscriptionStatus {
    Incomplete,
    IncompleteExpired,
    Trialing,
    Active,
    PastDue,
    Canceled,
    Unpaid,
    Paused,
}

impl SubscriptionStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::IncompleteExpired => "incomplete_expired",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::PastDue => "past_due",
            Self::Canceled => "canceled",
            Self::Unpaid => "unpaid",
            Self::Paused => "paused",
        }
    }

    /// There is no way back.
    pub(crate) fn is_terminal(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }
}

/// From a second up to another, in Unix time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Period {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// What becomes of the invoices of a subscription whose payments are paused; its status does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PauseBehavior {
    KeepAsDraft,
    MarkUncollectible,
    Void,
}

#[derive(Debug, Clone)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) status: SubscriptionStatus,
    /// In the order in which they were added.
    pub(crate) items: Vec<SubscriptionItem>,
    pub(crate) currency: String,
    pub(crate) description: Option<String>,
    pub(crate) default_payment_method: Option<String>,
    /// `None`: it is charged automatically.
    pub(crate) days_until_due: Option<i64>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) period: Period,
    pub(crate) trial: Option<Period>,
    pub(crate) cancel_at_period_end: bool,
    pub(crate) cancel_at: Option<i64>,
    /// When somebody asked for the end.
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) cancellation_reason: Option<&'static str>,
    pub(crate) pause_collection: Option<PauseBehavior>,
    pub(crate) latest_invoice: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct SubscriptionItem {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) price: String,
    pub(crate) quantity: u32,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A subscription with its prices inside, as it is sent.
#[derive(Debug)]
pub(crate) struct SubscriptionView<'a> {
    pub(crate) subscription: &'a Subscription,
    /// At most as many as a list inside an object shows.
    pub(crate) items: Vec<ItemView<'a>>,
}

#[derive(Debug)]
pub(crate) struct ItemView<'a> {
    pub(crate) subscription: &'a Subscription,
    pub(crate) item: &'a SubscriptionItem,
    pub(crate) price: Option<&'a Price>,
}

impl Subscription {
    fn collection_method(&self) -> &'static str {
        if self.days_until_due.is_some() { "send_invoice" } else { "charge_automatically" }
    }
}

const NULLS: [&str; 13] = [
    "application",
    "application_fee_percent",
    "billing_cycle_anchor_config",
    "billing_thresholds",
    "customer_account",
    "default_source",
    "next_pending_invoice_item_invoice",
    "on_behalf_of",
    "pending_invoice_item_interval",
    "pending_setup_intent",
    "pending_update",
    "schedule",
    "test_clock",
];

impl Serialize for SubscriptionView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let subscription = self.subscription;
        let url = format!("/v1/subscription_items?subscription={}", subscription.id);
        let items =
            Page { object: "list", has_more: subscription.items.len() > self.items.len(), data: &self.items, url };
        let trial = subscription.trial;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &subscription.id)?;
        map.serialize_entry("object", "subscription")?;
        let tax = json!({"disabled_reason": null, "enabled": false, "liability": null});
        map.serialize_entry("automatic_tax", &tax)?;
        map.serialize_entry("billing_cycle_anchor", &subscription.created)?;
        map.serialize_entry("billing_mode", &json!({"flexible": null, "type": "classic"}))?;
        map.serialize_entry("cancel_at", &subscription.cancel_at)?;
        map.serialize_entry("cancel_at_period_end", &subscription.cancel_at_period_end)?;
        map.serialize_entry("canceled_at", &subscription.canceled_at)?;
        let details = json!({"comment": null, "feedback": null, "reason": subscription.cancellation_reason});
        map.serialize_entry("cancellation_details", &details)?;
        map.serialize_entry("collection_method", subscription.collection_method())?;
        map.serialize_entry("created", &subscription.created)?;
        map.serialize_entry("currency", &subscription.currency)?;
        map.serialize_entry("customer", &subscription.customer)?;
        map.serialize_entry("days_until_due", &subscription.days_until_due)?;
        map.serialize_entry("default_payment_method", &subscription.default_payment_method)?;
        map.serialize_entry("default_tax_rates", &json!([]))?;
        map.serialize_entry("description", &subscription.description)?;
        map.serialize_entry("discounts", &json!([]))?;
        map.serialize_entry("ended_at", &subscription.ended_at)?;
        map.serialize_entry("invoice_settings", &json!({"account_tax_ids": null, "issuer": {"type": "self"}}))?;
        map.serialize_entry("items", &items)?;
        map.serialize_entry("latest_invoice", &subscription.latest_invoice)?;
        map.serialize_entry("livemode", &false)?;
        map.serialize_entry("metadata", &subscription.metadata)?;
        let pause = subscription.pause_collection.map(|behavior| json!({"behavior": behavior, "resumes_at": null}));
        map.serialize_entry("pause_collection", &pause)?;
        let settings = json!({
            "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off",
        });
        map.serialize_entry("payment_settings", &settings)?;
        map.serialize_entry("start_date", &subscription.created)?;
        map.serialize_entry("status", &subscription.status)?;
        map.serialize_entry("trial_end", &trial.map(|trial| trial.end))?;
        let settings = json!({"end_behavior": {"missing_payment_method": "create_invoice"}});
        map.serialize_entry("trial_settings", &settings)?;
        map.serialize_entry("trial_start", &trial.map(|trial| trial.start))?;
        nulls(&mut map, &NULLS)?;
        map.end()
    }
}

impl Serialize for ItemView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (item, period) = (self.item, self.subscription.period);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &item.id)?;
        map.serialize_entry("object", "subscription_item")?;
        map.serialize_entry("billing_thresholds", &())?;
        map.serialize_entry("created", &item.created)?;
        // Since API version 2025-03-31 the period is the item's, no longer the subscription's.
        map.serialize_entry("current_period_end", &period.end)?;
        map.serialize_entry("current_period_start", &period.start)?;
        map.serialize_entry("discounts", &json!([]))?;
        map.serialize_entry("metadata", &item.metadata)?;
        map.serialize_entry("plan", &self.price.map(Price::plan))?;
        map.serialize_entry("price", &self.price)?;
        map.serialize_entry("quantity", &item.quantity)?;
        map.serialize_entry("subscription", &self.subscription.id)?;
        map.serialize_entry("tax_rates", &json!([]))?;
        map.end()
    }
}
