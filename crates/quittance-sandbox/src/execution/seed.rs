//! Owns: what `POST /_sandbox/seed` takes, and whether it fits together and to what is there. Does not own: the objects
//! that come of it (`seeding`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::answer::ApiError;
use crate::books::Books;
use crate::objects::{InvoiceStatus, PauseBehavior, SubscriptionStatus};

/// What is to be there. Within it, objects may name each other; ids must be new. `created` is now when it is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Seed {
    pub(super) products: Vec<ProductSeed>,
    pub(super) prices: Vec<PriceSeed>,
    pub(super) customers: Vec<CustomerSeed>,
    pub(super) subscriptions: Vec<SubscriptionSeed>,
    pub(super) invoices: Vec<InvoiceSeed>,
    /// Whether each is told of by an event of its creation, which is of now.
    pub(super) events: bool,
}

pub(super) type Metadata = BTreeMap<String, String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductSeed {
    pub(super) id: String,
    pub(super) created: Option<i64>,
    pub(super) name: Option<String>,
    pub(super) active: Option<bool>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceSeed {
    pub(super) id: String,
    pub(super) created: Option<i64>,
    pub(super) product: String,
    pub(super) currency: String,
    pub(super) unit_amount: i64,
    /// A month, unless told otherwise; `once` is no interval at all.
    #[serde(default)]
    pub(super) interval: SeedInterval,
    pub(super) interval_count: Option<u16>,
    pub(super) active: Option<bool>,
    pub(super) nickname: Option<String>,
    pub(super) lookup_key: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SeedInterval {
    Once,
    Day,
    Week,
    #[default]
    Month,
    Year,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CustomerSeed {
    pub(super) id: String,
    pub(super) created: Option<i64>,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) deleted: bool,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

/// One item of this price, or the items named.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubscriptionSeed {
    pub(super) id: String,
    pub(super) created: Option<i64>,
    pub(super) customer: String,
    /// Active, when it is absent.
    pub(super) status: Option<SubscriptionStatus>,
    pub(super) price: Option<String>,
    pub(super) quantity: Option<u32>,
    #[serde(default)]
    pub(super) items: Vec<ItemSeed>,
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) cancel_at_period_end: bool,
    pub(super) canceled_at: Option<i64>,
    pub(super) ended_at: Option<i64>,
    pub(super) current_period_start: Option<i64>,
    pub(super) current_period_end: Option<i64>,
    pub(super) trial_end: Option<i64>,
    pub(super) pause_collection: Option<PauseBehavior>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemSeed {
    pub(super) id: Option<String>,
    pub(super) price: String,
    pub(super) quantity: Option<u32>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InvoiceSeed {
    pub(super) id: String,
    pub(super) created: Option<i64>,
    /// The subscription's, when it is absent.
    pub(super) customer: Option<String>,
    pub(super) subscription: Option<String>,
    /// A draft, when it is absent.
    pub(super) status: Option<InvoiceStatus>,
    pub(super) currency: Option<String>,
    pub(super) description: Option<String>,
    pub(super) due_date: Option<i64>,
    #[serde(default)]
    pub(super) lines: Vec<LineSeed>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LineSeed {
    pub(super) id: Option<String>,
    /// Minor units.
    pub(super) amount: i64,
    pub(super) description: Option<String>,
    pub(super) price: Option<String>,
    pub(super) quantity: Option<u32>,
    #[serde(default)]
    pub(super) metadata: Metadata,
}

impl Seed {
    /// Ids are new, and what is named is there, before or within.
    pub(super) fn check(&self, books: &Books) -> Result<(), ApiError> {
        let products = ids("products", self.products.iter().map(|row| &row.id), |id| books.products.contains(id))?;
        let prices = ids("prices", self.prices.iter().map(|row| &row.id), |id| books.prices.contains(id))?;
        let customers = ids("customers", self.customers.iter().map(|row| &row.id), |id| books.customers.contains(id))?;
        let subscriptions =
            ids("subscriptions", self.subscriptions.iter().map(|row| &row.id), |id| books.subscriptions.contains(id))?;
        ids("invoices", self.invoices.iter().map(|row| &row.id), |id| books.invoices.contains(id))?;
        for (number, row) in self.prices.iter().enumerate() {
            let is_there = products.contains(&row.product) || books.products.contains(&row.product);
            expect(is_there, "prices", number, "product", &row.product)?;
        }
        let has_price = |id: &String| prices.contains(id) || books.prices.contains(id);
        let has_customer = |id: &String| customers.contains(id) || books.customers.contains(id);
        for (number, row) in self.subscriptions.iter().enumerate() {
            expect(has_customer(&row.customer), "subscriptions", number, "customer", &row.customer)?;
            let named: Vec<&String> = row.price.iter().chain(row.items.iter().map(|item| &item.price)).collect();
            expect(!named.is_empty(), "subscriptions", number, "price", "")?;
            for price in named {
                expect(has_price(price), "subscriptions", number, "price", price)?;
            }
        }
        for (number, row) in self.invoices.iter().enumerate() {
            expect(row.customer.is_some() || row.subscription.is_some(), "invoices", number, "customer", "")?;
            for customer in row.customer.iter() {
                expect(has_customer(customer), "invoices", number, "customer", customer)?;
            }
            for id in row.subscription.iter() {
                let is_there = subscriptions.contains(id) || books.subscriptions.contains(id);
                expect(is_there, "invoices", number, "subscription", id)?;
            }
            for price in row.lines.iter().filter_map(|line| line.price.as_ref()) {
                expect(has_price(price), "invoices", number, "price", price)?;
            }
        }
        Ok(())
    }
}

/// The ids of one kind, all of them new.
fn ids<'a>(
    kind: &str,
    rows: impl Iterator<Item = &'a String>,
    is_known: impl Fn(&str) -> bool,
) -> Result<BTreeSet<&'a String>, ApiError> {
    let mut ids = BTreeSet::new();
    for (number, id) in rows.enumerate() {
        if id.is_empty() || is_known(id) || !ids.insert(id) {
            return Err(
                ApiError::bad_request(format!("{kind}[{number}]: the id '{id}' is empty or taken.")).param("id")
            );
        }
    }
    Ok(ids)
}

fn expect(is_there: bool, kind: &str, number: usize, param: &str, id: &str) -> Result<(), ApiError> {
    if is_there {
        return Ok(());
    }
    let message = format!("{kind}[{number}]: there is no {param} '{id}', neither before nor in this seed.");
    Err(ApiError::bad_request(message).param(param))
}
