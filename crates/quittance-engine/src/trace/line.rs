//! One line of a story, made from what is stored.

use quittance_core::account::Side;
use quittance_core::effect::Source;
use quittance_core::id::CorrelationId;
use quittance_core::idempotency::{Command, Progress};
use quittance_core::journal::{Advanced, Record};
use quittance_core::ledger::Posting;
use quittance_core::time::Timestamp;
use quittance_store::records::InboxEntry;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// Who did it: `client`, `engine` or `gateway`.
    pub actor: &'static str,
    /// What, as a stable word: `request_received`, the kind of a journal record (`payment_accepted`, `ticket_issued`,
    /// `effect_advanced`, `observation_kept`), `webhook_received` or `answer_given`.
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
    Some(Line { at, actor: "engine", event: "answer_given", details })
}

/// A webhook event.
pub(super) fn webhook(entry: &InboxEntry) -> Line {
    let details = vec![
        ("event", entry.event.clone()),
        ("type", entry.kind.clone()),
        ("object", entry.object.clone().unwrap_or_default()),
        ("disposition", entry.disposition.name().to_owned()),
        ("endpoint", entry.endpoint.clone()),
    ];
    Line { at: entry.received_at, actor: "gateway", event: "webhook_received", details }
}

/// A record of the journal.
pub(super) fn record(seq: i64, at: Timestamp, record: &Record) -> Line {
    let event = Record::kind_name(record.kind()).unwrap_or("record");
    let mut details = vec![("record", seq.to_string())];
    let actor = match record {
        Record::BookOpened { tenant } => {
            details.push(("tenant", tenant.to_string()));
            "engine"
        }
        Record::PaymentAccepted { payment, effect, hold, money, gateway, reference, postings, .. } => {
            details.extend([
                ("payment", payment.to_string()),
                ("amount", money.amount.to_string()),
                ("currency", money.currency.code().to_owned()),
                ("gateway", gateway.clone()),
                ("reference", reference.clone()),
                ("effect", effect.to_string()),
                ("hold", hold.to_string()),
                ("holds", written(postings)),
            ]);
            "engine"
        }
        Record::TicketIssued { effect, step, generation, send_no, gateway_key, request_digest, lease_epoch } => {
            details.extend([
                ("step", step.name().to_owned()),
                ("generation", generation.to_string()),
                ("send", send_no.to_string()),
                ("gateway_key", gateway_key.clone()),
                ("request_digest", hex(&request_digest[..8])),
                ("lease", lease_epoch.to_string()),
                ("effect", effect.to_string()),
            ]);
            "engine"
        }
        Record::EffectAdvanced(advanced) => {
            details.extend(advance(advanced));
            actor_of(&advanced.source)
        }
        Record::ObservationKept { effect, source, saw, because } => {
            details.extend([
                ("source", source_text(source)),
                ("saw", saw.clone()),
                ("because", because.clone()),
                ("effect", effect.to_string()),
            ]);
            actor_of(source)
        }
    };
    Line { at, actor, event, details }
}

fn advance(advanced: &Advanced) -> Vec<(&'static str, String)> {
    let mut details = vec![
        ("source", source_text(&advanced.source)),
        ("saw", advanced.saw.clone()),
        ("status", advanced.status.name().to_owned()),
        ("state", advanced.state.name().to_owned()),
        ("step", advanced.step.name().to_owned()),
        ("generation", advanced.generation.to_string()),
    ];
    details.extend(advanced.object.clone().map(|object| ("object", object)));
    details.extend(advanced.decline.as_ref().map(|decline| ("decline", decline.code.clone())));
    if let Some((hold, closing)) = advanced.closing {
        details.extend([("hold", hold.to_string()), (closing.name(), written(&advanced.postings))]);
    }
    details.push(("effect", advanced.effect.to_string()));
    details
}

const fn actor_of(source: &Source) -> &'static str {
    match source {
        Source::Send | Source::Read | Source::Find | Source::Webhook(_) => "gateway",
        Source::Recovery => "engine",
        Source::Person(_) => "person",
    }
}

fn source_text(source: &Source) -> String {
    match source {
        Source::Webhook(event) => format!("webhook:{event}"),
        Source::Person(word) => format!("person:{} evidence: {}; reason: {}", word.by, word.evidence, word.reason),
        Source::Send | Source::Read | Source::Find | Source::Recovery => source.name().to_owned(),
    }
}

/// Postings as `gateway_clearing:stripe debit 500 USD`, separated by commas.
fn written(postings: &[Posting]) -> String {
    let one = |posting: &Posting| {
        let side = match posting.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        };
        format!("{} {side} {} {}", posting.account, posting.amount, posting.currency.code())
    };
    postings.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
