//! Pages of lists: what is on them, and why there is none.

use quittance_connectors::connector::{Connector, EventsFact, ListFact, Unreadable};
use quittance_connectors::message::Delivery;
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::fact::{Fact, Loss, ObjectKind};
use serde_json::{Value, json};

use crate::answers::{error, kind};
use crate::data::{EFFECT, answer, intent, json_answer, object, with};

fn decode(kind: ObjectKind, delivery: &Delivery) -> ListFact {
    Stripe::default().decode_page(kind, delivery)
}

fn decode_events(delivery: &Delivery) -> EventsFact {
    Stripe::default().decode_events(delivery)
}

fn page(has_more: bool, data: &Value) -> Delivery {
    json_answer(200, &json!({"object": "list", "has_more": has_more, "data": data}))
}

fn event(id: &str, object: &Value) -> Value {
    json!({"id": id, "type": "charge.refunded", "created": 1, "data": {"object": object}})
}

#[test]
fn a_page_names_what_it_could_not_read() {
    for kind in [ObjectKind::Payment, ObjectKind::Charge, ObjectKind::Refund] {
        let foreign = with(object(kind), json!({"id": "x_2", "currency": "zzz", "metadata": {}}));
        let ours = with(object(kind), json!({"id": "x_3", "currency": "zzz"}));
        let delivery = page(true, &json!([object(kind), foreign, ours]));
        let ListFact::Page { sightings, disputes, unreadable, next } = decode(kind, &delivery) else {
            panic!("a page");
        };
        let effect_id = EFFECT.parse().ok();
        let read: Vec<_> = sightings.iter().map(|seen| (seen.kind, seen.effect_id)).collect();
        assert_eq!((read, disputes), (vec![(kind, effect_id)], vec![]));
        assert_eq!(next.as_deref(), Some("x_3"));
        let unreadable_as = |id: &str, effect_id| Unreadable { id: id.to_owned(), effect_id, reference: None };
        assert_eq!(unreadable, [unreadable_as("x_2", None), unreadable_as("x_3", effect_id)]);
    }
}

#[test]
fn a_page_of_disputes_has_disputes() {
    let kind = ObjectKind::Dispute;
    let odd = with(object(kind), json!({"id": "dp_2", "balance_transactions": null}));
    let ListFact::Page { sightings, disputes, unreadable, next } =
        decode(kind, &page(false, &json!([object(kind), odd])))
    else {
        panic!("a page");
    };
    let ids: Vec<_> = disputes.iter().map(|dispute| dispute.object_id.as_str()).collect();
    assert_eq!((sightings, ids, next), (vec![], vec!["dp_1"], None));
    assert_eq!(unreadable, [Unreadable { id: "dp_2".to_owned(), effect_id: None, reference: None }]);
}

#[test]
fn what_is_of_another_kind_cannot_be_read() {
    for asked in ObjectKind::ALL {
        for listed in ObjectKind::ALL.into_iter().filter(|listed| *listed != asked) {
            let ListFact::Page { sightings, disputes, unreadable, .. } =
                decode(asked, &page(false, &json!([object(listed)])))
            else {
                panic!("a page");
            };
            assert_eq!((sightings.len(), disputes.len(), unreadable.len()), (0, 0, 1), "{asked:?} {listed:?}");
        }
    }
}

#[test]
fn an_empty_page_is_a_page_only_if_it_is_the_last() {
    let unreadable = Fact::Lost(Loss::Unreadable);
    for kind in ObjectKind::ALL {
        let empty = ListFact::Page { sightings: vec![], disputes: vec![], unreadable: vec![], next: None };
        assert_eq!(decode(kind, &page(false, &json!([]))), empty);
        assert_eq!(decode(kind, &page(true, &json!([]))), ListFact::Failed(unreadable.clone()));
    }
    assert_eq!(
        decode_events(&page(false, &json!([]))),
        EventsFact::Page { events: vec![], unreadable: vec![], next: None }
    );
    assert_eq!(decode_events(&page(true, &json!([]))), EventsFact::Failed(unreadable));
}

#[test]
fn the_last_page_names_no_successor() {
    let ListFact::Page { next, .. } = decode(ObjectKind::Payment, &page(false, &json!([intent()]))) else {
        panic!("a page");
    };
    assert_eq!(next, None);
}

#[test]
fn events_come_with_their_bytes() {
    let data = r#"{"object": "list", "data": [ {"type":"a.b", "id" : "evt_2","created":2, "x": 1.10} ,
        {"id":"evt_1","type":"c","created":1}], "has_more": true}"#;
    let EventsFact::Page { events, next, .. } = decode_events(&answer(200, &[], data)) else { panic!("a page") };
    let read: Vec<_> = events.iter().map(|(event, _)| (event.id.as_str(), event.created_seconds)).collect();
    assert_eq!(read, [("evt_2", 2), ("evt_1", 1)]);
    assert_eq!(next.as_deref(), Some("evt_1"));
    let bytes: Vec<_> = events.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes)).collect();
    assert_eq!(
        bytes,
        [r#"{"type":"a.b", "id" : "evt_2","created":2, "x": 1.10}"#, r#"{"id":"evt_1","type":"c","created":1}"#]
    );
}

