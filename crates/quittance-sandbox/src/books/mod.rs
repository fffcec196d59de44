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
pub(crate) use table::{Page, Row, Selection, Table};
pub(crate) use transfers::{GroupBy, group_transfers};

use crate::objects::{
    Charge, Customer, Dispute, Event, Intent, PaymentMethod, Payout, Refund, Transaction, Transfer, TransferEntry,
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
    pub(crate) transfers: Table<Transfer>,
    pub(crate) transfers_by_reference: Index,
    pub(crate) transfer_entries: Vec<TransferEntry>,
}

/// Rising positions in a table, by the value of one member.
#[derive(Debug, Default)]
pub(crate) struct Index(BTreeMap<String, Vec<usize>>);

impl Index {
    /// Positions are added as they arise, but a customer may be set late, so order is kept here.
    pub(crate) fn add(&mut self, value: &str, position: usize) {
        let positions = self.0.entry(value.to_owned()).or_default();
        if let Err(place) = positions.binary_search(&position) {
            positions.insert(place, position);
        }
    }

    pub(crate) fn remove(&mut self, value: &str, position: usize) {
        if let Some(positions) = self.0.get_mut(value)
            && let Ok(place) = positions.binary_search(&position)
        {
            positions.remove(place);
        }
    }

    pub(crate) fn find(&self, value: &str) -> &[usize] {
        self.0.get(value).map_or(&[], Vec::as_slice)
    }
}
