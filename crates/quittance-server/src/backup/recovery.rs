//! What keeps restored books from sending before somebody has looked: written in the transaction that restores them.
//!
//! Since the backup was taken, gateways may have carried out what the books do not know. So nothing may leave until that
//! was looked for, and it must not depend on a second transaction that nothing leaves.

use crate::render::time;
use crate::switches::OPERATOR;
use quittance_core::time::Timestamp;
use quittance_store::records::{Entity, Switch};
use quittance_store::shape::VERSION;
use quittance_store::store::{Change, Reader, StoreError};
use quittance_store::tables::SWITCHES;
use quittance_store::value::Value;

/// What begins recovery of books that show the moment `taken_at`, at `now`: everything is paused.
///
/// # Errors
///
/// [`StoreError`] when the books cannot be read.
pub(super) fn begin(reader: &mut dyn Reader, taken_at: Timestamp, now: Timestamp) -> Result<Vec<Change>, StoreError> {
    let pause = Switch {
        name: Switch::EVERYTHING.to_owned(),
        is_paused: true,
        reason: Some(format!("restored from a backup of {}; see docs/operations.md", time(taken_at))),
        by: OPERATOR.to_owned(),
        changed_at: now,
    };
    let mut row = pause.to_row();
    let version = SWITCHES.position(VERSION);
    let before = reader.get_many(&SWITCHES, &[pause.key()])?.pop().flatten();
    if let Some(Value::Integer(before)) = before.map(|mut row| row.swap_remove(version)) {
        row[version] = (before + 1).into();
    }
    Ok(vec![Change::Upsert { table: &SWITCHES, row }])
}
