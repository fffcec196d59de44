//! Master keys change: rows are written again as they are, for what is written is sealed under the newest, and keys under
//! which nothing is left are retired. Sealing itself is the store's.

use super::{Handled, Wanted};
use crate::submission::Outcome;
use crate::working_set::{Miss, WorkingSet};
use quittance_core::time::Timestamp;
use quittance_store::master::MasterKey;
use quittance_store::schema::Table;
use quittance_store::value::Key;

pub(super) fn reads_resealed(table: &'static Table, keys: &[Key], wanted: &mut Wanted<'_>) {
    keys.iter().for_each(|key| wanted.any_row(table, key.clone()));
}

pub(super) fn reseal(table: &'static Table, keys: &[Key], rows: &mut WorkingSet<'_>) -> Result<Handled, Miss> {
    keys.iter().try_for_each(|key| rows.rewrite(table, key))?;
    Ok(Outcome::Done.into())
}

pub(super) fn reads_retired(ids: &[String], wanted: &mut Wanted<'_>) {
    ids.iter().for_each(|id| wanted.row::<MasterKey>(vec![id.as_str().into()]));
}

pub(super) fn retire(ids: &[String], at: Timestamp, rows: &mut WorkingSet<'_>) -> Result<Handled, Miss> {
    for id in ids {
        if let Some(mut key) = rows.get::<MasterKey>(&vec![id.as_str().into()])? {
            key.retired_at.get_or_insert(at);
            rows.put(&key);
        }
    }
    Ok(Outcome::Done.into())
}
