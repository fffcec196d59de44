//! What is done at gateways, the brakes of it, and the clock by which it is dated.

use super::{column, sealed};
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::{Many, Unique};
use crate::schema::{Index, Queue, Rows, Table};

/// Effects at gateways, and the outbox in one: a row is due while there is something left to do about it. What is asked
/// of a gateway next is its lane, so that what may not be asked now stands in nobody's way.
pub static EFFECTS: Table = Table {
    name: "effects",
    columns: &[
        column("book", Bytes, Required),
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("payment", Bytes, Required),
        column("gateway", Text, Required),
        column("lane", Text, Required),
        column("state", Text, Required),
        column("parked_by", Text, Optional),
        column("body", Bytes, Required),
        column("due_at", Integer, Optional),
        column("lease_owner", Integer, Required),
        column("lease_epoch", Integer, Required),
        column("created_at", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[
        Index { name: "effects_due", columns: &["gateway", "lane", "due_at"], uniqueness: Many },
        Index { name: "effects_by_tenant", columns: &["tenant", "id"], uniqueness: Unique },
        Index { name: "effects_parked", columns: &["parked_by"], uniqueness: Many },
    ],
    rows: Rows::Versioned,
    queue: Queue::Claimed { lane: &["gateway", "lane"] },
};

/// Tickets: one for each send of a write, committed before its first byte. The key makes a second one impossible. The
/// reference leads from an object that carries nothing else of ours to the effect that asked for it.
pub static TICKETS: Table = Table {
    name: "tickets",
    columns: &[
        column("book", Bytes, Required),
        column("effect", Bytes, Required),
        column("step", Text, Required),
        column("generation", Integer, Required),
        column("send_no", Integer, Required),
        column("gateway_key", Text, Required),
        column("reference", Text, Optional),
        column("request_digest", Bytes, Required),
        sealed("request", Required),
        column("lease_epoch", Integer, Required),
        column("issued_at", Integer, Required),
        column("deadline", Integer, Required),
    ],
    key_columns: 5,
    indexes: &[Index { name: "tickets_by_reference", columns: &["reference"], uniqueness: Unique }],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// Movements of money at gateways that were booked by themselves: the key lets each be booked once.
pub static MOVEMENTS: Table = Table {
    name: "movements",
    columns: &[
        column("gateway", Text, Required),
        column("movement", Text, Required),
        column("book", Bytes, Required),
        column("seq", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// Brakes of operators: what is paused, by a gateway's name or `*` for everything. What has no row is not paused.
pub static SWITCHES: Table = Table {
    name: "switches",
    columns: &[
        column("name", Text, Required),
        column("is_paused", Integer, Required),
        column("reason", Text, Optional),
        column("by", Text, Required),
        column("changed_at", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// What the clock said when it was last written down, and the era that it is in: one row where one process writes, else one
/// for the era and one for each start of a machine. What is older, or of another start, tells the next process what not
/// to believe.
pub static CLOCKS: Table = Table {
    name: "clocks",
    columns: &[
        column("name", Text, Required),
        column("wall", Integer, Required),
        column("boot", Text, Required),
        column("steady_ms", Integer, Required),
        column("era", Integer, Required),
        column("era_began_at", Integer, Required),
        column("dated_since", Integer, Required),
        column("ahead_ms", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Glanced,
    queue: Queue::No,
};
