//! What comparisons of a pair found, as a thing that lives on from run to run, and what people said about it.

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{ACTIONS, FINDINGS};
use crate::value::Row;
use quittance_core::id::{DiscrepancyId, RunId, TenantId};
use quittance_core::time::Timestamp;

/// How a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingState {
    /// A run saw it, and something else when it looked again.
    Suspect,
    /// A run saw it twice.
    Confirmed,
    /// Its record was repaired, and no run has looked since.
    Resolving,
    /// A run did not find it any more.
    Resolved,
    /// Somebody said that it is good as it is, and neither record has changed since.
    Ignored,
}

impl FindingState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Suspect, Self::Confirmed, Self::Resolving, Self::Resolved, Self::Ignored];

    /// Those that a run closes when it does not find it any more.
    pub const OPEN: [Self; 4] = [Self::Suspect, Self::Confirmed, Self::Resolving, Self::Ignored];

    /// The word at rest and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspect => "suspect",
            Self::Confirmed => "confirmed",
            Self::Resolving => "resolving",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == word)
    }
}

/// Something that comparisons of a pair found: one kind of disagreement under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairFinding {
    /// The pair, as it is configured.
    pub pair: String,
    /// Digest of the kind and the key.
    pub digest: [u8; 32],
    /// Its id.
    pub id: DiscrepancyId,
    /// Its kind (`different`).
    pub kind: String,
    /// The key, as people write it.
    pub key: String,
    /// How it stands.
    pub state: FindingState,
    /// When a run saw it first.
    pub first_seen_at: Timestamp,
    /// When a run saw it first since it was resolved last.
    pub opened_at: Timestamp,
    /// When a run saw it last.
    pub last_seen_at: Timestamp,
    /// When it was resolved.
    pub closed_at: Option<Timestamp>,
    /// When the newest run began that has judged it.
    pub judged_at: Timestamp,
    /// The run that saw it last.
    pub run: RunId,
    /// The repair that was made of its record last: run and number.
    pub repair: Option<(RunId, i64)>,
    /// Digest of the records of both sides, as they were seen last.
    pub content: [u8; 32],
    /// What the run told of it, as JSON.
    pub told: String,
    /// Who said that it is good as it is.
    pub ignored_by: Option<String>,
    /// Why.
    pub ignored_reason: Option<String>,
}

impl Entity for PairFinding {
    fn table() -> &'static Table {
        &FINDINGS
    }

    fn to_row(&self) -> Row {
        vec![
            self.pair.as_str().into(),
            self.digest.into(),
            self.id.bytes().into(),
            self.kind.as_str().into(),
            self.key.as_str().into(),
            self.state.name().into(),
            self.first_seen_at.0.into(),
            self.opened_at.0.into(),
            self.last_seen_at.0.into(),
            self.closed_at.map(|at| at.0).into(),
            self.judged_at.0.into(),
            self.run.bytes().into(),
            self.repair.map(|(run, _)| run.bytes()).into(),
            self.repair.map(|(_, no)| no).into(),
            self.content.into(),
            self.told.as_bytes().to_vec().into(),
            self.ignored_by.clone().into(),
            self.ignored_reason.as_ref().map(|reason| reason.clone().into_bytes()).into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&FINDINGS, row)?;
        Ok(Self {
            pair: columns.text()?,
            digest: columns.fixed()?,
            id: DiscrepancyId::from_bytes(columns.fixed()?),
            kind: columns.text()?,
            key: columns.text()?,
            state: columns.word(FindingState::named)?,
            first_seen_at: columns.time()?,
            opened_at: columns.time()?,
            last_seen_at: columns.time()?,
            closed_at: columns.maybe_time()?,
            judged_at: columns.time()?,
            run: RunId::from_bytes(columns.fixed()?),
            repair: {
                let (run, no) = (columns.maybe_fixed()?, columns.maybe_integer()?);
                run.map(RunId::from_bytes).zip(no)
            },
            content: columns.fixed()?,
            told: String::from_utf8_lossy(columns.bytes()?).into_owned(),
            ignored_by: columns.maybe_text()?,
            ignored_reason: columns.maybe_bytes()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        })
    }
}

/// What somebody decided about a finding, under the idempotency key of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingAction {
    /// Whose API key it was.
    pub tenant: TenantId,
    /// Digest of the idempotency key.
    pub key: [u8; 32],
    /// What makes the request the same as another one.
    pub fingerprint: [u8; 32],
    /// The finding.
    pub finding: DiscrepancyId,
    /// What was decided: `ignore`, `approve`, `resolve`.
    pub action: String,
    /// Who decided.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The run of repairs that follows from it.
    pub run: Option<RunId>,
    /// Why, in a person's words.
    pub reason: String,
}

impl Entity for FindingAction {
    fn table() -> &'static Table {
        &ACTIONS
    }

    fn to_row(&self) -> Row {
        vec![
            self.tenant.bytes().into(),
            self.key.into(),
            self.fingerprint.into(),
            self.finding.bytes().into(),
            self.action.as_str().into(),
            self.by.as_str().into(),
            self.at.0.into(),
            self.run.map(|run| run.bytes()).into(),
            self.reason.as_bytes().to_vec().into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&ACTIONS, row)?;
        Ok(Self {
            tenant: TenantId::from_bytes(columns.fixed()?),
            key: columns.fixed()?,
            fingerprint: columns.fixed()?,
            finding: DiscrepancyId::from_bytes(columns.fixed()?),
            action: columns.text()?,
            by: columns.text()?,
            at: columns.time()?,
            run: columns.maybe_fixed()?.map(RunId::from_bytes),
            reason: String::from_utf8_lossy(columns.bytes()?).into_owned(),
        })
    }
}
