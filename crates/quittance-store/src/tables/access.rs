//! Who uses the system, and what was asked of it: tenants, keys, customers, commands, and how much of late.

use super::{column, sealed};
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::{Many, Unique};
use crate::schema::{Index, Queue, Rows, Table};

/// Master keys that stored values are, or were, sealed under; never the keys themselves.
pub static MASTER_KEYS: Table = Table {
    name: "master_keys",
    columns: &[
        column("id", Text, Required),
        column("proof", Bytes, Required),
        column("since", Integer, Required),
        column("retired_at", Integer, Optional),
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// Organisations, live or test.
pub static TENANTS: Table = Table {
    name: "tenants",
    columns: &[
        column("id", Bytes, Required),
        column("name", Text, Required),
        column("mode", Text, Required),
        sealed("fingerprint_secret", Required),
        sealed("gateway_key_secret", Required),
        column("created_at", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[Index { name: "tenants_by_name", columns: &["name"], uniqueness: Unique }],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// Credentials of the API: only a digest of the secret is kept.
pub static API_KEYS: Table = Table {
    name: "api_keys",
    columns: &[
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("digest", Bytes, Required),
        column("name", Text, Required),
        column("scopes", Text, Required),
        column("created_at", Integer, Required),
        column("revoked_at", Integer, Optional),
        column("ends_at", Integer, Optional),
        column("last_used_at", Integer, Optional),
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[
        Index { name: "api_keys_by_digest", columns: &["digest"], uniqueness: Unique },
        Index { name: "api_keys_by_tenant", columns: &["tenant"], uniqueness: Many },
    ],
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// Customers; a customer's id also names its book. Personal data lives here and nowhere in the journal.
pub static CUSTOMERS: Table = Table {
    name: "customers",
    columns: &[
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("external_id", Text, Optional),
        column("name", Text, Optional),
        column("email", Text, Optional),
        column("currency", Text, Optional),
        column("timezone", Text, Optional),
        column("gateway_ids", Bytes, Required),
        column("metadata", Bytes, Required),
        column("created_at", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[
        Index { name: "customers_by_external_id", columns: &["tenant", "external_id"], uniqueness: Unique },
        Index { name: "customers_by_tenant", columns: &["tenant"], uniqueness: Many },
    ],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// Idempotency keys: a digest of the client's key to the command it began.
pub static IDEMPOTENCY: Table = Table {
    name: "idempotency",
    columns: &[
        column("tenant", Bytes, Required),
        column("key_digest", Bytes, Required),
        column("command", Bytes, Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// Commands of clients: what was asked, under which key, and the answer that every retry gets.
pub static COMMANDS: Table = Table {
    name: "commands",
    columns: &[
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("idempotency_key", Text, Required),
        column("operation", Text, Required),
        column("fingerprint", Bytes, Required),
        column("fingerprint_version", Integer, Required),
        column("state", Text, Required),
        column("subject", Text, Optional),
        column("credential", Bytes, Optional),
        column("api_version", Text, Required),
        column("answer_status", Integer, Optional),
        sealed("answer_body", Optional),
        column("received_at", Integer, Required),
        column("completed_at", Integer, Optional),
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// What each tenant did lately, as far as a brake limits it: a row for each meter, moved with what it counts.
pub static COUNTERS: Table = Table {
    name: "counters",
    columns: &[
        column("tenant", Bytes, Required),
        column("name", Text, Required),
        column("tally", Bytes, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Versioned,
    queue: Queue::No,
};
