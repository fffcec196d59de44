//! Owns: the shapes of the gateway's objects, in memory and as JSON. Does not own: when they
//! change.

mod charge;
mod customer;
mod dispute;
mod event;
mod intent;
mod invoice;
mod payment_method;
mod payout;
mod price;
mod product;
mod refund;
mod subscription;
mod transaction;
mod transfer;

pub(crate) use charge::{Charge, ChargeStatus};
pub(crate) use customer::Customer;
pub(crate) use dispute::{Dispute, DisputeStatus, EVIDENCE};
pub(crate) use event::{API_VERSION, Event, Origin};
pub(crate) use intent::{Intent, IntentView, Status};
pub(crate) use invoice::{History, Invoice, InvoiceStatus, Line, LineView};
pub(crate) use payment_method::PaymentMethod;
pub(crate) use payout::{Payout, PayoutStatus};
pub(crate) use price::{Interval, Price, Recurring};
pub(crate) use product::Product;
pub(crate) use refund::{Refund, RefundStatus};
pub(crate) use subscription::{
    ItemView, PauseBehavior, Period, Subscription, SubscriptionItem, SubscriptionStatus, SubscriptionView,
};
pub(crate) use transaction::{Movement, Transaction};
pub(crate) use transfer::{Transfer, TransferEntry, TransferState};

use serde::Serialize;
use serde::ser::SerializeMap;

/// A list, in Stripe's shape.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    pub(crate) object: &'static str,
    pub(crate) data: T,
    pub(crate) has_more: bool,
    pub(crate) url: String,
}

/// How many rows a list shows that stands inside another object; the others have to be asked for.
pub(crate) const NESTED_ROWS_MAX: usize = 10;

/// Members that Stripe always sends and that are never set here.
fn nulls<M: SerializeMap>(map: &mut M, names: &[&str]) -> Result<(), M::Error> {
    names.iter().try_for_each(|name| map.serialize_entry(name, &()))
}

/// The empty sub-list inside an object.
fn empty_list(url: &str) -> serde_json::Value {
    serde_json::json!({"object": "list", "data": [], "has_more": false, "url": url})
}
