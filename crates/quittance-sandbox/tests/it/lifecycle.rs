//! Owns: the state machine of payments as a client sees it. Does not own: faults.

use quittance_sandbox::Config;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Answer, CHARGE, Shop, read};

const DRAFT: &str = "amount=1099&currency=usd&payment_method_types[]=card&metadata[effect_id]=eff_1";

async fn shop() -> Shop {
    Shop::open(Config::default()).await
}

fn check(answer: &Answer, status: u16, state: &str) {
    let found = answer.body.get("status").or(answer.body.pointer("/error/payment_intent/status"));
    assert_eq!((answer.status, found), (status, Some(&Value::from(state))), "{answer:#?}");
}

#[tokio::test]
async fn create_then_confirm_charges_once() {
    let shop = shop().await;
    let created = shop.post("/v1/payment_intents", DRAFT).await;
    check(&created, 200, "requires_payment_method");
    let path = format!("/v1/payment_intents/{}", created.id());
    let confirmed = shop.post(&format!("{path}/confirm"), "payment_method=pm_card_visa").await;
    check(&confirmed, 200, "succeeded");
    assert_eq!(confirmed.body["amount_received"], 1099);
    let again = shop.post(&format!("{path}/confirm"), "payment_method=pm_card_visa").await;
    check(&again, 400, "succeeded");
    assert_eq!(again.text("/error/code"), "payment_intent_unexpected_state");
    let expanded = shop.get(&format!("{path}?expand[]=latest_charge")).await;
    assert_eq!(expanded.body["latest_charge"]["metadata"], json!({"effect_id": "eff_1"}));
    assert_eq!(expanded.body["latest_charge"]["id"], confirmed.body["latest_charge"]);
    assert_eq!(shop.charges_succeeded().await, 1);
    let refused = shop.post(&format!("{path}/cancel"), "").await;
    check(&refused, 400, "succeeded");
}

#[tokio::test]
async fn declines_leave_a_failed_charge_and_an_open_intent() {
    for (card, code, decline_code) in [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeCustomerFail", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ] {
        let shop = shop().await;
        let created = shop.post("/v1/payment_intents", DRAFT).await;
        let path = format!("/v1/payment_intents/{}", created.id());
        let declined = shop.post(&format!("{path}/confirm"), &format!("payment_method={card}")).await;
        check(&declined, 402, "requires_payment_method");
        assert_eq!(declined.text("/error/type"), "card_error");
        assert_eq!(declined.text("/error/code"), code, "{card}");
        assert_eq!(declined.text("/error/decline_code"), decline_code, "{card}");
        let intent = shop.get(&path).await;
        assert_eq!(intent.body, declined.body["error"]["payment_intent"]);
        assert_eq!(intent.body["payment_method"], Value::Null);
        assert_eq!(intent.body["latest_charge"], declined.body["error"]["charge"]);
        assert_eq!(intent.text("/last_payment_error/code"), code);
        let retried = shop.post(&format!("{path}/confirm"), "payment_method=pm_card_mastercard").await;
        check(&retried, 200, "succeeded");
        assert_eq!(retried.body["last_payment_error"], Value::Null);
        assert_eq!(shop.charges_succeeded().await, 1);
        let charges = shop.get(&format!("/v1/charges?payment_intent={}", created.id())).await;
        let states: Vec<&Value> = charges.body["data"].as_array().into_iter().flatten().map(|c| &c["status"]).collect();
        assert_eq!(states, ["succeeded", "failed"], "newest first");
    }
}

#[tokio::test]
async fn authentication_is_asked_for_and_completed() {
    let shop = shop().await;
    let form = "amount=1099&currency=usd&payment_method_types[]=card&confirm=true\
        &payment_method=pm_card_authenticationRequired&return_url=https://shop.example/back";
    for (outcome, state) in [("succeed", "succeeded"), ("fail", "requires_payment_method")] {
        let asked = shop.post("/v1/payment_intents", form).await;
        check(&asked, 200, "requires_action");
        assert_eq!(asked.text("/next_action/redirect_to_url/return_url"), "https://shop.example/back");
        assert!(asked.text("/next_action/redirect_to_url/url").starts_with(&shop.base));
        let path = format!("/v1/payment_intents/{}", asked.id());
        check(&shop.post(&format!("{path}/confirm"), "").await, 400, "requires_action");
        shop.control(&format!("authenticate/{}", asked.id()), json!({"outcome": outcome})).await;
        check(&shop.get(&path).await, 200, state);
    }
    let off_session = shop.post("/v1/payment_intents", &format!("{form}&off_session=true")).await;
    check(&off_session, 402, "requires_payment_method");
    assert_eq!(off_session.text("/error/code"), "authentication_required");
    assert_eq!(shop.charges_succeeded().await, 1);
}

