//! `GET /v1/commands/{id}` of refunds, captures and cancels: what was asked, what was sent, how it ended.

use super::app::{ADMIN, bearer, post};
use super::call::Answer;
use super::shop::{PAYMENTS, Shop};

/// The newest command under a key, by what the trace says of it.
async fn command(shop: &Shop, key: &str) -> Answer {
    let trace = shop.app.get(&format!("/v1/trace/{key}")).await.expect(200, "");
    let json = trace.json();
    let lines = json["stories"].as_array().expect("stories").iter().flat_map(|story| story["lines"].as_array());
    let mut requests = lines.flatten().filter(|line| line["details"]["idempotency_key"] == key);
    let id = requests.next().and_then(|line| line["details"]["command"].as_str()).expect("a request").to_owned();
    shop.app.get(&format!("/v1/commands/{id}")).await.expect(200, "")
}

fn steps(command: &Answer) -> Vec<String> {
    let json = command.json();
    let attempts = json["attempts"].as_array().expect("a list");
    attempts.iter().map(|attempt| attempt["step"].as_str().expect("a step").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refunds_command_shows_the_refund() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    let members = r#""amount": 500, "reference": "back", "reason": "duplicate""#;
    let refund = shop.refund(&paid, "r1", members).await.expect(201, "");
    let shown = shop.app.get(&format!("/v1/commands/{}", refund.text("/command_id"))).await.expect(200, "");
    for (place, expected) in [
        ("/status", "completed".to_owned()),
        ("/operation", "POST /v1/refunds".to_owned()),
        ("/resource", format!("/v1/refunds/{}", refund.text("/id"))),
        ("/intent/kind", "refund".to_owned()),
        ("/intent/amount", "500".to_owned()),
        ("/intent/currency", "USD".to_owned()),
        ("/intent/customer", paid.text("/customer")),
        ("/intent/gateway", "stripe".to_owned()),
        ("/intent/reference", "back".to_owned()),
        ("/intent/reason", "duplicate".to_owned()),
        ("/intent/payment", paid.text("/id")),
        ("/intent/refund", refund.text("/id")),
        ("/intent/refund_status", "succeeded".to_owned()),
        ("/outcome/http_status", "201".to_owned()),
        ("/outcome/body/id", refund.text("/id")),
    ] {
        assert_eq!(shown.text(place), expected, "{place}");
    }
    assert_eq!(steps(&shown), ["execute"]);
    let refused = shop.refund(&paid, "r2", members).await.expect(409, "duplicate-refund");
    assert_eq!(refused.status, 409);
    let shown = command(&shop, "r2").await;
    assert_eq!((shown.text("/intent"), shown.text("/outcome/http_status")), (String::new(), "409".into()));
    assert_eq!(steps(&shown), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captures_command_shows_what_was_asked_and_sent() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    shop.step(&paid, "capture", "c1", r#"{"amount": 1500}"#).await.expect(200, "");
    shop.step(&paid, "capture", "c2", r#"{"amount": 400}"#).await.expect(409, "not-capturable");
    let shown = command(&shop, "c1").await;
    assert_eq!((shown.text("/intent/kind"), shown.text("/intent/amount")), ("capture".into(), "1500".into()));
    assert_eq!((shown.text("/intent/payment"), shown.text("/intent/reference")), (paid.text("/id"), "order-1".into()));
    assert_eq!(shown.text("/intent/payment_status"), "succeeded");
    assert_eq!(shown.text("/resource"), format!("{PAYMENTS}/{}", paid.text("/id")));
    assert_eq!((shown.text("/outcome/http_status"), steps(&shown)), ("200".into(), vec!["capture".to_owned()]));
    let refused = command(&shop, "c2").await;
    assert_eq!((refused.text("/intent/kind"), refused.text("/intent/amount")), ("capture".into(), String::new()));
    assert_eq!((refused.text("/outcome/body/code"), steps(&refused)), ("not-capturable".into(), Vec::new()));
    let of_payment = shop.app.get(&format!("/v1/commands/{}", paid.text("/command_id"))).await.expect(200, "");
    assert_eq!((of_payment.text("/intent/kind"), of_payment.text("/intent/amount")), ("payment".into(), "1999".into()));
    assert_eq!(steps(&of_payment), ["create", "confirm", "capture"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancels_command_shows_its_reason() {
    let shop = Shop::open().await;
    let paid = shop.authorise("order-1").await;
    shop.step(&paid, "cancel", "x1", r#"{"reason": "changed its mind"}"#).await.expect(200, "");
    shop.step(&paid, "cancel", "x2", r#"{"reason": "again"}"#).await.expect(200, "");
    let shown = command(&shop, "x1").await;
    assert_eq!(
        (shown.text("/intent/kind"), shown.text("/intent/reason")),
        ("cancel".into(), "changed its mind".into())
    );
    assert_eq!((shown.text("/intent/payment_status"), steps(&shown)), ("canceled".into(), vec!["cancel".to_owned()]));
    let again = command(&shop, "x2").await;
    assert_eq!((again.text("/intent/reason"), steps(&again)), (String::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_in_review_is_decided_by_a_person_and_its_command_says_so() {
    let shop = Shop::open().await;
    let paid = shop.pay_with("order-1", "pm_card_pendingRefund").await;
    let refund = shop.refund(&paid, "r1", r#""amount": 500, "reference": "back""#).await.expect(201, "");
    let mut wrong = shop.object(&format!("refunds/{}", refund.text("/gateway_id"))).await;
    (wrong["status"], wrong["amount"]) = ("succeeded".into(), 501.into());
    shop.tell("refund.updated", &wrong).await;
    let place = format!("/v1/refunds/{}", refund.text("/id"));
    assert_eq!(shop.app.get(&place).await.text("/status"), "review");
    let body = r#"{"resolution": "failed", "evidence": "statement 7", "reason": "the bank refused it"}"#;
    let call = post(&format!("/v1/effects/{}/resolve", refund.text("/id")), "d1", body);
    let call = call.without("authorization").header("authorization", &bearer(ADMIN));
    let decided = shop.app.send(call).await.expect(200, "");
    assert_eq!((decided.text("/id"), decided.text("/status")), (refund.text("/id"), "failed".into()));
    assert_eq!(shop.now(&paid).await.text("/refunding_amount"), "0");
    let shown = command(&shop, "d1").await;
    assert_eq!((shown.text("/intent/kind"), shown.text("/intent/refund")), ("resolution".into(), refund.text("/id")));
    assert_eq!((shown.text("/resource"), steps(&shown)), (place, Vec::new()));
    shop.check_books().await;
}
