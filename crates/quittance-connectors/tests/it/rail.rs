//! The rail's dialect: the exact bytes of every request, and every answer that it knows.

use std::collections::BTreeMap;

use quittance_connectors::connector::{Ask, Connector, ListFact, PaymentParameters, Search, Unreadable};
use quittance_connectors::message::{Delivery, Method, Request};
use quittance_connectors::rail::{AMOUNT_MAX, Rail};
use quittance_core::effect::{Class, Subject};
use quittance_core::fact::{Decline, Fact, Loss, ObjectKind, Returned, Sighting};
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;
use serde_json::{Value, json};

use crate::answers::kind;
use crate::data::{answer, json_answer, money, with};

/// A key as we make them, sent as our reference.
pub const KEY: &str = "b1abcdefghijklmnopqrstuvwxyz";

/// A transfer of ours as the rail shows it.
pub fn transfer() -> Value {
    json!({
        "id": "trf_1", "state": "settled", "amount": 1999, "currency": "USD", "reference": KEY, "reason": null,
        "created": 1_700_000_000,
    })
}

fn payment(money: Money, metadata: &BTreeMap<String, String>) -> PaymentParameters<'_> {
    PaymentParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        payment_id: PaymentId::from_bytes([2; 16]),
        money,
        payment_method: "src_\"ok\"\n",
        customer: Some("cus_1"),
        capture_method: CaptureMethod::Automatic,
        return_url: Some("https://shop.example/back"),
        description: Some("Lessons"),
        metadata,
        payment_reference: "order-1",
        reference: KEY,
    }
}

fn bare(method: Method, target: &str, body: &str) -> Request {
    let (target, body) = (target.to_owned(), body.as_bytes().to_vec());
    Request { method, target, body, idempotency_key: None, api_version: String::new() }
}

#[test]
fn a_transfer_says_who_pays_and_for_what() {
    let metadata = BTreeMap::from([("order".to_owned(), "7".to_owned())]);
    let body = format!(
        r#"{{"amount":1999,"currency":"USD","source":"src_\"ok\"\n","reference":"{KEY}","memo":"pay_02081040g2081040g2081040g2"}}"#
    );
    let written = Rail.write(&Ask::Payment(payment(money(1999, "USD"), &metadata)));
    assert_eq!(written, Ok(bare(Method::Post, "/rail/v1/transfers", &body)));
}

#[test]
fn reads_are_by_id_or_by_exact_reference() {
    let read = |target: &str| bare(Method::Get, target, "");
    assert_eq!(Rail.read(ObjectKind::Charge, "trf 1/ü"), read("/rail/v1/transfers/trf%201%2F%C3%BC"));
    let search = |reference| Search {
        kind: ObjectKind::Charge,
        parent: None,
        customer: Some("cus_1"),
        reference,
        created_from: Some(1),
    };
    let first = format!("/rail/v1/transfers?reference={KEY}&limit=100");
    assert_eq!(Rail.page(&search(Some(KEY)), None), read(&first));
    assert_eq!(Rail.page(&search(Some(KEY)), Some("trf_1")), read(&format!("{first}&cursor=trf_1")));
    assert_eq!(Rail.page(&search(None), None), read("/rail/v1/transfers?limit=100"));
    assert_eq!(Rail.probe(), read("/rail/v1/status"));
    assert_eq!(Rail.events(0, None, 100), None);
}

#[test]
fn only_payments_are_offered_and_only_reading_back() {
    let row = Rail.capability(Subject::Payment).expect("payments");
    assert_eq!((row.class(), row.key, row.do_events_carry_reference), (Class::B, None, false));
    assert_eq!((row.quiescence_ms, row.quiescence_after_error_ms), (600_000, 600_000));
}

#[test]
fn amounts_are_the_minor_units_of_iso_4217() {
    for (amount, code, is_sayable) in [
        (1, "USD", true),
        (AMOUNT_MAX, "JPY", true),
        (1234, "KWD", true),
        (0, "USD", false),
        (-1, "USD", false),
        (AMOUNT_MAX + 1, "USD", false),
    ] {
        assert_eq!(Rail.check_amount(money(amount, code)).is_ok(), is_sayable, "{amount} {code}");
    }
    let said = Rail.check_amount(money(AMOUNT_MAX + 1, "USD")).map_err(|error| error.to_string());
    assert_eq!(said, Err("1000000000.00 USD: a transfer is of 1 to 99999999999 minor units".to_owned()));
}

/// What a read makes of a transfer with some members replaced.
fn seen(changes: Value) -> Sighting {
    match Rail.decode_read(ObjectKind::Charge, &json_answer(200, &with(transfer(), changes))) {
        Fact::Seen(sighting) => sighting,
        other => panic!("not seen: {other:?}"),
    }
}

