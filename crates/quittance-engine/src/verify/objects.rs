//! Whose a gateway's object is: events about it have to reach the newest effect that has it.

use super::cursor::PAGE_ROWS;
use super::finding::Findings;
use super::history::{History, ObjectKey};
use super::rows::{Seen, readable};
use quittance_core::id::EffectId;
use quittance_store::records::{Entity, GatewayObject};
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::GATEWAY_OBJECTS;
use quittance_store::value::{Key, Value};

/// Checks the objects of a book's payments and refunds, a page at a time.
pub(super) fn check(
    reader: &mut dyn Reader,
    book: &Value,
    history: &History,
    seen: &Seen,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let objects: Vec<(&ObjectKey, &EffectId)> = history.objects.iter().collect();
    for page in objects.chunks(PAGE_ROWS) {
        let keys: Vec<Key> = page.iter().map(|((gateway, id), _)| key_of(gateway, id)).collect();
        for ((object, recorded), row) in page.iter().zip(reader.get_many(&GATEWAY_OBJECTS, &keys)?) {
            let subject = format!("object {:?} at {:?}", object.1, object.0);
            let Some(row) = row else {
                findings.row(format!("{subject}: {recorded} has it, but its row is missing"));
                continue;
            };
            let Some(row) = readable(GatewayObject::from_row(&row), findings) else { continue };
            let newest = *seen.inherited.get(*object).unwrap_or(recorded);
            compare(&row, &subject, newest, book, history, findings);
        }
    }
    Ok(())
}

fn compare(
    row: &GatewayObject,
    subject: &str,
    newest: EffectId,
    book: &Value,
    history: &History,
    findings: &mut Findings,
) {
    if !leads_to(row, newest, book, history) {
        let leads_to = row.owner.map_or_else(|| "nobody".to_owned(), |owner| owner.effect.to_string());
        findings.row(format!("{subject}: its row leads to {leads_to}, not to {newest}, which has it"));
    }
    if let Some(kind) = history.kind_of(newest).filter(|kind| *kind != row.kind) {
        findings.row(format!("{subject}: its row says that it is a {}, and it is a {}", row.kind.name(), kind.name()));
    }
}

fn key_of(gateway: &str, object: &str) -> Key {
    vec![gateway.into(), object.into()]
}

/// Whether the row leads to the effect that has the object, or to that of a later attempt which began with it and let it
/// go before any record could name it.
fn leads_to(row: &GatewayObject, newest: EffectId, book: &Value, history: &History) -> bool {
    let Some(owner) = row.owner else { return false };
    let of = |effect: EffectId| history.replay.effects.get(&effect);
    let (Some(replayed), Some(holder)) = (of(owner.effect), of(newest)) else { return false };
    let has_let_go = replayed.is_advanced && !replayed.is_fresh && replayed.subject == holder.subject;
    Value::from(owner.book.bytes()) == *book
        && replayed.payment == owner.payment
        && (owner.effect == newest || (has_let_go && history.may_succeed(replayed.payment, holder.payment)))
}
