//! Comparisons of two systems: each run with its proof, what it found open, and what was repaired.
//!
//! These rows lie in a store of their own beside the ledger's, so that a comparison can be kept while a server holds
//! the ledger.

use super::alerts::{ALERT_CHANNELS, ALERT_NOTICES, ALERT_SILENCES, ALERTS};
use super::findings::{ACTIONS, FINDINGS};
use super::{column, sealed};
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::Unique;
use crate::schema::{Index, Queue, Rows, Table};

/// All of these: what lies beside the books where those have one writer.
pub const KEPT_APART: [&Table; 14] = [
    &RUNS,
    &DRIFTS,
    &REPAIR_RUNS,
    &REPAIRS,
    &REPAIR_JOURNAL,
    &REPAIR_HEADS,
    &PAIR_STATES,
    &ALERTS,
    &ALERT_CHANNELS,
    &ALERT_NOTICES,
    &ALERT_SILENCES,
    &BASES,
    &FINDINGS,
    &ACTIONS,
];

/// Runs that were completed.
pub static RUNS: Table = Table {
    name: "runs",
    columns: &[
        column("id", Bytes, Required),
        column("pair", Text, Required),
        column("started_at", Integer, Required),
        column("ended_at", Integer, Required),
        column("method", Text, Required),
        column("left_as_of", Integer, Optional),
        column("right_as_of", Integer, Optional),
        column("drifts", Integer, Required),
        column("drifts_digest", Bytes, Required),
        column("proof", Bytes, Required),
    ],
    key_columns: 1,
    indexes: &[Index { name: "runs_by_pair", columns: &["pair", "id"], uniqueness: Unique }],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// What a run found open: confirmed, or suspect.
pub static DRIFTS: Table = Table {
    name: "drifts",
    columns: &[
        column("run", Bytes, Required),
        column("seq", Integer, Required),
        column("kind", Text, Required),
        column("key", Text, Required),
        column("standing", Text, Required),
        column("first_seen_at", Integer, Required),
        column("left_hashes", Bytes, Required),
        column("right_hashes", Bytes, Required),
        sealed("told", Required),
        sealed("content", Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// Runs of repairs. What a comparison found is repaired under the id of its run.
pub static REPAIR_RUNS: Table = Table {
    name: "repair_runs",
    columns: &[
        column("id", Bytes, Required),
        column("pair", Text, Required),
        column("cause", Text, Required),
        column("undoes", Bytes, Optional),
        column("by", Text, Required),
        column("started_at", Integer, Required),
        column("repairs", Integer, Required),
        sealed("source", Optional),
    ],
    key_columns: 1,
    indexes: &[Index { name: "repair_runs_by_pair", columns: &["pair", "id"], uniqueness: Unique }],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// Repairs, each with what became of it.
pub static REPAIRS: Table = Table {
    name: "repairs",
    columns: &[
        column("run", Bytes, Required),
        column("no", Integer, Required),
        column("pair", Text, Required),
        column("record", Bytes, Required),
        column("state", Text, Required),
        column("changed_at", Integer, Required),
        sealed("plan", Required),
        sealed("detail", Optional),
    ],
    key_columns: 2,
    indexes: &[
        Index { name: "repairs_by_record", columns: &["record", "run", "no"], uniqueness: Unique },
        Index { name: "repairs_by_state", columns: &["pair", "state", "run", "no"], uniqueness: Unique },
    ],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// The journal of repairs: a chain for each pair, of which the rows above follow.
pub static REPAIR_JOURNAL: Table = Table {
    name: "repair_journal",
    columns: &[
        column("pair", Text, Required),
        column("seq", Integer, Required),
        column("kind", Integer, Required),
        column("at", Integer, Required),
        sealed("body", Required),
        column("prev_hash", Bytes, Required),
        column("hash", Bytes, Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// How far each chain has come.
pub static REPAIR_HEADS: Table = Table {
    name: "repair_heads",
    columns: &[column("pair", Text, Required), column("seq", Integer, Required), column("hash", Bytes, Required)],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// Pairs: who works on each now, when the next run is due, what came of the last one, and what detectors remember.
pub static PAIR_STATES: Table = Table {
    name: "pair_states",
    columns: &[
        column("pair", Text, Required),
        column("lease_owner", Text, Optional),
        column("lease_epoch", Integer, Required),
        column("lease_until", Integer, Optional),
        column("paused_at", Integer, Optional),
        column("paused_by", Text, Optional),
        column("paused_reason", Text, Optional),
        column("due_at", Integer, Optional),
        column("started_at", Integer, Optional),
        column("ended_at", Integer, Optional),
        column("outcome", Text, Optional),
        column("detail", Text, Optional),
        column("good_at", Integer, Optional),
        column("failures", Integer, Required),
        column("failing_since", Integer, Optional),
        sealed("memory", Optional),
    ],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// What both sides of a pair last agreed on, record by record, where a field of the pair is merged.
pub static BASES: Table = Table {
    name: "bases",
    columns: &[
        column("pair", Text, Required),
        column("record", Bytes, Required),
        column("is_touched", Integer, Required),
        sealed("agreed", Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Replaced,
    queue: Queue::No,
};
