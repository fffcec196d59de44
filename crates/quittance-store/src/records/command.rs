//! Commands, and the narrow index from a key to its command.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{COMMANDS, IDEMPOTENCY};
use crate::value::{Row, Value};
use quittance_core::id::{ApiKeyId, CommandId, TenantId};
use quittance_core::idempotency::{Command, Progress};
use quittance_core::time::Timestamp;

/// What an idempotency key began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// The tenant.
    pub tenant: TenantId,
    /// Digest of the key.
    pub key_digest: [u8; 16],
    /// The command.
    pub command: CommandId,
}

impl Entity for KeyEntry {
    fn table() -> &'static Table {
        &IDEMPOTENCY
    }

    fn to_row(&self) -> Row {
        vec![self.tenant.bytes().into(), self.key_digest.into(), self.command.bytes().into()]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&IDEMPOTENCY, row)?;
        Ok(Self {
            tenant: TenantId::from_bytes(columns.fixed()?),
            key_digest: columns.fixed()?,
            command: CommandId::from_bytes(columns.fixed()?),
        })
    }
}

impl Entity for Command {
    fn table() -> &'static Table {
        &COMMANDS
    }

    fn to_row(&self) -> Row {
        let (state, status, body, completed_at) = match &self.progress {
            Progress::InProgress => ("in_progress", None, None, None),
            Progress::Completed { status, body, at } => {
                ("completed", Some(i64::from(*status)), Some(body.clone()), Some(at.0))
            }
            Progress::Tombstone { at } => ("tombstone", None, None, Some(at.0)),
        };
        vec![
            self.id.bytes().into(),
            self.tenant.bytes().into(),
            self.key.as_str().into(),
            self.operation.as_str().into(),
            self.fingerprint.into(),
            self.fingerprint_version.into(),
            state.into(),
            self.subject.as_deref().into(),
            self.credential.map(ApiKeyId::bytes).into(),
            self.api_version.as_str().into(),
            status.into(),
            body.into(),
            self.received_at.0.into(),
            completed_at.into(),
            Value::Integer(0),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&COMMANDS, row)?;
        let id = CommandId::from_bytes(columns.fixed()?);
        let tenant = TenantId::from_bytes(columns.fixed()?);
        let (key, operation) = (columns.text()?, columns.text()?);
        let (fingerprint, fingerprint_version) = (columns.fixed()?, columns.integer()?);
        let state = columns.text()?;
        let subject = columns.maybe_text()?;
        let credential = columns.maybe_fixed()?.map(ApiKeyId::from_bytes);
        let api_version = columns.text()?;
        let (status, body) = (columns.maybe_integer()?, columns.maybe_bytes()?);
        let (received_at, completed_at) = (columns.time()?, columns.maybe_time()?);
        let progress = progress(&state, status, body, completed_at)?;
        Ok(Self {
            id,
            tenant,
            key,
            operation,
            fingerprint,
            fingerprint_version,
            progress,
            subject,
            credential,
            api_version,
            received_at,
        })
    }
}

fn progress(
    state: &str,
    status: Option<i64>,
    body: Option<Vec<u8>>,
    at: Option<Timestamp>,
) -> Result<Progress, Corrupt> {
    let status = status.and_then(|status| u16::try_from(status).ok());
    match (state, status, body, at) {
        ("in_progress", None, None, None) => Ok(Progress::InProgress),
        ("completed", Some(status), Some(body), Some(at)) => Ok(Progress::Completed { status, body, at }),
        ("tombstone", None, None, Some(at)) => Ok(Progress::Tombstone { at }),
        _ => {
            let what = format!("{state:?} does not fit the answer beside it");
            Err(Corrupt { table: COMMANDS.name, column: "state", what })
        }
    }
}