#[test]
fn listed_events_are_read_as_webhooks_are() {
    for kind in ObjectKind::ALL {
        let delivery = page(false, &json!([event("evt_1", &object(kind))]));
        let EventsFact::Page { events, .. } = decode_events(&delivery) else { panic!("a page") };
        let (event, bytes) = &events[0];
        assert_eq!(Stripe::default().decode_event(bytes).expect("an event"), *event);
        assert_eq!(event.seen.as_ref().map(|seen| seen.kind()), Some(kind));
    }
}

#[test]
fn an_event_that_cannot_be_read_is_told_and_holds_nothing_up() {
    let good = event("evt_1", &intent());
    for odd in [json!({"id": "evt_2"}), with(good.clone(), json!({"id": "evt_2", "created": null}))] {
        let EventsFact::Page { events, unreadable, next } = decode_events(&page(true, &json!([good, odd]))) else {
            panic!("a page with {odd}")
        };
        let read: Vec<_> = events.iter().map(|(event, _)| event.id.as_str()).collect();
        assert_eq!((read, unreadable), (vec!["evt_1"], vec!["evt_2".to_owned()]));
        assert_eq!(next.as_deref(), Some("evt_2"), "the page after it goes on behind it");
    }
}

#[test]
fn an_element_without_an_id_makes_the_page_unreadable() {
    let good = event("evt_1", &intent());
    for odd in [json!(null), json!("evt_2"), with(good.clone(), json!({"id": ""}))] {
        let fact = decode_events(&page(false, &json!([good, odd])));
        assert_eq!(fact, EventsFact::Failed(Fact::Lost(Loss::Unreadable)), "{odd}");
    }
}

/// Deliveries that are no page, and why.
fn failures() -> Vec<(Delivery, &'static str)> {
    vec![
        (json_answer(200, &json!({"data": []})), "lost Unreadable"),
        (json_answer(200, &json!({"has_more": false})), "lost Unreadable"),
        (json_answer(200, &json!({"has_more": false, "data": [{"id": null}]})), "lost Unreadable"),
        (json_answer(200, &intent()), "lost Unreadable"),
        (answer(200, &[], r#"{"has_more": false, "data": [{"id": "pi_1""#), "lost Unreadable"),
        (answer(200, &[], ""), "lost Unreadable"),
        (json_answer(400, &error("invalid_request_error", "parameter_unknown")), "refused parameter_unknown"),
        (json_answer(401, &error("invalid_request_error", "")), "unauthorised"),
        (json_answer(404, &error("invalid_request_error", "resource_missing")), "refused resource_missing"),
        (json_answer(402, &error("card_error", "card_declined")), "lost Unclear"),
        (json_answer(429, &error("rate_limit_error", "rate_limit")), "throttled None"),
        (answer(429, &[], ""), "lost Unclear"),
        (json_answer(500, &error("api_error", "")), "lost ServerError"),
        (Delivery::NotSent { reason: String::new() }, "notsent"),
        (Delivery::Lost { loss: Loss::Reset, reason: String::new() }, "lost Reset"),
    ]
}

#[test]
fn lists_fail_with_a_fact() {
    for (delivery, expected) in failures() {
        for asked in ObjectKind::ALL {
            match decode(asked, &delivery) {
                ListFact::Failed(fact) => assert_eq!(kind(&fact), expected, "{asked:?} {delivery:?}"),
                page @ ListFact::Page { .. } => panic!("{delivery:?} became {page:?}"),
            }
        }
        match decode_events(&delivery) {
            EventsFact::Failed(fact) => assert_eq!(kind(&fact), expected, "{delivery:?}"),
            page @ EventsFact::Page { .. } => panic!("{delivery:?} became {page:?}"),
        }
    }
}

#[test]
fn the_probe_tells_whether_the_gateway_is_there() {
    for flow in Flow::ALL {
        let stripe = Stripe { flow, ..Stripe::default() };
        for data in [json!([]), json!([intent()]), json!([{"id": "x_1"}])] {
            assert_eq!(stripe.decode_probe(&page(false, &data)), Fact::Absent);
        }
        assert_eq!(stripe.decode_probe(&page(true, &json!([intent()]))), Fact::Absent);
        for (delivery, expected) in failures() {
            assert_eq!(kind(&stripe.decode_probe(&delivery)), expected, "{delivery:?}");
        }
    }
}
