//! What comparisons found, as it lives on from run to run, and what people decided about it. It lies where runs lie.

use super::{column, sealed};
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::Unique;
use crate::schema::{Index, Queue, Rows, Table};

/// What comparisons found, from run to run: one row for each kind of disagreement under each key of a pair.
pub static FINDINGS: Table = Table {
    name: "findings",
    columns: &[
        column("pair", Text, Required),
        column("digest", Bytes, Required),
        column("id", Bytes, Required),
        column("kind", Text, Required),
        column("key", Text, Required),
        column("state", Text, Required),
        column("first_seen_at", Integer, Required),
        column("opened_at", Integer, Required),
        column("last_seen_at", Integer, Required),
        column("closed_at", Integer, Optional),
        column("judged_at", Integer, Required),
        column("run", Bytes, Required),
        column("repair_run", Bytes, Optional),
        column("repair_no", Integer, Optional),
        sealed("content", Required),
        sealed("told", Required),
        column("ignored_by", Text, Optional),
        sealed("ignored_reason", Optional),
    ],
    key_columns: 2,
    indexes: &[
        Index { name: "findings_by_id", columns: &["id"], uniqueness: Unique },
        Index { name: "findings_by_state", columns: &["pair", "state", "id"], uniqueness: Unique },
    ],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// What people decided about them, under the idempotency keys of their requests.
pub static ACTIONS: Table = Table {
    name: "finding_actions",
    columns: &[
        column("tenant", Bytes, Required),
        column("key", Bytes, Required),
        column("fingerprint", Bytes, Required),
        column("finding", Bytes, Required),
        column("action", Text, Required),
        column("by", Text, Required),
        column("at", Integer, Required),
        column("run", Bytes, Optional),
        sealed("reason", Required),
    ],
    key_columns: 2,
    indexes: &[Index { name: "finding_actions_by_finding", columns: &["finding", "at", "key"], uniqueness: Unique }],
    rows: Rows::Replaced,
    queue: Queue::No,
};
