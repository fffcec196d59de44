//! Tenants and their credentials.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{API_KEYS, TENANTS};
use crate::value::{Row, Value};
use quittance_core::id::{ApiKeyId, TenantId};
use quittance_core::tenant::{ApiKey, Mode, Scope, Tenant};

impl Entity for Tenant {
    fn table() -> &'static Table {
        &TENANTS
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.bytes().into(),
            self.name.as_str().into(),
            self.mode.name().into(),
            self.fingerprint_secret.into(),
            self.gateway_key_secret.into(),
            self.created_at.0.into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&TENANTS, row)?;
        Ok(Self {
            id: TenantId::from_bytes(columns.fixed()?),
            name: columns.text()?,
            mode: columns.word(Mode::from_name)?,
            fingerprint_secret: columns.fixed()?,
            gateway_key_secret: columns.fixed()?,
            created_at: columns.time()?,
        })
    }
}

impl Entity for ApiKey {
    fn table() -> &'static Table {
        &API_KEYS
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.bytes().into(),
            self.tenant.bytes().into(),
            self.digest.into(),
            self.name.as_str().into(),
            self.scope.name().into(),
            self.created_at.0.into(),
            self.revoked_at.map(|at| at.0).into(),
            self.ends_at.map(|at| at.0).into(),
            self.last_used_at.map(|at| at.0).into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&API_KEYS, row)?;
        Ok(Self {
            id: ApiKeyId::from_bytes(columns.fixed()?),
            tenant: TenantId::from_bytes(columns.fixed()?),
            digest: columns.fixed()?,
            name: columns.text()?,
            scope: columns.word(Scope::from_name)?,
            created_at: columns.time()?,
            revoked_at: columns.maybe_time()?,
            ends_at: columns.maybe_time()?,
            last_used_at: columns.maybe_time()?,
        })
    }
}
