//! Pages of lists: what is on them, and why there is none.

use quittance_connectors::message::Delivery;
use quittance_connectors::stripe::{ListFact, Unreadable, decode_list};
use quittance_core::fact::{Fact, Loss};
use serde_json::json;

use crate::answers::{error, kind};
use crate::data::{answer, intent, intent_with, json_answer};

#[test]
fn a_page_names_what_it_could_not_read() {
    let foreign =
        json!({"id": "pi_2", "object": "payment_intent", "status": "succeeded", "amount": 1, "currency": "zzz"});
    let ours = intent_with(json!({"id": "pi_3", "currency": "zzz"}));
    let page = json!({"object": "list", "has_more": true, "data": [intent(), foreign, ours]});
    let ListFact::Page { sightings, unreadable, has_more, last_id } = decode_list(&json_answer(200, &page)) else {
        panic!("a page");
    };
    let effect_id = sightings[0].effect_id;
    assert!(effect_id.is_some());
    assert_eq!(sightings.len(), 1);
    assert_eq!(sightings[0].object_id, "pi_1");
    assert_eq!((has_more, last_id.as_deref()), (true, Some("pi_3")));
    let unreadable_as = |id: &str, effect_id| Unreadable { id: id.to_owned(), effect_id };
    assert_eq!(unreadable, [unreadable_as("pi_2", None), unreadable_as("pi_3", effect_id)]);
}

#[test]
fn an_empty_page_is_a_page_only_if_it_is_the_last() {
    let page = |has_more: bool| decode_list(&json_answer(200, &json!({"has_more": has_more, "data": []})));
    let empty = ListFact::Page { sightings: vec![], unreadable: vec![], has_more: false, last_id: None };
    assert_eq!(page(false), empty);
    assert_eq!(page(true), ListFact::Failed(Fact::Lost(Loss::Unreadable)));
}

#[test]
fn lists_fail_with_a_fact() {
    let cases = [
        (json_answer(200, &json!({"data": []})), "lost Unreadable"),
        (json_answer(200, &json!({"has_more": false})), "lost Unreadable"),
        (json_answer(200, &json!({"has_more": false, "data": [{"id": null}]})), "lost Unreadable"),
        (json_answer(200, &intent()), "lost Unreadable"),
        (answer(200, &[], r#"{"has_more": false, "data": [{"id": "pi_1""#), "lost Unreadable"),
        (json_answer(404, &error("invalid_request_error", "resource_missing")), "refused resource_missing"),
        (json_answer(402, &error("card_error", "card_declined")), "lost Unclear"),
        (json_answer(429, &error("rate_limit_error", "rate_limit")), "throttled None"),
        (answer(429, &[], ""), "lost Unclear"),
        (Delivery::NotSent { reason: String::new() }, "notsent"),
    ];
    for (delivery, expected) in cases {
        match decode_list(&delivery) {
            ListFact::Failed(fact) => assert_eq!(kind(&fact), expected, "{delivery:?}"),
            page @ ListFact::Page { .. } => panic!("{delivery:?} became {page:?}"),
        }
    }
}
