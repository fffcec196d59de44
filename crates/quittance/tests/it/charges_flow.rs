//! Stripe's Charges flow through a real server, at a gateway that nobody here wrote: stripe-stateful-mock. Class A: a lost
//! answer is replayed under its key, a stored error is looked for in the list, and only what is proven not to be there is
//! sent again. The gateway's own list is the judge.

use crate::support::{Client, Home, Server};
use quittance_surroundings::Peer;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

const CLIENTS: usize = 8;

/// A server of ours that charges through the mock.
struct Shop {
    client: Client,
    secret: String,
    mock: Client,
    server: Server,
    home: Home,
    _peer: Server,
}

impl Shop {
    fn open() -> Option<Self> {
        let modules = Peer::StatefulMock.find("stripe-stateful-mock as the gateway of a server")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/stateful_mock_server.js");
        let peer = Server::start(Command::new("node").arg(script).env("NODE_PATH", modules));
        let home = Home::with_gateway(&peer.base);
        // The mock carries nothing out later, so that a look a moment after a send is proof.
        home.configure("flow = \"charges\"\nquiescence_s = 0\nquiescence_after_error_s = 0\npending_poll_ms = 50\n");
        let secret = home.credential();
        let server = home.serve();
        let shop = Self {
            client: Client::new(&server.base, Some(&secret)),
            secret,
            mock: Client::new(&peer.base, Some("sk_test_mock")),
            server,
            home,
            _peer: peer,
        };
        let anna = json!({"name": "Anna", "external_id": "anna"});
        assert_eq!(shop.client.post("/v1/customers", "customer", &anna).0, 201);
        Some(shop)
    }

    fn order(reference: &str, token: &str) -> Value {
        json!({
            "customer": "anna", "amount": 1999, "currency": "USD", "gateway": "sandbox", "payment_method": token,
            "reference": reference,
        })
    }

    fn pay(&self, reference: &str, token: &str) -> (u16, Value) {
        self.client.post("/v1/payments", reference, &Self::order(reference, token))
    }

    fn refund(&self, payment: &Value, reference: &str, amount: i64) -> (u16, Value) {
        let body = json!({"payment": payment["id"], "amount": amount, "reference": reference});
        self.client.post("/v1/refunds", &format!("refund-{reference}"), &body)
    }

    /// The gateway's charges that took money.
    fn charges(&self) -> Vec<Value> {
        let (status, list) = self.mock.get("/v1/charges?limit=100");
        assert_eq!(status, 200, "{list}");
        let all = list["data"].as_array().cloned().expect("a list");
        all.into_iter().filter(|charge| charge["status"] == "succeeded").collect()
    }

    fn refunded(&self) -> i64 {
        let (_, list) = self.mock.get("/v1/refunds?limit=100");
        list["data"].as_array().expect("a list").iter().filter_map(|refund| refund["amount"].as_i64()).sum()
    }

    /// The books prove sound as they lie there.
    fn check_books(self) {
        drop(self.server);
        let verified = self.home.run(&["verify"]);
        assert_eq!(verified.code, 0, "{verified:?}");
    }
}

#[test]
fn a_charge_is_taken_once_however_often_and_by_whomever_it_is_asked_for() {
    let Some(shop) = Shop::open() else { return };
    let together = Barrier::new(2 * CLIENTS);
    let answers: Vec<(u16, Value)> = thread::scope(|scope| {
        // Half of them retry under one key, half ask for the same order under keys of their own.
        let ask = |number: usize| {
            let (base, secret, together) = (&shop.server.base, &shop.secret, &together);
            scope.spawn(move || {
                let client = Client::new(base, Some(secret));
                let key = if number < CLIENTS { "same".to_owned() } else { format!("other-{number}") };
                together.wait();
                client.post("/v1/payments", &key, &Shop::order("order-1", "tok_visa"))
            })
        };
        let asked: Vec<_> = (0..2 * CLIENTS).map(ask).collect();
        asked.into_iter().map(|asked| asked.join().expect("an answer")).collect()
    });
    let accepted = answers.iter().filter(|(status, _)| *status == 201).count();
    assert!(accepted == CLIENTS || accepted == 1, "one key wins, or one of the others: {answers:?}");
    assert_eq!(shop.charges().len(), 1, "{answers:?}");
    shop.check_books();
}

#[test]
fn a_stored_error_is_looked_for_and_sent_again_only_when_it_is_not_there() {
    let Some(shop) = Shop::open() else { return };
    let (status, payment) = shop.pay("order-1", "tok_500|tok_visa");
    assert_eq!((status, payment["status"].as_str()), (201, Some("succeeded")), "{payment}");
    let (status, throttled) = shop.pay("order-2", "tok_429|tok_visa");
    assert_eq!((status, throttled["status"].as_str()), (201, Some("succeeded")), "{throttled}");
    let charges = shop.charges();
    assert_eq!(charges.len(), 2, "{charges:?}");
    let (_, command) = shop.client.get(&format!("/v1/commands/{}", payment["command_id"].as_str().expect("an id")));
    let attempts = command["attempts"].as_array().expect("attempts");
    let generations: Vec<_> = attempts.iter().map(|attempt| attempt["generation"].as_u64()).collect();
    assert_eq!((generations.first(), generations.last()), (Some(&Some(0)), Some(&Some(1))), "{command}");
    shop.check_books();
}

