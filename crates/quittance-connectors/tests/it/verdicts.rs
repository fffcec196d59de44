//! Every row of the answer table, for every kind of object: decoded, then judged, on a first send and on a replay.

use quittance_connectors::connector::Connector;
use quittance_connectors::message::Delivery;
use quittance_connectors::stripe::Stripe;
use quittance_core::effect::{Sending, Verdict, judge};
use quittance_core::fact::{Fact, Loss, ObjectKind};
use serde_json::json;

use crate::answers::error;
use crate::data::{answer, json_answer, object, test_data};

/// The rows of the table as this project knows it, so that the test means something without the file: the answer,
/// whether it is marked as a stored one, and what it means to a first send and to a replay.
const ROWS: [(&str, bool, &str, &str); 21] = [
    ("connect refused / DNS / TLS failure before any request byte", false, "not executed", "no information"),
    ("timeout or reset after request bytes were written", false, "ambiguous", "ambiguous"),
    ("2xx", false, "executed", "executed"),
    ("2xx", true, "executed", "executed"),
    ("402 card_error", false, "declined", "declined"),
    ("402 card_error", true, "declined", "declined"),
    ("400 invalid_request_error", false, "refused", "no information"),
    ("400 invalid_request_error", true, "refused", "refused"),
    ("400 idempotency_error", false, "bug", "bug"),
    ("401", false, "not executed", "no information"),
    ("403", false, "not executed", "no information"),
    ("404", false, "refused", "no information"),
    ("409 idempotency_key_in_use", false, "in progress", "in progress"),
    ("409 other", false, "in progress", "in progress"),
    ("424", false, "ambiguous", "ambiguous"),
    ("429 rate_limit", false, "not executed", "no information"),
    ("429 lock_timeout", false, "not executed", "no information"),
    ("500", false, "ambiguous", "ambiguous"),
    ("500", true, "ambiguous", "ambiguous"),
    ("502/503/504", false, "ambiguous", "ambiguous"),
    ("2xx with unparseable body", false, "ambiguous", "ambiguous"),
];

/// Deliveries for a row: one or more statuses or bodies.
fn row(name: &str, kind: ObjectKind) -> Vec<Delivery> {
    let body = object(kind).to_string();
    let invalid = |status, code| vec![json_answer(status, &error("invalid_request_error", code))];
    let lost = |loss| Delivery::Lost { loss, reason: String::new() };
    match name {
        "connect refused / DNS / TLS failure before any request byte" => {
            vec![Delivery::NotSent { reason: "refused".to_owned() }]
        }
        "timeout or reset after request bytes were written" => vec![lost(Loss::Timeout), lost(Loss::Reset)],
        "2xx" => vec![answer(200, &[], &body), answer(201, &[], &body)],
        "402 card_error" => vec![json_answer(402, &error("card_error", "card_declined"))],
        "400 invalid_request_error" => {
            let bare = json!({"error": {"type": "invalid_request_error", "param": "amount"}});
            [invalid(400, "parameter_missing"), invalid(400, "charge_already_refunded"), vec![json_answer(400, &bare)]]
                .concat()
        }
        "400 idempotency_error" => vec![json_answer(400, &error("idempotency_error", ""))],
        "401" => invalid(401, "api_key_expired"),
        "403" => invalid(403, ""),
        "404" => invalid(404, "resource_missing"),
        "409 idempotency_key_in_use" => vec![json_answer(409, &error("idempotency_error", "idempotency_key_in_use"))],
        "409 other" => vec![json_answer(409, &error("api_error", ""))],
        "424" => vec![json_answer(424, &error("api_error", ""))],
        "429 rate_limit" => vec![json_answer(429, &error("rate_limit_error", "rate_limit"))],
        "429 lock_timeout" => invalid(429, "lock_timeout"),
        "500" => vec![json_answer(500, &error("api_error", "")), answer(500, &[], &body)],
        "502/503/504" => [502, 503, 504].map(|status| answer(status, &[], "<html>")).into(),
        "2xx with unparseable body" => vec![
            answer(200, &[], "<!doctype html><html>"),
            answer(200, &[], ""),
            answer(200, &[], &body[..50]),
            answer(200, &[], "{}"),
        ],
        unknown => panic!("the table has a new row that this test does not know: {unknown}"),
    }
}

