//! Operations prepared: what is stored is looked up, ids and secrets are drawn, and the engine's part is named.

use super::{Answer, OperateError, Operation, Plan, PlanError, PrunedRows, keys, master};
use crate::api::rows;
use crate::{ids, repairs, switches};
use quittance_core::id::{CommandId, TenantId};
use quittance_core::tenant::{Mode, Tenant};
use quittance_core::time::Timestamp;
use quittance_engine::ports::Ids;
use quittance_engine::submission::{PRUNED_MAX, Prune, Requeue, Submission, days_ago};
use quittance_store::records::{Corrupt, Entity, Switch};
use quittance_store::store::{Reader, Scan, StoreError};
use serde_json::json;
use std::collections::BTreeSet;

/// Longest name of a tenant or key, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Rows that one listing shows.
const LIST_MAX: usize = 10_000;

/// What is said of a reason that cannot be kept.
pub(crate) const REASON_WANTED: &str = "a reason has 1 to 500 bytes and no control characters";

/// Prepares an operation over what is stored, where these gateways are configured.
///
/// # Errors
///
/// [`PlanError`].
pub fn plan(
    reader: &mut dyn Reader,
    operation: &Operation,
    configured: &BTreeSet<String>,
    now: Timestamp,
) -> Result<Plan, PlanError> {
    match operation {
        Operation::CreateTenant { name, mode } => {
            let mode = Mode::from_name(mode).ok_or_else(|| invalid("mode is `live` or `test`"))?;
            let tenant = new_tenant(checked_name(name)?, mode, now);
            let answer = Answer::Known(tenant_view(&tenant));
            Ok(Plan { submissions: vec![Submission::CreateTenant(Box::new(tenant))], answer })
        }
        Operation::ListTenants => {
            Ok(Plan { submissions: Vec::new(), answer: Answer::Known(json!({ "data": list(reader, tenant_view)? })) })
        }
        Operation::CreateKey { tenant, name, scope } => keys::create(reader, tenant.as_deref(), name, scope, now),
        Operation::ListKeys => {
            Ok(Plan { submissions: Vec::new(), answer: Answer::Known(json!({ "data": list(reader, keys::view)? })) })
        }
        Operation::RevokeKey { id } => keys::revoke(id, now),
        Operation::RotateKey { id, overlap_s } => keys::rotate(reader, id, *overlap_s, now),
        Operation::Pause { gateway, reason } => {
            let switch = switch(gateway.clone(), reason.clone(), now);
            set(reader, Switch { is_paused: true, ..switch }, configured)
        }
        Operation::Prune(rows) => prune(rows, now),
        Operation::Reseal(rows) => master::reseal(rows),
        Operation::RetireMasterKeys { ids } => Ok(master::retire(ids, now)),
        Operation::Requeue { gateway, object, reason } => requeue(gateway, object, reason),
        Operation::Replay { .. } => Err(invalid("an event is applied again by the server: start it first")),
        Operation::EndRecovery { gateway, reason } => end_recovery(reader, gateway, reason),
        Operation::Resume { gateway, reason } => {
            let switch = switch(gateway.clone(), reason.clone(), now);
            set(reader, Switch { is_paused: false, ..switch }, configured)
        }
    }
}

/// Prepares dropping bytes; nothing has to be looked up.
pub(super) fn prune(rows: &PrunedRows, now: Timestamp) -> Result<Plan, PlanError> {
    if rows.rows() > PRUNED_MAX {
        return Err(invalid(&format!("at most {PRUNED_MAX} rows are pruned at once")));
    }
    let id = |id: &String| id.parse::<CommandId>().map_err(|error| invalid(&format!("no id of a command: {error}")));
    let told = |(tenant, event): &(String, String)| match (tenant.parse(), event.parse()) {
        (Ok(tenant), Ok(event)) => Ok((tenant, event)),
        _ => Err(invalid(&format!("no ids of a tenant and of an event of its own: {tenant}, {event}"))),
    };
    let prune = Prune {
        answers: rows.answers.iter().map(id).collect::<Result<_, _>>()?,
        answered_before: days_ago(rows.answers_days, now),
        events: rows.events.clone(),
        received_before: days_ago(rows.events_days, now),
        told: rows.told.iter().map(told).collect::<Result<_, _>>()?,
        told_before: days_ago(rows.told_days, now),
    };
    Ok(Plan { submissions: vec![Submission::Prune(Box::new(prune))], answer: Answer::Known(json!({})) })
}

