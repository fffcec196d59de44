//! What operators do: tenants, credentials and brakes.

use super::{Handled, Wanted};
use crate::submission::Outcome;
use crate::working_set::{Miss, WorkingSet};
use quittance_core::id::ApiKeyId;
use quittance_core::tenant::{ApiKey, Tenant};
use quittance_core::time::Timestamp;
use quittance_store::records::{ClockMark, Entity, Switch};
use quittance_store::tables::TENANTS;

pub(super) fn reads_tenant(tenant: &Tenant, wanted: &mut Wanted<'_>) {
    wanted.unique::<Tenant>(&TENANTS.indexes[0], vec![tenant.name.as_str().into()]);
}

pub(super) fn create_tenant(tenant: &Tenant, rows: &mut WorkingSet<'_>) -> Result<Handled, Miss> {
    if rows.unique::<Tenant>(&TENANTS.indexes[0], &[tenant.name.as_str().into()])?.is_some() {
        return Ok(Outcome::Conflict("a tenant of this name exists").into());
    }
    rows.put(tenant);
    Ok(Outcome::Done.into())
}

pub(super) fn reads_key(key: &ApiKey, wanted: &mut Wanted<'_>) {
    wanted.row::<Tenant>(vec![key.tenant.bytes().into()]);
}

pub(super) fn create_key(key: &ApiKey, rows: &mut WorkingSet<'_>) -> Result<Handled, Miss> {
    if rows.get::<Tenant>(&vec![key.tenant.bytes().into()])?.is_none() {
        return Ok(Outcome::Conflict("no such tenant exists").into());
    }
    rows.put(key);
    Ok(Outcome::Done.into())
}

pub(super) fn reads_known_key(id: ApiKeyId, wanted: &mut Wanted<'_>) {
    wanted.row::<ApiKey>(vec![id.bytes().into()]);
}

pub(super) fn revoke_key(id: ApiKeyId, at: Timestamp, rows: &mut WorkingSet<'_>) -> Result<Handled, Miss> {
    let Some(mut key) = rows.get::<ApiKey>(&vec![id.bytes().into()])? else {
        return Ok(Outcome::Conflict("no such key exists").into());
    };
    key.revoked_at.get_or_insert(at);
    rows.put(&key);
    Ok(Outcome::Done.into())
}

pub(super) fn rotate_key(
    id: ApiKeyId,
    ends_at: Timestamp,
    successor: &ApiKey,
    rows: &mut WorkingSet<'_>,
) -> Result<Handled, Miss> {
    let Some(mut key) = rows.get::<ApiKey>(&vec![id.bytes().into()])? else {
        return Ok(Outcome::Conflict("no such key exists").into());
    };
    if key.revoked_at.is_some() || key.ends_at.is_some() {
        return Ok(Outcome::Conflict("the key is revoked, or has a successor already").into());
    }
    key.ends_at = Some(ends_at);
    rows.put(&key);
    rows.put(successor);
    Ok(Outcome::Done.into())
}

/// What another process has just written down is not written again.
pub(super) fn use_key(id: ApiKeyId, at: Timestamp, rows: &mut WorkingSet<'_>) -> Result<Handled, Miss> {
    if let Some(mut key) = rows.get::<ApiKey>(&vec![id.bytes().into()])?.filter(|key| key.is_news(at)) {
        key.last_used_at = Some(at);
        rows.put(&key);
    }
    Ok(Outcome::Done.into())
}

pub(super) fn reads_switch(switch: &Switch, wanted: &mut Wanted<'_>) {
    wanted.row::<Switch>(switch.key());
    wanted.row::<ClockMark>(ClockMark::key(ClockMark::ERA));
}

pub(super) fn set_switch(switch: &Switch, rows: &mut WorkingSet<'_>) -> Result<Handled, Miss> {
    let was_paused = rows.get::<Switch>(&switch.key())?.is_some_and(|stored| stored.is_paused);
    // What is paused already keeps its time, its reason, and who paused it first.
    if switch.is_paused != was_paused {
        rows.put(switch);
        // Whoever decides from now on sees that this row was written, and reads the brakes before anything else.
        if let Some(mark) = rows.get::<ClockMark>(&ClockMark::key(ClockMark::ERA))? {
            rows.put(&mark);
        }
    }
    Ok(Outcome::Done.into())
}
