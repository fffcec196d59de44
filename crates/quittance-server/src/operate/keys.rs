//! Credentials prepared: made, and replaced by others that go on where they end.

use super::plan::{checked_name, find_tenant, invalid, new_tenant, time};
use super::{Answer, OperateError, Plan, PlanError};
use crate::ids;
use quittance_core::id::{ApiKeyId, TenantId};
use quittance_core::tenant::{ApiKey, Mode, Scope, Tenant};
use quittance_core::time::Timestamp;
use quittance_engine::ports::Ids;
use quittance_engine::submission::Submission;
use quittance_store::records::{Corrupt, Entity};
use quittance_store::store::{Reader, StoreError};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Name of the tenant that a first key is made for when none was named.
const DEFAULT_TENANT: &str = "default";

/// Longest time for which a key that was replaced goes on, in seconds.
pub const OVERLAP_S_MAX: u64 = 90 * 86_400;

pub(super) fn create(
    reader: &mut dyn Reader,
    named: Option<&str>,
    name: &str,
    scope: &str,
    now: Timestamp,
) -> Result<Plan, PlanError> {
    let scope = Scope::from_name(scope).ok_or_else(|| invalid("scope is `admin`, `write` or `read`"))?;
    let name = checked_name(name)?;
    let mut submissions = Vec::new();
    let tenant = match find_tenant(reader, named)? {
        Some(tenant) => tenant,
        None => {
            let tenant = new_tenant(DEFAULT_TENANT, Mode::Test, now);
            submissions.push(Submission::CreateTenant(Box::new(tenant.clone())));
            tenant
        }
    };
    let (key, secret) = new(tenant.id, tenant.mode, name, scope, now);
    let answer = Answer::Known(shown(&key, &secret));
    submissions.push(Submission::CreateKey(Box::new(key)));
    Ok(Plan { submissions, answer })
}

pub(super) fn revoke(id: &str, now: Timestamp) -> Result<Plan, PlanError> {
    let id = parsed(id)?;
    let answer = Answer::Known(json!({ "id": id.to_string(), "revoked_at": time(now) }));
    Ok(Plan { submissions: vec![Submission::RevokeKey { id, at: now }], answer })
}

/// A key of the same tenant, name and scope; the old one ends when the overlap is over.
pub(super) fn rotate(reader: &mut dyn Reader, id: &str, overlap_s: u64, now: Timestamp) -> Result<Plan, PlanError> {
    if overlap_s > OVERLAP_S_MAX {
        return Err(invalid("the old key goes on for 90 days at most"));
    }
    let id = parsed(id)?;
    let no_key = || PlanError::Refused(OperateError::Conflict("no such key exists".to_owned()));
    let old: ApiKey = get(reader, id.bytes())?.ok_or_else(no_key)?;
    let tenant: Tenant = get(reader, old.tenant.bytes())?.ok_or_else(no_key)?;
    let ends_at = now.plus_ms(overlap_s * 1_000);
    let (key, secret) = new(tenant.id, tenant.mode, &old.name, old.scope, now);
    let mut answer = shown(&key, &secret);
    answer["replaces"] = json!({ "id": id.to_string(), "ends_at": time(ends_at) });
    let rotation = Submission::RotateKey { id, ends_at, successor: Box::new(key) };
    Ok(Plan { submissions: vec![rotation], answer: Answer::Known(answer) })
}

fn parsed(id: &str) -> Result<ApiKeyId, PlanError> {
    id.parse().map_err(|error| invalid(&format!("no id of a key: {error}")))
}

fn get<E: Entity>(reader: &mut dyn Reader, id: [u8; 16]) -> Result<Option<E>, PlanError> {
    let row = reader.get_many(E::table(), &[vec![id.into()]])?.into_iter().next().flatten();
    let damaged = |error: Corrupt| StoreError::Corrupt { place: E::table().name.to_owned(), what: error.to_string() };
    Ok(row.map(|row| E::from_row(&row)).transpose().map_err(damaged)?)
}

fn new(tenant: TenantId, mode: Mode, name: &str, scope: Scope, now: Timestamp) -> (ApiKey, String) {
    let secret = new_secret(mode);
    let key = ApiKey {
        id: ApiKeyId::from_uuid(ids::SystemIds::default().uuid(now)),
        tenant,
        digest: Sha256::digest(secret.as_bytes()).into(),
        name: name.to_owned(),
        scope,
        created_at: now,
        revoked_at: None,
        ends_at: None,
        last_used_at: None,
    };
    (key, secret)
}

/// The answer that makes a key, the only one that holds its secret.
fn shown(key: &ApiKey, secret: &str) -> Value {
    json!({
        "id": key.id.to_string(),
        "secret": secret,
        "name": key.name,
        "scope": key.scope.name(),
        "tenant": key.tenant.to_string(),
    })
}

/// The mode's prefix and 32 random bytes: 52 characters of RFC 4648's base32, in lower case.
fn new_secret(mode: Mode) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes: [u8; 32] = ids::random();
    let mut text = mode.key_prefix().to_owned();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(ALPHABET[(bits >> held & 31) as usize]));
        }
    }
    text.push(char::from(ALPHABET[(bits << (5 - held) & 31) as usize]));
    text
}

pub(super) fn view(key: &ApiKey) -> Value {
    json!({
        "id": key.id.to_string(),
        "tenant": key.tenant.to_string(),
        "name": key.name,
        "scope": key.scope.name(),
        "created_at": time(key.created_at),
        "last_used_at": key.last_used_at.map(time),
        "ends_at": key.ends_at.map(time),
        "revoked_at": key.revoked_at.map(time),
    })
}
