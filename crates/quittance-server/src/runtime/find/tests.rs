//! Searches at a gateway of canned pages.

use super::*;
use crate::clock;
use crate::runtime::gateways::tests::states_of;
use axum::extract::RawQuery;
use axum::{Json, Router, routing::get};
use serde_json::{Value, json};
use std::sync::Arc;

const TIMEOUT: Duration = Duration::from_secs(20);

fn effect() -> EffectId {
    EffectId::from_bytes([7; 16])
}

fn object(id: &str, currency: &str, effect: Option<EffectId>) -> Value {
    let metadata = effect.map_or(json!({}), |effect| json!({ "effect_id": effect.to_string() }));
    json!({"id": id, "status": "requires_confirmation", "amount": 1, "currency": currency, "metadata": metadata})
}

fn page(has_more: bool, data: &[Value]) -> Value {
    json!({ "data": data, "has_more": has_more })
}

/// A gateway that answers each query for a page with what `answer` makes of it, after `delay`.
async fn gateway(delay: Duration, answer: fn(&str) -> Value) -> Arc<GatewayState> {
    gateway_of("stripe", "/v1/payment_intents", delay, answer).await
}

/// The same of this kind, whose list is at this path.
async fn gateway_of(kind: &str, path: &str, delay: Duration, answer: fn(&str) -> Value) -> Arc<GatewayState> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let list = async move |RawQuery(query): RawQuery| {
        tokio::time::sleep(delay).await;
        Json(answer(&query.unwrap_or_default()))
    };
    let router = Router::new().route(path, get(list));
    tokio::spawn(async move { axum::serve(listener, router).await });
    states_of(kind, &base).get(kind).expect("a gateway")
}

/// A search with so much time left, of so much that a request may take.
async fn search(gateway: &GatewayState, left: Duration, timeout: Duration) -> Stimulus {
    let wanted = submission::Find { parent: None, customer: None, reference: None, created_from: Some(0) };
    let search = Search { effect: effect(), kind: ObjectKind::Payment, wanted: &wanted };
    find(gateway, search, budget(left, timeout).for_pages(timeout)).await
}

fn budget(left: Duration, timeout: Duration) -> Budget {
    Budget::new(clock::now().plus_ms(left.as_millis() as u64), timeout)
}

#[tokio::test]
async fn what_cannot_be_read_and_is_not_ours_is_passed_by() {
    let two_pages = gateway(Duration::ZERO, |query| match query.contains("starting_after=pi_2") {
        false => page(true, &[object("pi_3", "zzz", None), object("pi_2", "zzz", Some(EffectId::from_bytes([8; 16])))]),
        true => page(false, &[object("pi_1", "usd", Some(effect()))]),
    })
    .await;
    let found = search(&two_pages, TIMEOUT, TIMEOUT).await;
    assert!(matches!(&found, Stimulus::Found(Some(ours)) if ours.object_id == "pi_1"), "{found:?}");
    let foreign = gateway(Duration::ZERO, |_| page(false, &[object("pi_1", "zzz", None)])).await;
    assert_eq!(search(&foreign, TIMEOUT, TIMEOUT).await, Stimulus::Found(None));
}

#[tokio::test]
async fn an_object_of_ours_that_cannot_be_read_fails_the_search() {
    let ours = gateway(Duration::ZERO, |_| page(false, &[object("pi_1", "zzz", Some(effect()))])).await;
    let expected = Stimulus::FindFailed(Fact::Lost(Loss::Unreadable));
    assert_eq!(search(&ours, TIMEOUT, TIMEOUT).await, expected);
}

fn transfer(id: &str, currency: &str, reference: &str) -> Value {
    json!({"id": id, "state": "settled", "amount": 1, "currency": currency, "reference": reference, "reason": null})
}

/// Where there are no effect ids, what is ours is known by the key that was sent as our reference.
#[tokio::test]
async fn what_carries_our_reference_is_ours_readable_or_not() {
    let list = async |answer| gateway_of("rail", "/rail/v1/transfers", Duration::ZERO, answer).await;
    let search = async |gateway: &Arc<GatewayState>| {
        let reference = Some("b1ours".to_owned());
        let wanted = submission::Find { parent: None, customer: None, reference, created_from: Some(0) };
        let search = Search { effect: effect(), kind: ObjectKind::Charge, wanted: &wanted };
        find(gateway, search, budget(TIMEOUT, TIMEOUT).for_pages(TIMEOUT)).await
    };
    let foreign = list(|_| json!({"transfers": [transfer("trf_1", "USD", "b1else")], "next": null})).await;
    assert_eq!(search(&foreign).await, Stimulus::Found(None));
    let ours = list(|query| {
        assert!(query.contains("reference=b1ours"), "{query}");
        json!({"transfers": [transfer("trf_2", "USD", "b1ours")], "next": null})
    });
    let found = search(&ours.await).await;
    assert!(matches!(&found, Stimulus::Found(Some(ours)) if ours.object_id == "trf_2"), "{found:?}");
    let unreadable = list(|_| json!({"transfers": [transfer("trf_3", "zzz", "b1ours")], "next": null})).await;
    assert_eq!(search(&unreadable).await, Stimulus::FindFailed(Fact::Lost(Loss::Unreadable)));
}

#[tokio::test]
async fn a_list_without_end_is_given_up() {
    let endless = gateway(Duration::ZERO, |_| page(true, &[object("pi_1", "usd", None)])).await;
    assert_eq!(search(&endless, TIMEOUT, TIMEOUT).await, Stimulus::FindFailed(Fact::Lost(Loss::Unclear)));
}

#[tokio::test]
async fn a_search_ends_with_its_time_and_says_so() {
    let timeout = Duration::from_millis(500);
    let slow = gateway(timeout * 3 / 5, |_| page(true, &[object("pi_1", "usd", None)])).await;
    assert_eq!(search(&slow, timeout, timeout).await, Stimulus::FindFailed(Fact::Lost(Loss::Timeout)));
    let nothing_asked = Stimulus::FindFailed(Fact::NotSent);
    assert_eq!(search(&slow, Duration::ZERO, timeout).await, nothing_asked);
    slow.set_paused(true);
    assert_eq!(search(&slow, TIMEOUT, TIMEOUT).await, nothing_asked, "a gateway that is paused is not asked");
}

#[test]
fn pages_are_asked_for_until_shortly_before_the_end() {
    let begins = |left_ms: u64| {
        let budget = budget(Duration::from_millis(left_ms), TIMEOUT);
        (budget.patience().is_some(), budget.for_pages(TIMEOUT).patience().is_some())
    };
    assert_eq!([begins(15_000), begins(5_000), begins(1_900)], [(true, true), (false, true), (false, false)]);
    let short = Duration::from_millis(500);
    assert!(budget(Duration::from_millis(200), short).for_pages(short).patience().is_none());
}
