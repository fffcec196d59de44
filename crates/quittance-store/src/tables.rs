//! Every table, declared once.
//!
//! Tables that belong to a book begin their key with it, so that they can be distributed. Ids are the sixteen bytes of
//! a time-ordered UUID; the only random index on the path of a new payment is `idempotency`, kept as narrow as it can be.

use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::{Many, Unique};
use crate::schema::{Column, Index, Kind, Nullability, Queue, Table};

const fn column(name: &'static str, kind: Kind, nullability: Nullability) -> Column {
    Column { name, kind, nullability }
}

/// Every table of the schema, in the order they are created.
pub const ALL: [&Table; 15] = [
    &TENANTS,
    &API_KEYS,
    &CUSTOMERS,
    &IDEMPOTENCY,
    &COMMANDS,
    &INTENTS,
    &BOOKS,
    &JOURNAL,
    &PAYMENTS,
    &EFFECTS,
    &TICKETS,
    &CLOSED_HOLDS,
    &GATEWAY_OBJECTS,
    &INBOX,
    &SWITCHES,
];

/// Organisations, live or test.
pub static TENANTS: Table = Table {
    name: "tenants",
    columns: &[
        column("id", Bytes, Required),
        column("name", Text, Required),
        column("mode", Text, Required),
        column("fingerprint_secret", Bytes, Required),
        column("gateway_key_secret", Bytes, Required),
        column("created_at", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[Index { name: "tenants_by_name", columns: &["name"], uniqueness: Unique }],
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
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[
        Index { name: "api_keys_by_digest", columns: &["digest"], uniqueness: Unique },
        Index { name: "api_keys_by_tenant", columns: &["tenant"], uniqueness: Many },
    ],
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
        column("answer_body", Bytes, Optional),
        column("received_at", Integer, Required),
        column("completed_at", Integer, Optional),
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[],
    queue: Queue::No,
};

/// Billing intents: at most one payment of a customer's reference that has not definitively failed.
pub static INTENTS: Table = Table {
    name: "intents",
    columns: &[
        column("book", Bytes, Required),
        column("intent", Text, Required),
        column("payment", Bytes, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[],
    queue: Queue::No,
};

/// Books: the head of each journal, with the balances folded in.
pub static BOOKS: Table = Table {
    name: "books",
    columns: &[
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("records", Integer, Required),
        column("head", Bytes, Required),
        column("balances", Bytes, Required),
        column("version", Integer, Required),
    ],
    key_columns: 1,
    indexes: &[Index { name: "books_by_tenant", columns: &["tenant"], uniqueness: Many }],
    queue: Queue::No,
};

/// The journal: the only truth. Gap-free per book, hash-chained, never changed.
pub static JOURNAL: Table = Table {
    name: "journal",
    columns: &[
        column("book", Bytes, Required),
        column("seq", Integer, Required),
        column("kind", Integer, Required),
        column("at", Integer, Required),
        column("body", Bytes, Required),
        column("prev_hash", Bytes, Required),
        column("hash", Bytes, Required),
    ],
    key_columns: 2,
    indexes: &[],
    queue: Queue::No,
};

/// Payments, as the journal has them.
pub static PAYMENTS: Table = Table {
    name: "payments",
    columns: &[
        column("book", Bytes, Required),
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("command", Bytes, Required),
        column("effect", Bytes, Required),
        column("amount", Integer, Required),
        column("currency", Text, Required),
        column("gateway", Text, Required),
        column("payment_method", Text, Required),
        column("reference", Text, Required),
        column("status", Text, Required),
        column("captured_amount", Integer, Required),
        column("refunded_amount", Integer, Required),
        column("gateway_object", Text, Optional),
        column("decline_code", Text, Optional),
        column("decline_is_retryable", Integer, Optional),
        column("next_action", Text, Optional),
        column("description", Text, Optional),
        column("metadata", Bytes, Required),
        column("created_at", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[
        Index { name: "payments_by_tenant", columns: &["tenant", "id"], uniqueness: Unique },
        Index { name: "payments_by_reference", columns: &["tenant", "reference"], uniqueness: Many },
    ],
    queue: Queue::No,
};

/// Effects at gateways, and the outbox in one: a row is due while there is something left to do about it.
pub static EFFECTS: Table = Table {
    name: "effects",
    columns: &[
        column("book", Bytes, Required),
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("payment", Bytes, Required),
        column("gateway", Text, Required),
        column("state", Text, Required),
        column("body", Bytes, Required),
        column("due_at", Integer, Optional),
        column("lease_owner", Integer, Required),
        column("lease_epoch", Integer, Required),
        column("created_at", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[
        Index { name: "effects_due", columns: &["gateway", "due_at"], uniqueness: Many },
        Index { name: "effects_by_tenant", columns: &["tenant", "id"], uniqueness: Unique },
    ],
    queue: Queue::Claimed { lane: "gateway" },
};

/// Tickets: one for each send of a write, committed before its first byte. The key makes a second one impossible.
pub static TICKETS: Table = Table {
    name: "tickets",
    columns: &[
        column("book", Bytes, Required),
        column("effect", Bytes, Required),
        column("step", Text, Required),
        column("generation", Integer, Required),
        column("send_no", Integer, Required),
        column("gateway_key", Text, Required),
        column("request_digest", Bytes, Required),
        column("request", Bytes, Required),
        column("lease_epoch", Integer, Required),
        column("issued_at", Integer, Required),
        column("deadline", Integer, Required),
    ],
    key_columns: 5,
    indexes: &[],
    queue: Queue::No,
};

/// Holds that were posted or voided: the key lets each be closed once, whatever the logic above believes.
pub static CLOSED_HOLDS: Table = Table {
    name: "closed_holds",
    columns: &[
        column("book", Bytes, Required),
        column("hold", Bytes, Required),
        column("closing", Text, Required),
        column("seq", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[],
    queue: Queue::No,
};

/// Which effect a gateway's object belongs to: the newest that used it.
pub static GATEWAY_OBJECTS: Table = Table {
    name: "gateway_objects",
    columns: &[
        column("gateway", Text, Required),
        column("object", Text, Required),
        column("book", Bytes, Required),
        column("effect", Bytes, Required),
        column("payment", Bytes, Required),
    ],
    key_columns: 2,
    indexes: &[],
    queue: Queue::No,
};

/// Webhook events, once each, with the bytes they came in.
pub static INBOX: Table = Table {
    name: "inbox",
    columns: &[
        column("endpoint", Text, Required),
        column("event", Text, Required),
        column("kind", Text, Required),
        column("object", Text, Optional),
        column("book", Bytes, Optional),
        column("disposition", Text, Required),
        column("secret_index", Integer, Required),
        column("received_at", Integer, Required),
        column("body", Bytes, Required),
    ],
    key_columns: 2,
    indexes: &[Index { name: "inbox_by_object", columns: &["object"], uniqueness: Many }],
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
    queue: Queue::No,
};
