//! What every connector has to keep, whatever it speaks: one suite over the trait, and a sample of each dialect.
//!
//! A new connector is added to [`all`]; what the suite cannot know (the exact bytes, every word) has tests of its own.

mod answers;
mod lists;
mod requests;

use quittance_connectors::connector::Connector;
use quittance_connectors::message::{Delivery, Request};
use quittance_connectors::rail::Rail;
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::effect::Subject;
use quittance_core::fact::{Fact, Loss, ObjectKind};
use quittance_core::id::{DisputeId, RefundId};
use serde_json::{Value, json};

use crate::data::{EFFECT, charge, intent, with};
use crate::rail::{KEY, transfer};

/// A connector, and its gateway's own words.
struct Sample {
    name: &'static str,
    connector: Box<dyn Connector>,
    /// What kind of object a payment is.
    kind: ObjectKind,
    /// A payment that moved money, as the gateway shows it.
    paid: Value,
    /// The member in which it says where it stands.
    status: &'static str,
    /// A whole list of these objects, the last page.
    page: fn(&[Value]) -> Value,
    /// A refusal that says so.
    refusal: fn(&str) -> Value,
    /// The code that the gateway gives what is not there.
    missing: &'static str,
    /// The object that a payment's request makes.
    made: fn(&Request) -> Value,
}

fn stripe(flow: Flow, kind: ObjectKind, paid: Value) -> Sample {
    Sample {
        name: flow.name(),
        connector: Box::new(Stripe { flow, ..Stripe::default() }),
        kind,
        paid,
        status: "status",
        page: |objects| json!({"has_more": false, "data": objects}),
        refusal: |code| json!({"error": {"type": "invalid_request_error", "code": code, "message": "…"}}),
        missing: "resource_missing",
        made: match flow {
            Flow::PaymentIntents => |request| with(intent(), worth(request)),
            Flow::Charges => |request| with(charge(), worth(request)),
        },
    }
}

/// Amount and currency of a form.
fn worth(request: &Request) -> Value {
    let form = std::str::from_utf8(&request.body).expect("a form is text");
    let value = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)).expect("it is said");
    let amount: i64 = value("amount=").parse().expect("a number");
    json!({"amount": amount, "amount_captured": amount, "currency": value("currency=")})
}

fn rail() -> Sample {
    Sample {
        name: "rail",
        connector: Box::new(Rail),
        kind: ObjectKind::Charge,
        paid: transfer(),
        status: "state",
        page: |transfers| json!({"transfers": transfers, "next": null}),
        refusal: |code| json!({"code": code, "message": "…"}),
        missing: "transfer_not_found",
        made: |request| {
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            with(transfer(), json!({"amount": body["amount"], "currency": body["currency"]}))
        },
    }
}

/// Every connector.
fn all() -> [Sample; 3] {
    let paid = with(intent(), json!({"status": "succeeded", "amount_received": 1999}));
    [
        stripe(Flow::PaymentIntents, ObjectKind::Payment, paid),
        stripe(Flow::Charges, ObjectKind::Charge, charge()),
        rail(),
    ]
}

const REFUND: Subject = Subject::Refund(RefundId::from_bytes([1; 16]));
const DISPUTE: Subject = Subject::Dispute(DisputeId::from_bytes([1; 16]));

impl Sample {
    /// Whether an object of ours is known by this: the effect's id, or the key that we sent as our reference.
    fn is_ours(effect: Option<String>, reference: Option<&str>) -> bool {
        effect.as_deref() == Some(EFFECT) || reference == Some(KEY)
    }

    /// Every way in which the connector reads one delivery; a fact that claims knowledge has to be allowed to.
    fn decode_all(&self, delivery: &Delivery) {
        let is_sight = |fact: &Fact| matches!(fact, Fact::Seen(_) | Fact::SeenDispute(_));
        for kind in ObjectKind::ALL {
            let write = self.connector.decode_write(kind, delivery);
            assert_ne!(write, Fact::Absent, "{}: a write is never absent", self.name);
            let read = self.connector.decode_read(kind, delivery);
            assert!(!matches!(read, Fact::Declined { .. }), "{}: a read cannot be declined: {read:?}", self.name);
            match &read {
                Fact::Seen(sighting) => assert_eq!(sighting.kind, kind, "{}", self.name),
                Fact::SeenDispute(_) => assert_eq!(kind, ObjectKind::Dispute, "{}", self.name),
                _ => {}
            }
            self.check_page(kind, delivery);
        }
        self.check_events(delivery);
        let probe = self.connector.decode_probe(delivery);
        assert!(!is_sight(&probe) && !matches!(probe, Fact::Declined { .. }), "{}: {probe:?}", self.name);
    }
}

#[test]
fn what_is_offered_can_be_relied_on() {
    for sample in all() {
        let rows = [Subject::Payment, REFUND, DISPUTE].map(|subject| sample.connector.capability(subject));
        assert!(rows[0].is_some(), "{}: a gateway takes payments", sample.name);
        for row in rows.into_iter().flatten() {
            assert_eq!(row.key.is_some(), sample.connector.headers().key.is_some(), "{}: keys", sample.name);
            let longest = row.key.map_or(KEY.len(), |memory| memory.length_max.into());
            assert!(longest >= KEY.len(), "{}: our keys do not fit", sample.name);
            assert!(row.quiescence_ms > 0, "{}: what was sent may arrive later", sample.name);
            assert!(row.quiescence_after_error_ms >= row.quiescence_ms, "{}: an error is no promise", sample.name);
        }
    }
}

#[test]
fn headers_are_names() {
    for sample in all() {
        let headers = sample.connector.headers();
        assert_eq!(headers, sample.connector.headers(), "{}: never changed", sample.name);
        for name in [headers.key, headers.version].into_iter().flatten() {
            let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            assert!(is_plain && !name.is_empty(), "{}: {name}", sample.name);
            assert!(!["authorization", "content-type", "content-length", "host"].contains(&name), "{}", sample.name);
        }
        assert!(headers.content_type.contains('/') && headers.content_type.is_ascii(), "{}", sample.name);
    }
}

/// Deliveries without an answer, and the fact that each is.
fn silences() -> Vec<(Delivery, Fact)> {
    let lost = |loss| (Delivery::Lost { loss, reason: String::new() }, Fact::Lost(loss));
    vec![
        (Delivery::NotSent { reason: String::new() }, Fact::NotSent),
        lost(Loss::Timeout),
        lost(Loss::Reset),
        lost(Loss::Unreadable),
    ]
}