fn marked(delivery: Delivery, is_replayed: bool) -> Delivery {
    match delivery {
        Delivery::Answered(mut response) if is_replayed => {
            response.headers.push(("idempotent-replayed".to_owned(), "true".to_owned()));
            Delivery::Answered(response)
        }
        other => other,
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Executed(_) | Verdict::ExecutedDispute(_) => "executed",
        Verdict::Declined { .. } => "declined",
        Verdict::NotExecuted { .. } => "not executed",
        Verdict::Refused { .. } => "refused",
        Verdict::NoInformation { .. } => "no information",
        Verdict::Ambiguous(_) => "ambiguous",
        Verdict::InProgress => "in progress",
        Verdict::Bug => "bug",
    }
}

/// What each sort of send makes of every delivery of a row.
fn judged(name: &str, is_replayed: bool, sending: Sending) -> Vec<(ObjectKind, Fact, &'static str)> {
    let deliveries = ObjectKind::ALL.into_iter().flat_map(|kind| row(name, kind).into_iter().map(move |d| (kind, d)));
    let judged = deliveries.map(|(kind, delivery)| {
        let fact = Stripe::default().decode_write(kind, &marked(delivery, is_replayed));
        (kind, fact.clone(), word(&judge(fact, sending)))
    });
    judged.collect()
}

#[test]
fn every_row_is_judged_for_every_kind() {
    for (name, is_replayed, first, replay) in ROWS {
        for (sending, expected) in [(Sending::First, first), (Sending::Replay, replay)] {
            for (kind, fact, word) in judged(name, is_replayed, sending) {
                assert_eq!(word, expected, "{name}, marked {is_replayed}, {sending:?}, {kind:?}: {fact:?}");
            }
        }
    }
}

#[test]
fn a_mark_changes_nothing_but_refusals() {
    for (name, ..) in ROWS {
        for kind in ObjectKind::ALL {
            for delivery in row(name, kind) {
                let [bare, stored] =
                    [false, true].map(|is| Stripe::default().decode_write(kind, &marked(delivery.clone(), is)));
                match (&bare, &stored) {
                    (Fact::Refused { is_replayed: false, .. }, Fact::Refused { is_replayed: true, .. }) => {}
                    _ => assert_eq!(bare, stored, "{name}"),
                }
            }
        }
    }
}

/// Whether our verdict is what the published table calls so. Its "not executed" is final for a refusal, and its
/// "declined" stands for a stored refusal too.
fn is_published(word: &str, published: &str) -> bool {
    match published {
        "EXECUTED" => word == "executed",
        "DECLINED" => matches!(word, "declined" | "refused"),
        "NOT_EXECUTED" => matches!(word, "not executed" | "refused"),
        "NO_INFO" => word == "no information",
        "UNKNOWN" => word == "ambiguous",
        "WAIT" => word == "in progress",
        "BUG" => word == "bug",
        unknown => panic!("the table has a new value that this test does not know: {unknown}"),
    }
}

#[test]
fn the_verdicts_bear_out_the_published_table() {
    let Some(table) = test_data("vectors/gateway-answers.json") else {
        return;
    };
    let lines = table["rows"].as_array().expect("rows are a list");
    assert_eq!(lines.len(), ROWS.len());
    for line in lines {
        let name = line[0].as_str().expect("the first column names the answer");
        let is_replayed = line[1] == true;
        for (sending, published) in [(Sending::First, &line[2]), (Sending::Replay, &line[3])] {
            let published = published.as_str().expect("verdicts are words");
            for (kind, fact, word) in judged(name, is_replayed, sending) {
                assert!(is_published(word, published), "{name}: {published}, {kind:?}, {sending:?}, {word}: {fact:?}");
            }
        }
    }
}
