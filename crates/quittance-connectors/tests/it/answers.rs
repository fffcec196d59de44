//! Every row of the answer table, for writes and reads.

use quittance_connectors::message::{Delivery, MAX_ANSWER_BYTES};
use quittance_connectors::stripe::{decode_read, decode_write};
use quittance_core::fact::{Fact, Loss};
use serde_json::{Value, json};

use crate::data::{answer, intent, intent_with, json_answer, test_data};

/// A fact in a word or two: what tests compare.
pub fn kind(fact: &Fact) -> String {
    match fact {
        Fact::Seen(sighting) => format!("seen {:?}", sighting.status),
        Fact::Declined { decline, sighting } => {
            let retry = if decline.is_retryable { " retryable" } else { "" };
            format!("declined {}{retry}{}", decline.code, with_object(sighting.is_some()))
        }
        Fact::Refused { code, is_replayed, sighting } => {
            let replayed = if *is_replayed { " replayed" } else { "" };
            format!("refused {code}{replayed}{}", with_object(sighting.is_some()))
        }
        Fact::Throttled { retry_after_ms } => format!("throttled {retry_after_ms:?}"),
        Fact::Lost(loss) => format!("lost {loss:?}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn with_object(is_there: bool) -> &'static str {
    if is_there { " with object" } else { "" }
}

/// Compares what a write and a read make of one delivery.
#[track_caller]
fn check(delivery: &Delivery, write: &str, read: &str) {
    assert_eq!(kind(&decode_write(delivery)), write, "as a write");
    assert_eq!(kind(&decode_read(delivery)), read, "as a read");
}

/// The same for an answer that means the same to both.
#[track_caller]
fn check_both(delivery: &Delivery, expected: &str) {
    check(delivery, expected, expected);
}

pub fn error(kind: &str, code: &str) -> Value {
    json!({"error": {"type": kind, "code": code, "message": "…"}})
}

fn replayed(delivery: Delivery, is_replayed: bool) -> Delivery {
    match delivery {
        Delivery::Answered(mut response) if is_replayed => {
            response.headers.push(("idempotent-replayed".to_owned(), "true".to_owned()));
            Delivery::Answered(response)
        }
        other => other,
    }
}

/// A delivery for a row of the table, and what a write makes of it; each row stands for one or more statuses.
fn row(name: &str) -> Vec<(Delivery, &'static str)> {
    let card = error("card_error", "card_declined");
    let invalid = error("invalid_request_error", "parameter_missing");
    match name {
        "connect refused / DNS / TLS failure before any request byte" => {
            vec![(Delivery::NotSent { reason: "refused".to_owned() }, "notsent")]
        }
        "timeout or reset after request bytes were written" => vec![
            (Delivery::Lost { loss: Loss::Timeout, reason: String::new() }, "lost Timeout"),
            (Delivery::Lost { loss: Loss::Reset, reason: String::new() }, "lost Reset"),
        ],
        "2xx" => vec![
            (json_answer(200, &intent()), "seen RequiresConfirmation"),
            (json_answer(201, &intent()), "seen RequiresConfirmation"),
        ],
        "402 card_error" => vec![(json_answer(402, &card), "declined card_declined")],
        "400 invalid_request_error" => {
            vec![(json_answer(400, &invalid), "refused parameter_missing")]
        }
        "400 idempotency_error" => vec![(json_answer(400, &error("idempotency_error", "")), "keymismatch")],
        "401" => vec![(json_answer(401, &error("invalid_request_error", "api_key_expired")), "unauthorised")],
        "403" => vec![(json_answer(403, &error("invalid_request_error", "")), "unauthorised")],
        "404" => {
            vec![(json_answer(404, &error("invalid_request_error", "resource_missing")), "refused resource_missing")]
        }
        "409 idempotency_key_in_use" => {
            vec![(json_answer(409, &error("idempotency_error", "idempotency_key_in_use")), "inuse")]
        }
        "409 other" => vec![(json_answer(409, &error("api_error", "")), "inuse")],
        "424" => vec![(json_answer(424, &error("api_error", "")), "lost Unclear")],
        "429 rate_limit" => vec![(json_answer(429, &error("rate_limit_error", "rate_limit")), "throttled None")],
        "429 lock_timeout" => {
            vec![(json_answer(429, &error("invalid_request_error", "lock_timeout")), "throttled None")]
        }
        "500" => vec![(json_answer(500, &error("api_error", "")), "lost ServerError")],
        "502/503/504" => [502, 503, 504].map(|status| (answer(status, &[], "<html>"), "lost Unavailable")).into(),
        "2xx with unparseable body" => vec![
            (answer(200, &[], "<!doctype html><html>"), "lost Unreadable"),
            (answer(200, &[], ""), "lost Unreadable"),
            (answer(200, &[], &intent().to_string()[..50]), "lost Unreadable"),
        ],
        unknown => panic!("the table has a new row that this test does not know: {unknown}"),
    }
}

/// The rows of the table as this project knows it, so that the test means something without the file.
const ROWS: [&str; 17] = [
    "connect refused / DNS / TLS failure before any request byte",
    "timeout or reset after request bytes were written",
    "2xx",
    "402 card_error",
    "400 invalid_request_error",
    "400 idempotency_error",
    "401",
    "403",
    "404",
    "409 idempotency_key_in_use",
    "409 other",
    "424",
    "429 rate_limit",
    "429 lock_timeout",
    "500",
    "502/503/504",
    "2xx with unparseable body",
];

#[test]
fn every_row_has_its_fact_whether_replayed_or_not() {
    for name in ROWS {
        for (delivery, expected) in row(name) {
            assert_eq!(kind(&decode_write(&delivery)), expected, "{name}");
            let expected = expected.replacen("refused", "REFUSED", 1);
            let marked = kind(&decode_write(&replayed(delivery, true))).replacen("refused", "REFUSED", 1);
            assert_eq!(marked.replace(" replayed", ""), expected, "{name}, replayed");
            assert_eq!(marked.contains(" replayed"), marked.starts_with("REFUSED"), "{name}: {marked}");
        }
    }
}

#[test]
fn the_facts_bear_out_the_published_table() {
    let Some(table) = test_data("vectors/gateway-answers.json") else {
        return;
    };
    for line in table["rows"].as_array().expect("rows are a list") {
        let name = line[0].as_str().expect("the first column names the answer");
        let is_replayed = line[1] == true;
        let (first, replay) = (line[2].as_str().unwrap_or_default(), line[3].as_str().unwrap_or_default());
        for (delivery, _) in row(name) {
            let fact = decode_write(&replayed(delivery, is_replayed));
            assert_eq!(judged(&fact, is_replayed), (first, replay), "{name}: {fact:?}");
        }
    }
}

/// What the table says about an answer, told from the fact alone: proof that facts lose nothing the judge needs.
fn judged(fact: &Fact, was_marked: bool) -> (&'static str, &'static str) {
    match fact {
        Fact::Seen(_) => ("EXECUTED", "EXECUTED"),
        Fact::Declined { .. } => ("DECLINED", "DECLINED"),
        // A stored refusal is definitive; the mark is what the fact has to keep.
        Fact::Refused { is_replayed, .. } => {
            assert_eq!(*is_replayed, was_marked);
            if *is_replayed { ("DECLINED", "DECLINED") } else { ("NOT_EXECUTED", "NO_INFO") }
        }
        Fact::NotSent | Fact::Unauthorised | Fact::Throttled { .. } => ("NOT_EXECUTED", "NO_INFO"),
        Fact::InUse => ("WAIT", "WAIT"),
        Fact::KeyMismatch => ("BUG", "BUG"),
        Fact::Lost(_) => ("UNKNOWN", "UNKNOWN"),
        Fact::Absent => panic!("a write never says that something is absent"),
    }
}

#[test]
fn only_a_read_says_absent() {
    let missing = json_answer(404, &error("invalid_request_error", "resource_missing"));
    check(&missing, "refused resource_missing", "absent");
    let localstripe = json_answer(404, &json!({"error": {"type": "invalid_request_error", "message": "Not Found"}}));
    check(&localstripe, "refused invalid_request_error", "absent");
    check(&json_answer(400, &json!({"error": {}})), "refused unspecified", "refused unspecified");
}

#[test]
fn a_proxys_refusal_is_nobodys_word() {
    for status in [400, 401, 402, 403, 404, 409, 429] {
        check_both(&answer(status, &[], "<html>404 Not Found</html>"), "lost Unclear");
        check_both(&answer(status, &[("Retry-After", "2")], r#"{"error": "not_found"}"#), "lost Unclear");
        check_both(&answer(status, &[], ""), "lost Unclear");
    }
}

#[test]
fn statuses_without_a_meaning_are_unclear() {
    for status in [0, 100, 199, 300, 302, 304, 307, 308, 399, 405, 407, 408, 410, 413, 422, 424, 451, 499, 600, 65535] {
        check_both(&json_answer(status, &intent()), "lost Unclear");
    }
    for status in [501, 505, 520, 599] {
        check_both(&json_answer(status, &intent()), "lost Unavailable");
    }
}

#[test]
fn a_decline_is_a_402_whatever_its_type() {
    let declined = |error: Value| json_answer(402, &json!({"error": error}));
    let object = intent_with(json!({"status": "requires_payment_method"}));
    let full = json!({"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
        "payment_intent": object});
    check(&declined(full), "declined insufficient_funds retryable with object", "lost Unclear");
    let localstripe = json!({"type": "invalid_request_error", "code": "card_declined", "charge": "ch_1"});
    check(&declined(localstripe), "declined card_declined", "lost Unclear");
    check(&declined(json!({"type": "idempotency_error"})), "declined declined", "lost Unclear");
    check(&declined(json!({"code": "expired_card", "payment_intent": 7})), "declined expired_card", "lost Unclear");
    check(&declined(json!({"decline_code": "x".repeat(256), "code": ""})), "declined declined", "lost Unclear");
}

#[test]
fn declines_that_say_try_again_are_retryable() {
    let cases = [
        (json!({"decline_code": "processing_error"}), "declined processing_error retryable"),
        (json!({"decline_code": "try_again_later"}), "declined try_again_later retryable"),
        (json!({"decline_code": "reenter_transaction"}), "declined reenter_transaction retryable"),
        (json!({"decline_code": "issuer_not_available"}), "declined issuer_not_available retryable"),
        (json!({"decline_code": "approve_with_id"}), "declined approve_with_id retryable"),
        (json!({"decline_code": "do_not_honor"}), "declined do_not_honor"),
        (json!({"decline_code": "authentication_required"}), "declined authentication_required"),
        (json!({"decline_code": "stolen_card"}), "declined stolen_card"),
        (json!({"decline_code": "a_new_word"}), "declined a_new_word"),
        (json!({"decline_code": "do_not_honor", "advice_code": "try_again_later"}), "declined do_not_honor retryable"),
        (json!({"decline_code": "processing_error", "advice_code": "do_not_try_again"}), "declined processing_error"),
        (
            json!({"decline_code": "insufficient_funds", "advice_code": "confirm_card_data"}),
            "declined insufficient_funds",
        ),
    ];
    for (error, expected) in cases {
        check(&json_answer(402, &json!({"error": error})), expected, "lost Unclear");
    }
}

#[test]
fn a_refusal_brings_the_object_it_carries() {
    let object = intent_with(json!({"status": "succeeded"}));
    let error = json!({"error": {"code": "payment_intent_unexpected_state", "payment_intent": object}});
    check_both(&json_answer(400, &error), "refused payment_intent_unexpected_state with object");
}

#[test]
fn retry_after_is_taken_in_seconds() {
    let cases = [
        ("2", "throttled Some(2000)"),
        (" 0 ", "throttled Some(0)"),
        ("18446744073709551615", "throttled Some(18446744073709551615)"),
        ("18446744073709551616", "throttled None"),
        ("-1", "throttled None"),
        ("+1", "throttled None"),
        ("1.5", "throttled None"),
        ("", "throttled None"),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "throttled None"),
    ];
    for (value, expected) in cases {
        let limited = error("rate_limit_error", "rate_limit").to_string();
        check_both(&answer(429, &[("RETRY-AFTER", value)], limited), expected);
    }
}

#[test]
fn bodies_beyond_the_limit_are_not_read() {
    let mut body = intent().to_string().into_bytes();
    body.resize(MAX_ANSWER_BYTES, b' ');
    check_both(&answer(200, &[], &body), "seen RequiresConfirmation");
    body.push(b' ');
    check_both(&answer(200, &[], &body), "lost Unreadable");
}
