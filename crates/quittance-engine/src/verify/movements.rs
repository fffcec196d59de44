//! Movements at gateways that were booked by themselves: each has one row, which leads to the record that booked it, and no
//! row is without a record.
//!
//! Both are written in one transaction and never taken away, so whatever of them is seen first, the other is there.

use super::cursor::{Cursor, PAGE_ROWS};
use super::finding::Findings;
use super::history::{History, ObjectKey, name_of};
use super::rows::readable;
use quittance_core::id::PaymentId;
use quittance_core::journal::Record;
use quittance_core::payment::Payment;
use quittance_store::records::{BookedMovement, Entity, JournalEntry, journal};
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::{JOURNAL, MOVEMENTS, PAYMENTS};
use quittance_store::value::{Key, Row, Value};

/// Checks that each movement a book's journal booked has its row.
pub(super) fn check(
    reader: &mut dyn Reader,
    book: &Value,
    history: &History,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let booked: Vec<(&ObjectKey, &i64)> = history.movements.iter().collect();
    for page in booked.chunks(PAGE_ROWS) {
        let keys: Vec<Key> =
            page.iter().map(|((gateway, id), _)| vec![gateway.as_str().into(), id.as_str().into()]).collect();
        for (((gateway, id), seq), row) in page.iter().zip(reader.get_many(&MOVEMENTS, &keys)?) {
            let subject = format!("movement {id:?} at {gateway:?}");
            let Some(row) = row else {
                findings.row(format!("{subject}: record {seq} booked it, but its row is missing"));
                continue;
            };
            let Some(row) = readable(BookedMovement::from_row(&row), findings) else { continue };
            if Value::from(row.book.bytes()) != *book || row.seq != **seq {
                let place = format!("record {} of {}", row.seq, row.book);
                findings.row(format!("{subject}: its row leads to {place}, not to record {seq}, which booked it"));
            }
        }
    }
    Ok(())
}

/// Checks that each row leads to a record that booked its movement, a page at a time; `report` gets what is found.
pub(super) fn check_rows(reader: &mut dyn Reader, report: &mut dyn FnMut(Findings)) -> Result<(), StoreError> {
    let mut cursor = Cursor::new(&MOVEMENTS, Vec::new());
    loop {
        let page = cursor.take_page(reader)?;
        if page.is_empty() {
            return Ok(());
        }
        let mut damaged = Findings::new("none".to_owned());
        let rows: Vec<BookedMovement> =
            page.iter().filter_map(|row| readable(BookedMovement::from_row(row), &mut damaged)).collect();
        report(damaged);
        let places: Vec<Key> = rows.iter().map(|row| vec![row.book.bytes().into(), row.seq.into()]).collect();
        let records = reader.get_many(&JOURNAL, &places)?;
        for (row, record) in rows.iter().zip(&records) {
            if !is_booked_by(reader, row, record.as_ref())? {
                let mut findings = Findings::new(name_of(&row.book.bytes().into()));
                let BookedMovement { gateway, movement, seq, .. } = row;
                let what = "it has a row, but the journal never booked it in record";
                findings.row(format!("movement {movement:?} at {gateway:?}: {what} {seq}"));
                report(findings);
            }
        }
    }
}

/// Whether the record books the movement, at the gateway of the payment that it is about.
fn is_booked_by(reader: &mut dyn Reader, row: &BookedMovement, record: Option<&Row>) -> Result<bool, StoreError> {
    // What cannot be read was named when its own table was read through.
    let record = record.and_then(|record| JournalEntry::from_row(record).ok());
    let record = record.and_then(|entry| journal::decode(entry.kind, &entry.body).ok());
    let Some((payment, movement)) = record.as_ref().and_then(booked) else { return Ok(false) };
    let place = vec![row.book.bytes().into(), payment.bytes().into()];
    let payment = reader.get_many(&PAYMENTS, &[place])?.pop().flatten();
    let gateway = payment.and_then(|payment| Payment::from_row(&payment).ok()).map(|payment| payment.gateway);
    Ok(movement == row.movement && gateway.is_none_or(|gateway| gateway == row.gateway))
}

fn booked(record: &Record) -> Option<(PaymentId, &str)> {
    match record {
        Record::Corrected(corrected) => Some((corrected.payment, &corrected.movement)),
        Record::DisputeSeen(seen) => Some((seen.payment, seen.movement.as_deref()?)),
        _ => None,
    }
}