#[test]
fn every_state_is_read() {
    let whole = || Returned { movement: "trf_1".to_owned(), amount: 1999 };
    let decline = |code: &str, is_retryable| Some(Decline { code: code.to_owned(), is_retryable });
    for (state, reason, status, received, declined, returned) in [
        ("pending", Value::Null, "processing", 0, None, None),
        ("settled", Value::Null, "succeeded", 1999, None, None),
        ("returned", json!("payer_objected"), "succeeded", 1999, None, Some(whole())),
        ("rejected", json!("insufficient_funds"), "failed", 0, decline("insufficient_funds", true), None),
        ("rejected", json!("account_closed"), "failed", 0, decline("account_closed", false), None),
        ("rejected", json!(7), "failed", 0, decline("rejected", false), None),
        ("Settled", Value::Null, "Settled", 0, None, None),
        ("of_tomorrow", Value::Null, "of_tomorrow", 0, None, None),
    ] {
        let sighting = seen(json!({"state": state, "reason": reason}));
        assert_eq!((sighting.status.name(), sighting.received_amount), (status, received), "{state}");
        assert_eq!((sighting.decline, sighting.returned), (declined, returned), "{state}");
    }
    let sighting = seen(json!({}));
    assert_eq!((sighting.kind, sighting.object_id.as_str()), (ObjectKind::Charge, "trf_1"));
    assert_eq!((sighting.reference.as_deref(), sighting.effect_id), (Some(KEY), None));
    assert_eq!(sighting.money, money(1999, "USD"));
}

/// What a write, a read, a page and the probe make of one delivery.
#[track_caller]
fn check(delivery: &Delivery, write: &str, read: &str, page: &str) {
    assert_eq!(kind(&Rail.decode_write(ObjectKind::Charge, delivery)), write, "as a write");
    assert_eq!(kind(&Rail.decode_read(ObjectKind::Charge, delivery)), read, "as a read");
    match Rail.decode_page(ObjectKind::Charge, delivery) {
        ListFact::Failed(fact) => assert_eq!(kind(&fact), page, "as a page"),
        listed @ ListFact::Page { .. } => panic!("{listed:?}"),
    }
    assert_eq!(kind(&Rail.decode_probe(delivery)), page, "as the probe");
}

#[test]
fn every_answer_is_told_apart() {
    let refusal = |status, code: &str| json_answer(status, &json!({"code": code, "message": "…"}));
    for (status, code) in [(400, "odd"), (404, "unknown_url"), (413, "too_large"), (422, "unknown_source")] {
        let refused = format!("refused {code}");
        check(&refusal(status, code), &refused, &refused, &refused);
    }
    let missing = "refused transfer_not_found";
    check(&refusal(404, "transfer_not_found"), missing, "absent", missing);
    for status in [401, 403] {
        check(&refusal(status, "unauthorised"), "unauthorised", "unauthorised", "unauthorised");
    }
    for status in [402, 405, 408, 409, 418, 424, 300, 100] {
        check(&refusal(status, "odd"), "lost Unclear", "lost Unclear", "lost Unclear");
    }
    let body = r#"{"code": "rate_limited", "message": "…"}"#;
    let throttled = "throttled Some(2000)";
    check(&answer(429, &[("Retry-After", "2")], body), throttled, throttled, throttled);
    // Stripe's words, or half of the rail's, are not the rail's.
    for body in [json!({"error": {"code": "x"}}), json!({"code": "x"}), json!({"code": 7, "message": "…"})] {
        check(&json_answer(404, &body), "lost Unclear", "lost Unclear", "lost Unclear");
    }
}

#[test]
fn pages_lead_on_and_hide_nothing() {
    let odd = with(transfer(), json!({"id": "trf_2", "currency": "usd"}));
    let decode = |body: &Value| Rail.decode_page(ObjectKind::Charge, &json_answer(200, body));
    let ListFact::Page { sightings, unreadable, next, .. } =
        decode(&json!({"transfers": [transfer(), odd], "next": "trf_2"}))
    else {
        panic!("a page")
    };
    assert_eq!((sightings, next.as_deref()), (vec![seen(json!({}))], Some("trf_2")));
    let reference = Some(KEY.to_owned());
    assert_eq!(unreadable, [Unreadable { id: "trf_2".to_owned(), effect_id: None, reference }]);
    // Without its reference nobody can say that it is not the one which is searched for.
    let nameless = with(transfer(), json!({"reference": null}));
    let unread = ListFact::Failed(Fact::Lost(Loss::Unreadable));
    assert_eq!(decode(&json!({"transfers": [nameless], "next": null})), unread);
    for kind in [ObjectKind::Payment, ObjectKind::Refund, ObjectKind::Dispute] {
        let page = json_answer(200, &json!({"transfers": [transfer()], "next": null}));
        assert_eq!(Rail.decode_page(kind, &page), unread, "{kind:?}: the rail has transfers alone");
    }
}

#[test]
fn the_probe_hears_the_rail_itself() {
    let probe = |body: &Value| kind(&Rail.decode_probe(&json_answer(200, body)));
    assert_eq!(probe(&json!({"status": "ok"})), "absent");
    assert_eq!(probe(&json!({"status": "closed"})), "lost Unreadable");
    assert_eq!(kind(&Rail.decode_probe(&answer(200, &[], "<html>ok</html>"))), "lost Unreadable");
}
