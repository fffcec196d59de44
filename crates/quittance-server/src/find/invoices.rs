//! Subscriptions that run, and for which nothing was ever invoiced.

use super::roles::{Role, Roles};
use super::table::{Judged, Row, read, read_resolved};
use super::{List, Outcome};
use crate::systems::SystemError;
use quittance_core::finder::invoices::{self, Subscription};
use quittance_core::record::value::Value;
use quittance_core::time::Timestamp;
use std::collections::BTreeSet;

const ROLES: [Role; 5] = [
    Role { name: "id", names: &["id", "subscription_id"], places: &["id"], is_needed: true },
    Role { name: "status", names: &["status", "subscription_status"], places: &["status"], is_needed: true },
    Role {
        name: "since",
        names: &["start_date", "started_at", "created_at", "created"],
        places: &["start_date", "created"],
        is_needed: true,
    },
    Role { name: "customer", names: &["customer", "customer_id"], places: &["customer"], is_needed: false },
    Role {
        name: "invoice",
        names: &["latest_invoice", "latest_invoice_id"],
        places: &["latest_invoice"],
        is_needed: false,
    },
];
const ID: usize = 0;
const STATUS: usize = 1;
const SINCE: usize = 2;
const CUSTOMER: usize = 3;
const INVOICE: usize = 4;

/// Where an invoice names its subscription, from memory: at the top in Stripe's older API versions, below its parent in
/// newer ones.
const INVOICE_ROLES: [Role; 1] = [Role {
    name: "subscription",
    names: &["subscription", "subscription_id"],
    places: &["subscription", "/parent/subscription_details/subscription"],
    is_needed: true,
}];

/// A list of invoices, where subscriptions do not name theirs.
pub struct Invoices<'s>(
    /// The list.
    pub List<'s>,
);

impl Invoices<'_> {
    /// Reads which subscriptions they are for.
    ///
    /// # Errors
    ///
    /// As [`never_invoiced`].
    pub fn subscriptions(mut self) -> Result<BTreeSet<String>, SystemError> {
        let judge = |row: &Row<'_, '_>, _: &Roles| row.text(0).map_or(Judged::Beside, Judged::Record);
        let (subscriptions, _) = read(&mut self.0, &INVOICE_ROLES, judge)?;
        Ok(subscriptions.into_iter().collect())
    }
}

/// Finds running subscriptions older than `window_ms` that name no invoice and that none of the invoices is for.
///
/// # Errors
///
/// [`SystemError`] when a column is missing, when nothing tells whether there are invoices, when there are too many
/// records, or the system cannot be read.
pub fn never_invoiced(
    mut list: List<'_>,
    invoiced: Option<&BTreeSet<String>>,
    now: Timestamp,
    window_ms: u64,
) -> Result<Outcome, SystemError> {
    let roles = Roles::resolve(&mut list, &ROLES)?;
    if !roles.has(INVOICE) && invoiced.is_none() {
        let what = format!("`{}` of the system `{}` does not name invoices", list.object, list.system_name);
        let remedy = "name the list of invoices with --invoices OBJECT, or a column with --column invoice=COLUMN";
        return Err(SystemError::configuration(what, remedy));
    }
    let judge = |row: &Row<'_, '_>, _: &Roles| judge(row, invoiced.is_some());
    let (subscriptions, table) = read_resolved(&mut list, &roles, judge)?;
    let nothing = BTreeSet::new();
    let report = invoices::never_invoiced(subscriptions.into_iter(), invoiced.unwrap_or(&nothing), now, window_ms);
    let mut outcome = Outcome { report, ..Outcome::default() };
    outcome.note(&table, "it has no id, no time, or does not say whether it has an invoice");
    Ok(outcome)
}

fn judge(row: &Row<'_, '_>, has_list: bool) -> Judged<Subscription> {
    let status = row.text(STATUS).unwrap_or_default();
    if !invoices::is_running(&status) {
        return Judged::Beside;
    }
    let invoice = row.value(INVOICE);
    let (Some(id), Some(since)) = (row.text(ID), row.moment(SINCE)) else { return Judged::Unclear };
    if invoice == Value::Absent && !has_list {
        return Judged::Unclear;
    }
    let has_invoice = !invoice.is_nothing();
    Judged::Record(Subscription { id, customer: row.text(CUSTOMER), status, since, has_invoice })
}
