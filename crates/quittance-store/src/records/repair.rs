//! Repairs of records in other systems: the runs that made them, what became of each, and their journal.
//!
//! The journal is the truth: one chain for each pair. Runs and repairs are what follows from it, for whoever looks one up.

mod books;
mod journal;
mod plan;

pub use books::{BooksDigest, RecordSaid, RepairBooks, RepairSaid};
pub use journal::{RepairEntry, RepairHead, RepairNews, chain_repair, decode_news, encode_news};
pub use plan::{RepairPlan, decode_plan, encode_plan, record_digest, record_digest_of};
pub(super) use plan::{read_value, write_value};

use super::row::{Columns, Corrupt, Entity};
use crate::schema::Table;
use crate::tables::{REPAIR_RUNS, REPAIRS};
use crate::value::Row;
use quittance_core::id::RunId;
use quittance_core::time::Timestamp;

/// Why a run of repairs was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairCause {
    /// A comparison found what is repaired; its run has the same id.
    Reconcile,
    /// It takes another run back.
    Undo,
    /// Somebody had a list of corrections.
    Import,
}

impl RepairCause {
    const ALL: [Self; 3] = [Self::Reconcile, Self::Undo, Self::Import];

    /// The word at rest and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reconcile => "reconcile",
            Self::Undo => "undo",
            Self::Import => "import",
        }
    }

    /// The cause of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == word)
    }
}

/// A run of repairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairRun {
    /// Its id.
    pub id: RunId,
    /// The pair, as it is configured.
    pub pair: String,
    /// Why it was made.
    pub cause: RepairCause,
    /// The run that it takes back.
    pub undoes: Option<RunId>,
    /// Who made it.
    pub by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How many rows of [`Repair`] belong to it.
    pub repairs: i64,
    /// The list that it was made of.
    pub source: Option<RepairSource>,
}

/// A list of corrections, as somebody had it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairSource {
    /// Name of the file, without its folders.
    pub name: String,
    /// SHA-256 of all of it.
    pub sha256: [u8; 32],
}

impl RepairSource {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.sha256[..], self.name.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (sha256, name) = bytes.split_first_chunk::<32>()?;
        Some(Self { name: String::from_utf8(name.to_vec()).ok()?, sha256: *sha256 })
    }
}

impl Entity for RepairRun {
    fn table() -> &'static Table {
        &REPAIR_RUNS
    }

    fn to_row(&self) -> Row {
        vec![
            self.id.bytes().into(),
            self.pair.as_str().into(),
            self.cause.name().into(),
            self.undoes.map(|run| run.bytes()).into(),
            self.by.as_str().into(),
            self.started_at.0.into(),
            self.repairs.into(),
            self.source.as_ref().map(RepairSource::to_bytes).into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&REPAIR_RUNS, row)?;
        let run = Self {
            id: RunId::from_bytes(columns.fixed()?),
            pair: columns.text()?,
            cause: columns.word(RepairCause::named)?,
            undoes: columns.maybe_fixed()?.map(RunId::from_bytes),
            by: columns.text()?,
            started_at: columns.time()?,
            repairs: columns.integer()?,
            source: None,
        };
        let source = columns.maybe_bytes()?;
        let read = |bytes: Vec<u8>| RepairSource::from_bytes(&bytes).ok_or_else(|| columns.wrong("not a list"));
        Ok(Self { source: source.map(read).transpose()?, ..run })
    }
}

/// What became of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RepairState {
    /// It is about to be written, or was when its process ended: what the system holds tells which.
    Planned,
    /// A person has to approve it first.
    AwaitingApproval,
    /// The record holds what it was to hold.
    Repaired,
    /// The record held what it was to hold already: somebody else had done it, and nothing was written.
    Already,
    /// It was begun and not written when its process ended; the next comparison decides anew.
    Abandoned,
    /// The record was changed by somebody else meanwhile; nothing was written.
    Moved,
    /// There was no such record any more; nothing was written.
    Gone,
    /// It was written, and the system holds something else.
    Altered,
    /// The system refused it; nothing was written.
    Refused,
    /// A person decided against it.
    Rejected,
    /// It was repaired, and taken back since.
    Undone,
}

impl RepairState {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Planned,
        Self::AwaitingApproval,
        Self::Repaired,
        Self::Already,
        Self::Abandoned,
        Self::Moved,
        Self::Gone,
        Self::Altered,
        Self::Refused,
        Self::Rejected,
        Self::Undone,
    ];

    /// The word at rest and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Repaired => "repaired",
            Self::Already => "already",
            Self::Abandoned => "abandoned",
            Self::Moved => "moved",
            Self::Gone => "gone",
            Self::Altered => "altered",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Undone => "undone",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == word)
    }
}

/// A repair of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The run.
    pub run: RunId,
    /// Its number in the run, from 0.
    pub no: i64,
    /// The pair.
    pub pair: String,
    /// Digest of the system, the object and the record in it: what repairs of one record have in common.
    pub record: [u8; 32],
    /// What became of it.
    pub state: RepairState,
    /// When that was.
    pub changed_at: Timestamp,
    /// What is written where, encoded ([`encode_plan`]).
    pub plan: Vec<u8>,
    /// What the system said, or what it holds instead, for people.
    pub detail: Option<String>,
}

impl Entity for Repair {
    fn table() -> &'static Table {
        &REPAIRS
    }

    fn to_row(&self) -> Row {
        vec![
            self.run.bytes().into(),
            self.no.into(),
            self.pair.as_str().into(),
            self.record.into(),
            self.state.name().into(),
            self.changed_at.0.into(),
            self.plan.clone().into(),
            self.detail.as_ref().map(|detail| detail.clone().into_bytes()).into(),
        ]
    }

    fn from_row(row: &Row) -> Result<Self, Corrupt> {
        let mut columns = Columns::of(&REPAIRS, row)?;
        Ok(Self {
            run: RunId::from_bytes(columns.fixed()?),
            no: columns.integer()?,
            pair: columns.text()?,
            record: columns.fixed()?,
            state: columns.word(RepairState::named)?,
            changed_at: columns.time()?,
            plan: columns.bytes()?.to_vec(),
            detail: columns.maybe_bytes()?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        })
    }
}
