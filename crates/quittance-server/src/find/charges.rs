//! Charges that were taken twice.

use super::roles::{Role, Roles};
use super::table::{Judged, Row, read};
use super::{List, Outcome};
use crate::systems::SystemError;
use quittance_core::finder::charges::{Cause, Charge, is_kept, taken_twice};

const ROLES: [Role; 9] = [
    Role { name: "id", names: &["id", "charge_id", "payment_id"], places: &["id"], is_needed: true },
    Role { name: "customer", names: &["customer", "customer_id"], places: &["customer"], is_needed: true },
    // From memory: at Stripe an authorisation that was not captured has succeeded too, and captured nothing.
    Role {
        name: "amount",
        names: &["captured_amount", "amount"],
        places: &["amount_captured", "amount"],
        is_needed: true,
    },
    Role { name: "currency", names: &["currency"], places: &["currency"], is_needed: false },
    Role { name: "at", names: &["created_at", "created", "charged_at"], places: &["created"], is_needed: true },
    Role { name: "status", names: &["status"], places: &["status"], is_needed: false },
    Role {
        name: "refunded",
        names: &["refunded_amount", "amount_refunded"],
        places: &["amount_refunded"],
        is_needed: false,
    },
    Role { name: "reference", names: &["reference", "order_id", "invoice_id"], places: &[], is_needed: false },
    Role { name: "description", names: &["description"], places: &["description"], is_needed: false },
];
const ID: usize = 0;
const CUSTOMER: usize = 1;
const AMOUNT: usize = 2;
const CURRENCY: usize = 3;
const AT: usize = 4;
const STATUS: usize = 5;
const REFUNDED: usize = 6;
const REFERENCE: usize = 7;
const DESCRIPTION: usize = 8;

/// Words for money that was taken.
const TAKEN: [&str; 7] = ["succeeded", "success", "paid", "captured", "completed", "complete", "settled"];

/// Finds charges of one thing that are closer to each other than `window_ms`. Charges without a status count as taken;
/// what was given back whole does not.
///
/// # Errors
///
/// [`SystemError`] when a column is missing, there are too many records, or the system cannot be read.
pub fn double_charges(mut list: List<'_>, window_ms: u64) -> Result<Outcome, SystemError> {
    let (charges, table) = read(&mut list, &ROLES, judge)?;
    let mut outcome = Outcome { report: taken_twice(charges.into_iter(), window_ms), ..Outcome::default() };
    outcome.note(&table, "it has no id, no time or no amount");
    Ok(outcome)
}

fn judge(row: &Row<'_, '_>, roles: &Roles) -> Judged<Charge> {
    let status = row.text(STATUS).map(|status| status.trim().to_lowercase());
    if roles.has(STATUS) && !status.is_some_and(|status| TAKEN.contains(&status.as_str())) {
        return Judged::Beside;
    }
    let refunded = row.number(REFUNDED);
    let (Some(id), Some(at), Some(amount)) = (row.text(ID), row.moment(AT), row.number(AMOUNT)) else {
        return Judged::Unclear;
    };
    if !is_kept(&amount, refunded.as_ref()) {
        return Judged::Beside;
    }
    let (customer, currency) = (row.text(CUSTOMER), row.text(CURRENCY).unwrap_or_default());
    let (reference, description) = (row.text(REFERENCE), row.text(DESCRIPTION));
    let cause = Cause::new(customer.as_deref(), &amount, &currency, reference.as_deref(), description.as_deref());
    cause.map_or(Judged::Beside, |cause| Judged::Record(Charge { cause, at, id }))
}
