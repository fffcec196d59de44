//! What operators do: tenants, credentials and brakes.
//!
//! One operation means the same whether it comes in over the local socket of a running server ([`crate::admin`]) or is
//! carried out here on data that no server has open: [`plan`] reads and prepares, the engine writes, [`conclude`] says
//! what became of it. [`run`] picks the way. A key's secret is shown once, in the answer that creates it; only its
//! SHA-256 is stored.

mod keys;
mod master;
mod plan;
mod prune;

pub use keys::OVERLAP_S_MAX;
pub use master::{Resealed, rotate_master};
pub use plan::plan;
pub(crate) use plan::{REASON_WANTED, is_reason};
pub use prune::{Found, Pruned, Retention, prune};

use crate::data::{Data, apart};
use crate::render::Renderer;
use crate::{admin, clock, ids, switches};
use quittance_engine::Engine;
use quittance_engine::gateways::{Gateways, Leases};
use quittance_engine::room::Permits;
use quittance_engine::submission::{Failure, Outcome, Submission};
use quittance_store::store::{Reader, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an operator asks. The form it has on the local socket, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case", deny_unknown_fields)]
pub enum Operation {
    /// A new tenant; answers `{id, name, mode, created_at}`.
    CreateTenant {
        /// Its name, unique in the installation.
        name: String,
        /// `live` or `test`.
        mode: String,
    },
    /// Every tenant; answers `{data: […]}`.
    ListTenants,
    /// A new credential; answers `{id, secret, name, scope, tenant}`, the secret this once only.
    CreateKey {
        /// Id or name of the tenant. Without it: the only tenant there is, or, where there is none yet, a new tenant
        /// `default` in test mode.
        #[serde(default)]
        tenant: Option<String>,
        /// What people call it.
        name: String,
        /// `admin`, `write` or `read`.
        scope: String,
    },
    /// Every credential, without secrets; answers `{data: […]}`.
    ListKeys,
    /// Takes a credential out of use; answers `{id, revoked_at}`. Doing it again changes nothing.
    RevokeKey {
        /// Its id (`key_…`).
        id: String,
    },
    /// A credential that takes the place of another; answers as `CreateKey` does, with `replaces: {id, ends_at}`. The old
    /// one goes on for so long, and then ends by itself.
    RotateKey {
        /// Id of the old one (`key_…`).
        id: String,
        /// For how long the old one goes on, in seconds; 0 for not at all.
        overlap_s: u64,
    },
    /// Lets nothing leave for a gateway; answers `{paused: […]}`. What is paused already stays as it is.
    Pause {
        /// Its name; without it, everything is meant.
        #[serde(default)]
        gateway: Option<String>,
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Has an object of a gateway looked at again; answers `{gateway, object}`.
    Requeue {
        /// The gateway's name.
        gateway: String,
        /// The gateway's id of the object.
        object: String,
        /// Why.
        reason: String,
    },
    /// Has a stored event applied again; answers `{event}`. Needs a server that runs.
    Replay {
        /// The gateway's id of the event.
        event: String,
        /// The gateway's name; without it, the first that has the event.
        #[serde(default)]
        gateway: Option<String>,
        /// Why.
        reason: String,
    },
    /// Drops bytes that were kept for their own sake, of at most [`quittance_engine::submission::PRUNED_MAX`] rows; answers
    /// `{}`. Rows that are too young stay.
    Prune(PrunedRows),
    /// Has rows written again as they are, so that what they hold is sealed under the newest master key; answers `{}`.
    Reseal(master::Rows),
    /// Writes down that no value is left under master keys; answers `{}`.
    RetireMasterKeys {
        /// Their ids.
        ids: Vec<String>,
    },
    /// Lets a gateway that recovers from a restore send again before its sweeps are complete; answers `{paused: […]}`. What
    /// was done since the backup and was not found is not known then.
    EndRecovery {
        /// Its name.
        gateway: String,
        /// Why.
        reason: String,
    },
    /// Takes a pause back; answers `{paused: […]}`, what is left. Each pause is taken back under its own name.
    Resume {
        /// Its name; without it, the pause of everything is meant.
        #[serde(default)]
        gateway: Option<String>,
        /// Why.
        #[serde(default)]
        reason: Option<String>,
    },
}

/// Rows whose bytes are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrunedRows {
    /// Ids of commands whose answers go.
    pub answers: Vec<String>,
    /// Only answers that are so many days old.
    pub answers_days: u32,
    /// Events whose bytes go: the gateway's name and the event's id.
    pub events: Vec<(String, String)>,
    /// Only events that came so many days ago.
    pub events_days: u32,
    /// Events that tenants were told whose bytes go: the tenant's id and the event's.
    pub told: Vec<(String, String)>,
    /// Only events that were told so many days ago.
    pub told_days: u32,
}

impl PrunedRows {
    /// How many rows that are.
    pub(crate) fn rows(&self) -> usize {
        self.answers.len() + self.events.len() + self.told.len()
    }
}

/// Why an operation was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// It cannot be meant so.
    #[error("{0}")]
    Invalid(String),
    /// It contradicts what there is.
    #[error("{0}")]
    Conflict(String),
    /// The server has no room or is stopping; try again.
    #[error("the server cannot take it now: {0}")]
    Unavailable(String),
    /// The engine could not store it.
    #[error("nothing was stored: {0}")]
    NotStored(String),
    /// The data cannot be opened, read or written.
    #[error("cannot use the data in {place}")]
    Store {
        /// Where it is.
        place: String,
        /// Cause.
        #[source]
        source: StoreError,
    },
    /// The local socket does not work as it should.
    #[error("cannot talk to the server at {path}: {reason}")]
    Socket {
        /// The socket.
        path: String,
        /// For people.
        reason: String,
    },
}

