//! Owns: which objects stand in tables. Does not own: what a table does.

use std::sync::Arc;

use super::table::Row;
use crate::objects::{
    Charge, Customer, Dispute, Event, Intent, Invoice, PaymentMethod, Payout, Price, Product, Refund, Subscription,
    Transaction, Transfer,
};

macro_rules! rows {
    ($($object:ty),+) => {
        $(impl Row for $object {
            fn id(&self) -> &str {
                &self.id
            }
            fn created(&self) -> i64 {
                self.created
            }
        })+
    };
}

rows!(Intent, Charge, Customer, PaymentMethod, Arc<Event>, Refund, Dispute, Transaction, Payout, Transfer);
rows!(Product, Price, Subscription, Invoice);