fn requeue(gateway: &str, object: &str, reason: &str) -> Result<Plan, PlanError> {
    if !is_reason(reason) {
        return Err(invalid(REASON_WANTED));
    }
    let word = repairs::word(switches::OPERATOR.to_owned(), reason.to_owned());
    let requeue = Requeue { gateway: gateway.to_owned(), object: object.to_owned(), word };
    let answer = Answer::Known(json!({ "gateway": gateway, "object": object }));
    Ok(Plan { submissions: vec![Submission::Requeue(Box::new(requeue))], answer })
}

/// Whether a text can be kept as a reason.
pub(crate) fn is_reason(reason: &str) -> bool {
    (1..=switches::REASON_BYTES_MAX).contains(&reason.len()) && !reason.chars().any(char::is_control)
}

/// The switch that an operator means, released.
fn switch(gateway: Option<String>, reason: Option<String>, now: Timestamp) -> Switch {
    let (name, by) = (switches::name_of(gateway), switches::OPERATOR.to_owned());
    Switch { name, is_paused: false, reason, by, changed_at: now }
}

/// When it began stays: by that it is known which loss was recovered from, whatever the clock of the operator's machine says.
fn end_recovery(reader: &mut dyn Reader, gateway: &str, reason: &str) -> Result<Plan, PlanError> {
    if !is_reason(reason) {
        return Err(invalid(REASON_WANTED));
    }
    let Some(known) = rows::get::<Switch>(reader, vec![Switch::recovery_of(gateway).into()])? else {
        return Err(invalid("this gateway does not recover from a restore"));
    };
    let (reason, by) = (Some(reason.to_owned()), switches::OPERATOR.to_owned());
    let switch = Switch { is_paused: false, reason, by, ..known };
    Ok(Plan { submissions: vec![Submission::SetSwitch(Box::new(switch))], answer: Answer::Paused })
}

fn set(reader: &mut dyn Reader, switch: Switch, configured: &BTreeSet<String>) -> Result<Plan, PlanError> {
    if !switches::is_known(reader, &switch.name, configured.contains(&switch.name))? {
        return Err(invalid("no gateway of this name is configured"));
    }
    if !switch.reason.as_deref().is_none_or(is_reason) {
        return Err(invalid(REASON_WANTED));
    }
    Ok(Plan { submissions: vec![Submission::SetSwitch(Box::new(switch))], answer: Answer::Paused })
}

/// The tenant that is meant; none where none was named and none exists.
pub(super) fn find_tenant(reader: &mut dyn Reader, named: Option<&str>) -> Result<Option<Tenant>, PlanError> {
    let tenants: Vec<Tenant> = list(reader, Tenant::clone)?;
    let Some(named) = named else {
        return match tenants.len() {
            0 | 1 => Ok(tenants.into_iter().next()),
            count => Err(invalid(&format!("there are {count} tenants: say which one by its name or id"))),
        };
    };
    let is_meant = |tenant: &Tenant| tenant.name == named || tenant.id.to_string() == named;
    let found = tenants.into_iter().find(is_meant);
    found.map(Some).ok_or_else(|| invalid("no tenant has this name or id"))
}

pub(super) fn new_tenant(name: &str, mode: Mode, now: Timestamp) -> Tenant {
    Tenant {
        id: TenantId::from_uuid(ids::SystemIds::default().uuid(now)),
        name: name.to_owned(),
        mode,
        fingerprint_secret: ids::random(),
        gateway_key_secret: ids::random(),
        created_at: now,
    }
}

pub(super) fn checked_name(name: &str) -> Result<&str, PlanError> {
    let is_good = (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control);
    if is_good { Ok(name) } else { Err(invalid("a name has 1 to 255 bytes and no control characters")) }
}

fn list<E: Entity, T>(reader: &mut dyn Reader, view: fn(&E) -> T) -> Result<Vec<T>, PlanError> {
    let table = E::table();
    let rows = reader.scan(&Scan::forward(table, Vec::new(), LIST_MAX))?;
    let damaged = |error: Corrupt| StoreError::Corrupt { place: table.name.to_owned(), what: error.to_string() };
    rows.iter().map(|row| E::from_row(row).map(|entity| view(&entity)).map_err(|e| damaged(e).into())).collect()
}

fn tenant_view(tenant: &Tenant) -> serde_json::Value {
    json!({
        "id": tenant.id.to_string(),
        "name": tenant.name,
        "mode": tenant.mode.name(),
        "created_at": time(tenant.created_at),
    })
}

pub(super) fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.0.to_string(), |time| time.to_string())
}

pub(super) fn invalid(what: &str) -> PlanError {
    PlanError::Refused(OperateError::Invalid(what.to_owned()))
}

#[cfg(test)]
mod tests;
