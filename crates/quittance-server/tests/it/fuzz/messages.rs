//! What gateways say: answers, pages, events, and the signatures of webhooks.

use super::target;
use hmac::{Hmac, KeyInit, Mac};
use quittance_connectors::connector::Connector;
use quittance_connectors::http::update::{Precondition, Update, Verb};
use quittance_connectors::http::{Paging, Shape, decode_page, said};
use quittance_connectors::message::{Delivery, Response};
use quittance_connectors::rail::Rail;
use quittance_connectors::stripe::Stripe;
use quittance_connectors::stripe::webhook::verify;
use quittance_core::fact::ObjectKind;
use quittance_core::record::value::Value;
use sha2::Sha256;

const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "-1",
    "9223372036854775808",
    "1e400",
    "\\ud800",
    "\"id\"",
    "\"object\"",
    "\"status\"",
    "\"succeeded\"",
    "\"amount\"",
    "\"currency\"",
    "\"metadata\"",
    "\"effect_id\"",
    "\"data\"",
    "\"has_more\"",
    "\"error\"",
    "\"latest_charge\"",
    "\"payment_intent\"",
    "\"charge\"",
    "\"refund\"",
    "\"dispute\"",
    "[[[[[[[[[[[[[[[[",
];

#[test]
fn fuzz_answers() {
    let connectors: [&dyn Connector; 2] = [&Stripe::default(), &Rail];
    target("answers", WORDS).run(|bytes| {
        for status in [200, 400, 404, 409, 500] {
            let delivery = Delivery::Answered(Response { status, headers: Vec::new(), body: bytes.to_vec() });
            for connector in connectors {
                for kind in [ObjectKind::Payment, ObjectKind::Charge, ObjectKind::Refund, ObjectKind::Dispute] {
                    drop(connector.decode_write(kind, &delivery));
                    drop(connector.decode_read(kind, &delivery));
                    drop(connector.decode_page(kind, &delivery));
                }
                drop(connector.decode_events(&delivery));
                drop(connector.decode_probe(&delivery));
                drop(connector.decode_event(bytes));
            }
        }
    });
}

/// What any JSON API answers to a reading, before a record is written and after.
#[test]
fn fuzz_apis() {
    let shape = Shape {
        list: String::new(),
        get: None,
        records: "/data".to_owned(),
        record: "/data".to_owned(),
        identity: vec!["id".to_owned()],
        paging: Paging::Cursor { next: "/next".to_owned(), parameter: "after".to_owned() },
        page_size: None,
    };
    let update = Update {
        path: String::new(),
        verb: Verb::Put,
        record: String::new(),
        content_type: String::new(),
        precondition: Precondition::None,
        key_header: None,
        fields: vec!["/metadata/status".to_owned()],
    };
    let field = update.field("/metadata/status").unwrap();
    target("apis", WORDS).run(|bytes| {
        let answer = Response { status: 200, headers: Vec::new(), body: bytes.to_vec() };
        drop((decode_page(&shape, &answer), said(&answer, &[])));
        if let Ok(Some(read)) = update.decode_read(&shape, &answer) {
            for verb in [Verb::Put, Verb::Patch] {
                let update = Update { verb, ..update.clone() };
                for value in [Value::Null, Value::text("active"), Value::integer(7)] {
                    drop(update.change(String::new(), "key", &read, &[(&field, &value)]));
                }
            }
        }
    });
}

const SECRET: &str = "whsec_fuzz";
const NOW: i64 = 1_800_000_000;

/// `t=…,v1=…` over a body, as docs.stripe.com/webhooks describes it.
fn signed(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(format!("{NOW}.{body}").as_bytes());
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={NOW},v1={digest}")
}

/// The header, a line feed, the body. Whatever was changed, only the body that was signed is believed.
#[test]
fn fuzz_signatures() {
    let body = "{\"id\": \"evt_1\", \"object\": \"event\"}";
    let words = &["t=", ",", "v1=", "v0=", "=", "-1", "00", "9999999999999999999", "\n", " ", "\u{0}", "é"];
    let mut believed = 0;
    super::Fuzz::new("signatures", words).seed(format!("{}\n{body}", signed(body))).run(|bytes| {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let Ok(header) = std::str::from_utf8(&bytes[..end]) else { return };
        let told = bytes.get(end + 1..).unwrap_or_default();
        if verify(header, told, &["whsec_other", SECRET], NOW + 100, 300).is_ok() {
            assert_eq!(told, body.as_bytes(), "{header}");
            believed += 1;
        }
    });
    assert!(believed > 0, "what was signed is believed");
}
