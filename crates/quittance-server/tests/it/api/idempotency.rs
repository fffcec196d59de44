//! What a client may expect of an idempotency key: each row of the contract, through HTTP.
//!
//! | what happens | answer | test |
//! | --- | --- | --- |
//! | the key is missing | 400 `idempotency-key-missing`, `Link` | `bad_input::keys_media_types_and_sizes_…` |
//! | the key is malformed | 400 `idempotency-key-invalid` | the same |
//! | first time, ended in time | 201, or 402 | `flow::a_payment_succeeds_…`, `flow::a_decline_is_frozen_…` |
//! | first time, not ended in time, or `Prefer` | 202 | `flow::what_is_not_finished_in_time_…` |
//! | again, ended | the same bytes | `finished_…`, across restart and rotation |
//! | again, still running | the same wait, then the same answer | `running_…`, `flow::requests_at_once_…` |
//! | again, the first is not decided yet | 409 `idempotency-in-progress` | `undecided_…` |
//! | again, with another body or operation | 422 `idempotency-key-reused` | `flow::a_key_stands_for_one_request_…`, `expired_…` |
//! | again, after its answer was pruned | 422 `idempotency-key-expired` | `expired_…` |
//! | another key, the same intent | 409 `duplicate-intent`, or the payment | `duplicate_…`, `flow::a_key_stands_for_…`, `unknowns::c15_…` |
//! | refused before the claim | as it is, not stored | `refused_before_the_claim_…`, `load::…`, `caps::…` |
//! | refused after the claim | stored | `flow::refusals_of_the_engine_…` |
//! | our 5xx before the commit | nothing stored | `load::a_full_disk_…` |
//! | a crash after the commit | joined, then answered | `crashed_…` |
//! | the outcome is unknown | 202, `unknown` | `unknown_…` |

use super::app::{ADMIN, App, Place, READER, bearer, key_id, payment, payment_at, post, submit};
use super::call::Answer;
use super::flow::same;
use super::gate::{Gate, Mode};
use super::unknowns::{NEXT, app_at, next_key, unknown};
use crate::gateway::Gateway;
use quittance_core::idempotency::Command;
use quittance_engine::Engine;
use quittance_engine::gateways::{Gateways, Leases};
use quittance_engine::room::Permits;
use quittance_engine::submission::{Outcome, Prune, Submission, days_ago};
use quittance_server::ids::SystemIds;
use quittance_server::render::Renderer;
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::Entity;
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::COMMANDS;
use std::time::Duration;
use tempfile::TempDir;
use tokio::task::JoinHandle;

const ROUTE: &str = "/v1/payments";

#[tokio::test(flavor = "multi_thread")]
async fn finished_answers_are_the_same_bytes_after_a_restart_and_under_another_credential() {
    let app = App::start_on(Place::Disk(TempDir::new().expect("a folder"))).await.with_alice().await;
    let paid = payment("order-1", "pm_card_visa");
    let declined = payment("order-2", "pm_card_chargeDeclined");
    let firsts = [
        ("paid", &paid, app.post(ROUTE, "paid", &paid).await.expect(201, "")),
        ("declined", &declined, app.post(ROUTE, "declined", &declined).await.expect(402, "payment-declined")),
        ("twin", &paid, app.post(ROUTE, "twin", &paid).await.expect(409, "duplicate-intent")),
    ];
    submit(&app.handle, Submission::CreateKey(Box::new(next_key(&app)))).await;
    submit(&app.handle, Submission::RevokeKey { id: key_id(1), at: app.handle.now() }).await;
    let app = app.restart().await;
    for (key, body, first) in &firsts {
        app.post(ROUTE, key, body).await.expect(401, "unauthorised");
        let call = post(ROUTE, key, body).without("authorization").header("authorization", &bearer(NEXT));
        same(first, &app.send(call).await);
    }
}

