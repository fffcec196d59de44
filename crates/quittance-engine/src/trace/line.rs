//! One line of a story, made from what is stored.

use quittance_core::id::CorrelationId;
use quittance_core::idempotency::{Command, Progress};
use quittance_core::time::Timestamp;
use quittance_store::records::{Discrepancy, EventSource, InboxEntry};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// Who did it: `client`, `engine`, `gateway` or `operator`; in the story of a run `pair` or `repair`.
    pub actor: &'static str,
    /// What, as a stable word: `request_received`, the kind of a journal record (`payment_accepted`, `ticket_issued`,
    /// `refund_accepted`, `corrected`, …), `webhook_received`, `event_swept`, `operator_acted`, `discrepancy_opened`,
    /// `discrepancy_closed` or `answer_given`; in the story of a run what became of a repair.
    pub event: &'static str,
    /// Names and values, in the order they are read best.
    pub details: Vec<(&'static str, String)>,
}

impl Line {
    /// The details as `name=value`, separated by blanks.
    #[must_use]
    pub fn text(&self) -> String {
        let details: Vec<String> = self.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
        details.join(" ")
    }
}

/// The request of a command.
pub(super) fn request(command: &Command) -> Line {
    let mut details = vec![
        ("operation", command.operation.clone()),
        ("idempotency_key", command.key.clone()),
        ("command", command.id.to_string()),
        ("correlation_id", CorrelationId::from_uuid(command.id.uuid()).to_string()),
        ("fingerprint", hex(&command.fingerprint[..8])),
        ("api_version", command.api_version.clone()),
    ];
    details.extend(command.credential.map(|credential| ("credential", credential.to_string())));
    Line { at: command.received_at, actor: "client", event: "request_received", details }
}

/// The answer of a command; none while it has none.
pub(super) fn answer(command: &Command) -> Option<Line> {
    let (at, details) = match &command.progress {
        Progress::InProgress => return None,
        Progress::Completed { status, body, at } => {
            (*at, vec![("status", status.to_string()), ("body_bytes", body.len().to_string())])
        }
        Progress::Tombstone { at } => (*at, vec![("status", "no longer kept".to_owned())]),
    };
    let details = [details, vec![("command", command.id.to_string())]].concat();
    Some(Line { at, actor: "engine", event: "answer_given", details })
}

/// A webhook event.
pub(super) fn webhook(entry: &InboxEntry) -> Line {
    let details = vec![
        ("event", entry.event.clone()),
        ("type", entry.kind.clone()),
        ("object", entry.object.clone().unwrap_or_default()),
        ("disposition", entry.disposition.name().to_owned()),
        ("endpoint", entry.endpoint.clone().unwrap_or_default()),
    ];
    let (actor, event) = match entry.source {
        EventSource::Webhook => ("gateway", "webhook_received"),
        EventSource::Sweep => ("engine", "event_swept"),
        EventSource::Operator => ("operator", "operator_acted"),
    };
    let details = details.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    Line { at: entry.received_at, actor, event, details }
}

/// When a discrepancy was opened, and when it was closed.
pub(super) fn discrepancy(one: &Discrepancy) -> Vec<Line> {
    let details = || {
        vec![
            ("discrepancy", one.id.to_string()),
            ("kind", one.kind.name().to_owned()),
            ("object", one.object.clone()),
            ("detail", one.detail.clone()),
        ]
    };
    let opened = Line { at: one.opened_at, actor: "engine", event: "discrepancy_opened", details: details() };
    let closed = |at| Line { at, actor: "engine", event: "discrepancy_closed", details: details() };
    [Some(opened), one.closed_at.map(closed)].into_iter().flatten().collect()
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