#[tokio::test]
async fn manual_capture_holds_takes_and_releases() {
    let shop = shop().await;
    let form = format!("{CHARGE}&capture_method=manual");
    let held = shop.post("/v1/payment_intents", &form).await;
    check(&held, 200, "requires_capture");
    assert_eq!((&held.body["amount_capturable"], &held.body["amount_received"]), (&json!(1099), &json!(0)));
    let path = format!("/v1/payment_intents/{}", held.id());
    let too_much = shop.post(&format!("{path}/capture"), "amount_to_capture=1100").await;
    check(&too_much, 400, "requires_capture");
    let taken = shop.post(&format!("{path}/capture"), "amount_to_capture=1000").await;
    check(&taken, 200, "succeeded");
    assert_eq!(taken.body["amount_received"], 1000);
    check(&shop.post(&format!("{path}/capture"), "").await, 400, "succeeded");
    for end in ["cancel", "expire"] {
        let held = shop.post("/v1/payment_intents", &form).await;
        let answer = match end {
            "cancel" => {
                shop.post(&format!("/v1/payment_intents/{}/cancel", held.id()), "cancellation_reason=abandoned").await
            }
            _ => shop.control(&format!("expire/{}", held.id()), json!({})).await,
        };
        check(&answer, 200, "canceled");
        let confirm = shop.post(&format!("/v1/payment_intents/{}/confirm", held.id()), "").await;
        check(&confirm, 400, "canceled");
    }
    let books = shop.get("/_sandbox/books").await.body;
    assert_eq!(books["currencies"]["usd"]["amount_captured"], 1000, "{books:#}");
    assert_eq!(books["currencies"]["usd"]["amount_released"], 99 + 2 * 1099, "{books:#}");
    assert_eq!(books["sound"], true, "{books:#}");
}

#[tokio::test]
async fn bank_debits_process_and_settle() {
    let shop = shop().await;
    let form = "amount=1099&currency=usd&payment_method_types[]=us_bank_account&confirm=true\
        &payment_method=pm_usBankAccount_success";
    for (outcome, state) in [("succeed", "succeeded"), ("fail", "requires_payment_method")] {
        let processing = shop.post("/v1/payment_intents", form).await;
        check(&processing, 200, "processing");
        let path = format!("/v1/payment_intents/{}", processing.id());
        check(&shop.post(&format!("{path}/cancel"), "").await, 400, "processing");
        shop.control(&format!("settle/{}", processing.id()), json!({"outcome": outcome})).await;
        check(&shop.get(&path).await, 200, state);
    }
    assert_eq!(shop.charges_succeeded().await, 1);
}

#[tokio::test]
async fn updates_change_what_is_still_open() {
    let shop = shop().await;
    let created = shop.post("/v1/payment_intents", DRAFT).await;
    let path = format!("/v1/payment_intents/{}", created.id());
    let updated = shop.post(&path, "amount=2000&payment_method=pm_card_visa&metadata[a]=1&metadata[effect_id]=").await;
    check(&updated, 200, "requires_confirmation");
    assert_eq!(updated.body["metadata"], json!({"a": "1"}));
    check(&shop.post(&format!("{path}/confirm"), "").await, 200, "succeeded");
    check(&shop.post(&path, "amount=3000").await, 400, "succeeded");
    let described = shop.post(&path, "description=late").await;
    assert_eq!((described.text("/description"), &described.body["amount"]), ("late".to_owned(), &json!(2000)));
}

#[tokio::test]
async fn wrong_requests_are_refused_by_name() {
    let shop = shop().await;
    let post = |form: &'static str| shop.post("/v1/payment_intents", form);
    for (form, code, param) in [
        ("currency=usd", "parameter_missing", "amount"),
        ("amount=1.5&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=0&currency=usd", "parameter_invalid_integer", "amount"),
        ("amount=49&currency=usd", "amount_too_small", "amount"),
        ("amount=1099", "parameter_missing", "currency"),
        ("amount=1099&currency=usd&colour=red", "parameter_unknown", "colour"),
        ("amount=1099&currency=usd&customer=cus_no", "resource_missing", "customer"),
        ("amount=1099&currency=usd&payment_method=pm_no", "resource_missing", "payment_method"),
    ] {
        let refused = post(form).await;
        assert_eq!(refused.status, 400, "{form}");
        assert_eq!((refused.text("/error/code"), refused.text("/error/param")), (code.to_owned(), param.to_owned()));
    }
    let redirects = post("amount=1099&currency=usd&payment_method=pm_card_visa&confirm=true").await;
    assert!(redirects.text("/error/message").contains("return_url"), "{redirects:?}");
    assert_eq!(shop.get("/v1/payment_intents/pi_no").await.status, 404);
    assert_eq!(shop.get("/v1/quotes").await.status, 404);
    let anonymous = shop.client.get(format!("{}/v1/charges", shop.base)).send().await.expect("an answer");
    assert_eq!(read(anonymous).await.status, 401);
    let large = "a=1&".repeat(20_000);
    assert_eq!(shop.post("/v1/payment_intents", &large).await.status, 413);
}

#[tokio::test]
async fn customers_live_and_are_deleted() {
    let shop = shop().await;
    let created = shop.post("/v1/customers", "email=a@example.com&name=Ada&metadata[plan]=pro").await;
    let path = format!("/v1/customers/{}", created.id());
    let updated = shop.post(&path, "name=&description=x").await;
    assert_eq!((&updated.body["name"], updated.text("/description")), (&Value::Null, "x".to_owned()));
    let attach = format!("customer={}", created.id());
    let method = shop.post("/v1/payment_methods/pm_card_visa/attach", &attach).await;
    assert_eq!(method.text("/customer"), created.id());
    let form = format!("{DRAFT}&confirm=true&customer={}&payment_method={}", created.id(), method.id());
    check(&shop.post("/v1/payment_intents", &form).await, 200, "succeeded");
    let foreign = format!("{DRAFT}&payment_method={}", method.id());
    assert_eq!(shop.post("/v1/payment_intents", &foreign).await.status, 400);
    let deleted = read(shop.request(Method::DELETE, &path).send().await.expect("an answer")).await;
    assert_eq!(deleted.body, json!({"id": created.id(), "object": "customer", "deleted": true}));
    assert_eq!(shop.get(&path).await.body["deleted"], true);
    assert_eq!(shop.get("/v1/customers").await.body["data"], json!([]));
}
