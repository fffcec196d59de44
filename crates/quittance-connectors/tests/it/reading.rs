//! The exact bytes of every read: one object, lists, the log of events, the probe.

use quittance_connectors::connector::{Connector, Search};
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::fact::ObjectKind;

use crate::requests::text;

/// A search that says nothing but the kind.
const fn any(kind: ObjectKind) -> Search<'static> {
    Search { kind, parent: None, customer: None, reference: None, created_from: None }
}

/// A search that says all there is to say.
const fn full(kind: ObjectKind, parent: (ObjectKind, &str)) -> Search<'_> {
    Search {
        kind,
        parent: Some(parent),
        customer: Some("cus 1"),
        reference: Some("b1abcdefghijklmnopqrstuvwxyz"),
        created_from: Some(1_700_000_000),
    }
}

#[track_caller]
fn check(search: &Search<'_>, after: Option<&str>, target: &str) {
    let request = Stripe::default().page(search, after);
    assert_eq!(text(&request), format!("GET {target}\n2025-03-31.basil\n"));
}

#[test]
fn objects_are_read_by_their_ids() {
    let cases = [
        (ObjectKind::Payment, "/v1/payment_intents/x_1"),
        (ObjectKind::Charge, "/v1/charges/x_1"),
        (ObjectKind::Refund, "/v1/refunds/x_1"),
        (ObjectKind::Dispute, "/v1/disputes/x_1"),
    ];
    for (kind, target) in cases {
        assert_eq!(text(&Stripe::default().read(kind, "x_1")), format!("GET {target}\n2025-03-31.basil\n"));
    }
}

#[test]
fn ids_cannot_leave_their_path_segment() {
    for (kind, path) in [(ObjectKind::Payment, "payment_intents"), (ObjectKind::Dispute, "disputes")] {
        let request = Stripe::default().read(kind, "../refunds?a=b#c\r\n");
        assert_eq!(request.target, format!("/v1/{path}/..%2Frefunds%3Fa%3Db%23c%0D%0A"));
    }
    let first = any(ObjectKind::Charge);
    check(&first, Some("ch_1&limit=0"), "/v1/charges?limit=100&starting_after=ch_1%26limit%3D0");
}

#[test]
fn pages_send_the_filters_that_are_given() {
    let intent = (ObjectKind::Payment, "pi_1");
    let span = "created%5Bgte%5D=1700000000";
    for (kind, path) in [(ObjectKind::Payment, "payment_intents"), (ObjectKind::Charge, "charges")] {
        check(&any(kind), None, &format!("/v1/{path}?limit=100"));
        let target = format!("/v1/{path}?limit=100&customer=cus%201&{span}&starting_after=x_1");
        check(&full(kind, intent), Some("x_1"), &target);
    }
}

#[test]
fn refunds_and_disputes_are_listed_by_what_they_belong_to() {
    let span = "created%5Bgte%5D=1700000000";
    let parents =
        [((ObjectKind::Payment, "pi_1"), "&payment_intent=pi_1"), ((ObjectKind::Charge, "ch/1"), "&charge=ch%2F1")];
    check(&any(ObjectKind::Refund), None, "/v1/refunds?limit=100");
    check(&any(ObjectKind::Dispute), None, "/v1/disputes?limit=100");
    for (parent, filter) in parents {
        let target = format!("/v1/refunds?limit=100{filter}&starting_after=re_1");
        check(&full(ObjectKind::Refund, parent), Some("re_1"), &target);
        let target = format!("/v1/disputes?limit=100{filter}&{span}&starting_after=dp_1");
        check(&full(ObjectKind::Dispute, parent), Some("dp_1"), &target);
    }
    // Nothing belongs to a refund: time is what remains.
    let odd = full(ObjectKind::Refund, (ObjectKind::Refund, "re_2"));
    check(&odd, None, &format!("/v1/refunds?limit=100&{span}"));
}

#[test]
fn events_are_read_from_a_second_on() {
    let events = |after, limit| Stripe::default().events(1_700_000_000, after, limit).expect("Stripe keeps a log");
    let first = |limit| format!("GET /v1/events?limit={limit}&created%5Bgte%5D=1700000000");
    assert_eq!(text(&events(None, 100)), format!("{}\n2025-03-31.basil\n", first(100)));
    assert_eq!(text(&events(Some("evt_1"), 1)), format!("{}&starting_after=evt_1\n2025-03-31.basil\n", first(1)));
}

#[test]
fn the_probe_is_a_page_of_one_of_what_the_flow_makes() {
    let cases = [(Flow::PaymentIntents, "/v1/payment_intents"), (Flow::Charges, "/v1/charges")];
    for (flow, path) in cases {
        let stripe = Stripe { flow, ..Stripe::default() };
        assert_eq!(text(&stripe.probe()), format!("GET {path}?limit=1\n2025-03-31.basil\n"));
    }
}
