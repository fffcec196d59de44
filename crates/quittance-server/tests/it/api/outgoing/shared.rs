//! Several servers on one database: each event is sent by one of them.

use super::{LOCAL, Receiver, listen};
use crate::api::app::{App, Place, payment, post, sandbox};
use quittance_server::api::router;
use quittance_server::data::Data;
use quittance_surroundings::Postgres;
use std::collections::BTreeSet;

/// Payments of the test; each succeeds.
const PAYMENTS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_fails_two_servers_send_each_event_once() {
    let Some(postgres) = Postgres::shared("events from two servers on one PostgreSQL database") else { return };
    let data = Data::database(&postgres.url(&postgres.fresh_database())).expect("an address");
    let app = App::start_configured(Place::Shared(data), sandbox().await, "", LOCAL).await.with_alice().await;
    let receiver = Receiver::default();
    let (endpoint, _) = listen(&app, "e", &receiver.start().await, r#"["*"]"#).await;
    let other = app.another();
    let there = router(other.handle());
    for number in 0..PAYMENTS {
        let order = format!("order-{number}");
        let call = post("/v1/payments", &order, &payment(&order, "pm_card_visa"));
        let answer = if number % 2 == 0 { app.send(call).await } else { call.send(&there).await };
        answer.expect(201, "");
    }
    let log = format!("/v1/webhook_endpoints/{endpoint}/deliveries?status=delivered&limit=100");
    app.until(&log, |log| log.json()["data"].as_array().is_some_and(|all| all.len() == 2 * PAYMENTS)).await;
    // What is marked is never sent again, and everything is marked.
    let received = receiver.wait(2 * PAYMENTS).await;
    let ids: BTreeSet<&str> = received.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!((ids.len(), received.len()), (2 * PAYMENTS, 2 * PAYMENTS));
    other.stop().await.expect("stopped");
}
