//! Limits of tenants, as clients and operators meet them: refused with a time to come back, or parked until approved.

use super::app::{ADMIN, App, bearer, payment, post};
use super::call::{Answer, Call};
use std::time::Duration;

/// Longer than any of this takes; reached only when something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

const PARKING: &str = "\n[brakes]\npayment_amount_max = { USD = 1000 }\n\
    refunded_amount_per_day_max = { USD = 500 }\nover_limit = \"approve\"\n";

fn as_admin(call: Call) -> Call {
    call.without("authorization").header("authorization", &bearer(ADMIN))
}

async fn resolve(app: &App, id: &str, key: &str, resolution: &str) -> Answer {
    let body = format!(r#"{{"resolution": "{resolution}", "evidence": "ticket 9", "reason": "asked the customer"}}"#);
    app.send(as_admin(post(&format!("/v1/effects/{id}/resolve"), key, &body))).await
}

async fn wait_for(app: &App, path: &str, status: &str) {
    let looks = async {
        while app.get(path).await.text("/status") != status {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, looks).await.expect("it becomes so in time");
}

fn large(reference: &str) -> String {
    payment(reference, "pm_card_visa")
}

fn small(reference: &str) -> String {
    large(reference).replace("1999", "1000")
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_exactly_the_limit_passes() {
    quittance_server::metrics::ensure_installed();
    let app = App::start_with("\n[brakes.tenants.first]\npayments_per_hour_max = 5\n").await.with_alice().await;
    let calls = (0..40).map(|number| {
        let order = format!("order-{number}");
        let (router, body) = (app.router.clone(), payment(&order, "pm_card_visa"));
        tokio::spawn(async move { post("/v1/payments", &order, &body).send(&router).await })
    });
    let calls: Vec<_> = calls.collect();
    let mut statuses = Vec::new();
    for call in calls {
        let answer = call.await.expect("answered");
        statuses.push(answer.status);
        if answer.status == 403 {
            let wait: u64 = answer.header("retry-after").expect("the hour passes").parse().expect("seconds");
            assert!((3_600..=3_900).contains(&wait), "{wait}");
            assert_eq!((answer.text("/code"), answer.text("/retryable")), ("brake".into(), "true".into()));
            assert_eq!(answer.text("/brake"), r#"{"asked":1,"limit":"payments_per_hour_max","max":5,"used":5}"#);
        }
    }
    let count = |status| statuses.iter().filter(|known| **known == status).count();
    assert_eq!((count(201), count(403)), (5, 35));
    let metrics = app.handle.metrics_text();
    let counted = "quittance_brakes_total{tenant=\"first\",limit=\"payments_per_hour_max\",result=\"refused\"} ";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_over_the_limit_is_refused_and_its_key_stays_free() {
    let app = App::start_with("\n[brakes]\npayment_amount_max = { USD = 1000 }\n").await.with_alice().await;
    let refused = app.post("/v1/payments", "k", &large("order-1")).await.expect(403, "brake");
    assert_eq!((refused.header("retry-after"), refused.text("/retryable")), (None, "false".into()));
    assert_eq!(refused.text("/detail"), "payment_amount_max is 1000 minor units of USD, and 1999 are asked for");
    app.post("/v1/payments", "k", &small("order-1")).await.expect(201, "");
    let yen = small("order-2").replace("USD", "JPY");
    let forgotten = app.post("/v1/payments", "k2", &yen).await.expect(403, "brake");
    assert_eq!((forgotten.text("/brake/max"), forgotten.text("/brake/currency")), ("0".into(), "JPY".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_payment_waits_for_somebody_else_and_is_then_paid() {
    quittance_server::metrics::ensure_installed();
    let app = App::start_with(PARKING).await.with_alice().await;
    app.post("/v1/payments", "k0", &small("order-0")).await.expect(201, "");
    // Nobody waits for what only a person can move.
    let call = post("/v1/payments", "k", &large("order-1")).header("prefer", "wait=60");
    let parked = tokio::time::timeout(PATIENCE / 2, app.send(call)).await.expect("at once").expect(202, "");
    assert_eq!((parked.text("/status"), parked.text("/parked_by")), ("review".into(), "payment_amount_max".into()));
    let id = parked.text("/id");
    let path = format!("/v1/payments/{id}");
    let listed = app.get("/v1/payments?status=review").await;
    assert_eq!((listed.text("/data/0/id"), listed.text("/data/1")), (id.clone(), String::new()));
    let metrics = app.send(Call::new("GET", "/metrics")).await;
    assert!(String::from_utf8_lossy(&metrics.body).contains("quittance_parked_effects{limit=\"payment_amount_max\"} "));
    resolve(&app, &id, "a", "succeeded").await.expect(409, "never-sent");
    let said = resolve(&app, &id, "b", "approved").await.expect(200, "");
    assert_eq!((said.text("/status"), said.text("/parked_by")), ("processing".into(), String::new()));
    wait_for(&app, &path, "succeeded").await;
    resolve(&app, &id, "c", "approved").await.expect(409, "not-parked");
    let replayed = app.post("/v1/payments", "k", &large("order-1")).await.expect(201, "");
    assert_eq!(replayed.text("/status"), "succeeded");
    let trace = String::from_utf8_lossy(&app.get(&format!("/v1/trace/{id}")).await.body).into_owned();
    assert!(trace.contains("brake:payment_amount_max") && trace.contains("ticket 9"), "{trace}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_cannot_approve_and_may_give_up() {
    let app = App::start_with(PARKING).await.with_alice().await;
    let parked = app.send(as_admin(post("/v1/payments", "k", &large("order-1")))).await.expect(202, "");
    let id = parked.text("/id");
    resolve(&app, &id, "a", "approved").await.expect(403, "own-request");
    let refused = resolve(&app, &id, "a2", "refused").await.expect(200, "");
    assert_eq!(refused.text("/status"), "canceled");
    let again = app.post("/v1/payments", "k2", &large("order-1")).await.expect(202, "");
    let path = format!("/v1/payments/{}/cancel", again.text("/id"));
    assert_eq!(app.post(&path, "c", "{}").await.expect(200, "").text("/status"), "canceled");
    let answered = app.post("/v1/payments", "k2", &large("order-1")).await.expect(201, "");
    assert_eq!(answered.text("/status"), "canceled");
    app.post("/v1/payments", "k3", &small("order-1")).await.expect(201, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_parked_and_approved_alike() {
    let app = App::start_with(PARKING).await.with_alice().await;
    let paid = app.post("/v1/payments", "k", &small("order-1")).await.expect(201, "").text("/id");
    let body = |reference: &str, amount: u32| {
        format!(r#"{{"payment": "{paid}", "amount": {amount}, "reference": "{reference}"}}"#)
    };
    app.post("/v1/refunds", "r1", &body("one", 300)).await.expect(201, "");
    let parked = app.post("/v1/refunds", "r2", &body("two", 300)).await.expect(202, "");
    let id = parked.text("/id");
    assert_eq!(
        (parked.text("/status"), parked.text("/parked_by")),
        ("review".into(), "refunded_amount_per_day_max".into())
    );
    let said = resolve(&app, &id, "a", "approved").await.expect(200, "");
    assert_eq!(said.text("/object"), "refund");
    wait_for(&app, &format!("/v1/refunds/{id}"), "succeeded").await;
    assert_eq!(app.get(&format!("/v1/payments/{paid}")).await.text("/refunded_amount"), "600");
}
