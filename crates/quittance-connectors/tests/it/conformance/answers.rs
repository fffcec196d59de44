//! What is read: nothing panics, nothing but a whole object is seen, and nobody's word but the gateway's counts.

use proptest::prelude::*;
use quittance_connectors::connector::EVENTS_PAGE_MAX;
use quittance_connectors::event::EventError;
use quittance_connectors::message::Delivery;
use quittance_core::fact::{Fact, Loss, ObjectStatus};
use serde_json::{Value, json};

use super::{Sample, all, silences};
use crate::data::{answer, json_answer, with};

const UNREADABLE: Fact = Fact::Lost(Loss::Unreadable);

/// What is made of one delivery about a payment: written, and read.
fn facts(sample: &Sample, delivery: &Delivery) -> [Fact; 2] {
    [sample.connector.decode_write(sample.kind, delivery), sample.connector.decode_read(sample.kind, delivery)]
}

#[test]
fn a_paid_object_is_seen_with_its_money() {
    for sample in all() {
        for status in [200, 201] {
            for fact in facts(&sample, &json_answer(status, &sample.paid)) {
                let Fact::Seen(seen) = fact else { panic!("{}: {fact:?}", sample.name) };
                assert_eq!((seen.kind, &seen.status), (sample.kind, &ObjectStatus::Succeeded), "{}", sample.name);
                assert_eq!((seen.money.amount, seen.received_amount), (1999, 1999), "{}", sample.name);
                let effect = seen.effect_id.map(|id| id.to_string());
                assert!(Sample::is_ours(effect, seen.reference.as_deref()), "{}: nobody's: {seen:?}", sample.name);
            }
        }
    }
}

#[test]
fn half_an_answer_is_none() {
    for sample in all() {
        let body = sample.paid.to_string();
        let halves = (0..body.len()).filter(|at| body.is_char_boundary(*at)).map(|at| &body[..at]);
        for half in halves.chain(["<html>200</html>", "null", "[]", "{}", "\"x\""]) {
            assert_eq!(facts(&sample, &answer(200, &[], half)), [UNREADABLE; 2], "{}: {half}", sample.name);
        }
    }
}

#[test]
fn an_object_without_its_money_its_status_or_its_name_is_not_seen() {
    for sample in all() {
        for name in ["id", "amount", "currency", sample.status] {
            for odd in [Value::Null, json!(""), json!("x".repeat(300)), json!(19.99), json!({}), json!(-1)] {
                let damaged = with(sample.paid.clone(), json!({name: odd}));
                assert_eq!(facts(&sample, &json_answer(200, &damaged)), [UNREADABLE; 2], "{}: {damaged}", sample.name);
            }
        }
    }
}

#[test]
fn a_word_of_tomorrow_is_kept() {
    for sample in all() {
        let strange = with(sample.paid.clone(), json!({sample.status: "of_tomorrow"}));
        for fact in facts(&sample, &json_answer(200, &strange)) {
            let Fact::Seen(seen) = fact else { panic!("{}: {fact:?}", sample.name) };
            assert_eq!(seen.status, ObjectStatus::Unrecognised("of_tomorrow".to_owned()), "{}", sample.name);
        }
    }
}

#[test]
fn a_refusal_counts_in_the_gateways_own_words_alone() {
    for sample in all() {
        for status in (100..200).chain(300..500) {
            for body in ["", "<html>", "{}", "[]", "null", r#"{"error": "not_found"}"#, r#"{"message": "no"}"#] {
                let facts = facts(&sample, &answer(status, &[("Retry-After", "1")], body));
                let are_lost = facts.iter().all(|fact| matches!(fact, Fact::Lost(_)));
                assert!(are_lost, "{}: {status} {body}: {facts:?}", sample.name);
            }
        }
        let refused = |status| sample.connector.decode_write(sample.kind, &json_answer(status, &own(&sample, "odd")));
        assert_eq!([refused(401), refused(403)], [Fact::Unauthorised, Fact::Unauthorised], "{}", sample.name);
        assert_eq!(refused(429), Fact::Throttled { retry_after_ms: None }, "{}", sample.name);
        let code = "odd".to_owned();
        assert_eq!(refused(400), Fact::Refused { code, is_replayed: false, sighting: None }, "{}", sample.name);
    }
}

fn own(sample: &Sample, code: &str) -> Value {
    (sample.refusal)(code)
}

