//! Refunds over HTTP: never more than is left, never twice for one intent, and the same answer for ever.

use super::app::{ADMIN, STRANGER, bearer, payment, post};
use super::flow::same;
use super::shop::{PAYMENTS, REFUNDS, Shop};
use super::snapshot;
use std::fmt::Write as _;

#[tokio::test(flavor = "multi_thread")]
async fn money_is_given_back_once_and_the_answer_stays() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    let members = r#""amount": 500, "reference": "back-1", "reason": "requested_by_customer""#;
    let first = shop.refund(&paid, "r1", members).await.expect(201, "");
    assert_eq!((first.text("/status"), first.text("/amount")), ("succeeded".into(), "500".into()));
    assert_eq!((first.text("/payment"), first.text("/currency")), (paid.text("/id"), "USD".into()));
    assert_eq!((first.text("/reference"), first.text("/reason")), ("back-1".into(), "requested_by_customer".into()));
    let place = format!("{REFUNDS}/{}", first.text("/id"));
    assert_eq!(first.header("location"), Some(place.as_str()));
    same(&first, &shop.refund(&paid, "r1", members).await);
    assert_eq!(shop.app.get(&place).await.expect(200, "").body, first.body);
    let twin = shop.refund(&paid, "r2", members).await.expect(409, "duplicate-refund");
    assert_eq!((twin.text("/resource"), twin.header("location")), (place.clone(), Some(place.as_str())));
    assert_eq!(twin.text("/command_id"), first.text("/command_id"));
    same(&twin, &shop.refund(&paid, "r2", members).await);
    let rest = shop.refund(&paid, "r3", r#""expected_refunded_amount": 500"#).await.expect(201, "");
    assert_eq!((rest.text("/amount"), rest.text("/reference")), ("1499".into(), String::new()));
    let now = shop.now(&paid).await;
    assert_eq!((now.text("/status"), now.text("/refunded_amount")), ("succeeded".into(), "1999".into()));
    let refunds = shop.object(&format!("refunds?payment_intent={}", paid.text("/gateway_id"))).await;
    assert_eq!(refunds["data"].as_array().map(Vec::len), Some(2));
    shop.check_books().await;
}

