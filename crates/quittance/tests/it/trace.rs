//! `quittance trace`: any id of a real payment leads to the same story, from the request to the webhook.

use crate::support::{Ended, Home, Shop};
use serde_json::{Value, json};

/// How often a trace is asked for until the webhooks have come.
const LOOKS_MAX: usize = 300;

fn traced(home: &Home, id: &str) -> Ended {
    home.run(&["trace", id, "--json"])
}

/// The story of the payment once `payment_intent.succeeded` has come in.
fn whole_story(shop: &Shop) -> Value {
    for _ in 0..LOOKS_MAX {
        let trace = traced(&shop.home, shop.member("id")).json();
        if trace.to_string().contains("payment_intent.succeeded") {
            return trace;
        }
    }
    panic!("no webhook came: {}", traced(&shop.home, shop.member("id")).stdout);
}

#[test]
fn every_id_tells_the_story_from_the_request_to_the_webhook() {
    let shop = Shop::open();
    let stories = whole_story(&shop)["stories"].clone();
    check_story(&shop, &stories);
    let ids = [
        (shop.member("gateway_id"), "gateway object"),
        (shop.member("correlation_id"), "command"),
        (shop.member("command_id"), "command"),
        ("order-1", "reference"),
        ("payment-1", "idempotency key"),
        ("anna", "customer"),
    ];
    for (id, recognised_as) in ids {
        let ended = traced(&shop.home, id);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(ended.json()["recognised_as"], recognised_as, "{id}");
        let found = &ended.json()["stories"][0];
        // More webhooks may have come meanwhile; the story begins and means the same.
        assert_eq!((&found["subject"], &found["lines"][0]), (&stories[0]["subject"], &stories[0]["lines"][0]));
    }
    let table = shop.home.run(&["trace", "order-1"]);
    for words in
        ["request_received", "payment_accepted", "ticket_issued", "seen:succeeded", "webhook_received", "answer_given"]
    {
        assert!(table.stdout.contains(words), "{words} is not in {}", table.stdout);
    }
}

fn check_story(shop: &Shop, stories: &Value) {
    assert_eq!(stories.as_array().map(Vec::len), Some(1));
    assert_eq!(stories[0]["payment"], shop.payment["id"]);
    assert_eq!(stories[0]["status"], "succeeded");
    let events: Vec<&Value> = stories[0]["lines"].as_array().expect("events").iter().collect();
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().expect("a word")).collect();
    assert_eq!(kinds[..3], ["request_received", "payment_accepted", "ticket_issued"], "{kinds:?}");
    for kind in ["effect_advanced", "webhook_received", "answer_given"] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    assert_eq!(events[0]["details"]["idempotency_key"], "payment-1");
    assert_eq!(events[0]["details"]["operation"], "POST /v1/payments");
    assert_eq!(events[0]["details"]["correlation_id"], shop.payment["correlation_id"]);
    assert_eq!(events[1]["details"]["amount"], "1999");
    let answer = events.iter().find(|event| event["event"] == "answer_given").expect("an answer");
    assert_eq!(answer["details"]["status"], "201");
    for event in &events {
        let time = event["at"].as_str().expect("a time");
        assert!(time.len() == "2026-01-01T00:00:00.000Z".len() && time.ends_with('Z'), "{time}");
    }
    let posted = events.iter().find_map(|event| event["details"].get("posted")).expect("the hold was posted");
    assert_eq!(posted, &json!("gateway_clearing:sandbox debit 1999 USD, unapplied credit 1999 USD"));
}

#[test]
fn what_nobody_knows_is_a_finding() {
    let home = Home::new();
    home.credential();
    let ended = traced(&home, "order-9");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains("nothing is known under \"order-9\""), "{ended:?}");
}
