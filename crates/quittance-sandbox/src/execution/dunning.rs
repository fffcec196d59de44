//! Owns: what the provider does to a subscription without being asked by its merchant: payments that fail, trials that
//! end, periods that pass. Does not own: when; somebody else says so through the control interface.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Execution;
use super::subscriptions::set_end;
use crate::answer::{Answer, ApiError};
use crate::objects::{Subscription, SubscriptionStatus};

/// What is different afterwards; what is absent stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscriptionChange {
    status: Option<SubscriptionStatus>,
    /// Merged; an empty value takes its key away.
    metadata: Option<BTreeMap<String, String>>,
    cancel_at_period_end: Option<bool>,
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
    /// Of the first item, as are the quantity.
    price: Option<String>,
    quantity: Option<u32>,
}

/// Why a subscription ends without its merchant, in Stripe's words.
const UNPAID: &str = "payment_failed";

impl Execution<'_> {
    /// Brings a subscription from any living state into any other, and tells of it as Stripe does. There is no way back
    /// from the end.
    pub(crate) fn change_subscription(&mut self, id: &str, change: SubscriptionChange) -> Result<Answer, ApiError> {
        let mut subscription = self.subscription(id, "id")?.clone();
        let before = subscription.status;
        let after = change.status.unwrap_or(before);
        if before.is_terminal() && after != before {
            let message = format!("{id} is {}: that is for ever, create another one.", before.name());
            return Err(ApiError::bad_request(message).param("status"));
        }
        self.change_fields(&mut subscription, change)?;
        if after == SubscriptionStatus::Canceled && before != after {
            return Ok(self.end_subscription(subscription, UNPAID));
        }
        subscription.status = after;
        if after == SubscriptionStatus::IncompleteExpired && before != after {
            subscription.ended_at = Some(self.now);
        }
        // Both, from memory: the reference says of `paused` and `resumed` only that the status changed.
        let events: &[&'static str] = match (before, after) {
            (SubscriptionStatus::Paused, SubscriptionStatus::Paused) => &["customer.subscription.updated"],
            (_, SubscriptionStatus::Paused) => &["customer.subscription.updated", "customer.subscription.paused"],
            (SubscriptionStatus::Paused, SubscriptionStatus::Active) => {
                &["customer.subscription.updated", "customer.subscription.resumed"]
            }
            _ => &["customer.subscription.updated"],
        };
        Ok(self.save_subscription(events, subscription))
    }

    fn change_fields(&self, subscription: &mut Subscription, change: SubscriptionChange) -> Result<(), ApiError> {
        if let Some(price) = &change.price
            && !self.books.prices.contains(price)
        {
            return Err(ApiError::missing("price", price, "price"));
        }
        subscription.period.start = change.current_period_start.unwrap_or(subscription.period.start);
        subscription.period.end = change.current_period_end.unwrap_or(subscription.period.end);
        if let Some(ends) = change.cancel_at_period_end {
            set_end(subscription, ends, self.now);
        }
        if let Some(item) = subscription.items.first_mut() {
            item.price = change.price.unwrap_or_else(|| item.price.clone());
            item.quantity = change.quantity.unwrap_or(item.quantity);
        }
        for (name, value) in change.metadata.unwrap_or_default() {
            if value.is_empty() {
                subscription.metadata.remove(&name);
            } else {
                subscription.metadata.insert(name, value);
            }
        }
        Ok(())
    }
}
