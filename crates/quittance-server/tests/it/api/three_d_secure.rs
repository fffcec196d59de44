//! A customer who has to authenticate: sent away with an address to come back to, and what follows.

use super::app::payment;
use super::flow::same;
use super::shop::{PAYMENTS, Shop, with};

const RETURN_URL: &str = "https://shop.example/back?order=7";

async fn asked(shop: &Shop, reference: &str) -> super::call::Answer {
    let body =
        with(&payment(reference, "pm_card_authenticationRequired"), &format!("\"return_url\": \"{RETURN_URL}\""));
    let paid = shop.app.post(PAYMENTS, reference, &body).await.expect(201, "");
    assert_eq!(paid.text("/status"), "requires_action");
    same(&paid, &shop.app.post(PAYMENTS, reference, &body).await);
    paid
}

async fn authenticate(shop: &Shop, paid: &super::call::Answer, outcome: &str, kind: &str) {
    let id = paid.text("/gateway_id");
    shop.act(&format!("authenticate/{id}"), &format!("{{\"outcome\": \"{outcome}\"}}")).await;
    shop.tell(kind, &shop.object(&format!("payment_intents/{id}")).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_authenticates_and_the_payment_succeeds() {
    let shop = Shop::open().await;
    let paid = asked(&shop, "order-1").await;
    assert_eq!(paid.text("/return_url"), RETURN_URL);
    assert_eq!(paid.text("/next_action/type"), "redirect_to_url");
    assert_eq!(paid.text("/next_action/redirect_to_url/return_url"), RETURN_URL);
    assert!(paid.text("/next_action/redirect_to_url/url").ends_with(&paid.text("/gateway_id")));
    authenticate(&shop, &paid, "succeed", "payment_intent.succeeded").await;
    let now = shop.now(&paid).await;
    assert_eq!((now.text("/status"), now.text("/captured_amount")), ("succeeded".into(), "1999".into()));
    assert_eq!(now.text("/next_action"), "");
    shop.refund(&paid, "r1", r#""reference": "back""#).await.expect(201, "");
    shop.check_books().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_captured_later_waits_twice() {
    let shop = Shop::open().await;
    let members = format!("\"return_url\": \"{RETURN_URL}\", \"capture_method\": \"manual\"");
    let body = with(&payment("order-1", "pm_card_authenticationRequired"), &members);
    let paid = shop.app.post(PAYMENTS, "k", &body).await.expect(201, "");
    shop.step(&paid, "capture", "c1", "{}").await.expect(409, "not-capturable");
    let id = paid.text("/gateway_id");
    shop.act(&format!("authenticate/{id}"), r#"{"outcome": "succeed"}"#).await;
    // Nobody told us yet, so it is not known to be authorised; a cancel finds out and is still in time.
    let canceled = shop.step(&paid, "cancel", "x1", "{}").await.expect(200, "");
    assert_eq!(canceled.text("/status"), "canceled");
    shop.check_books().await;
}
