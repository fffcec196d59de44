//! Owns: the shapes of the gateway's objects, in memory and as JSON. Does not own: when they
//! change.

mod charge;
mod customer;
mod dispute;
mod event;
mod intent;
mod payment_method;
mod payout;
mod refund;
mod transaction;
mod transfer;

pub(crate) use charge::{Charge, ChargeStatus};
pub(crate) use customer::Customer;
pub(crate) use dispute::{Dispute, DisputeStatus, EVIDENCE};
pub(crate) use event::{API_VERSION, Event, Origin};
pub(crate) use intent::{Intent, IntentView, Status};
pub(crate) use payment_method::PaymentMethod;
pub(crate) use payout::{Payout, PayoutStatus};
pub(crate) use refund::{Refund, RefundStatus};
pub(crate) use transaction::{Movement, Transaction};
pub(crate) use transfer::{Transfer, TransferEntry, TransferState};

use serde::ser::SerializeMap;

/// Members that Stripe always sends and that are never set here.
fn nulls<M: SerializeMap>(map: &mut M, names: &[&str]) -> Result<(), M::Error> {
    names.iter().try_for_each(|name| map.serialize_entry(name, &()))
}

/// The empty sub-list inside an object.
fn empty_list(url: &str) -> serde_json::Value {
    serde_json::json!({"object": "list", "data": [], "has_more": false, "url": url})
}
