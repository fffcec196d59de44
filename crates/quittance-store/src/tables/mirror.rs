//! What gateways tell: their objects as we last saw them, their events, how far we have looked, and what does not agree.

use super::{column, sealed};
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::{Many, Unique};
use crate::schema::{Index, Queue, Rows, Table};

/// Objects at gateways: whose each is, what was last seen of it, and when it is to be looked at again. A look is begun by
/// claiming the row, so that the lease's epoch says which of two looks began later.
pub static GATEWAY_OBJECTS: Table = Table {
    name: "gateway_objects",
    columns: &[
        column("gateway", Text, Required),
        column("object", Text, Required),
        column("kind", Text, Required),
        column("book", Bytes, Optional),
        column("effect", Bytes, Optional),
        column("payment", Bytes, Optional),
        column("state", Text, Required),
        column("waiting_on", Text, Optional),
        column("status", Text, Optional),
        column("status_since", Integer, Optional),
        column("read_sequence", Integer, Required),
        column("is_stale", Integer, Required),
        column("tries", Integer, Required),
        column("troubled_since", Integer, Optional),
        column("first_seen_at", Integer, Required),
        column("last_read_at", Integer, Optional),
        column("due_at", Integer, Optional),
        column("lease_owner", Integer, Required),
        column("lease_epoch", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[Index { name: "gateway_objects_due", columns: &["gateway", "due_at"], uniqueness: Many }],
    rows: Rows::Versioned,
    queue: Queue::Claimed { lane: &["gateway"] },
};

/// Objects that carry the reference of a payment whose records were lost, by book and reference.
pub static ORPHANS: Table = Table {
    name: "orphans",
    columns: &[
        column("book", Bytes, Required),
        column("gateway", Text, Required),
        column("reference", Text, Required),
        column("found", Bytes, Required),
        column("is_more", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 3,
    indexes: &[],
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// Events of gateways, once each, with the bytes they came in.
pub static INBOX: Table = Table {
    name: "inbox",
    columns: &[
        column("gateway", Text, Required),
        column("event", Text, Required),
        column("kind", Text, Required),
        column("object", Text, Optional),
        column("book", Bytes, Optional),
        column("disposition", Text, Required),
        column("source", Text, Required),
        column("endpoint", Text, Optional),
        column("secret", Text, Optional),
        column("verified_at", Integer, Optional),
        column("received_at", Integer, Required),
        sealed("body", Required),
    ],
    key_columns: 2,
    indexes: &[Index { name: "inbox_by_object", columns: &["object"], uniqueness: Many }],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// How far each list of a gateway was followed.
pub static SWEEPS: Table = Table {
    name: "sweeps",
    columns: &[
        column("gateway", Text, Required),
        column("sweep", Text, Required),
        column("cursor", Integer, Optional),
        column("created_from", Integer, Optional),
        column("newest", Integer, Optional),
        column("resume_after", Text, Optional),
        column("is_full", Integer, Required),
        column("started_at", Integer, Optional),
        column("completed_at", Integer, Optional),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// What a gateway shows and our books do not, or the other way round.
pub static DISCREPANCIES: Table = Table {
    name: "discrepancies",
    columns: &[
        column("id", Bytes, Required),
        column("tenant", Bytes, Optional),
        column("gateway", Text, Required),
        column("object", Text, Required),
        column("kind", Text, Required),
        column("payment", Bytes, Optional),
        column("detail", Text, Required),
        column("opened_at", Integer, Required),
        column("last_seen_at", Integer, Required),
        column("closed_at", Integer, Optional),
        column("open_since", Integer, Optional),
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[
        Index { name: "discrepancies_by_object", columns: &["gateway", "object", "kind"], uniqueness: Unique },
        Index { name: "discrepancies_by_payment", columns: &["payment"], uniqueness: Many },
        Index { name: "discrepancies_open", columns: &["open_since"], uniqueness: Many },
    ],
    rows: Rows::Versioned,
    queue: Queue::No,
};
