//! Owns: all objects of the account and the indexes that find them. Does not own: the rules of
//! change (`execution`).

mod audit;
mod groups;
mod rows;
mod table;
mod transfers;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use audit::audit;
pub(crate) use groups::{group, group_refunds};
pub(crate) use table::{Place, Row, Selection, Table};
pub(crate) use transfers::{GroupBy, group_transfers};

use crate::objects::{
    Charge, Customer, Dispute, Event, Intent, Invoice, PaymentMethod, Payout, Price, Product, Refund, Subscription,
    Transaction, Transfer, TransferEntry,
};

/// Everything the gateway knows.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) intents: Table<Intent>,
    pub(crate) charges: Table<Charge>,
    pub(crate) customers: Table<Customer>,
    pub(crate) methods: Table<PaymentMethod>,
    pub(crate) events: Table<Arc<Event>>,
    pub(crate) refunds: Table<Refund>,
    pub(crate) disputes: Table<Dispute>,
    pub(crate) transactions: Table<Transaction>,
    pub(crate) payouts: Table<Payout>,
    pub(crate) intents_by_customer: Index,
    pub(crate) charges_by_customer: Index,
    pub(crate) charges_by_intent: Index,
    pub(crate) methods_by_customer: Index,
    pub(crate) events_by_type: Index,
    pub(crate) refunds_by_charge: Index,
    pub(crate) refunds_by_intent: Index,
    pub(crate) disputes_by_charge: Index,
    pub(crate) disputes_by_intent: Index,
    pub(crate) transactions_by_source: Index,
    pub(crate) transactions_by_payout: Index,
    pub(crate) products: Table<Product>,
    pub(crate) prices: Table<Price>,
    pub(crate) subscriptions: Table<Subscription>,
    pub(crate) invoices: Table<Invoice>,
    /// How many invoices have got a number.
    pub(crate) invoices_numbered: u64,
    pub(crate) prices_by_product: Index,
    pub(crate) subscriptions_by_customer: Index,
    pub(crate) invoices_by_customer: Index,
    pub(crate) invoices_by_subscription: Index,
    pub(crate) transfers: Table<Transfer>,
    pub(crate) transfers_by_reference: Index,
    pub(crate) transfer_entries: Vec<TransferEntry>,
}

impl Books {
    pub(crate) fn add_price(&mut self, price: Price) {
        let product = price.product.clone();
        let place = self.prices.add(price);
        self.prices_by_product.add(&product, place);
    }

    pub(crate) fn add_subscription(&mut self, subscription: Subscription) {
        let customer = subscription.customer.clone();
        let place = self.subscriptions.add(subscription);
        self.subscriptions_by_customer.add(&customer, place);
    }

    pub(crate) fn add_invoice(&mut self, invoice: Invoice) {
        let (customer, subscription) = (invoice.customer.clone(), invoice.subscription.clone());
        let place = self.invoices.add(invoice);
        self.invoices_by_customer.add(&customer, place);
        if let Some(subscription) = subscription {
            self.invoices_by_subscription.add(&subscription, place);
        }
    }
}

/// Rising places in a table, by the value of one member.
#[derive(Debug, Default)]
pub(crate) struct Index(BTreeMap<String, Vec<Place>>);

impl Index {
    /// Places are added as they arise, but a customer may be set late, so order is kept here.
    pub(crate) fn add(&mut self, value: &str, place: Place) {
        let places = self.0.entry(value.to_owned()).or_default();
        if let Err(rank) = places.binary_search(&place) {
            places.insert(rank, place);
        }
    }

    pub(crate) fn remove(&mut self, value: &str, place: Place) {
        if let Some(places) = self.0.get_mut(value)
            && let Ok(rank) = places.binary_search(&place)
        {
            places.remove(rank);
        }
    }

    pub(crate) fn find(&self, value: &str) -> &[Place] {
        self.0.get(value).map_or(&[], Vec::as_slice)
    }
}
