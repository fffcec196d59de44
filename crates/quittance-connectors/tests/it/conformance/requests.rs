//! What is sent: the same for the same, nothing that breaks out of its place, no amount that the gateway cannot hold.

use std::collections::BTreeMap;

use quittance_connectors::connector::{Ask, EVENTS_PAGE_MAX, PaymentParameters, RefundParameters, Search};
use quittance_connectors::message::{Method, Request};
use quittance_core::effect::Subject;
use quittance_core::fact::{Fact, ObjectKind};
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;

use super::{REFUND, Sample, all};
use crate::data::{json_answer, money};
use crate::rail::KEY;

/// What ids and texts of clients may hold.
const AWKWARD: [&str; 6] = ["../x?a=b#c", "a&b=c", "a\r\nx-evil: 1", "é\u{202e}\"\\", " ", "%2e%2e%2f"];

fn payment<'a>(money: Money, text: &'a str, metadata: &'a BTreeMap<String, String>) -> PaymentParameters<'a> {
    PaymentParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        payment_id: PaymentId::from_bytes([2; 16]),
        money,
        payment_method: text,
        customer: Some(text),
        capture_method: CaptureMethod::Automatic,
        return_url: Some(text),
        description: Some(text),
        metadata,
        payment_reference: "order-1",
        reference: KEY,
    }
}

fn refund<'a>(kind: ObjectKind, metadata: &'a BTreeMap<String, String>) -> Ask<'a> {
    Ask::Refund(RefundParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        object: (kind, "x_1"),
        money: money(500, "USD"),
        reason: None,
        metadata,
        reference: KEY,
    })
}

/// A target that arrives as it is written, and headers that can be sent.
fn check_form(sample: &Sample, request: &Request) {
    let is_plain = request.target.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\\\"<>".contains(&byte));
    assert!(is_plain && request.target.starts_with('/'), "{}: {}", sample.name, request.target);
    assert!(!request.target.contains("/../"), "{}: {}", sample.name, request.target);
    assert_eq!(request.idempotency_key, None, "{}: keys are the caller's", sample.name);
    let has_version = sample.connector.headers().version.is_some();
    assert_eq!(!request.api_version.is_empty(), has_version, "{}: {:?}", sample.name, request.api_version);
    assert_eq!(Request::decode(&request.encode()).as_ref(), Ok(request), "{}: it can be kept", sample.name);
}

/// A read: any number of times, the same, and without a body.
fn check_read(sample: &Sample, read: impl Fn() -> Request) -> Request {
    let request = read();
    check_form(sample, &request);
    assert_eq!((request.method, request.body.len()), (Method::Get, 0), "{}: {}", sample.name, request.target);
    assert_eq!(request, read(), "{}", sample.name);
    request
}

#[test]
fn a_write_is_the_same_each_time_and_says_whose_it_is() {
    for sample in all() {
        for text in AWKWARD {
            let metadata = BTreeMap::from([(text.to_owned(), text.to_owned())]);
            let write = |asked| sample.connector.write(&Ask::Payment(asked)).expect("it can be said");
            let asked = payment(money(1999, "USD"), text, &metadata);
            let request = write(asked);
            check_form(&sample, &request);
            assert_eq!(request.method, Method::Post, "{}", sample.name);
            assert_eq!(request, write(asked), "{}", sample.name);
            // What is sent again under a new key, or for another effect, is another request: it is found by that alone.
            let body = String::from_utf8(request.body).expect("bodies are text");
            let effect = asked.effect_id.to_string();
            let by_reference = sample.connector.headers().key.is_none();
            let mark = if by_reference { KEY } else { effect.as_str() };
            assert_eq!(body.matches(mark).count(), 1, "{}: {body}", sample.name);
        }
    }
}

#[test]
fn reads_have_no_body_and_ids_stay_in_their_place() {
    for sample in all() {
        let plain = check_read(&sample, || sample.connector.read(sample.kind, "x_1"));
        let segments = |target: &str| target.split('/').count();
        for id in AWKWARD {
            let request = check_read(&sample, || sample.connector.read(sample.kind, id));
            assert_eq!(segments(&request.target), segments(&plain.target), "{}: {}", sample.name, request.target);
            assert!(!request.target.contains('?'), "{}: {}", sample.name, request.target);
        }
        check_read(&sample, || sample.connector.probe());
        for after in [None, Some("evt_1")] {
            if sample.connector.events(0, after, EVENTS_PAGE_MAX).is_some() {
                check_read(&sample, || sample.connector.events(0, after, EVENTS_PAGE_MAX).expect("it was there"));
            }
        }
    }
}

#[test]
fn a_search_keeps_what_narrows_it_in_its_place() {
    for sample in all() {
        for kind in ObjectKind::ALL {
            for text in AWKWARD {
                let (parent, text) = (Some((sample.kind, text)), Some(text));
                let span = Some(1_700_000_000);
                let search = Search { kind, parent, customer: text, reference: text, created_from: span };
                let first = check_read(&sample, || sample.connector.page(&search, None));
                let second = check_read(&sample, || sample.connector.page(&search, text));
                assert_ne!(first, second, "{}: a page after is another page", sample.name);
                let pairs = |request: &Request| request.target.matches('=').count();
                assert_eq!(pairs(&second), pairs(&first) + 1, "{}: {}", sample.name, second.target);
            }
        }
    }
}

#[test]
fn an_amount_is_said_exactly_or_not_at_all() {
    let metadata = BTreeMap::new();
    for sample in all() {
        let mut said = 0;
        for code in ["USD", "JPY", "KWD", "ISK", "MGA", "CLF", "UGX"] {
            for amount in [1, 5, 10, 99, 100, 501, 1999, 1_234_567, 99_999_999_999, 100_000_000_000, i64::MAX] {
                let money = money(amount, code);
                let written = sample.connector.write(&Ask::Payment(payment(money, "x", &metadata)));
                let is_sayable = sample.connector.check_amount(money).is_ok();
                assert_eq!(written.is_ok(), is_sayable, "{}: {money} is accepted and cannot be sent", sample.name);
                let Ok(request) = written else { continue };
                said += 1;
                let made = json_answer(200, &(sample.made)(&request));
                match sample.connector.decode_read(sample.kind, &made) {
                    Fact::Seen(sighting) => assert_eq!(sighting.money, money, "{}", sample.name),
                    other => panic!("{}: {money} comes back as {other:?}", sample.name),
                }
            }
        }
        assert!(said > 20, "{}: {said}", sample.name);
    }
}

#[test]
fn what_is_not_offered_cannot_be_said() {
    let metadata = BTreeMap::new();
    for sample in all() {
        let connector = &sample.connector;
        let later =
            PaymentParameters { capture_method: CaptureMethod::Manual, ..payment(money(1999, "USD"), "x", &metadata) };
        let object = (sample.kind, "x_1");
        let capture = Ask::Capture { object, money: money(1999, "USD"), is_whole: true };
        for ask in [Ask::Payment(later), capture] {
            assert_eq!(connector.write(&ask).is_ok(), connector.captures_later(), "{}: {ask:?}", sample.name);
        }
        let gives_back = connector.capability(REFUND).is_some();
        assert_eq!(connector.write(&refund(sample.kind, &metadata)).is_ok(), gives_back, "{}", sample.name);
        let is_two_phase = connector.capability(Subject::Payment).is_some_and(|row| row.is_two_phase);
        // An object that can be confirmed has to be one that can be fenced.
        let cancel = connector.write(&Ask::Cancel { object });
        assert!(!is_two_phase || cancel.is_ok(), "{}: {cancel:?}", sample.name);
    }
}
