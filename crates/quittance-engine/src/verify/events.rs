//! Events and deliveries: an event is of a book and of a moment of it, and a delivery of an event.
//!
//! That an event says what has happened cannot be shown: its bytes are what the API showed then. Nor can it be shown that one
//! should have been sent to an endpoint, for what endpoints wanted then is not kept.

use super::cursor::Cursor;
use super::finding::Findings;
use super::history::name_of;
use super::rows::readable;
use quittance_core::event::Delivery;
use quittance_store::records::{Book, Entity, EventRow};
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::{BOOKS, DELIVERIES, EVENTS};
use quittance_store::value::{Key, Row};

/// Checks all events and all deliveries, a page at a time; `report` gets what is found.
pub(super) fn check(reader: &mut dyn Reader, report: &mut dyn FnMut(Findings)) -> Result<(), StoreError> {
    let mut cursor = Cursor::new(&EVENTS, Vec::new());
    loop {
        let events: Vec<EventRow> = page(&mut cursor, reader, report)?;
        let Some(places) = places(&events, |event| vec![event.book.bytes().into()]) else { break };
        // The books are read after the events: they are as far on as these say, or further.
        for (event, book) in events.iter().zip(reader.get_many(&BOOKS, &places)?) {
            let book = book.as_ref().and_then(|row| Book::from_row(row).ok());
            let is_of_it = |book: &Book| book.tenant == event.tenant && (1..=book.records).contains(&event.seq);
            if !book.as_ref().is_some_and(is_of_it) {
                let what = format!("event {}: it is not of a moment of its book, record {}", event.id, event.seq);
                report(finding(&event.book.bytes().into(), what));
            }
        }
    }
    let mut cursor = Cursor::new(&DELIVERIES, Vec::new());
    loop {
        let deliveries: Vec<Delivery> = page(&mut cursor, reader, report)?;
        let Some(places) = places(&deliveries, |one| EventRow::place(one.tenant, one.event)) else { return Ok(()) };
        for (delivery, event) in deliveries.iter().zip(reader.get_many(&EVENTS, &places)?) {
            if event.is_none() {
                let (event, endpoint, tenant) = (delivery.event, delivery.endpoint, delivery.tenant);
                let mut findings = Findings::new(format!("none ({tenant})"));
                findings.row(format!("the delivery of event {event} to {endpoint}: the event has no row"));
                report(findings);
            }
        }
    }
}

/// The next page, without what cannot be read; that is reported.
fn page<E: Entity>(
    cursor: &mut Cursor,
    reader: &mut dyn Reader,
    report: &mut dyn FnMut(Findings),
) -> Result<Vec<E>, StoreError> {
    loop {
        let rows = cursor.take_page(reader)?;
        let mut damaged = Findings::new("none".to_owned());
        let entities: Vec<E> = rows.iter().filter_map(|row: &Row| readable(E::from_row(row), &mut damaged)).collect();
        report(damaged);
        if rows.is_empty() || !entities.is_empty() {
            return Ok(entities);
        }
    }
}

/// Where what entities name is; none where there are no entities.
fn places<E>(entities: &[E], place: impl Fn(&E) -> Key) -> Option<Vec<Key>> {
    (!entities.is_empty()).then(|| entities.iter().map(place).collect())
}

fn finding(book: &quittance_store::value::Value, what: String) -> Findings {
    let mut findings = Findings::new(name_of(book));
    findings.row(what);
    findings
}
