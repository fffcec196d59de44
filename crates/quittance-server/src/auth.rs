//! Who calls: an API key's secret to its tenant, and what it may do.
//!
//! Only a digest of the secret is stored, and it is looked up as a whole through a unique index, so no comparison of
//! secrets takes a time that depends on their content. Every request reads the row: a revoked key is refused from the
//! moment its revocation is committed, whichever process committed it.

use crate::api::rows;
use crate::caps::{Met, Permit};
use crate::clock;
use crate::problem::{Problem, catalogue};
use crate::runtime::Handle;
use http::{HeaderMap, header};
use quittance_core::id::ApiKeyId;
use quittance_core::tenant::{ApiKey, Scope, Tenant};
use quittance_store::store::{Reader, StoreError};
use quittance_store::tables::API_KEYS;
use sha2::{Digest, Sha256};

/// How every secret begins.
const SECRET_PREFIX: &str = "qk_";

/// Longest secret that is looked at, in bytes.
const SECRET_BYTES_MAX: usize = 200;

/// Who calls.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The tenant.
    pub(crate) tenant: Tenant,
    /// The credential.
    pub(crate) credential: ApiKeyId,
    /// What it may do.
    pub(crate) scope: Scope,
    /// Its place among the requests of its credential, until it is answered.
    _permit: Permit,
}

/// Finds out who calls, and whether they may.
pub(crate) async fn authenticate(handle: &Handle, headers: &HeaderMap, needed: Scope) -> Result<Caller, Problem> {
    let caller = holder(handle, Sha256::digest(secret(headers)?).into()).await?;
    caller.needs(needed)?;
    Ok(caller)
}

/// Who holds the key of this digest, whatever it may do. Refused from the moment its revocation is committed.
pub(crate) async fn holder(handle: &Handle, digest: [u8; 32]) -> Result<Caller, Problem> {
    let found = handle.read(move |reader| find(reader, digest)).await.map_err(Problem::from)?;
    let found = found.filter(|(key, _)| key.is_good(handle.now()));
    let (key, tenant) = found.ok_or_else(|| unauthorised("the API key is not known, or revoked"))?;
    let permit = handle.caps().begin(key.id, clock::monotonic()).map_err(too_many)?;
    if key.is_news(handle.now()) {
        handle.caps().note(key.id, clock::monotonic());
    }
    Ok(Caller { tenant, credential: key.id, scope: key.scope, _permit: permit })
}

impl Caller {
    /// Refuses whoever may not do what needs this scope.
    pub(crate) fn needs(&self, needed: Scope) -> Result<(), Problem> {
        if self.scope.allows(needed) {
            return Ok(());
        }
        let detail = format!("scope {} is needed; this key has {}", needed.name(), self.scope.name());
        Err(Problem::new(&catalogue::FORBIDDEN, detail))
    }
}

/// The digest of a secret as somebody typed it; none where no key looks like that.
pub(crate) fn digest_of(secret: &str) -> Option<[u8; 32]> {
    is_secret(secret).then(|| Sha256::digest(secret).into())
}

fn is_secret(text: &str) -> bool {
    text.starts_with(SECRET_PREFIX) && text.len() <= SECRET_BYTES_MAX
}

fn too_many(met: Met) -> Problem {
    let detail = match met {
        Met::InFlight(max) => format!("at most {max} requests of one API key are under way at once"),
        Met::PerSecond(max) => format!("at most {max} requests of one API key are taken in a second"),
    };
    Problem::new(&catalogue::TOO_MANY_REQUESTS, detail).retry_after(1)
}

/// The secret in the header `Authorization`.
fn secret(headers: &HeaderMap) -> Result<&[u8], Problem> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let value = lines.next().ok_or_else(|| unauthorised("the header Authorization is missing"))?;
    let text = value.to_str().unwrap_or_default();
    let (scheme, secret) = text.split_once(' ').unwrap_or((text, ""));
    let secret = secret.trim_matches(' ');
    let is_usable = lines.next().is_none() && scheme.eq_ignore_ascii_case("bearer") && is_secret(secret);
    if is_usable { Ok(secret.as_bytes()) } else { Err(unauthorised("expected `Authorization: Bearer qk_…`")) }
}

fn unauthorised(detail: &str) -> Problem {
    Problem::new(&catalogue::UNAUTHORISED, detail).with_header(header::WWW_AUTHENTICATE, "Bearer")
}

fn find(reader: &mut dyn Reader, digest: [u8; 32]) -> Result<Option<(ApiKey, Tenant)>, StoreError> {
    let key: Option<ApiKey> = rows::unique(reader, &API_KEYS.indexes[0], vec![digest.into()])?;
    let Some(key) = key else {
        return Ok(None);
    };
    let tenant: Option<Tenant> = rows::get(reader, vec![key.tenant.bytes().into()])?;
    Ok(tenant.map(|tenant| (key, tenant)))
}
