//! A client creates a customer, and with it the customer's book.

use super::client::{answered, external_place};
use super::{Context, Handled, Wanted};
use crate::ports::Answer;
use crate::submission::NewCustomer;
use crate::working_set::{Miss, WorkingSet};
use quittance_core::customer::Customer;
use quittance_core::id::{CustomerId, TenantId};
use quittance_core::idempotency::Command;
use quittance_core::journal::Record;
use quittance_core::rejection::Rejection;
use quittance_store::records::Book;
use quittance_store::tables::CUSTOMERS;

pub(super) fn reads(tenant: TenantId, new: &NewCustomer, wanted: &mut Wanted<'_>) {
    if let Some(id) = new.id {
        wanted.row::<Customer>(vec![id.bytes().into()]);
        wanted.row::<Book>(vec![id.bytes().into()]);
    }
    if let Some(external_id) = &new.external_id {
        wanted.unique::<Customer>(&CUSTOMERS.indexes[0], external_place(tenant, external_id));
    }
}

pub(super) fn handle(
    new: &NewCustomer,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let tenant = command.tenant;
    if let Some(field) = taken(new, tenant, rows)? {
        return Ok(answered(command, &Answer::Rejected(&Rejection::CustomerExists { field }), context));
    }
    let id = new.id.unwrap_or_else(|| CustomerId::from_uuid(context.ids.uuid(context.now)));
    let customer = Customer {
        id,
        tenant,
        external_id: new.external_id.clone(),
        name: new.name.clone(),
        email: new.email.clone(),
        currency: new.currency,
        timezone: new.timezone.clone(),
        gateway_ids: new.gateway_ids.clone(),
        metadata: new.metadata.clone(),
        created_at: context.now,
    };
    let mut book = Book::new(id, tenant);
    rows.append(&mut book, &Record::BookOpened { tenant }, context.now);
    rows.put(&customer);
    rows.put(&book);
    command.subject = Some(id.to_string());
    Ok(answered(command, &Answer::CustomerCreated(&customer), context))
}

fn taken(new: &NewCustomer, tenant: TenantId, rows: &WorkingSet<'_>) -> Result<Option<&'static str>, Miss> {
    if let Some(id) = new.id
        && rows.get::<Customer>(&vec![id.bytes().into()])?.is_some()
    {
        return Ok(Some("id"));
    }
    if let Some(external_id) = &new.external_id {
        let place = external_place(tenant, external_id);
        if rows.unique::<Customer>(&CUSTOMERS.indexes[0], &place)?.is_some() {
            return Ok(Some("external_id"));
        }
    }
    Ok(None)
}