/// What is refused, why, and in these words: of a payment of 19.99 of which 500 are given back under `back-1`.
const REFUSED: &[&str] = &[
    r#""amount": 1500, "reference": "more""#,
    r#""amount": 1499, "currency": "EUR", "reference": "euro""#,
    r#""amount": 500, "reference": "back-1""#,
    r#""amount": 1, "reference": "back-1""#,
    r#""amount": 500, "expected_refunded_amount": 0"#,
    r#""amount": 500, "expected_refunded_amount": 501, "reference": "other""#,
];

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_given_back_is_refused_for_ever() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    shop.refund(&paid, "r0", r#""amount": 500, "reference": "back-1""#).await.expect(201, "");
    let mut text = String::from("Refunds that are refused. Made by a test; UPDATE=1 rewrites it.\n");
    for (members, number) in REFUSED.iter().zip(1..) {
        let key = format!("r{number}");
        let refused = shop.refund(&paid, &key, members).await;
        let _ = write!(text, "\n{members}\n    {}\n", refused.problem());
        same(&refused, &shop.refund(&paid, &key, members).await);
    }
    snapshot::check("crates/quittance-server/tests/it/api/snapshots/refunds.txt", &text);
    assert_eq!(shop.now(&paid).await.text("/refunded_amount"), "500");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_money_that_came_is_given_back() {
    let shop = Shop::open().await;
    let (authorised, whole) = (shop.authorise("order-1").await, r#""reference": "back""#);
    shop.refund(&authorised, "r1", whole).await.expect(409, "not-refundable");
    shop.step(&authorised, "capture", "c1", r#"{"amount": 1500}"#).await.expect(200, "");
    shop.refund(&authorised, "r2", r#""amount": 1501, "reference": "back""#).await.expect(422, "refund-too-large");
    let refunded = shop.refund(&authorised, "r3", whole).await.expect(201, "");
    assert_eq!(refunded.text("/amount"), "1500", "all that was captured");
    shop.refund(&authorised, "r4", r#""reference": "more""#).await.expect(422, "refund-too-large");
    let declined = shop.app.post(PAYMENTS, "k", &payment("order-2", "pm_card_chargeDeclined")).await;
    let body = format!(r#"{{"payment": "{}", "reference": "back"}}"#, declined.text("/payment/id"));
    shop.app.post(REFUNDS, "r5", &body).await.expect(409, "not-refundable");
    let unknown = r#"{"payment": "pay_01h455vb4pex5vsknk084sn02q", "reference": "back"}"#;
    shop.app.post(REFUNDS, "r6", unknown).await.expect(404, "not-found");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_payment_is_not_refunded() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    let body = format!(r#"{{"payment": "{}", "reference": "back"}}"#, paid.text("/id"));
    let call = post(REFUNDS, "r1", &body).without("authorization").header("authorization", &bearer(STRANGER));
    shop.app.send(call).await.expect(404, "not-found");
    for step in ["capture", "cancel"] {
        let call = post(&format!("{PAYMENTS}/{}/{step}", paid.text("/id")), "s", "{}");
        let call = call.without("authorization").header("authorization", &bearer(STRANGER));
        shop.app.send(call).await.expect(404, "not-found");
    }
    assert_eq!(shop.now(&paid).await.text("/refunded_amount"), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_takes_days_is_answered_as_pending_and_counts_at_once() {
    let shop = Shop::open().await;
    let paid = shop.pay_with("order-1", "pm_card_pendingRefund").await;
    let first = shop.refund(&paid, "r1", r#""amount": 500, "reference": "back""#).await.expect(201, "");
    assert_eq!(first.text("/status"), "pending");
    let now = shop.now(&paid).await;
    assert_eq!((now.text("/refunding_amount"), now.text("/refunded_amount")), ("500".into(), "0".into()));
    shop.refund(&paid, "r2", r#""amount": 1500, "reference": "more""#).await.expect(422, "refund-too-large");
    let id = first.text("/gateway_id");
    shop.act(&format!("refunds/{id}/settle"), r#"{"outcome": "succeed"}"#).await;
    shop.tell("refund.updated", &shop.object(&format!("refunds/{id}")).await).await;
    let place = format!("{REFUNDS}/{}", first.text("/id"));
    shop.app.until(&place, |refund| refund.text("/status") == "succeeded").await;
    let now = shop.now(&paid).await;
    assert_eq!((now.text("/refunding_amount"), now.text("/refunded_amount")), ("0".into(), "500".into()));
    same(&first, &shop.refund(&paid, "r1", r#""amount": 500, "reference": "back""#).await);
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_comes_back_has_failed_and_may_be_asked_for_again() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    let whole = r#""reference": "back""#;
    let first = shop.refund(&paid, "r1", whole).await.expect(201, "");
    let id = first.text("/gateway_id");
    shop.act(&format!("refunds/{id}/settle"), r#"{"outcome": "fail"}"#).await;
    let failed = shop.object(&format!("refunds/{id}")).await;
    for kind in ["refund.updated", "refund.failed"] {
        shop.tell(kind, &failed).await;
    }
    let place = format!("{REFUNDS}/{}", first.text("/id"));
    let now = shop.app.until(&place, |refund| refund.text("/status") == "failed").await;
    assert_eq!(now.text("/failure_code"), "returned");
    assert_eq!(shop.now(&paid).await.text("/refunded_amount"), "0");
    let again = shop.refund(&paid, "r2", whole).await.expect(201, "");
    assert_ne!(again.text("/gateway_id"), id);
    assert_eq!(shop.now(&paid).await.text("/refunded_amount"), "1999");
    let trace = shop.app.get("/v1/trace/back").await.expect(200, "");
    let text = String::from_utf8_lossy(&trace.body).into_owned();
    assert!(text.contains("refund_returned") && text.contains("refund.failed"), "{text}");
    shop.check_books().await;
}

/// A person takes a refund for failed, after an event that made no sense; the gateway carries it out all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_goes_through_after_it_failed_has_succeeded_and_counts() {
    let shop = Shop::open().await;
    let paid = shop.pay_with("order-1", "pm_card_pendingRefund").await;
    let whole = r#""reference": "back""#;
    let first = shop.refund(&paid, "r1", whole).await.expect(201, "");
    let (id, place) = (first.text("/gateway_id"), format!("{REFUNDS}/{}", first.text("/id")));
    let mut senseless = shop.object(&format!("refunds/{id}")).await;
    (senseless["status"], senseless["amount"]) = ("succeeded".into(), 1.into());
    shop.tell("refund.updated", &senseless).await;
    assert_eq!(shop.app.get(&place).await.text("/status"), "review");
    let body = r#"{"resolution": "failed", "evidence": "statement 7", "reason": "it never left"}"#;
    let decision = post(&format!("/v1/effects/{}/resolve", first.text("/id")), "d1", body);
    let decision = decision.without("authorization").header("authorization", &bearer(ADMIN));
    let decided = shop.app.send(decision).await.expect(200, "");
    assert_eq!(
        (decided.text("/status"), shop.now(&paid).await.text("/refunded_amount")),
        ("failed".into(), "0".into())
    );
    shop.act(&format!("refunds/{id}/settle"), r#"{"outcome": "succeed"}"#).await;
    for kind in ["refund.updated", "charge.refund.updated"] {
        shop.tell(kind, &shop.object(&format!("refunds/{id}")).await).await;
    }
    let now = shop.app.until(&place, |refund| refund.text("/status") == "succeeded").await;
    assert_eq!(now.text("/failure_code"), "");
    assert_eq!(shop.now(&paid).await.text("/refunded_amount"), "1999");
    shop.refund(&paid, "r2", whole).await.expect(409, "duplicate-refund");
    let trace = shop.app.get("/v1/trace/back").await.expect(200, "");
    let text = String::from_utf8_lossy(&trace.body).into_owned();
    assert!(text.contains("refund_paid") && text.contains("it never left"), "{text}");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_is_not_waited_for_is_a_202_with_the_refund() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    let body = format!(r#"{{"payment": "{}", "reference": "back"}}"#, paid.text("/id"));
    let first = shop.app.send(post(REFUNDS, "r1", &body).header("prefer", "respond-async")).await.expect(202, "");
    assert_eq!((first.text("/object"), first.text("/amount")), ("refund".into(), "1999".into()));
    assert_eq!(first.header("preference-applied"), Some("respond-async"));
    assert_eq!(first.header("location"), Some(format!("/v1/commands/{}", first.text("/command_id")).as_str()));
    let done = shop.app.post(REFUNDS, "r1", &body).await.expect(201, "");
    assert_eq!((done.text("/id"), done.text("/status")), (first.text("/id"), "succeeded".into()));
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refunds_at_once_of_one_reference_are_one() {
    let shop = Shop::open().await;
    let paid = shop.pay("order-1").await;
    let body = format!(r#"{{"payment": "{}", "amount": 1000, "reference": "back"}}"#, paid.text("/id"));
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let (router, call) = (shop.app.router.clone(), post(REFUNDS, &format!("r{}", number / 2), &body));
            tokio::spawn(async move { call.send(&router).await })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.expect("no panic").status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [[201; 2].as_slice(), &[409; 14]].concat());
    assert_eq!(shop.now(&paid).await.text("/refunded_amount"), "1000");
    shop.check_books().await;
}
