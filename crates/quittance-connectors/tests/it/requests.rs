//! The exact bytes of every write, in either flow.

use std::collections::BTreeMap;

use quittance_connectors::connector::{Ask, Connector, PaymentParameters, RefundParameters, Unsayable};
use quittance_connectors::message::Request;
use quittance_connectors::stripe::{Flow, Stripe};
use quittance_core::fact::ObjectKind;
use quittance_core::id::{EffectId, PaymentId};
use quittance_core::money::Money;
use quittance_core::payment::CaptureMethod;

use crate::data::money;

/// Metadata that both of our ids travel in, and the client's reference.
const IDS: &str = "&metadata[effect_id]=eff_01040g2081040g2081040g2081\
    &metadata[payment_id]=pay_02081040g2081040g2081040g2&metadata[payment_reference]=order-1";

const INTENT: (ObjectKind, &str) = (ObjectKind::Payment, "pi_1");
const CHARGE: (ObjectKind, &str) = (ObjectKind::Charge, "ch_1");

fn stripe(flow: Flow) -> Stripe {
    Stripe { flow, ..Stripe::default() }
}

/// Method, target, version and body as one text.
pub fn text(request: &Request) -> String {
    assert_eq!(request.idempotency_key, None, "keys are the caller's");
    let body = std::str::from_utf8(&request.body).expect("forms are text");
    format!("{} {}\n{}\n{body}", request.method.as_str(), request.target, request.api_version)
}

/// What is written in one flow, under the pinned version.
#[track_caller]
fn check_in(flow: Flow, ask: &Ask<'_>, path: &str, body: &str) {
    let request = stripe(flow).write(ask).expect("it can be said");
    assert_eq!(text(&request), format!("POST {path}\n2025-03-31.basil\n{body}"), "{}", flow.name());
}

/// What is written about an object that exists, whichever flow new payments take.
#[track_caller]
fn check(ask: &Ask<'_>, path: &str, body: &str) {
    for flow in Flow::ALL {
        check_in(flow, ask, path, body);
    }
}

fn payment(money: Money, metadata: &BTreeMap<String, String>) -> PaymentParameters<'_> {
    PaymentParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        payment_id: PaymentId::from_bytes([2; 16]),
        money,
        payment_method: "pm_1",
        customer: None,
        capture_method: CaptureMethod::Automatic,
        return_url: None,
        description: None,
        metadata,
        payment_reference: "order-1",
        reference: "b1abcdefghijklmnopqrstuvwxyz",
    }
}

fn refund<'a>(object: (ObjectKind, &'a str), metadata: &'a BTreeMap<String, String>) -> RefundParameters<'a> {
    RefundParameters {
        effect_id: EffectId::from_bytes([1; 16]),
        object,
        money: money(500, "USD"),
        reason: None,
        metadata,
        reference: "b1abcdefghijklmnopqrstuvwxyz",
    }
}

