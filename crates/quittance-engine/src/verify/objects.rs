//! Whose a gateway's object is: events about it have to reach the newest payment that has it.

use super::cursor::PAGE_ROWS;
use super::finding::Findings;
use super::history::{History, ObjectKey};
use super::rows::{Seen, readable};
use quittance_core::id::PaymentId;
use quittance_store::records::{Entity, GatewayObject};
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::GATEWAY_OBJECTS;
use quittance_store::value::{Key, Value};

/// Checks the objects of a book's payments, a page at a time.
pub(super) fn check(
    reader: &mut dyn Reader,
    book: &Value,
    history: &History,
    seen: &Seen,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let objects: Vec<(&ObjectKey, &PaymentId)> = history.objects.iter().collect();
    for page in objects.chunks(PAGE_ROWS) {
        let keys: Vec<Key> = page.iter().map(|((gateway, id), _)| key_of(gateway, id)).collect();
        for ((object, recorded), row) in page.iter().zip(reader.get_many(&GATEWAY_OBJECTS, &keys)?) {
            let subject = format!("object {:?} at {:?}", object.1, object.0);
            let Some(row) = row else {
                findings.row(format!("{subject}: a payment has it, but its row is missing"));
                continue;
            };
            let Some(row) = readable(GatewayObject::from_row(&row), findings) else { continue };
            let newest = *seen.inherited.get(*object).unwrap_or(recorded);
            if !leads_to(&row, newest, book, history) {
                findings
                    .row(format!("{subject}: its row leads to {}, not to {newest}, which has it", payment_of(&row)));
            }
        }
    }
    Ok(())
}

fn key_of(gateway: &str, object: &str) -> Key {
    vec![gateway.into(), object.into()]
}

/// Whether the row leads to the payment that has the object, or to a later attempt that began with it and let it go
/// before any record could name it.
fn leads_to(row: &GatewayObject, newest: PaymentId, book: &Value, history: &History) -> bool {
    let Some(owner) = row.owner else { return false };
    let effect = history.replay.payments.get(&owner.payment).map(|payment| payment.effect);
    let replayed = effect.and_then(|effect| history.replay.effects.get(&effect));
    let has_let_go = replayed.is_some_and(|effect| effect.is_advanced && !effect.is_fresh);
    Value::from(owner.book.bytes()) == *book
        && effect == Some(owner.effect)
        && (owner.payment == newest || (has_let_go && history.may_succeed(owner.payment, newest)))
}

fn payment_of(row: &GatewayObject) -> String {
    row.owner.map_or_else(|| "nobody".to_owned(), |owner| owner.payment.to_string())
}
