//! Comparisons of two systems: each run with its proof, and what it found open.
//!
//! These rows lie in a store of their own beside the ledger's, so that a comparison can be kept while a server holds
//! the ledger.

use super::column;
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::Unique;
use crate::schema::{Index, Queue, Rows, Table};

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
        column("told", Text, Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Fixed,
    queue: Queue::No,
};
