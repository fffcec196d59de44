//! What a tenant's own systems are told: events, where they are sent, and what became of each delivery.

use super::{column, sealed};
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::Many;
use crate::schema::{Index, Queue, Rows, Table};

/// Events: one for each change that clients see, with the bytes that are sent, frozen in the transaction that made it. Only
/// when they are old are the bytes dropped.
pub static EVENTS: Table = Table {
    name: "events",
    columns: &[
        column("tenant", Bytes, Required),
        column("id", Bytes, Required),
        column("kind", Text, Required),
        column("subject", Text, Required),
        column("book", Bytes, Required),
        column("seq", Integer, Required),
        column("at", Integer, Required),
        sealed("body", Required),
    ],
    key_columns: 2,
    indexes: &[Index { name: "events_by_subject", columns: &["tenant", "subject"], uniqueness: Many }],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// Endpoints of tenants: one row for each tenant, so that a batch learns with one read whom to tell.
pub static WEBHOOK_ENDPOINTS: Table = Table {
    name: "webhook_endpoints",
    columns: &[column("tenant", Bytes, Required), sealed("endpoints", Required), column("version", Integer, Required)],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Glanced,
    queue: Queue::No,
};

/// Deliveries: an event on its way to an endpoint. The key lets each be written down once, however often it is sent. An
/// endpoint is a lane, so that one that does not answer holds nobody else up.
pub static DELIVERIES: Table = Table {
    name: "deliveries",
    columns: &[
        column("endpoint", Bytes, Required),
        column("event", Bytes, Required),
        column("tenant", Bytes, Required),
        column("state", Text, Required),
        column("tries", Integer, Required),
        column("history", Bytes, Required),
        column("due_at", Integer, Optional),
        column("lease_owner", Integer, Required),
        column("lease_epoch", Integer, Required),
        column("created_at", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[Index { name: "deliveries_due", columns: &["endpoint", "due_at"], uniqueness: Many }],
    rows: Rows::Versioned,
    queue: Queue::Claimed { lane: &["endpoint"] },
};
