//! Idempotency keys: each leads to its command, and each command is found under its key.
//!
//! Both rows are written in one transaction and never taken away, so whatever of them is seen first, the other is there.

use super::cursor::Cursor;
use super::finding::Findings;
use super::rows::readable;
use quittance_core::id::TenantId;
use quittance_core::idempotency::{Command, digest16};
use quittance_store::records::{Entity, KeyEntry};
use quittance_store::schema::Table;
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::{COMMANDS, IDEMPOTENCY};
use quittance_store::value::{Key, Row};

/// Checks all keys and all commands, a page at a time; `report` gets what is found.
pub(super) fn check(reader: &mut dyn Reader, report: &mut dyn FnMut(Findings)) -> Result<(), StoreError> {
    check_all(reader, &COMMANDS, &IDEMPOTENCY, place_of_key, compare_key, report)?;
    check_all(reader, &IDEMPOTENCY, &COMMANDS, place_of_command, compare_command, report)
}

/// Reads a table through, and for each row the one of another table that it leads to.
fn check_all<E: Entity>(
    reader: &mut dyn Reader,
    table: &'static Table,
    other: &'static Table,
    place: fn(&E) -> Key,
    compare: fn(&E, Option<&Row>) -> Option<Findings>,
    report: &mut dyn FnMut(Findings),
) -> Result<(), StoreError> {
    let mut cursor = Cursor::new(table, Vec::new());
    loop {
        let page = cursor.take_page(reader)?;
        if page.is_empty() {
            return Ok(());
        }
        let mut damaged = Findings::new("none".to_owned());
        let entities: Vec<E> = page.iter().filter_map(|row| readable(E::from_row(row), &mut damaged)).collect();
        report(damaged);
        let keys: Vec<Key> = entities.iter().map(place).collect();
        let rows = reader.get_many(other, &keys)?;
        entities.iter().zip(&rows).filter_map(|(entity, row)| compare(entity, row.as_ref())).for_each(&mut *report);
    }
}

fn place_of_key(command: &Command) -> Key {
    vec![command.tenant.bytes().into(), digest16(command.key.as_bytes()).into()]
}

fn place_of_command(entry: &KeyEntry) -> Key {
    vec![entry.command.bytes().into()]
}

fn compare_key(command: &Command, row: Option<&Row>) -> Option<Findings> {
    let Some(row) = row else {
        return found(command.tenant, format!("command {}: no row leads from its key to it", command.id));
    };
    match KeyEntry::from_row(row) {
        Ok(entry) if entry.command == command.id => None,
        Ok(entry) => found(command.tenant, format!("command {}: its key leads to {}", command.id, entry.command)),
        Err(error) => found(command.tenant, error.to_string()),
    }
}

fn compare_command(entry: &KeyEntry, row: Option<&Row>) -> Option<Findings> {
    let Some(row) = row else {
        return found(entry.tenant, format!("a key leads to command {}, which has no row", entry.command));
    };
    // One that cannot be read was named when its table was read through.
    let command = Command::from_row(row).ok()?;
    let is_its_key = command.tenant == entry.tenant && digest16(command.key.as_bytes()) == entry.key_digest;
    if is_its_key {
        return None;
    }
    found(entry.tenant, format!("a key leads to command {}, which came under another", entry.command))
}

fn found(tenant: TenantId, what: String) -> Option<Findings> {
    let mut findings = Findings::new(format!("none ({tenant})"));
    findings.row(what);
    Some(findings)
}
