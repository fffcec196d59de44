//! Owns: subscriptions as their merchant creates, changes and cancels them. Does not own: what the provider does to
//! them (`dunning`), and payments: there are none, no invoice comes by itself, and periods stay as they were created.

use super::{Execution, patch_metadata, reading_billing, unless_empty};
use crate::answer::{Answer, ApiError, to_raw};
use crate::dialect::billing::{Due, ItemPatch, SubscriptionDraft, SubscriptionPatch};
use crate::objects::{Period, Price, Subscription, SubscriptionItem, SubscriptionStatus};

/// Why most subscriptions end, in Stripe's words.
const BY_REQUEST: &str = "cancellation_requested";

impl Execution<'_> {
    pub(super) fn create_subscription(&mut self, draft: SubscriptionDraft) -> Result<Answer, ApiError> {
        self.customer(&draft.customer, "customer")?;
        let id = self.mint.id("sub_1");
        let mut subscription = blank(id, self.now, draft.customer);
        if draft.awaits_payment {
            subscription.status = SubscriptionStatus::Incomplete;
        }
        let trial_end = draft.trial_days.map(|days| self.now.saturating_add(days.saturating_mul(crate::clock::DAY)));
        let mut patch = draft.patch;
        patch.trial_end = patch.trial_end.or(trial_end);
        self.patch_items(&mut subscription, std::mem::take(&mut patch.items))?;
        let first = subscription.items.first().and_then(|item| self.books.prices.get(&item.price));
        subscription.currency = first.map(|price| price.currency.clone()).unwrap_or_default();
        subscription.period = first_period(first, self.now);
        self.patch_subscription(&mut subscription, patch)?;
        Ok(self.add_subscription(subscription))
    }

    pub(super) fn add_subscription(&mut self, subscription: Subscription) -> Answer {
        let shown = to_raw(&reading_billing::view(self.books, &subscription));
        self.emit("customer.subscription.created", &shown);
        self.books.add_subscription(subscription);
        Answer::ok(&shown)
    }

    pub(super) fn update_subscription(&mut self, id: &str, patch: SubscriptionPatch) -> Result<Answer, ApiError> {
        let mut subscription = self.subscription(id, "id")?.clone();
        if subscription.status.is_terminal() && !patch.is_only_metadata() {
            let message = "A canceled subscription can only update its cancellation_details and metadata.";
            return Err(ApiError::bad_request(message));
        }
        let mut patch = patch;
        self.patch_items(&mut subscription, std::mem::take(&mut patch.items))?;
        self.patch_subscription(&mut subscription, patch)?;
        Ok(self.save_subscription(&["customer.subscription.updated"], subscription))
    }

    pub(super) fn cancel_subscription(&mut self, id: &str) -> Result<Answer, ApiError> {
        let subscription = self.subscription(id, "id")?.clone();
        if subscription.status.is_terminal() {
            return Err(ApiError::missing("subscription", id, "id"));
        }
        Ok(self.end_subscription(subscription, BY_REQUEST))
    }

    /// What goes with a customer.
    pub(super) fn cancel_subscriptions_of(&mut self, customer: &str) {
        let places = self.books.subscriptions_by_customer.find(customer).iter();
        let found = places.filter_map(|place| self.books.subscriptions.at(*place));
        let living: Vec<Subscription> = found.filter(|row| !row.status.is_terminal()).cloned().collect();
        for subscription in living {
            self.end_subscription(subscription, BY_REQUEST);
        }
    }

    pub(super) fn end_subscription(&mut self, mut subscription: Subscription, reason: &'static str) -> Answer {
        subscription.status = SubscriptionStatus::Canceled;
        subscription.canceled_at = subscription.canceled_at.or(Some(self.now));
        subscription.ended_at = Some(self.now);
        subscription.cancellation_reason = Some(reason);
        self.save_subscription(&["customer.subscription.deleted"], subscription)
    }

    pub(super) fn save_subscription(&mut self, events: &[&'static str], subscription: Subscription) -> Answer {
        let shown = to_raw(&reading_billing::view(self.books, &subscription));
        for event in events {
            self.emit(event, &shown);
        }
        if let Some(row) = self.books.subscriptions.get_mut(&subscription.id) {
            *row = subscription;
        }
        Answer::ok(&shown)
    }

    pub(super) fn subscription(&self, id: &str, param: &str) -> Result<&Subscription, ApiError> {
        self.books.subscriptions.get(id).ok_or_else(|| ApiError::missing("subscription", id, param))
    }

    fn patch_items(&mut self, subscription: &mut Subscription, patches: Vec<ItemPatch>) -> Result<(), ApiError> {
        for patch in patches {
            if let Some(price) = &patch.price {
                self.check_price(price, subscription)?;
            }
            match &patch.id {
                Some(id) => change_item(&mut subscription.items, id, &patch)?,
                None => subscription.items.push(SubscriptionItem {
                    id: self.mint.id("si_"),
                    created: self.now,
                    price: patch.price.unwrap_or_default(),
                    quantity: patch.quantity.unwrap_or(1),
                    metadata: Default::default(),
                }),
            }
            let changed = match &patch.id {
                Some(id) => subscription.items.iter_mut().find(|item| item.id == *id),
                None => subscription.items.last_mut(),
            };
            if let Some(item) = changed {
                patch_metadata(&mut item.metadata, patch.metadata)?;
            }
        }
        if subscription.items.is_empty() {
            return Err(ApiError::bad_request("A subscription must have at least one item.").param("items"));
        }
        Ok(())
    }

    /// A price that can be subscribed to, in the currency that the subscription has.
    fn check_price(&self, id: &str, subscription: &Subscription) -> Result<(), ApiError> {
        let price = self.books.prices.get(id).ok_or_else(|| ApiError::missing("price", id, "items[0][price]"))?;
        let refusal = if price.recurring.is_none() {
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."
        } else if !price.is_active {
            "The price specified is inactive. This field only accepts active prices."
        } else if !subscription.currency.is_empty() && subscription.currency != price.currency {
            "The price specified is in another currency than the subscription."
        } else {
            return Ok(());
        };
        Err(ApiError::bad_request(refusal).param("items[0][price]"))
    }

    fn patch_subscription(&self, subscription: &mut Subscription, patch: SubscriptionPatch) -> Result<(), ApiError> {
        if let Some(ends) = patch.cancel_at_period_end {
            set_end(subscription, ends, self.now);
        }
        if let Some(method) = patch.default_payment_method {
            subscription.default_payment_method = unless_empty(method);
        }
        if let Some(description) = patch.description {
            subscription.description = unless_empty(description);
        }
        match patch.due {
            Some(Due::Automatically) => subscription.days_until_due = None,
            Some(Due::Days(days)) => subscription.days_until_due = Some(days),
            None => {}
        }
        if let Some(pause) = patch.pause {
            subscription.pause_collection = pause;
        }
        if let Some(end) = patch.trial_end {
            set_trial(subscription, end, self.now);
        }
        patch_metadata(&mut subscription.metadata, patch.metadata)
    }
}

