//! Customers that are recorded twice.

use super::roles::{Role, Roles};
use super::table::{Judged, Row, read_resolved, text};
use super::{List, Outcome};
use crate::systems::SystemError;
use quittance_core::finder::customers::{Customer, recorded_twice};
use quittance_core::record::value::Value;

const ROLES: [Role; 3] = [
    Role { name: "id", names: &["id", "customer_id"], places: &["id"], is_needed: true },
    Role { name: "email", names: &["email", "email_address"], places: &["email"], is_needed: false },
    Role {
        name: "tax_id",
        names: &["tax_id", "vat_id", "vat_number", "tax_number"],
        places: &["/tax_ids/data/*/value"],
        is_needed: false,
    },
];
const ID: usize = 0;
const EMAIL: usize = 1;
const TAX_ID: usize = 2;

/// Finds customers with one e-mail address or one tax id.
///
/// # Errors
///
/// [`SystemError`] when a column is missing, there are too many records, or the system cannot be read.
pub fn duplicate_customers(mut list: List<'_>) -> Result<Outcome, SystemError> {
    let roles = Roles::resolve(&mut list, &ROLES)?;
    if !roles.has(EMAIL) && !roles.has(TAX_ID) {
        let what = format!("`{}` of the system `{}` has neither email nor tax_id", list.object, list.system_name);
        return Err(SystemError::configuration(what, "name one with --column email=COLUMN or --column tax_id=COLUMN"));
    }
    let (customers, table) = read_resolved(&mut list, &roles, judge)?;
    let mut outcome = Outcome { report: recorded_twice(customers.into_iter()), ..Outcome::default() };
    outcome.note(&table, "it has no id");
    Ok(outcome)
}

fn judge(row: &Row<'_, '_>, _roles: &Roles) -> Judged<Customer> {
    let Some(id) = row.text(ID) else { return Judged::Unclear };
    let (email, tax_ids) = (row.text(EMAIL), tax_ids(&row.value(TAX_ID)));
    if email.is_none() && tax_ids.is_empty() {
        return Judged::Beside;
    }
    Judged::Record(Customer { id, email, tax_ids })
}

/// One tax id, or those of a list.
fn tax_ids(value: &Value<'_>) -> Vec<String> {
    match value {
        Value::Json(list) => serde_json::from_str(list).unwrap_or_default(),
        other => text(other).into_iter().collect(),
    }
}
