//! The one place where events are made: what a command wrote is compared with what was there before, and told.
//!
//! An event is part of the transaction that makes the change, and so is a delivery for each endpoint that wants it: there is
//! no change without its event, and no event of a change that was not committed. Which changes are told is the core's
//! business, what an event says is the [`Render`](crate::ports::Render)'s.

use crate::handlers::{Context, Wanted};
use crate::ports::{Event, Resource};
use crate::submission::Submission;
use crate::working_set::{Miss, WorkingSet};
use quittance_core::customer::Customer;
use quittance_core::dispute::Dispute;
use quittance_core::event::{Delivery, Endpoints, Kind, of_customer, of_dispute, of_payment, of_refund};
use quittance_core::id::EventId;
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_store::records::{Book, EventRow};
use quittance_store::tables::BOOKS;
use quittance_store::value::Value;
use std::collections::BTreeSet;

/// Names the endpoints of each tenant whose rows may be written: of those who ask, and where not only clients say something,
/// of everybody whose book is loaded. What a client names and is another's is not looked at for that.
pub(crate) fn reads(batch: &[&Submission], wanted: &mut Wanted<'_>) {
    let who = |submission: &&Submission| match submission {
        Submission::Client(command) => Some(Value::from(command.tenant.bytes())),
        _ => None,
    };
    let mut tenants: BTreeSet<Value> = batch.iter().filter_map(who).collect();
    if !batch.iter().all(|submission| matches!(submission, Submission::Client(_))) {
        let tenant = BOOKS.position("tenant");
        tenants.extend(wanted.loaded.rows_of(&BOOKS).map(|row| row[tenant].clone()));
    }
    tenants.into_iter().for_each(|tenant| wanted.row::<Endpoints>(vec![tenant]));
}

/// Writes an event for each resource that clients see changed by the command. To be called before what it wrote is kept.
pub(crate) fn tell(rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<(), Miss> {
    let mut place = 0;
    let mut tell = |kind: Option<Kind>, resource: Resource<'_>, rows: &mut WorkingSet<'_>| match kind {
        Some(kind) => {
            place += 1;
            write(kind, resource, place - 1, rows, context)
        }
        None => Ok(()),
    };
    for (before, after) in rows.written_over::<Customer>()? {
        tell(of_customer(before.is_none()), Resource::Customer(&after), rows)?;
    }
    for (before, after) in rows.written_over::<Payment>()? {
        tell(of_payment(before.as_ref(), &after), Resource::Payment(&after), rows)?;
    }
    for (before, after) in rows.written_over::<Refund>()? {
        tell(of_refund(before.as_ref(), &after), Resource::Refund(&after), rows)?;
    }
    for (before, after) in rows.written_over::<Dispute>()? {
        tell(of_dispute(before.as_ref(), &after), Resource::Dispute(&after), rows)?;
    }
    Ok(())
}

fn write(
    kind: Kind,
    resource: Resource<'_>,
    place: u32,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<(), Miss> {
    let (tenant, book) = (resource.tenant(), resource.book());
    let endpoints = rows.get::<Endpoints>(&vec![tenant.bytes().into()])?;
    let seq = rows.expect::<Book>(&vec![book.bytes().into()])?.records;
    let (id, at) = (EventId::from_uuid(context.ids.uuid(context.now)), context.now);
    let body = context.render.event(&Event { id, kind, at, seq, place, resource });
    rows.put(&EventRow { tenant, id, kind, subject: resource.id(), book, seq, at, body });
    for endpoint in endpoints.iter().flat_map(|endpoints| &endpoints.all).filter(|endpoint| endpoint.wants(kind)) {
        rows.put(&Delivery::new(tenant, endpoint.id, id, at));
    }
    Ok(())
}