#[test]
fn only_the_gateway_says_that_something_is_not_there_and_only_to_a_read() {
    for sample in all() {
        let missing = json_answer(404, &own(&sample, sample.missing));
        let [write, read] = facts(&sample, &missing);
        assert_eq!(read, Fact::Absent, "{}", sample.name);
        assert!(matches!(write, Fact::Refused { .. }), "{}: {write:?}", sample.name);
        for status in (100..600).filter(|status| *status != 404) {
            for body in [own(&sample, sample.missing), sample.paid.clone()] {
                let facts = facts(&sample, &json_answer(status, &body));
                assert!(!facts.contains(&Fact::Absent), "{}: {status} {body}", sample.name);
            }
        }
    }
}

/// Whatever an error of the gateway's own says in its body, it may have happened after the effect.
#[test]
fn the_gateways_own_errors_prove_nothing() {
    for sample in all() {
        for body in [own(&sample, "odd"), own(&sample, sample.missing), sample.paid.clone(), json!("<html>")] {
            let facts = |status| facts(&sample, &json_answer(status, &body));
            assert_eq!(facts(500), [Fact::Lost(Loss::ServerError), Fact::Lost(Loss::ServerError)], "{}", sample.name);
            for status in [501, 502, 503, 504, 599] {
                let lost = Fact::Lost(Loss::Unavailable);
                assert_eq!(facts(status), [lost.clone(), lost], "{}: {status}", sample.name);
            }
        }
    }
}

#[test]
fn what_was_not_answered_is_told_as_the_transport_tells_it() {
    for sample in all() {
        for (delivery, expected) in silences() {
            assert_eq!(facts(&sample, &delivery), [expected.clone(), expected.clone()], "{}", sample.name);
            assert_eq!(sample.connector.decode_probe(&delivery), expected, "{}", sample.name);
        }
    }
}

#[test]
fn who_keeps_no_log_reads_no_event() {
    for sample in all() {
        let reads = sample.connector.decode_event(br#"{"id": "evt_1", "type": "x", "created": 0}"#);
        match sample.connector.events(0, None, EVENTS_PAGE_MAX) {
            Some(_) => assert!(reads.is_ok(), "{}: {reads:?}", sample.name),
            None => assert!(matches!(reads, Err(EventError::NoEvents)), "{}: {reads:?}", sample.name),
        }
    }
}

/// Any small JSON, built from what the samples say.
fn json_value() -> impl Strategy<Value = Value> {
    let words: Vec<String> = all().iter().flat_map(|sample| words(&sample.paid)).collect();
    let word = prop::sample::select(words);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..8).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Names and texts of an object.
fn words(object: &Value) -> Vec<String> {
    let members = object.as_object().expect("an object");
    let texts = members.values().filter_map(Value::as_str);
    texts.chain(members.keys().map(String::as_str)).map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn no_connector_panics_on_any_bytes(status: u16, body: Vec<u8>, header in ".*") {
        for sample in all() {
            sample.decode_all(&answer(status, &[("Retry-After", &header), ("Idempotent-Replayed", &header)], &body));
            sample.connector.decode_event(&body).ok();
        }
    }

    #[test]
    fn no_connector_panics_on_any_json(status in prop_oneof![Just(200_u16), 400..=404_u16, any::<u16>()], body in json_value()) {
        for sample in all() {
            sample.decode_all(&json_answer(status, &body));
            sample.decode_all(&json_answer(status, &(sample.page)(std::slice::from_ref(&body))));
            sample.decode_all(&json_answer(status, &own(&sample, &body.to_string())));
        }
    }

    #[test]
    fn a_changed_member_never_changes_the_money_of_another(which in 0_usize..64, value in json_value()) {
        for sample in all() {
            let names: Vec<String> = sample.paid.as_object().into_iter().flat_map(|members| members.keys().cloned()).collect();
            let name = &names[which % names.len()];
            let changed = json_answer(200, &with(sample.paid.clone(), json!({name: value})));
            sample.decode_all(&changed);
            if let Fact::Seen(seen) = sample.connector.decode_read(sample.kind, &changed)
                && !["amount", "currency"].contains(&name.as_str())
            {
                prop_assert_eq!((seen.money.amount, seen.money.currency.code()), (1999, "USD"));
            }
        }
    }
}
