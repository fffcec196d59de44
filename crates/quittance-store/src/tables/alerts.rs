//! Alerts: what is wrong, what each channel was told of it, and what nobody wants to hear of.
//!
//! They lie where comparisons are kept.

use super::{column, sealed};
use crate::schema::Kind::{Bytes, Integer, Text};
use crate::schema::Nullability::{Optional, Required};
use crate::schema::{Queue, Rows, Table};

/// What is wrong with each subject, or was, and what each channel was last told of it.
pub static ALERTS: Table = Table {
    name: "alerts",
    columns: &[
        column("subject", Text, Required),
        column("kind", Text, Required),
        column("standing", Text, Required),
        column("turned_at", Integer, Required),
        column("observed_at", Integer, Required),
        column("since", Integer, Required),
        column("severity", Text, Required),
        column("count", Integer, Required),
        column("relapses", Integer, Required),
        sealed("said", Required),
        sealed("told", Required),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// How far each channel has come.
pub static ALERT_CHANNELS: Table = Table {
    name: "alert_channels",
    columns: &[
        column("channel", Text, Required),
        column("newest", Integer, Required),
        column("sent", Integer, Required),
        column("given_up", Integer, Required),
        column("failing_since", Integer, Optional),
    ],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// The newest messages of each channel. The newest of all may still have to be sent: one at a time, under a lease.
///
/// This is no queue that workers claim from: whoever sends opens the store for a moment only, so that no session could
/// tell that it is still alive, and a lease ends by its time alone.
pub static ALERT_NOTICES: Table = Table {
    name: "alert_notices",
    columns: &[
        column("channel", Text, Required),
        column("slot", Integer, Required),
        column("seq", Integer, Required),
        column("id", Bytes, Required),
        column("state", Text, Required),
        column("created_at", Integer, Required),
        column("due_at", Integer, Required),
        column("attempts", Integer, Required),
        column("lease", Integer, Required),
        column("ended_at", Integer, Optional),
        sealed("message", Required),
        sealed("error", Optional),
    ],
    key_columns: 2,
    indexes: &[],
    rows: Rows::Replaced,
    queue: Queue::No,
};

/// What nobody wants to be told of for a while.
pub static ALERT_SILENCES: Table = Table {
    name: "alert_silences",
    columns: &[
        column("id", Bytes, Required),
        column("subject", Text, Required),
        column("kind", Text, Optional),
        column("begins_at", Integer, Required),
        column("ends_at", Integer, Required),
        column("by", Text, Required),
        sealed("reason", Required),
    ],
    key_columns: 1,
    indexes: &[],
    rows: Rows::Replaced,
    queue: Queue::No,
};
