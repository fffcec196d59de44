//! Owns: all objects of the account and the indexes that find them. Does not own: the rules of
//! change (`execution`).

mod audit;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use audit::{audit, group};
pub(crate) use table::{Page, Row, Selection, Table};

use crate::objects::{Charge, Customer, Event, Intent, PaymentMethod};

/// Everything the gateway knows.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) intents: Table<Intent>,
    pub(crate) charges: Table<Charge>,
    pub(crate) customers: Table<Customer>,
    pub(crate) methods: Table<PaymentMethod>,
    pub(crate) events: Table<Arc<Event>>,
    pub(crate) intents_by_customer: Index,
    pub(crate) charges_by_customer: Index,
    pub(crate) charges_by_intent: Index,
    pub(crate) methods_by_customer: Index,
    pub(crate) events_by_type: Index,
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

impl Row for Intent {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Row for Charge {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Row for Customer {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Row for PaymentMethod {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Row for Arc<Event> {
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}
