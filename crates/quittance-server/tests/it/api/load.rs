//! Too much at once, a full disk, and a server that stops.

use super::app::{App, Place, WEBHOOK_SECRETS, payment, payment_at, post};
use super::call::Call;
use super::gate::{Gate, Mode};
use super::webhooks::sign;
use quittance_store::memory::MemoryDatabase;
use std::time::Duration;
use tokio::task::JoinSet;

const ROUTE: &str = "/v1/payments";

async fn gated() -> (App, Gate) {
    let gate = Gate::new();
    let app = App::start_on(Place::Gated(MemoryDatabase::new(), gate.clone())).await.with_alice().await;
    (app, gate)
}

#[tokio::test(flavor = "multi_thread")]
async fn under_overload_new_work_is_refused_and_a_replay_still_learns_its_outcome() {
    let (app, gate) = gated().await;
    let body = payment("order-1", "pm_card_visa");
    let first = app.post(ROUTE, "key-1", &body).await.expect(201, "");
    let open = payment_at("silent", "order-2", "pm_1");
    let pending = app.send(post(ROUTE, "key-2", &open).header("prefer", "respond-async")).await.expect(202, "");
    gate.set(Mode::Closed);
    // One command stops in the writer, one waits: every further one is too many.
    let mut tasks = JoinSet::new();
    let late = |reference: &str| {
        let (router, call) = (app.router.clone(), post(ROUTE, reference, &payment(reference, "pm_card_visa")));
        async move { call.send(&router).await }
    };
    tasks.spawn(late("late-1"));
    while !gate.has_stopped_the_writer() {
        tokio::task::yield_now().await;
    }
    tasks.spawn(late("late-2"));
    while app.handle.readiness().queue_depth == 0 {
        tokio::task::yield_now().await;
    }
    let refused = late("late-3").await.expect(503, "overloaded");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.text("/retryable"), "true");
    let replay = app.post(ROUTE, "key-1", &body).await.expect(201, "");
    assert_eq!((replay.body, replay.headers.contains_key("idempotent-replayed")), (first.body, true));
    app.post(ROUTE, "key-1", &payment("order-9", "pm_card_visa")).await.expect(422, "idempotency-key-reused");
    let joined = app.send(post(ROUTE, "key-2", &open).header("prefer", "wait=0")).await.expect(202, "");
    assert_eq!(joined.text("/id"), pending.text("/id"));
    app.post(ROUTE, "key-3", &payment("order-3", "pm_card_visa")).await.expect(503, "overloaded");
    let event = r#"{"id": "evt_1", "type": "x", "created": 1}"#;
    let signature = sign(WEBHOOK_SECRETS[0], app.handle.now().seconds(), event.as_bytes());
    let delivery = Call::new("POST", "/webhooks/we_main").header("stripe-signature", &signature).body(event);
    app.send(delivery).await.expect(503, "overloaded");
    gate.set(Mode::Open);
    for _ in 0..2 {
        tasks.join_next().await.expect("a task").expect("no panic").expect(201, "");
    }
    // Nothing of the refused request was stored: its key is free.
    app.post(ROUTE, "key-3", &payment("order-3", "pm_card_visa")).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_leaves_the_key_free() {
    let (app, gate) = gated().await;
    gate.set(Mode::Full);
    let body = payment("order-1", "pm_card_visa");
    let answer = app.post(ROUTE, "key-1", &body).await.expect(507, "storage-full");
    assert!(answer.header("retry-after").is_some());
    gate.set(Mode::Open);
    app.post(ROUTE, "key-1", &body).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_stored_is_counted() {
    quittance_server::metrics::ensure_installed();
    let (mut app, gate) = gated().await;
    let body = payment_at("silent", "order-1", "pm_1");
    app.send(post(ROUTE, "key-1", &body).header("prefer", "respond-async")).await.expect(202, "");
    gate.set(Mode::Full);
    app.silence.take();
    let counted = async {
        while !app.handle.metrics_text().contains("\nquittance_lessons_lost_total ") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), counted).await.expect("it is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_takes_nothing_and_says_so() {
    let app = App::start().await.with_alice().await;
    app.runtime.stop().await.expect("stopped");
    let call = || post(ROUTE, "key-1", &payment("order-1", "pm_card_visa"));
    call().send(&app.router).await.expect(503, "stopping");
    let ready = Call::new("GET", "/readyz").send(&app.router).await;
    assert_eq!((ready.status, ready.text("/status")), (503, "stopping".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_far_behind_is_given_no_more_and_known_keys_still_learn_their_outcome() {
    quittance_server::metrics::ensure_installed();
    let app = App::start().await.with_alice().await;
    let at_once =
        |key: &str, gateway: &str| post(ROUTE, key, &payment_at(gateway, key, "pm_1")).header("prefer", "wait=0");
    // The first takes the only place and is never answered; the second waits for it.
    app.send(at_once("key-1", "tardy")).await.expect(202, "");
    let second = app.send(at_once("key-2", "tardy")).await.expect(202, "");
    let is_behind = || app.handle.readiness().degraded.iter().any(|(_, complaint)| complaint.code == "backlogged");
    let noticed = async {
        while !is_behind() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), noticed).await.expect("it is noticed");
    let refused = app.send(at_once("key-3", "tardy")).await.expect(503, "overloaded");
    assert_eq!((refused.header("retry-after"), refused.text("/retryable")), (Some("30"), "true".to_owned()));
    let again = app.send(at_once("key-2", "tardy")).await.expect(202, "");
    assert_eq!(again.text("/id"), second.text("/id"));
    app.post(ROUTE, "key-4", &payment("key-4", "pm_card_visa")).await.expect(201, "");
    let ready = app.send(Call::new("GET", "/readyz")).await;
    assert_eq!((ready.status, ready.text("/status")), (200, "degraded".to_owned()));
    assert_eq!(
        (ready.text("/degraded/0/gateway"), ready.text("/degraded/0/code")),
        ("tardy".into(), "backlogged".into())
    );
    assert_eq!(ready.text("/backlog/3/gateway"), "tardy");
    assert!(
        ready.text("/backlog/3/oldest_due_age_ms").parse::<u64>().is_ok_and(|age_ms| age_ms > 1),
        "{:?}",
        ready.body
    );
    assert_eq!(ready.text("/backlog/3/oldest_unknown_age_ms"), "");
    let metrics = app.handle.metrics_text();
    assert!(metrics.contains("quittance_gateway_due_age_seconds{gateway=\"tardy\"} "), "{metrics}");
    assert!(metrics.contains("quittance_outcomes_total{outcome=\"backlogged\"} "), "{metrics}");
}
