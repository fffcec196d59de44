//! From a gateway's ids of objects and events to the payments they are about.

use super::{Finder, PLACES_MAX, get, read};
use quittance_connectors::connector::{Connector, Seen};
use quittance_connectors::stripe::Stripe;
use quittance_core::dispute::Dispute;
use quittance_core::payment::Payment;
use quittance_store::records::{GatewayObject, InboxEntry};
use quittance_store::schema::Table;
use quittance_store::store::{Scan, StoreError};
use quittance_store::tables::{DISPUTES, GATEWAY_OBJECTS, INBOX};
use quittance_store::value::{Row, Value};
use std::collections::BTreeSet;

impl Finder<'_> {
    /// Gateways are tried by the names under which anything was stored, not by those configured today.
    pub(super) fn gateway_object(&mut self, text: &str) -> Result<(), StoreError> {
        let before = self.payments.len();
        for gateway in self.distinct(&GATEWAY_OBJECTS)? {
            self.object_at(gateway, text)?;
        }
        // A charge has no place of its own while events tell of it by its payment; what they brought names both.
        match self.payments.len() == before {
            true => self.parent_of_event_object(text),
            false => Ok(()),
        }
    }

    fn object_at(&mut self, gateway: Value, text: &str) -> Result<(), StoreError> {
        let disputed = self.page(&DISPUTES, "disputes_by_object", vec![gateway.clone(), text.into()])?;
        for row in disputed {
            let dispute = read::<Dispute>(&row)?;
            self.add_payment(dispute.payment)?;
        }
        let Some(object) = get::<GatewayObject>(self.reader, vec![gateway, text.into()])? else { return Ok(()) };
        // The row names the newest payment; earlier, failed attempts of the same reference shared the object.
        let Some(owner) = object.owner else { return Ok(()) };
        let newest = vec![owner.book.bytes().into(), owner.payment.bytes().into()];
        let newest = get::<Payment>(self.reader, newest)?.filter(|newest| self.tenants.contains(&newest.tenant));
        let Some(newest) = newest else { return Ok(()) };
        for payment in self.payments_by_reference(newest.tenant, &newest.reference)? {
            if payment.book == newest.book && payment.gateway_object.as_deref() == Some(text) {
                self.payments.insert(payment.id, payment);
            }
        }
        self.payments.insert(newest.id, newest);
        Ok(())
    }

    /// The payment of an object that only events told of, by what they say it belongs to.
    fn parent_of_event_object(&mut self, text: &str) -> Result<(), StoreError> {
        let entries = self.page(&INBOX, "inbox_by_object", vec![text.into()])?;
        for parent in entries.iter().filter_map(|row| parent_in(row, text)).collect::<BTreeSet<_>>() {
            for gateway in self.distinct(&GATEWAY_OBJECTS)? {
                self.object_at(gateway, &parent)?;
            }
        }
        Ok(())
    }

    pub(super) fn gateway_event(&mut self, text: &str) -> Result<(), StoreError> {
        for gateway in self.distinct(&INBOX)? {
            let entry = get::<InboxEntry>(self.reader, vec![gateway, text.into()])?;
            if let Some(object) = entry.and_then(|entry| entry.object) {
                self.gateway_object(&object)?;
            }
        }
        Ok(())
    }

    /// The distinct first columns of a table, each found by one short scan behind the one before.
    fn distinct(&mut self, table: &'static Table) -> Result<Vec<Value>, StoreError> {
        let mut values: Vec<Value> = Vec::new();
        while values.len() < PLACES_MAX {
            let after = values.last().map(|last| vec![last.clone()]);
            match self.reader.scan(&Scan { after, ..Scan::forward(table, Vec::new(), 1) })?.pop() {
                Some(mut row) => values.push(row.swap_remove(0)),
                None => break,
            }
        }
        Ok(values)
    }
}

/// What the object of a stored event belongs to. Only one dialect sends events, so that it need not be known whose it is;
/// a body of anything else has no such word.
fn parent_in(row: &Row, object: &str) -> Option<String> {
    let entry = read::<InboxEntry>(row).ok()?;
    let seen = Stripe::default().decode_event(&entry.body).ok()?.seen?;
    let parent = match &seen {
        Seen::Object(sighting) => sighting.parent.clone(),
        Seen::Dispute(dispute) => dispute.payment_object.clone(),
    };
    parent.filter(|_| seen.object_id() == object)
}
