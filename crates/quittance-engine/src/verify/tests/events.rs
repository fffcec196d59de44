//! Events and deliveries that belong to nothing.

use super::decisive::{names, whats};
use crate::verify::sample::{Sample, customer, payment, tenant};
use quittance_core::event::{Delivery, Kind};
use quittance_core::id::{CustomerId, EndpointId, EventId, TenantId};
use quittance_core::time::Timestamp;
use quittance_store::records::EventRow;

fn sample() -> Sample {
    let (mut sample, id) = (Sample::new(), EventId::from_bytes([40; 16]));
    sample.add(&EventRow {
        tenant: tenant(),
        id,
        kind: Kind::from_name("payment.succeeded").expect("a kind"),
        subject: payment().to_string(),
        book: customer(),
        seq: 6,
        at: Timestamp(1),
        body: b"{}".to_vec(),
    });
    sample.add(&Delivery::new(tenant(), EndpointId::from_bytes([41; 16]), id, Timestamp(1)));
    sample
}

fn damaged(change: impl FnOnce(&mut Sample), expected: &str) {
    let mut sample = sample();
    change(&mut sample);
    names(sample, expected);
}

#[test]
fn an_event_is_of_a_moment_of_its_book() {
    assert_eq!(whats(sample()), Vec::<String>::new());
    damaged(|sample| sample.change(0, |row: &mut EventRow| row.seq = 7), "it is not of a moment of its book, record 7");
    damaged(|sample| sample.change(0, |row: &mut EventRow| row.seq = 0), "it is not of a moment of its book, record 0");
    let stranger = CustomerId::from_bytes([9; 16]);
    damaged(|sample| sample.change(0, |row: &mut EventRow| row.book = stranger), "it is not of a moment of its book");
    let other = TenantId::from_bytes([9; 16]);
    damaged(|sample| sample.change(0, |row: &mut EventRow| row.tenant = other), "it is not of a moment of its book");
}

#[test]
fn a_delivery_has_its_event() {
    damaged(|sample| sample.remove(&quittance_store::tables::EVENTS, 0), "the event has no row");
    let other = EventId::from_bytes([42; 16]);
    damaged(|sample| sample.change(0, |row: &mut Delivery| row.event = other), "the event has no row");
}
