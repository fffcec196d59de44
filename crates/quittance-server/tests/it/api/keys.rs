//! The life of an API key: replaced while it goes on for a while, ended, and when it was used last.

use super::app::{App, Place, READER, WRITER, bearer, key_id, payment, post, submit};
use super::call::Call;
use super::flow::same;
use super::gate::{Gate, Mode};
use super::unknowns::{NEXT, next_key};
use quittance_core::tenant::{ApiKey, LAST_USE_MS};
use quittance_core::time::Timestamp;
use quittance_engine::submission::{Outcome, Submission};
use quittance_store::memory::MemoryDatabase;
use quittance_store::records::Entity;
use quittance_store::store::Reader;
use quittance_store::tables::API_KEYS;
use quittance_store::value::Value;
use std::time::Duration;

const ROUTE: &str = "/v1/payments";

fn list(secret: &str) -> Call {
    Call::new("GET", ROUTE).header("authorization", &bearer(secret))
}

async fn rotate(app: &App, ends_at: Timestamp) -> Outcome {
    let rotation = Submission::RotateKey { id: key_id(1), ends_at, successor: Box::new(next_key(app)) };
    app.handle.submit(rotation).await.expect("taken")
}

/// A key as it is stored, and how often it was written.
async fn stored(app: &App, number: u8) -> (ApiKey, Value) {
    let row = app
        .handle
        .read(move |reader: &mut dyn Reader| reader.get_many(&API_KEYS, &[vec![key_id(number).bytes().into()]]));
    let row = row.await.expect("readable").into_iter().flatten().next().expect("a key");
    (ApiKey::from_row(&row).expect("a key"), row[API_KEYS.position("version")].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_on_beside_its_successor_and_then_ends_by_itself() {
    let app = App::start().await.with_alice().await;
    let body = payment("order-1", "pm_card_visa");
    let first = app.post(ROUTE, "key-1", &body).await.expect(201, "");
    assert!(matches!(rotate(&app, app.handle.now().plus_ms(3_600_000)).await, Outcome::Done));
    for secret in [WRITER, NEXT] {
        assert_eq!(app.send(list(secret)).await.status, 200);
        let call = post(ROUTE, "key-1", &body).without("authorization").header("authorization", &bearer(secret));
        same(&first, &app.send(call).await);
    }
    assert!(matches!(rotate(&app, app.handle.now()).await, Outcome::Conflict(_)), "it has a successor already");
    // What ends has not to be waited for: it can be revoked at once.
    submit(&app.handle, Submission::RevokeKey { id: key_id(1), at: app.handle.now() }).await;
    app.send(list(WRITER)).await.expect(401, "unauthorised");
    assert_eq!(app.send(list(NEXT)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_time_is_over_is_refused_as_one_that_never_was() {
    let app = App::start().await.with_alice().await;
    assert!(matches!(rotate(&app, app.handle.now()).await, Outcome::Done));
    let ended = app.send(list(WRITER)).await.expect(401, "unauthorised");
    let unknown = app.send(list("qk_test_never")).await.expect(401, "unauthorised");
    assert_eq!(ended.body, unknown.body);
    assert_eq!(app.send(list(NEXT)).await.status, 200);
    let app = app.restart().await;
    app.send(list(WRITER)).await.expect(401, "unauthorised");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_is_written_seldom_and_nobody_waits_for_it() {
    let gate = Gate::new();
    let app = App::start_on(Place::Gated(MemoryDatabase::new(), gate.clone())).await;
    assert_eq!(stored(&app, 2).await.0.last_used_at, None);
    gate.set(Mode::Closed);
    let before = app.handle.now();
    for _ in 0..50 {
        assert_eq!(app.send(list(READER)).await.status, 200, "answered while nothing can be written");
    }
    gate.set(Mode::Open);
    let noted = async {
        while stored(&app, 2).await.0.last_used_at.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), noted).await.expect("it is noted");
    let (key, version) = stored(&app, 2).await;
    assert!(key.last_used_at.is_some_and(|at| at >= before), "{key:?}");
    assert_eq!(version, Value::Integer(2), "written once for all of them");
    // Another process does not know what was noted here; the row does.
    let at = key.last_used_at.expect("noted").plus_ms(LAST_USE_MS - 1);
    submit(&app.handle, Submission::KeyUsed { id: key_id(2), at }).await;
    assert_eq!(stored(&app, 2).await, (key.clone(), version));
    let at = at.plus_ms(1);
    submit(&app.handle, Submission::KeyUsed { id: key_id(2), at }).await;
    assert_eq!(stored(&app, 2).await.0.last_used_at, Some(at));
}
