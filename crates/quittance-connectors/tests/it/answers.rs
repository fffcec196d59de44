//! What answers say to writes and reads of every kind of object.

use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, MAX_ANSWER_BYTES};
use quittance_connectors::stripe::Stripe;
use quittance_core::fact::{Fact, ObjectKind};
use serde_json::{Value, json};

use crate::data::{answer, intent, intent_with, json_answer, object};

/// A fact in a word or two: what tests compare.
pub fn kind(fact: &Fact) -> String {
    match fact {
        Fact::Seen(sighting) => format!("seen {:?}", sighting.status),
        Fact::SeenDispute(dispute) => format!("seen {:?}", dispute.status),
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

/// Compares what a write and a read make of one delivery, whatever they are about.
#[track_caller]
fn check(delivery: &Delivery, write: &str, read: &str) {
    for object in ObjectKind::ALL {
        let stripe = Stripe::default();
        assert_eq!(kind(&stripe.decode_write(object, delivery)), write, "as a write, {object:?}");
        assert_eq!(kind(&stripe.decode_read(object, delivery)), read, "as a read, {object:?}");
    }
}

/// The same for an answer that means the same to both.
#[track_caller]
fn check_both(delivery: &Delivery, expected: &str) {
    check(delivery, expected, expected);
}

/// What a write and a read about a payment intent, and a write about anything else, make of one delivery.
#[track_caller]
fn check_with_intent(delivery: &Delivery, write: &str, read: &str, write_else: &str) {
    let stripe = Stripe::default();
    assert_eq!(kind(&stripe.decode_write(ObjectKind::Payment, delivery)), write);
    assert_eq!(kind(&stripe.decode_read(ObjectKind::Payment, delivery)), read);
    for object in [ObjectKind::Charge, ObjectKind::Refund, ObjectKind::Dispute] {
        assert_eq!(kind(&stripe.decode_write(object, delivery)), write_else, "{object:?}");
    }
}

pub fn error(kind: &str, code: &str) -> Value {
    json!({"error": {"type": kind, "code": code, "message": "…"}})
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
    check_with_intent(
        &declined(full),
        "declined insufficient_funds retryable with object",
        "lost Unclear",
        "declined insufficient_funds retryable",
    );
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
    let with_object = "refused payment_intent_unexpected_state with object";
    let bare = "refused payment_intent_unexpected_state";
    check_with_intent(&json_answer(400, &error), with_object, with_object, bare);
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
    let read = Stripe::default().decode_read(ObjectKind::Payment, &answer(200, &[], &body));
    assert_eq!(kind(&read), "seen RequiresConfirmation");
    body.push(b' ');
    check_both(&answer(200, &[], &body), "lost Unreadable");
}

#[test]
fn an_object_of_another_kind_is_no_answer() {
    let stripe = Stripe::default();
    for asked in ObjectKind::ALL {
        for came in ObjectKind::ALL {
            let delivery = json_answer(200, &object(came));
            let read = !matches!(stripe.decode_read(asked, &delivery), Fact::Lost(_));
            assert_eq!(read, asked == came, "a read of {asked:?} answered with {came:?}");
            let written = !matches!(stripe.decode_write(asked, &delivery), Fact::Lost(_));
            // A charge is released by a refund.
            let is_release = (asked, came) == (ObjectKind::Charge, ObjectKind::Refund);
            assert_eq!(written, asked == came || is_release, "a write to {asked:?} answered with {came:?}");
        }
    }
}

#[test]
fn refusals_of_refunds_have_a_code() {
    let stripe = Stripe::default();
    let refused =
        |error: Value| kind(&stripe.decode_write(ObjectKind::Refund, &json_answer(400, &json!({"error": error}))));
    let bare = "Refund amount ($20.00) is greater than charge amount ($19.99)";
    let cases = [
        (
            json!({"type": "invalid_request_error", "code": "charge_already_refunded"}),
            "refused charge_already_refunded",
        ),
        (json!({"type": "invalid_request_error", "param": "amount", "message": bare}), "refused invalid_request_error"),
        (json!({"type": "invalid_request_error", "code": null}), "refused invalid_request_error"),
        (json!({"message": bare}), "refused unspecified"),
    ];
    for (error, expected) in cases {
        assert_eq!(refused(error), expected);
    }
}

#[test]
fn a_declined_charge_is_declined_without_an_object() {
    let error = json!({"type": "card_error", "code": "card_declined", "decline_code": "generic_decline",
        "charge": "ch_1"});
    let fact = Stripe::default().decode_write(ObjectKind::Charge, &json_answer(402, &json!({"error": error})));
    assert_eq!(kind(&fact), "declined generic_decline");
}
