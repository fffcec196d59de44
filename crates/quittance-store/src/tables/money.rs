//! What a book holds: its journal, and what is derived from it.

use super::{column, sealed};
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::Uniqueness::{Many, Unique};
use crate::schema::{Index, Queue, Rows, Table};

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
    rows: Rows::Versioned,
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
    rows: Rows::Fixed,
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
        column("capture_method", Text, Required),
        column("return_url", Text, Optional),
        column("reference", Text, Required),
        column("status", Text, Required),
        column("captured_amount", Integer, Required),
        column("refunded_amount", Integer, Required),
        column("refunding_amount", Integer, Required),
        column("disputed_amount", Integer, Required),
        column("returned_amount", Integer, Required),
        column("parked_by", Text, Optional),
        column("gateway_object", Text, Optional),
        column("object_kind", Text, Required),
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
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// Refunds, as the journal has them.
pub static REFUNDS: Table = Table {
    name: "refunds",
    columns: &[
        column("book", Bytes, Required),
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("payment", Bytes, Required),
        column("command", Bytes, Required),
        column("effect", Bytes, Required),
        column("amount", Integer, Required),
        column("currency", Text, Required),
        column("gateway", Text, Required),
        column("reference", Text, Optional),
        column("reason", Text, Optional),
        column("status", Text, Required),
        column("parked_by", Text, Optional),
        column("gateway_object", Text, Optional),
        column("failure_code", Text, Optional),
        column("created_at", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[
        Index { name: "refunds_by_tenant", columns: &["tenant", "id"], uniqueness: Unique },
        Index { name: "refunds_by_payment", columns: &["book", "payment"], uniqueness: Many },
        Index { name: "refunds_by_reference", columns: &["tenant", "reference"], uniqueness: Many },
    ],
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// Disputes, as the journal has them, with what the gateway shows besides.
pub static DISPUTES: Table = Table {
    name: "disputes",
    columns: &[
        column("book", Bytes, Required),
        column("id", Bytes, Required),
        column("tenant", Bytes, Required),
        column("payment", Bytes, Required),
        column("gateway", Text, Required),
        column("object", Text, Required),
        column("status", Text, Required),
        column("amount", Integer, Required),
        column("currency", Text, Required),
        column("reason", Text, Required),
        column("evidence_due_by", Integer, Optional),
        // The same while evidence is waited for, so that the next deadline is found at once.
        column("answerable_until", Integer, Optional),
        column("submissions", Integer, Required),
        column("withdrawn_amount", Integer, Required),
        column("is_written_off", Integer, Required),
        column("created_at", Integer, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[
        Index { name: "disputes_by_tenant", columns: &["tenant", "id"], uniqueness: Unique },
        Index { name: "disputes_by_object", columns: &["gateway", "object"], uniqueness: Unique },
        Index { name: "disputes_by_payment", columns: &["book", "payment"], uniqueness: Many },
        Index { name: "disputes_by_deadline", columns: &["answerable_until"], uniqueness: Many },
    ],
    rows: Rows::Versioned,
    queue: Queue::No,
};

/// What clients answered disputes with: the texts, which the journal has only a digest of.
pub static EVIDENCE: Table = Table {
    name: "evidence",
    columns: &[
        column("book", Bytes, Required),
        column("effect", Bytes, Required),
        column("tenant", Bytes, Required),
        column("dispute", Bytes, Required),
        column("stage", Text, Required),
        column("command", Bytes, Required),
        sealed("texts", Required),
        column("created_at", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Fixed,
    queue: Queue::No,
};

/// Billing intents: at most one payment of a customer's reference, one refund of a payment's, and one answer to a stage
/// of a dispute, that has not definitively failed.
pub static INTENTS: Table = Table {
    name: "intents",
    columns: &[
        column("book", Bytes, Required),
        column("intent", Text, Required),
        column("holder", Text, Required),
        column("version", Integer, Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Versioned,
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
    rows: Rows::Fixed,
    queue: Queue::No,
};