impl SubscriptionPatch {
    fn is_only_metadata(&self) -> bool {
        self.items.is_empty()
            && self.cancel_at_period_end.is_none()
            && self.default_payment_method.is_none()
            && self.description.is_none()
            && self.due.is_none()
            && self.pause.is_none()
            && self.trial_end.is_none()
    }
}

/// An active subscription to nothing yet.
pub(super) fn blank(id: String, created: i64, customer: String) -> Subscription {
    Subscription {
        id,
        created,
        customer,
        status: SubscriptionStatus::Active,
        items: Vec::new(),
        currency: String::new(),
        description: None,
        default_payment_method: None,
        days_until_due: None,
        metadata: Default::default(),
        period: Period { start: created, end: created },
        trial: None,
        cancel_at_period_end: false,
        cancel_at: None,
        canceled_at: None,
        ended_at: None,
        cancellation_reason: None,
        pause_collection: None,
        latest_invoice: None,
    }
}

/// As long as the interval of the price.
pub(super) fn first_period(price: Option<&Price>, start: i64) -> Period {
    let recurring = price.and_then(|price| price.recurring);
    Period { start, end: recurring.map_or(start, |recurring| recurring.end(start)) }
}

/// Stripe says "canceled at" of the request, and takes it back with the request.
pub(super) fn set_end(subscription: &mut Subscription, ends: bool, now: i64) {
    if ends {
        subscription.cancel_at = Some(subscription.period.end);
        subscription.canceled_at = Some(now);
        subscription.cancellation_reason = Some(BY_REQUEST);
    } else if subscription.cancel_at_period_end {
        subscription.cancel_at = None;
        subscription.canceled_at = None;
        subscription.cancellation_reason = None;
    }
    subscription.cancel_at_period_end = ends;
}

fn set_trial(subscription: &mut Subscription, end: i64, now: i64) {
    if end > now {
        let trial = Period { start: subscription.trial.map_or(now, |trial| trial.start), end };
        subscription.trial = Some(trial);
        subscription.period = trial;
        subscription.status = SubscriptionStatus::Trialing;
    } else if let Some(trial) = &mut subscription.trial {
        trial.end = now;
        if subscription.status == SubscriptionStatus::Trialing {
            subscription.status = SubscriptionStatus::Active;
        }
    }
}

fn change_item(items: &mut Vec<SubscriptionItem>, id: &str, patch: &ItemPatch) -> Result<(), ApiError> {
    let position = items.iter().position(|item| item.id == id);
    let position = position.ok_or_else(|| ApiError::missing("subscription_item", id, "items[0][id]"))?;
    if patch.is_deleted {
        items.remove(position);
        return Ok(());
    }
    if let Some(price) = &patch.price {
        items[position].price.clone_from(price);
    }
    items[position].quantity = patch.quantity.unwrap_or(items[position].quantity);
    Ok(())
}
