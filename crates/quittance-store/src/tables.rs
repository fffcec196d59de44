//! Every table, declared once.
//!
//! Tables that belong to a book begin their key with it, so that they can be distributed. Ids are the sixteen bytes of
//! a time-ordered UUID; the only random index on the path of a new payment is `idempotency`, kept as narrow as it can be.

mod access;
mod alerts;
mod drift;
mod event;
mod findings;
mod gateway;
mod mirror;
mod money;

pub use access::{API_KEYS, COMMANDS, COUNTERS, CUSTOMERS, IDEMPOTENCY, MASTER_KEYS, TENANTS};
pub use alerts::{ALERT_CHANNELS, ALERT_NOTICES, ALERT_SILENCES, ALERTS};
pub use drift::{BASES, DRIFTS, KEPT_APART, PAIR_STATES, REPAIR_HEADS, REPAIR_JOURNAL, REPAIR_RUNS, REPAIRS, RUNS};
pub use event::{DELIVERIES, EVENTS, WEBHOOK_ENDPOINTS};
pub use findings::{ACTIONS, FINDINGS};
pub use gateway::{CLOCKS, EFFECTS, MOVEMENTS, SWITCHES, TICKETS};
pub use mirror::{DISCREPANCIES, GATEWAY_OBJECTS, INBOX, ORPHANS, SWEEPS};
pub use money::{BOOKS, CLOSED_HOLDS, DISPUTES, EVIDENCE, INTENTS, JOURNAL, PAYMENTS, REFUNDS};

use crate::schema::{Column, Kind, Nullability, Table};

const fn column(name: &'static str, kind: Kind, nullability: Nullability) -> Column {
    Column { name, kind, nullability, is_sealed: false }
}

/// A column of bytes that are encrypted where there are keys: secrets, and what people and gateways said.
const fn sealed(name: &'static str, nullability: Nullability) -> Column {
    Column { name, kind: Kind::Bytes, nullability, is_sealed: true }
}

/// Number of these declarations: that of the newest migration of every store. Whatever changes a table raises it, once
/// there was a release.
pub const SCHEMA_VERSION: i64 = 1;

/// Every table of the schema, in the order they are created.
pub const ALL: [&Table; 42] = [
    &MASTER_KEYS,
    &TENANTS,
    &API_KEYS,
    &CUSTOMERS,
    &IDEMPOTENCY,
    &COMMANDS,
    &INTENTS,
    &BOOKS,
    &JOURNAL,
    &PAYMENTS,
    &REFUNDS,
    &DISPUTES,
    &EVIDENCE,
    &EFFECTS,
    &TICKETS,
    &CLOSED_HOLDS,
    &GATEWAY_OBJECTS,
    &ORPHANS,
    &MOVEMENTS,
    &INBOX,
    &SWEEPS,
    &DISCREPANCIES,
    &SWITCHES,
    &COUNTERS,
    &CLOCKS,
    &EVENTS,
    &WEBHOOK_ENDPOINTS,
    &DELIVERIES,
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