/// What clients may write: names of ours, and every character that has a meaning in a form.
fn awkward() -> BTreeMap<String, String> {
    let ours = [("effect_id", "stolen"), ("payment_id", "stolen"), ("payment_reference", "stolen")];
    let metadata = ours.into_iter().chain([("a[b]&c", "1=2 é%"), ("z", "")]);
    metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_payment_is_an_unconfirmed_intent_or_a_charge() {
    let none = BTreeMap::new();
    let asked = payment(money(1999, "USD"), &none);
    let later = PaymentParameters { capture_method: CaptureMethod::Manual, ..asked };
    // A return address is for the confirm: an unconfirmed create may not carry one.
    let returning = PaymentParameters { return_url: Some("https://shop.example/back"), ..asked };
    for (asked, method, capture) in
        [(asked, "automatic", ""), (later, "manual", "&capture=false"), (returning, "automatic", "")]
    {
        let intent = format!(
            "amount=1999&currency=usd&payment_method_types[]=card&capture_method={method}&payment_method=pm_1{IDS}"
        );
        check_in(Flow::PaymentIntents, &Ask::Payment(asked), "/v1/payment_intents", &intent);
        let charge = format!("amount=1999&currency=usd&source=pm_1{capture}{IDS}");
        check_in(Flow::Charges, &Ask::Payment(asked), "/v1/charges", &charge);
    }
}

#[test]
fn a_payment_encodes_what_clients_wrote_and_keeps_its_own_names() {
    let metadata = awkward();
    let full = PaymentParameters {
        customer: Some("cus_1"),
        description: Some("a&b=c +d\n"),
        ..payment(money(500, "JPY"), &metadata)
    };
    let rest = format!(
        "&customer=cus_1&description=a%26b%3Dc%20%2Bd%0A{IDS}&metadata[a%5Bb%5D%26c]=1%3D2%20%C3%A9%25&metadata[z]="
    );
    let intent = "amount=500&currency=jpy&payment_method_types[]=card&capture_method=automatic&payment_method=pm_1";
    check_in(Flow::PaymentIntents, &Ask::Payment(full), "/v1/payment_intents", &format!("{intent}{rest}"));
    let charge = format!("amount=500&currency=jpy&source=pm_1{rest}");
    check_in(Flow::Charges, &Ask::Payment(full), "/v1/charges", &charge);
}

#[test]
fn the_version_is_the_configured_one() {
    let stripe = Stripe { api_version: "2099-01-01", ..Stripe::default() };
    let request = stripe.write(&Ask::Cancel { object: INTENT }).expect("it can be said");
    assert_eq!(text(&request), "POST /v1/payment_intents/pi_1/cancel\n2099-01-01\n");
}

#[test]
fn a_confirm_has_no_parameters_unless_they_are_given() {
    let confirm = |payment_method, return_url| Ask::Confirm { object_id: "pi_1", payment_method, return_url };
    let path = "/v1/payment_intents/pi_1/confirm";
    check(&confirm(None, None), path, "");
    check(&confirm(Some("pm/2"), None), path, "payment_method=pm%2F2");
    check(&confirm(None, Some("https://a.example/b?c=d")), path, "return_url=https%3A%2F%2Fa.example%2Fb%3Fc%3Dd");
    check(&confirm(Some("pm_2"), Some("app:back")), path, "payment_method=pm_2&return_url=app%3Aback");
}

#[test]
fn a_capture_names_an_amount_only_when_something_is_left() {
    let capture = |object, is_whole| Ask::Capture { object, money: money(1200, "USD"), is_whole };
    check(&capture(INTENT, true), "/v1/payment_intents/pi_1/capture", "");
    check(&capture(INTENT, false), "/v1/payment_intents/pi_1/capture", "amount_to_capture=1200");
    check(&capture(CHARGE, true), "/v1/charges/ch_1/capture", "");
    check(&capture(CHARGE, false), "/v1/charges/ch_1/capture", "amount=1200");
}

#[test]
fn an_intent_is_canceled_and_a_charge_released_by_a_refund_of_all() {
    check(&Ask::Cancel { object: INTENT }, "/v1/payment_intents/pi_1/cancel", "");
    check(&Ask::Cancel { object: CHARGE }, "/v1/refunds", "charge=ch_1");
}

#[test]
fn a_refund_names_what_it_gives_back() {
    let none = BTreeMap::new();
    let effect = "&metadata[effect_id]=eff_01040g2081040g2081040g2081";
    check(&Ask::Refund(refund(INTENT, &none)), "/v1/refunds", &format!("payment_intent=pi_1&amount=500{effect}"));
    check(&Ask::Refund(refund(CHARGE, &none)), "/v1/refunds", &format!("charge=ch_1&amount=500{effect}"));
    let metadata = awkward();
    let full = RefundParameters { reason: Some("requested_by_customer"), ..refund(CHARGE, &metadata) };
    check(
        &Ask::Refund(full),
        "/v1/refunds",
        &format!(
            "charge=ch_1&amount=500&reason=requested_by_customer{effect}\
             &metadata[a%5Bb%5D%26c]=1%3D2%20%C3%A9%25&metadata[payment_id]=stolen&metadata[payment_reference]=stolen\
             &metadata[z]="
        ),
    );
}

#[test]
fn evidence_is_submitted_for_good() {
    let evidence = [("uncategorized_text", "a=b\n"), ("product_description", "tea"), ("odd]name", "")];
    let evidence = evidence.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    check(
        &Ask::Evidence { object_id: "dp_1", evidence: &evidence },
        "/v1/disputes/dp_1",
        "evidence[odd%5Dname]=&evidence[product_description]=tea&evidence[uncategorized_text]=a%3Db%0A&submit=true",
    );
    check(&Ask::Evidence { object_id: "dp_1", evidence: &BTreeMap::new() }, "/v1/disputes/dp_1", "submit=true");
}

#[test]
fn amounts_go_out_in_stripes_units() {
    let none = BTreeMap::new();
    // exactly-once.md, "Money": ISK and UGX have no decimals and go out with two; three decimals end in 0.
    let cases = [
        (money(12, "ISK"), Some("1200")),
        (money(500, "MGA"), Some("5")),
        (money(1230, "KWD"), Some("1230")),
        (money(501, "MGA"), None),
        (money(1234, "KWD"), None),
    ];
    for (money, expected) in cases {
        let asks = [
            ("amount=", Ask::Payment(payment(money, &none))),
            ("amount=", Ask::Refund(RefundParameters { money, ..refund(CHARGE, &none) })),
            ("amount=", Ask::Capture { object: CHARGE, money, is_whole: false }),
            ("amount_to_capture=", Ask::Capture { object: INTENT, money, is_whole: false }),
        ];
        for (flow, (name, ask)) in Flow::ALL.into_iter().flat_map(|flow| asks.map(|ask| (flow, ask))) {
            let written = stripe(flow).write(&ask).map(|request| String::from_utf8(request.body).expect("text"));
            let amount = written
                .ok()
                .and_then(|body| body.split('&').find_map(|pair| pair.strip_prefix(name).map(str::to_owned)));
            assert_eq!(amount.as_deref(), expected, "{money} {ask:?}");
        }
    }
}

#[test]
fn what_stripe_has_no_request_for_is_unsayable() {
    let none = BTreeMap::new();
    for kind in [ObjectKind::Refund, ObjectKind::Dispute] {
        let object = (kind, "x_1");
        let asks = [
            ("captured", Ask::Capture { object, money: money(1, "USD"), is_whole: true }),
            ("canceled", Ask::Cancel { object }),
            ("refunded", Ask::Refund(refund(object, &none))),
        ];
        for (what, ask) in asks {
            let expected = Unsayable(format!("a {} cannot be {what}", kind.name()));
            assert_eq!(Stripe::default().write(&ask), Err(expected));
        }
    }
}
