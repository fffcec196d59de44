//! Captures and cancels over HTTP: once each, of what is authorised, and the same answer for ever.

use super::app::{payment, post};
use super::flow::same;
use super::shop::{PAYMENTS, Shop, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_captured_once_and_the_answer_stays() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    assert_eq!(paid.text("/capture_method"), "manual");
    let captured = shop.step(&paid, "capture", "c1", r#"{"amount": 1500}"#).await.expect(200, "");
    assert_eq!((captured.text("/status"), captured.text("/captured_amount")), ("succeeded".into(), "1500".into()));
    assert_eq!(captured.text("/amount"), "1999");
    same(&captured, &shop.step(&paid, "capture", "c1", r#"{"amount": 1500}"#).await);
    let again = shop.step(&paid, "capture", "c2", r#"{"amount": 1500}"#).await.expect(409, "not-capturable");
    same(&again, &shop.step(&paid, "capture", "c2", r#"{"amount": 1500}"#).await);
    assert_eq!(shop.now(&paid).await.body, captured.body);
    let intent = shop.object(&format!("payment_intents/{}", paid.text("/gateway_id"))).await;
    assert_eq!((intent["status"].as_str(), intent["amount_received"].as_i64()), (Some("succeeded"), Some(1500)));
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_amount_all_is_captured() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    let captured = shop.step(&paid, "capture", "c1", "{}").await.expect(200, "");
    assert_eq!(captured.text("/captured_amount"), "1999");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_authorised_is_captured() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    let refused = shop.step(&paid, "capture", "c1", r#"{"amount": 2000}"#).await.expect(422, "capture-too-large");
    same(&refused, &shop.step(&paid, "capture", "c1", r#"{"amount": 2000}"#).await);
    assert_eq!(shop.now(&paid).await.text("/status"), "requires_capture");
    let automatic = shop.pay("order-2").await;
    shop.step(&automatic, "capture", "c2", "{}").await.expect(409, "not-capturable");
    let elsewhere = format!("{PAYMENTS}/pay_01h455vb4pex5vsknk084sn02q/capture");
    shop.app.post(&elsewhere, "c3", "{}").await.expect(404, "not-found");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authorisation_that_ended_is_not_captured() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    shop.act(&format!("expire/{}", paid.text("/gateway_id")), "").await;
    let refused = shop.step(&paid, "capture", "c1", "{}").await.expect(409, "not-capturable");
    assert!(refused.text("/detail").ends_with("this one is canceled"), "{}", refused.text("/detail"));
    same(&refused, &shop.step(&paid, "capture", "c1", "{}").await);
    let now = shop.now(&paid).await;
    assert_eq!((now.text("/status"), now.text("/captured_amount")), ("canceled".into(), "0".into()));
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_waits_is_canceled_once_and_frees_its_reference() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    let body = r#"{"reason": "changed its mind"}"#;
    let canceled = shop.step(&paid, "cancel", "x1", body).await.expect(200, "");
    assert_eq!(canceled.text("/status"), "canceled");
    same(&canceled, &shop.step(&paid, "cancel", "x1", body).await);
    let twice = shop.step(&paid, "cancel", "x2", "{}").await.expect(200, "");
    assert_eq!(twice.body, canceled.body, "it is so already");
    shop.step(&paid, "capture", "c1", "{}").await.expect(409, "not-capturable");
    let intent = shop.object(&format!("payment_intents/{}", paid.text("/gateway_id"))).await;
    assert_eq!(intent["status"], "canceled");
    let next = payment("order-1", "pm_card_visa");
    shop.app.post(PAYMENTS, "again", &next).await.expect(201, "");
    let trace =
        String::from_utf8_lossy(&shop.app.get(&format!("/v1/trace/{}", paid.text("/id"))).await.body).into_owned();
    assert!(trace.contains("changed its mind"), "{trace}");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_succeeded_or_failed_is_not_canceled() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    let refused = shop.step(&paid, "cancel", "x1", "{}").await.expect(409, "not-cancelable");
    same(&refused, &shop.step(&paid, "cancel", "x1", "{}").await);
    let declined = shop
        .app
        .post(PAYMENTS, "k", &payment("order-2", "pm_card_chargeDeclined"))
        .await
        .expect(402, "payment-declined");
    let path = format!("{PAYMENTS}/{}/cancel", declined.text("/payment/id"));
    shop.app.post(&path, "x2", "{}").await.expect(409, "not-cancelable");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_who_never_came_back_is_not_waited_for() {
    let shop = Shop::open().await;
    let asked = payment("order-1", "pm_card_authenticationRequired");
    let paid = shop.app.post(PAYMENTS, "k", &asked).await.expect(201, "");
    assert_eq!(paid.text("/status"), "requires_action");
    let canceled = shop.step(&paid, "cancel", "x1", "{}").await.expect(200, "");
    assert_eq!((canceled.text("/status"), canceled.text("/next_action")), ("canceled".into(), String::new()));
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_not_waited_for_is_a_202_with_the_payment() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    let path = format!("{PAYMENTS}/{}/capture", paid.text("/id"));
    let call = || post(&path, "c1", "{}");
    let first = shop.app.send(call().header("prefer", "respond-async")).await.expect(202, "");
    assert_eq!(first.text("/id"), paid.text("/id"));
    assert_eq!(first.header("preference-applied"), Some("respond-async"));
    assert!(first.header("location").is_some_and(|place| place.starts_with("/v1/commands/cmd_")));
    assert!(first.header("retry-after").is_some());
    let done = shop.app.send(call()).await.expect(200, "");
    assert_eq!(done.text("/status"), "succeeded");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_step_is_for_one_payment_and_one_step() {
    let shop = Shop::open().await;
    let (first, second) = (shop.authorise("order-1").await, shop.authorise("order-2").await);
    shop.step(&first, "capture", "c1", "{}").await.expect(200, "");
    shop.step(&second, "capture", "c1", "{}").await.expect(422, "idempotency-key-reused");
    shop.step(&first, "cancel", "c1", "{}").await.expect(422, "idempotency-key-reused");
    shop.step(&first, "capture", "c1", r#"{"amount": 1}"#).await.expect(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_amount_under_a_canceled_reference_is_another_payment() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    shop.step(&paid, "cancel", "x1", "{}").await.expect(200, "");
    let dearer = with(&payment("order-1", "pm_card_visa").replace("1999", "2500"), r#""description": "again""#);
    let made = shop.app.post(PAYMENTS, "again", &dearer).await.expect(201, "");
    assert_ne!(made.text("/gateway_id"), paid.text("/gateway_id"));
    shop.check_books().await;
}