/// An operation prepared: what the engine has to do, one after the other, and what to answer when it has.
pub struct Plan {
    /// Submissions in order; none for what only reads.
    pub submissions: Vec<Submission>,
    /// The answer.
    pub answer: Answer,
}

/// What an operation answers once it is carried out.
pub enum Answer {
    /// This. May hold a secret.
    Known(serde_json::Value),
    /// What is paused by then.
    Paused,
}

impl Answer {
    /// The answer as it is now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be read.
    pub fn read(self, reader: &mut dyn Reader) -> Result<serde_json::Value, StoreError> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Paused => Ok(serde_json::json!(switches::list(reader)?)),
        }
    }
}

/// Why an operation cannot be prepared.
#[derive(Debug)]
pub enum PlanError {
    /// The operator's doing.
    Refused(OperateError),
    /// The store's.
    Store(StoreError),
}

impl From<StoreError> for PlanError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Carries an operation out: through the server that runs on the data, or, where none does or others may write, too, on
/// the data itself.
/// `configured` are the gateways that can be paused there; a server knows its own.
///
/// # Errors
///
/// [`OperateError`].
pub async fn run(
    data: &Data,
    operation: &Operation,
    configured: &BTreeSet<String>,
) -> Result<serde_json::Value, OperateError> {
    match admin::call(data, operation).await? {
        Some(answer) => Ok(answer),
        None => apart(|| run_directly(data, operation, configured)),
    }
}

/// Carries an operation out on data that no server has open. Takes the lock meanwhile.
///
/// # Errors
///
/// [`OperateError`].
pub fn run_directly(
    data: &Data,
    operation: &Operation,
    configured: &BTreeSet<String>,
) -> Result<serde_json::Value, OperateError> {
    let failed = |source| OperateError::Store { place: data.to_string(), source };
    let mut engine = engine(data).map_err(failed)?;
    let mut reader = data.open_reader().map_err(failed)?;
    let plan = plan(reader.as_mut(), operation, configured, clock::now()).map_err(|error| match error {
        PlanError::Refused(refused) => refused,
        PlanError::Store(source) => failed(source),
    })?;
    for submission in plan.submissions {
        let step = engine.step(clock::now(), vec![submission], &mut Permits::default()).map_err(failed)?;
        step.outcomes.into_iter().try_for_each(conclude)?;
    }
    plan.answer.read(reader.as_mut()).map_err(failed)
}

/// An engine on data that no server has open, which begins nothing at gateways.
fn engine(data: &Data) -> Result<Engine, StoreError> {
    let (store, ids) = (data.open_for_writing()?, Box::<ids::SystemIds>::default());
    Ok(Engine::new(store, ids, Box::new(Renderer), Gateways::default(), Leases::default()))
}

/// Says whether an outcome is what an operation wanted.
///
/// # Errors
///
/// [`OperateError`] when it is not.
pub fn conclude(outcome: Outcome) -> Result<(), OperateError> {
    match outcome {
        Outcome::Done | Outcome::Applied { .. } => Ok(()),
        Outcome::Conflict(what) => Err(OperateError::Conflict(what.to_owned())),
        Outcome::Failed(Failure::StoreFull) => Err(OperateError::NotStored("the disk is full".to_owned())),
        Outcome::Failed(Failure::StoreUnavailable(what) | Failure::Damaged(what)) => Err(OperateError::NotStored(what)),
        other => Err(OperateError::NotStored(format!("unexpected outcome {other:?}"))),
    }
}
