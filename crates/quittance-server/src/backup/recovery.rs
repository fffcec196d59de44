//! What keeps restored books from sending before it was looked for: written in the transaction that restores them.
//!
//! Since the backup was taken, gateways may have carried out what the books do not know. So nothing may be sent until that
//! was found out, and it must not depend on a second transaction that nothing is.

use quittance_core::time::Timestamp;
use quittance_engine::recovery::restored;
use quittance_store::records::Entity;
use quittance_store::shape::VERSION;
use quittance_store::store::{Change, Reader, StoreError};
use quittance_store::tables::SWITCHES;
use quittance_store::value::Value;

/// What begins recovery of books that show the moment `taken_at`: the next start of a server on them sends nothing to a
/// gateway that was not swept since.
///
/// # Errors
///
/// [`StoreError`] when the books cannot be read.
pub(super) fn begin(reader: &mut dyn Reader, taken_at: Timestamp) -> Result<Vec<Change>, StoreError> {
    let restored = restored(taken_at);
    let mut row = restored.to_row();
    let version = SWITCHES.position(VERSION);
    // The books may have been restored before.
    let before = reader.get_many(&SWITCHES, &[restored.key()])?.pop().flatten();
    if let Some(Value::Integer(before)) = before.map(|mut row| row.swap_remove(version)) {
        row[version] = (before + 1).into();
    }
    Ok(vec![Change::Upsert { table: &SWITCHES, row }])
}
