//! Owns: many objects at once, as if they had been there for years. Does not own: what may be asked for (`seed`), and
//! objects that are created one by one through the API.

use serde_json::json;

use super::Execution;
use super::seed::{
    CustomerSeed, InvoiceSeed, ItemSeed, Metadata, PriceSeed, ProductSeed, Seed, SeedInterval, SubscriptionSeed,
};
use super::subscriptions::{blank, first_period};
use crate::answer::{Answer, ApiError};
use crate::objects::{
    Customer, Interval, InvoiceStatus, Line, Period, Price, Product, Recurring, Subscription, SubscriptionItem,
    SubscriptionStatus,
};

impl Execution<'_> {
    /// All of it, or nothing when anything is wrong.
    pub(crate) fn seed(&mut self, seed: Seed) -> Result<Answer, ApiError> {
        seed.check(self.books)?;
        let answer = Answer::ok(&json!({
            "products": seed.products.len(), "prices": seed.prices.len(), "customers": seed.customers.len(),
            "subscriptions": seed.subscriptions.len(), "invoices": seed.invoices.len(),
        }));
        self.emits &= seed.events;
        seed.products.into_iter().for_each(|product| self.seed_product(product));
        seed.prices.into_iter().for_each(|price| self.seed_price(price));
        seed.customers.into_iter().for_each(|customer| self.seed_customer(customer));
        for subscription in seed.subscriptions {
            let subscription = self.seeded_subscription(subscription);
            if self.emits {
                self.add_subscription(subscription);
            } else {
                // What nobody reads is not written: there may be a hundred thousand.
                self.books.add_subscription(subscription);
            }
        }
        for invoice in seed.invoices {
            self.seed_invoice(invoice)?;
        }
        // It has been there for years: no list is behind with it.
        self.mint.made.clear();
        Ok(answer)
    }

    fn seed_product(&mut self, seed: ProductSeed) {
        let created = seed.created.unwrap_or(self.now);
        let product = Product {
            name: seed.name.unwrap_or_else(|| seed.id.clone()),
            id: seed.id,
            created,
            updated: created,
            is_active: seed.active.unwrap_or(true),
            description: None,
            default_price: None,
            metadata: seed.metadata,
        };
        self.emit("product.created", &product);
        self.books.products.add(product);
    }

    fn seed_price(&mut self, seed: PriceSeed) {
        let interval = match seed.interval {
            SeedInterval::Once => None,
            SeedInterval::Day => Some(Interval::Day),
            SeedInterval::Week => Some(Interval::Week),
            SeedInterval::Month => Some(Interval::Month),
            SeedInterval::Year => Some(Interval::Year),
        };
        let count = seed.interval_count.unwrap_or(1);
        let price = Price {
            id: seed.id,
            created: seed.created.unwrap_or(self.now),
            is_active: seed.active.unwrap_or(true),
            currency: seed.currency,
            unit_amount: seed.unit_amount,
            product: seed.product,
            recurring: interval.map(|interval| Recurring { interval, count }),
            nickname: seed.nickname,
            lookup_key: seed.lookup_key,
            metadata: seed.metadata,
        };
        self.emit("price.created", &price);
        self.books.add_price(price);
    }

    fn seed_customer(&mut self, seed: CustomerSeed) {
        let customer = Customer {
            id: seed.id,
            created: seed.created.unwrap_or(self.now),
            name: seed.name,
            email: seed.email,
            phone: seed.phone,
            description: seed.description,
            metadata: seed.metadata,
            is_deleted: seed.deleted,
        };
        self.emit("customer.created", &customer);
        self.books.customers.add(customer);
    }

    fn seeded_subscription(&mut self, seed: SubscriptionSeed) -> Subscription {
        let created = seed.created.unwrap_or(self.now);
        let mut subscription = blank(seed.id, created, seed.customer);
        let lone = seed.price.map(|price| ItemSeed {
            id: None,
            price,
            quantity: seed.quantity,
            metadata: Metadata::default(),
        });
        for item in lone.into_iter().chain(seed.items) {
            let id = item.id.unwrap_or_else(|| self.mint.id("si_"));
            let (price, quantity) = (item.price, item.quantity.unwrap_or(1));
            subscription.items.push(SubscriptionItem { id, created, price, quantity, metadata: item.metadata });
        }
        let price = subscription.items.first().and_then(|item| self.books.prices.get(&item.price));
        let period = first_period(price, seed.current_period_start.unwrap_or(created));
        subscription.currency = price.map(|price| price.currency.clone()).unwrap_or_default();
        subscription.period = Period { end: seed.current_period_end.unwrap_or(period.end), ..period };
        subscription.status = seed.status.unwrap_or(SubscriptionStatus::Active);
        let is_over = subscription.status.is_terminal();
        let is_canceled = subscription.status == SubscriptionStatus::Canceled || seed.cancel_at_period_end;
        subscription.cancel_at_period_end = seed.cancel_at_period_end;
        subscription.cancel_at = seed.cancel_at_period_end.then_some(subscription.period.end);
        subscription.canceled_at = seed.canceled_at.or(is_canceled.then_some(created));
        subscription.ended_at = seed.ended_at.or(is_over.then_some(seed.canceled_at.unwrap_or(created)));
        subscription.cancellation_reason = is_canceled.then_some("cancellation_requested");
        subscription.description = seed.description;
        subscription.pause_collection = seed.pause_collection;
        subscription.trial = seed.trial_end.map(|end| Period { start: created, end });
        subscription.metadata = seed.metadata;
        subscription
    }

    fn seed_invoice(&mut self, seed: InvoiceSeed) -> Result<(), ApiError> {
        let created = seed.created.unwrap_or(self.now);
        let owner = seed.subscription.as_deref().and_then(|id| self.books.subscriptions.get(id)).cloned();
        let customer = seed.customer.or(owner.as_ref().map(|owner| owner.customer.clone()));
        let mut invoice = self.blank_invoice(seed.id, created, customer.unwrap_or_default())?;
        invoice.subscription = seed.subscription;
        let currency = seed.currency.or(owner.as_ref().map(|owner| owner.currency.clone()));
        invoice.currency = currency.unwrap_or_else(|| "usd".to_owned());
        invoice.billing_reason = if owner.is_some() { "subscription_cycle" } else { "manual" };
        invoice.description = seed.description;
        invoice.due_date = seed.due_date;
        invoice.metadata = seed.metadata;
        for line in seed.lines {
            let product = line.price.as_deref().and_then(|id| self.books.prices.get(id)).map(|row| row.product.clone());
            invoice.lines.push(Line {
                id: line.id.unwrap_or_else(|| self.mint.id("il_1")),
                amount: line.amount,
                description: line.description,
                quantity: line.quantity.unwrap_or(1),
                price: line.price.zip(product),
                subscription_item: None,
                period: invoice.period,
                metadata: line.metadata,
            });
        }
        let status = seed.status.unwrap_or(InvoiceStatus::Draft);
        if status != InvoiceStatus::Draft {
            self.finalize(&mut invoice);
            invoice.history.finalized_at = Some(created);
            invoice.enter(status, created);
        }
        self.add_invoice(invoice);
        Ok(())
    }
}
