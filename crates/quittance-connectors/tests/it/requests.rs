//! The exact bytes of every request.

use std::collections::BTreeMap;

use quittance_connectors::message::Request;
use quittance_connectors::stripe::{IntentParameters, ListParameters, Stripe};
use quittance_core::currency::{Currency, WireError};
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::money::Money;

/// Compares a request with its text: method and target, version, body.
fn check(request: &Request, expected: &str) {
    let body = std::str::from_utf8(&request.body).expect("forms are text");
    let text = format!("{} {}\n{}\n{body}", request.method.as_str(), request.target, request.api_version);
    assert_eq!(text, expected);
    assert_eq!(request.idempotency_key, None, "keys are the caller's");
}

fn money(amount: i64, code: &str) -> Money {
    Money { amount, currency: Currency::from_code(code).expect("a known currency") }
}

fn parameters(money: Money, metadata: &BTreeMap<String, String>) -> IntentParameters<'_> {
    IntentParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        payment_id: PaymentId::from_bytes([2; 16]),
        money,
        payment_method: "pm_1",
        customer: None,
        description: None,
        metadata,
    }
}

#[test]
fn create_is_unconfirmed_and_names_its_effect() {
    let none = BTreeMap::new();
    let request = Stripe::default().create_intent(&parameters(money(1999, "USD"), &none)).expect("USD is plain");
    check(
        &request,
        "POST /v1/payment_intents\n2025-03-31.basil\n\
         amount=1999&currency=usd&payment_method_types[]=card&capture_method=automatic&payment_method=pm_1\
         &metadata[effect_id]=eff_01040g2081040g2081040g2081&metadata[payment_id]=pay_02081040g2081040g2081040g2",
    );
}

#[test]
fn create_encodes_what_clients_wrote_and_keeps_its_own_names() {
    let metadata = [("effect_id", "stolen"), ("a[b]&c", "1=2 é%"), ("z", "")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let full = IntentParameters {
        customer: Some("cus_1"),
        description: Some("a&b=c +d\n"),
        ..parameters(money(500, "JPY"), &metadata)
    };
    let stripe = Stripe { api_version: "2099-01-01" };
    let request = stripe.create_intent(&full).expect("JPY is plain");
    check(
        &request,
        "POST /v1/payment_intents\n2099-01-01\n\
         amount=500&currency=jpy&payment_method_types[]=card&capture_method=automatic&payment_method=pm_1\
         &customer=cus_1&description=a%26b%3Dc%20%2Bd%0A\
         &metadata[effect_id]=eff_01040g2081040g2081040g2081&metadata[payment_id]=pay_02081040g2081040g2081040g2\
         &metadata[a%5Bb%5D%26c]=1%3D2%20%C3%A9%25&metadata[z]=",
    );
}

#[test]
fn amounts_go_out_in_stripes_units() {
    let none = BTreeMap::new();
    let amount = |amount, code| {
        let request = Stripe::default().create_intent(&parameters(money(amount, code), &none))?;
        let body = String::from_utf8(request.body).expect("forms are text");
        Ok(body.split('&').next().unwrap_or_default().to_owned())
    };
    // exactly-once.md, "Money": ISK and UGX have no decimals and go out with two; three decimals end in 0.
    assert_eq!(amount(12, "ISK"), Ok("amount=1200".to_owned()));
    assert_eq!(amount(500, "MGA"), Ok("amount=5".to_owned()));
    assert_eq!(amount(501, "MGA"), Err(WireError::TooPrecise));
    assert_eq!(amount(1230, "KWD"), Ok("amount=1230".to_owned()));
    assert_eq!(amount(1234, "KWD"), Err(WireError::NotAMultiple { step: 10 }));
}

#[test]
fn confirm_and_cancel_have_no_parameters_unless_a_method_changes() {
    let stripe = Stripe::default();
    check(&stripe.confirm_intent("pi_1", None), "POST /v1/payment_intents/pi_1/confirm\n2025-03-31.basil\n");
    check(
        &stripe.confirm_intent("pi_1", Some("pm/2")),
        "POST /v1/payment_intents/pi_1/confirm\n2025-03-31.basil\npayment_method=pm%2F2",
    );
    check(&stripe.cancel_intent("pi_1"), "POST /v1/payment_intents/pi_1/cancel\n2025-03-31.basil\n");
}

#[test]
fn ids_cannot_leave_their_path_segment() {
    let stripe = Stripe::default();
    check(&stripe.read_intent("pi_1"), "GET /v1/payment_intents/pi_1\n2025-03-31.basil\n");
    check(
        &stripe.read_intent("../refunds?a=b#c\r\n"),
        "GET /v1/payment_intents/..%2Frefunds%3Fa%3Db%23c%0D%0A\n2025-03-31.basil\n",
    );
}

#[test]
fn lists_send_the_filters_that_are_given() {
    let stripe = Stripe::default();
    let first = ListParameters::default();
    check(&stripe.list_intents(&first), "GET /v1/payment_intents?limit=1\n2025-03-31.basil\n");
    let full = ListParameters {
        customer: Some("cus 1"),
        created_gte: Some(1_700_000_000),
        created_lte: Some(1_700_000_600),
        starting_after: Some("pi_1"),
        limit: 1000,
    };
    check(
        &stripe.list_intents(&full),
        "GET /v1/payment_intents?limit=100&customer=cus%201&created%5Bgte%5D=1700000000&created%5Blte%5D=1700000600\
         &starting_after=pi_1\n2025-03-31.basil\n",
    );
}
