//! What one API key may ask at once: 429 beyond it, and the others are not held up.

use super::app::{App, READER, STRANGER, WRITER, bearer, payment, payment_at, post};
use super::call::{Answer, Call};
use std::time::Duration;

const ROUTE: &str = "/v1/payments";

fn list(secret: &str) -> Call {
    Call::new("GET", ROUTE).header("authorization", &bearer(secret))
}

/// Asks again and again until the answer has this status.
async fn until(app: &App, call: &Call, status: u16) -> Answer {
    let asking = async {
        loop {
            let answer = app.send(call.clone()).await;
            if answer.status == status {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect("it comes to that")
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_are_limited_for_each_key() {
    let app = App::start_with("[server]\nrequests_per_key_max = 2\n").await.with_alice().await;
    let waiting: Vec<_> = ["one", "two"]
        .into_iter()
        .map(|key| {
            let call = post(ROUTE, key, &payment_at("silent", key, "pm_1")).header("prefer", "wait=60");
            let router = app.router.clone();
            tokio::spawn(async move { call.send(&router).await })
        })
        .collect();
    // Both are accepted, and wait.
    app.until(ROUTE, |answer| answer.json()["data"].as_array().map(Vec::len) == Some(2)).await;
    let body = payment("order-1", "pm_card_visa");
    let bearer_of_both = post(ROUTE, "key-1", &body);
    let refused = until(&app, &list(WRITER), 429).await;
    assert_eq!(
        (refused.text("/code"), refused.text("/retryable")),
        ("too-many-requests".to_owned(), "true".to_owned())
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    app.send(bearer_of_both.clone()).await.expect(429, "too-many-requests");
    // Another key of the same tenant, another tenant, and whoever needs none are not held up.
    for call in [list(READER), list(STRANGER), Call::new("GET", "/readyz")] {
        assert_eq!(app.send(call).await.status, 200);
    }
    // A client that goes away makes room.
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    let paid = until(&app, &bearer_of_both, 201).await;
    assert_eq!(paid.header("idempotent-replayed"), None, "what was refused was not stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_a_second_are_limited_for_each_key() {
    let app = App::start_with("[server]\nrequests_per_key_per_second_max = 1\n").await;
    let refused = until(&app, &list(READER), 429).await;
    assert_eq!((refused.text("/code"), refused.header("retry-after")), ("too-many-requests".into(), Some("1")));
    assert_eq!(app.send(list(STRANGER)).await.status, 200);
    until(&app, &list(READER), 200).await;
}
