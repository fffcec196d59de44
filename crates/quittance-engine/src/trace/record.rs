//! A record of the journal as one line of a story.

use super::line::{Line, hex};
use quittance_core::account::Side;
use quittance_core::effect::Source;
use quittance_core::id::HoldId;
use quittance_core::journal::{
    Advanced, Closing, Corrected, DisputeSeen, EvidenceAdvanced, Record, RefundAccepted, RefundAdvanced, StepAsked,
};
use quittance_core::ledger::Posting;
use quittance_core::time::Timestamp;

type Details = Vec<(&'static str, String)>;

/// A record of the journal.
#[must_use]
pub fn record(seq: i64, at: Timestamp, record: &Record) -> Line {
    let event = Record::kind_name(record.kind()).unwrap_or("record");
    let (actor, said) = said(record);
    let mut details = vec![("record", seq.to_string())];
    details.extend(said);
    Line { at, actor, event, details }
}

/// Who did it, and what it says.
fn said(record: &Record) -> (&'static str, Details) {
    match record {
        Record::BookOpened { tenant } => ("engine", vec![("tenant", tenant.to_string())]),
        Record::PaymentAccepted { .. } => ("engine", payment_accepted(record)),
        Record::TicketIssued { .. } => ("engine", ticket(record)),
        Record::EffectAdvanced(advanced) => (actor_of(&advanced.source), advance(advanced)),
        Record::RefundAccepted(accepted) => ("engine", refund_accepted(accepted)),
        Record::RefundAdvanced(advanced) => (actor_of(&advanced.source), refund_advanced(advanced)),
        Record::Corrected(corrected) => (actor_of(&corrected.source), correction(corrected)),
        Record::StepAsked { command, effect, asked, .. } => {
            let mut details = vec![("command", command.to_string())];
            details.extend(match asked {
                StepAsked::Capture { amount } => vec![("asked", "capture".to_owned()), ("amount", amount.to_string())],
                StepAsked::Cancel { reason } => {
                    vec![("asked", "cancel".to_owned()), ("reason", reason.clone().unwrap_or_default())]
                }
            });
            details.push(("effect", effect.to_string()));
            ("client", details)
        }
        Record::DisputeSeen(seen) => (actor_of(&seen.source), dispute(seen)),
        Record::EvidenceAccepted { command, effect, dispute, digest } => (
            "client",
            vec![
                ("command", command.to_string()),
                ("dispute", dispute.to_string()),
                ("evidence_digest", hex(&digest[..8])),
                ("effect", effect.to_string()),
            ],
        ),
        Record::EvidenceAdvanced(advanced) => (actor_of(&advanced.source), evidence(advanced)),
        Record::ObservationKept { effect, source, saw, because } => {
            let details = vec![
                ("source", source_text(source)),
                ("saw", saw.clone()),
                ("because", because.clone()),
                ("effect", effect.to_string()),
            ];
            (actor_of(source), details)
        }
    }
}

fn payment_accepted(record: &Record) -> Details {
    let Record::PaymentAccepted { payment, effect, hold, money, gateway, reference, postings, .. } = record else {
        return Vec::new();
    };
    vec![
        ("payment", payment.to_string()),
        ("amount", money.amount.to_string()),
        ("currency", money.currency.code().to_owned()),
        ("gateway", gateway.clone()),
        ("reference", reference.clone()),
        ("effect", effect.to_string()),
        ("hold", hold.to_string()),
        ("holds", written(postings)),
    ]
}

fn ticket(record: &Record) -> Details {
    let Record::TicketIssued { effect, step, generation, send_no, gateway_key, request_digest, lease_epoch } = record
    else {
        return Vec::new();
    };
    vec![
        ("step", step.name().to_owned()),
        ("generation", generation.to_string()),
        ("send", send_no.to_string()),
        ("gateway_key", gateway_key.clone()),
        ("request_digest", hex(&request_digest[..8])),
        ("lease", lease_epoch.to_string()),
        ("effect", effect.to_string()),
    ]
}

fn refund_accepted(accepted: &RefundAccepted) -> Details {
    vec![
        ("refund", accepted.refund.to_string()),
        ("payment", accepted.payment.to_string()),
        ("amount", accepted.money.amount.to_string()),
        ("currency", accepted.money.currency.code().to_owned()),
        ("gateway", accepted.gateway.clone()),
        ("reference", accepted.reference.clone().unwrap_or_default()),
        ("effect", accepted.effect.to_string()),
        ("hold", accepted.hold.to_string()),
        ("holds", written(&accepted.postings)),
    ]
}

fn refund_advanced(advanced: &RefundAdvanced) -> Details {
    let mut details = vec![
        ("source", source_text(&advanced.source)),
        ("saw", advanced.saw.clone()),
        ("status", advanced.status.name().to_owned()),
        ("state", advanced.state.name().to_owned()),
        ("generation", advanced.generation.to_string()),
    ];
    details.extend(advanced.object.clone().map(|object| ("object", object)));
    details.extend(advanced.failure_code.clone().map(|code| ("failure", code)));
    details.extend(closed(advanced.closing, &advanced.postings));
    details.push(("refund", advanced.refund.to_string()));
    details
}

fn correction(corrected: &Corrected) -> Details {
    vec![
        ("correction", corrected.correction.name().to_owned()),
        ("source", source_text(&corrected.source)),
        ("saw", corrected.saw.clone()),
        ("movement", corrected.movement.clone()),
        ("posted", written(&corrected.postings)),
        ("effect", corrected.effect.to_string()),
    ]
}

fn dispute(seen: &DisputeSeen) -> Details {
    let mut details = vec![
        ("source", source_text(&seen.source)),
        ("dispute", seen.dispute.to_string()),
        ("status", seen.status.clone()),
        ("amount", seen.money.amount.to_string()),
        ("currency", seen.money.currency.code().to_owned()),
        ("object", seen.object.clone()),
    ];
    details.extend(seen.movement.clone().map(|movement| ("movement", movement)));
    if !seen.postings.is_empty() {
        details.push(("posted", written(&seen.postings)));
    }
    details
}

fn evidence(advanced: &EvidenceAdvanced) -> Details {
    vec![
        ("source", source_text(&advanced.source)),
        ("saw", advanced.saw.clone()),
        ("state", advanced.state.name().to_owned()),
        ("generation", advanced.generation.to_string()),
        ("dispute", advanced.dispute.to_string()),
        ("effect", advanced.effect.to_string()),
    ]
}

fn advance(advanced: &Advanced) -> Details {
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
    details.extend(closed(advanced.closing, &advanced.postings));
    details.push(("effect", advanced.effect.to_string()));
    details
}

/// How a hold was closed, and what was posted or let go.
fn closed(closing: Option<(HoldId, Closing)>, postings: &[Posting]) -> Details {
    match closing {
        Some((hold, closing)) => vec![("hold", hold.to_string()), (closing.name(), written(postings))],
        None => Vec::new(),
    }
}

const fn actor_of(source: &Source) -> &'static str {
    match source {
        Source::Send | Source::Read | Source::Find | Source::Webhook(_) | Source::Sweep => "gateway",
        Source::Recovery | Source::Brake(_) => "engine",
        Source::Client => "client",
        Source::Person(_) => "operator",
    }
}

fn source_text(source: &Source) -> String {
    match source {
        Source::Webhook(event) => format!("webhook:{event}"),
        Source::Brake(limit) => format!("brake:{}", limit.name()),
        Source::Person(word) => format!("person:{} evidence: {}; reason: {}", word.by, word.evidence, word.reason),
        Source::Send | Source::Read | Source::Find | Source::Recovery | Source::Client | Source::Sweep => {
            source.name().to_owned()
        }
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