#[test]
fn declines_are_declines_with_the_gateways_most_specific_code() {
    let Some(shop) = Shop::open() else { return };
    for (token, code) in [
        ("tok_chargeDeclined", "generic_decline"),
        ("tok_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("tok_chargeDeclinedFraudulent", "fraudulent"),
        ("tok_chargeDeclinedExpiredCard", "expired_card"),
        ("tok_chargeDeclinedProcessingError", "processing_error"),
        ("tok_chargeDeclinedIncorrectCvc", "incorrect_cvc"),
    ] {
        let (status, problem) = shop.pay(token, token);
        assert_eq!((status, &problem["code"]), (402, &json!("payment-declined")), "{token}: {problem}");
        assert_eq!(problem["payment"]["decline"]["code"], code, "{token}: {problem}");
    }
    // The next attempt under the same reference is a charge of its own, and the only one that takes money.
    let again = shop.client.post("/v1/payments", "again", &Shop::order("tok_chargeDeclined", "tok_visa"));
    assert_eq!(again.0, 201, "{again:?}");
    assert_eq!(shop.charges().len(), 1);
    shop.check_books();
}

#[test]
fn no_more_is_given_back_than_was_taken() {
    let Some(shop) = Shop::open() else { return };
    let (_, payment) = shop.pay("order-1", "tok_visa");
    let (status, refund) = shop.refund(&payment, "a", 1500);
    assert_eq!((status, refund["status"].as_str()), (201, Some("succeeded")), "{refund}");
    let (status, problem) = shop.refund(&payment, "b", 500);
    assert_eq!((status, &problem["code"]), (422, &json!("refund-too-large")), "{problem}");
    let (status, problem) = shop.client.post(
        "/v1/refunds",
        "another-key",
        &json!({"payment": payment["id"], "amount": 400, "reference": "a"}),
    );
    assert_eq!((status, &problem["code"]), (409, &json!("duplicate-refund")), "{problem}");
    assert_eq!(shop.refund(&payment, "c", 499).0, 201);
    assert_eq!(shop.refunded(), 1999);
    let (_, seen) = shop.client.get(&format!("/v1/payments/{}", payment["id"].as_str().expect("an id")));
    assert_eq!((&seen["refunded_amount"], &seen["refunding_amount"]), (&json!(1999), &json!(0)), "{seen}");
    // A charge that was given back at the gateway by somebody else is refused there, definitively.
    let (_, other) = shop.pay("order-2", "tok_visa");
    let charge = other["gateway_id"].as_str().expect("an id");
    assert_eq!(shop.mock.post_form("/v1/refunds", "by-hand", &format!("charge={charge}")).status, 200);
    let (status, failed) = shop.refund(&other, "d", 1999);
    assert_eq!((status, failed["status"].as_str()), (201, Some("failed")), "{failed}");
    assert_eq!(failed["failure_code"], "charge_already_refunded", "{failed}");
    shop.check_books();
}

#[test]
fn what_is_authorised_is_captured_in_part_or_released() {
    let Some(shop) = Shop::open() else { return };
    let authorise = |reference: &str| {
        let mut order = Shop::order(reference, "tok_visa");
        order["capture_method"] = json!("manual");
        let (status, payment) = shop.client.post("/v1/payments", reference, &order);
        assert_eq!((status, payment["status"].as_str()), (201, Some("requires_capture")), "{payment}");
        payment["id"].as_str().expect("an id").to_owned()
    };
    let part = authorise("order-1");
    let path = format!("/v1/payments/{part}/capture");
    let (status, captured) = shop.client.post(&path, "capture", &json!({"amount": 1200}));
    assert_eq!((status, captured["captured_amount"].as_i64()), (200, Some(1200)), "{captured}");
    let released = authorise("order-2");
    let (status, canceled) = shop.client.post(&format!("/v1/payments/{released}/cancel"), "cancel", &json!({}));
    assert_eq!((status, canceled["status"].as_str()), (200, Some("canceled")), "{canceled}");
    let taken: Vec<_> = shop.charges().iter().map(|charge| charge["amount_captured"].clone()).collect();
    assert!(taken.contains(&json!(1200)), "{taken:?}");
    shop.check_books();
}

#[test]
fn what_the_gateway_forgets_stays_succeeded_and_is_never_charged_again() {
    let Some(shop) = Shop::open() else { return };
    let (status, payment) = shop.pay("order-1", "tok_forget");
    assert_eq!((status, payment["status"].as_str()), (201, Some("succeeded")), "{payment}");
    let again = shop.pay("order-1", "tok_forget");
    assert_eq!(again.1["id"], payment["id"], "a retry is the same payment");
    let (status, problem) = shop.client.post("/v1/payments", "k2", &Shop::order("order-1", "tok_visa"));
    assert_eq!((status, &problem["code"]), (409, &json!("duplicate-intent")), "{problem}");
    assert!(shop.charges().is_empty());
    shop.check_books();
}