fn spawn(app: &App, key: &str, body: &str) -> JoinHandle<Answer> {
    let (router, call) = (app.router.clone(), post(ROUTE, key, body).header("prefer", "wait=60"));
    tokio::spawn(async move { call.send(&router).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn running_requests_are_joined_and_all_get_the_answer_of_the_first() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    gateway.set_holding(true);
    let body = payment("order-1", "pm_1");
    let first = spawn(&app, "key-1", &body);
    app.until("/v1/payments", |_| gateway.arrived() == 1).await;
    let second = spawn(&app, "key-1", &body);
    // One that does not want to wait is told at once, the others wait on.
    let call = post(ROUTE, "key-1", &body).header("prefer", "respond-async");
    let told = app.send(call).await.expect(202, "");
    assert_eq!(told.header("idempotent-replayed"), None);
    assert!(told.header("retry-after").is_some());
    gateway.set_holding(false);
    let [first, second] = [first, second].map(|task| async { task.await.expect("no panic").expect(201, "") });
    let (first, second) = (first.await, second.await);
    assert_eq!((&first.body, first.text("/id")), (&second.body, told.text("/id")));
    assert_eq!((gateway.intents(), gateway.charges()), (1, 1));
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn undecided_requests_are_not_overtaken_by_a_retry_which_is_told_to_come_back() {
    let gate = Gate::new();
    let app = App::start_on(Place::Gated(MemoryDatabase::new(), gate.clone())).await.with_alice().await;
    gate.set(Mode::Closed);
    let body = payment("order-1", "pm_card_visa");
    let first = spawn(&app, "key-1", &body);
    while !gate.has_stopped_the_writer() {
        tokio::task::yield_now().await;
    }
    let retry = app.post(ROUTE, "key-1", &body).await.expect(409, "idempotency-in-progress");
    assert_eq!((retry.header("retry-after"), retry.text("/retryable")), (Some("1"), "true".to_owned()));
    // Whoever asked first and went away leaves the claim where it is.
    first.abort();
    app.post(ROUTE, "key-1", &body).await.expect(409, "idempotency-in-progress");
    let waiting = spawn(&app, "key-1", &body);
    gate.set(Mode::Open);
    let answer = waiting.await.expect("no panic").expect(201, "");
    same(&answer, &app.post(ROUTE, "key-1", &body).await);
    assert_eq!(app.get(ROUTE).await.json()["data"].as_array().map(Vec::len), Some(1));
}

/// Drops every answer at a time so many days from now.
fn prune_in(days: u32, app: &App) {
    let Place::Memory(database) = &app.place else { panic!("the answers are in memory") };
    let rows = database.reader().scan(&Scan::forward(&COMMANDS, Vec::new(), 100)).expect("readable");
    let now = app.handle.now().plus_ms(u64::from(days) * 24 * 3_600_000);
    let prune = Prune {
        answers: rows.iter().map(|row| Command::from_row(row).expect("a command").id).collect(),
        answered_before: days_ago(30, now),
        events: Vec::new(),
        received_before: now,
        told: Vec::new(),
        told_before: now,
    };
    let (store, ids) = (Box::new(database.writer()), Box::<SystemIds>::default());
    let mut engine = Engine::new(store, ids, Box::new(Renderer), Gateways::default(), Leases::default());
    let step = engine.step(now, vec![Submission::Prune(Box::new(prune))], &mut Permits::default()).expect("decided");
    assert!(matches!(step.outcomes[..], [Outcome::Done]), "{:?}", step.outcomes);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_keys_say_what_they_did_and_are_never_carried_out_again() {
    let app = App::start().await.with_alice().await;
    let body = payment("order-1", "pm_card_visa");
    let first = app.post(ROUTE, "key-1", &body).await.expect(201, "");
    prune_in(29, &app);
    same(&first, &app.post(ROUTE, "key-1", &body).await);
    prune_in(31, &app);
    let app = app.restart().await;
    for _ in 0..2 {
        let expired = app.post(ROUTE, "key-1", &body).await.expect(422, "idempotency-key-expired");
        assert_eq!(expired.text("/command_id"), first.text("/command_id"));
        assert_eq!(expired.text("/resource"), format!("{ROUTE}/{}", first.text("/id")));
        assert_eq!((expired.text("/retryable"), expired.header("retry-after")), ("false".to_owned(), None));
    }
    let other = payment("order-2", "pm_card_visa");
    let reused = app.post(ROUTE, "key-1", &other).await.expect(422, "idempotency-key-reused");
    assert!(!String::from_utf8_lossy(&reused.body).contains("order-1"), "nothing of the first request is told");
    app.post("/v1/customers", "key-1", "{}").await.expect(422, "idempotency-key-reused");
    assert_eq!(app.get(ROUTE).await.json()["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicate_intents_are_refused_or_led_to_what_is_under_way() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    gateway.set_holding(true);
    let body = payment("order-1", "pm_1");
    let first = app.send(post(ROUTE, "key-1", &body).header("prefer", "respond-async")).await.expect(202, "");
    let place = format!("{ROUTE}/{}", first.text("/id"));
    let twin = app.post(ROUTE, "key-2", &body).await.expect(409, "duplicate-intent");
    assert_eq!((twin.header("location"), twin.header("retry-after")), (Some(place.as_str()), None));
    assert_eq!(twin.text("/command_id"), first.text("/command_id"));
    let joining = body.replacen('{', r#"{"on_duplicate": "return_existing", "#, 1);
    let waiting = spawn(&app, "key-3", &joining);
    let told = app.send(post(ROUTE, "key-4", &joining).header("prefer", "respond-async")).await.expect(202, "");
    assert_eq!(told.text("/id"), first.text("/id"));
    gateway.set_holding(false);
    let existing = waiting.await.expect("no panic").expect(200, "");
    assert_eq!((existing.text("/id"), existing.text("/status")), (first.text("/id"), "succeeded".to_owned()));
    same(&existing, &app.post(ROUTE, "key-3", &joining).await);
    same(&twin, &app.post(ROUTE, "key-2", &body).await);
    // Another amount is no duplicate that could be given back.
    let dearer = joining.replacen("1999", "2999", 1);
    app.post(ROUTE, "key-5", &dearer).await.expect(409, "duplicate-intent");
    assert_eq!((gateway.intents(), gateway.charges()), (1, 1));
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_before_the_claim_a_request_leaves_its_key_free() {
    let app = App::start().await.with_alice().await;
    let body = payment("order-1", "pm_card_visa");
    let good = || post(ROUTE, "key-1", &body);
    let by = |secret: &str| good().without("authorization").header("authorization", &bearer(secret));
    for (call, status, code) in [
        (good().without("authorization"), 401, "unauthorised"),
        (by(READER), 403, "forbidden"),
        (good().body("{}"), 400, "invalid-body"),
        (good().body(payment_at("nowhere", "order-1", "pm_card_visa")), 400, "gateway-not-found"),
        (good().body(payment_at("live", "order-1", "pm_card_visa")), 403, "gateway-mode"),
        (good().body(body.replacen("order-1", "4242424242424242", 1)), 400, "card-number"),
        (good().without("content-type"), 415, "unsupported-media-type"),
    ] {
        let refused = app.send(call).await.expect(status, code);
        assert_eq!(refused.header("idempotent-replayed"), None);
    }
    let paid = app.send(by(ADMIN)).await.expect(201, "");
    assert_eq!(paid.header("idempotent-replayed"), None, "nothing was stored before");
}

#[tokio::test(flavor = "multi_thread")]
async fn crashed_after_the_commit_a_request_goes_on_and_its_retry_joins_it() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    gateway.set_holding(true);
    let body = payment("order-1", "pm_1");
    let first = app.send(post(ROUTE, "key-1", &body).header("prefer", "respond-async")).await.expect(202, "");
    app.until("/v1/payments", |_| gateway.arrived() == 1).await;
    let app = app.restart().await;
    let joined = app.send(post(ROUTE, "key-1", &body).header("prefer", "respond-async")).await.expect(202, "");
    assert_eq!((joined.text("/id"), joined.text("/command_id")), (first.text("/id"), first.text("/command_id")));
    gateway.set_holding(false);
    let patient = post(ROUTE, "key-1", &body).header("prefer", "wait=60");
    let answer = app.send(patient).await.expect(201, "");
    assert_eq!((answer.text("/id"), gateway.intents(), gateway.charges()), (first.text("/id"), 1, 1));
    same(&answer, &app.post(ROUTE, "key-1", &body).await);
    app.runtime.stop().await.expect("stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_outcomes_are_said_to_be_unknown_and_never_failed() {
    let gateway = Gateway::default();
    let app = app_at(&gateway).await;
    let id = unknown(&gateway, &app).await;
    let asked = post(ROUTE, "k1", &payment("order-1", "pm_1")).header("prefer", "wait=0");
    let answer = app.send(asked.clone()).await.expect(202, "");
    assert_eq!((answer.text("/id"), answer.text("/status")), (id.clone(), "unknown".to_owned()));
    assert_eq!(answer.header("idempotent-replayed"), None);
    gateway.set_mute(false);
    app.until(&format!("{ROUTE}/{id}"), |answer| answer.text("/status") == "succeeded").await;
    let answer = tokio::time::timeout(Duration::from_secs(60), app.send(asked)).await.expect("answered");
    assert_eq!((answer.status, answer.text("/id")), (201, id));
    app.runtime.stop().await.expect("stopped");
}
