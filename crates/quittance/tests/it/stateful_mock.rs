//! What stripe-stateful-mock, a gateway for charges that nobody here wrote, does on its own: the ground on which tests
//! of ours may rely. What it does otherwise than Stripe is held fast too, so that a release that differs is noticed.

use crate::support::{Answer, Client, Server};
use quittance_surroundings::Peer;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

const CLIENTS: usize = 8;

/// One that runs, and a client with a key that it accepts.
struct Mock {
    client: Client,
    server: Server,
}

impl Mock {
    fn open() -> Option<Self> {
        let modules = Peer::StatefulMock.find("stripe-stateful-mock as a gateway")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/stateful_mock_server.js");
        let server = Server::start(Command::new("node").arg(script).env("NODE_PATH", modules));
        Some(Self { client: client(&server), server })
    }

    fn charge(&self, key: &str, source: &str) -> Answer {
        charge(&self.client, key, source)
    }

    /// The members of everything that it stored under a path, by name.
    fn stored(&self, path: &str, member: &str) -> Vec<Value> {
        let (status, list) = self.client.get(path);
        assert_eq!(status, 200, "{list:#}");
        let objects = list["data"].as_array().unwrap_or_else(|| panic!("no list: {list:#}"));
        objects.iter().map(|object| object[member].clone()).collect()
    }
}

fn client(server: &Server) -> Client {
    Client::new(&server.base, Some("sk_test_mock"))
}

/// Asks for 19.99 USD. Tokens in a chain stand for the first, second … request.
fn charge(client: &Client, key: &str, source: &str) -> Answer {
    client.post_form("/v1/charges", key, &format!("amount=1999&currency=usd&source={}", source.replace('|', "%7C")))
}

#[track_caller]
fn check(answer: &Answer, status: u16, is_replayed: bool) {
    assert_eq!((answer.status, answer.is_replayed), (status, is_replayed), "{answer:?}");
}

#[test]
fn a_key_gets_the_same_bytes_again_and_takes_no_other_parameters() {
    let Some(mock) = Mock::open() else { return };
    let first = mock.charge("key", "tok_visa");
    check(&first, 200, false);
    let again = mock.charge("key", "tok_visa");
    check(&again, 200, true);
    assert_eq!(again.body, first.body);
    let other = mock.charge("key", "tok_mastercard");
    check(&other, 400, false);
    assert_eq!(other.json()["error"]["type"], "idempotency_error", "{other:?}");
    assert_eq!(mock.stored("/v1/charges", "id"), [first.json()["id"].clone()]);
}

#[test]
fn eight_at_once_under_one_key_make_one_charge() {
    let Some(mock) = Mock::open() else { return };
    let clients: Vec<Client> = (0..CLIENTS).map(|_| client(&mock.server)).collect();
    let together = Barrier::new(CLIENTS);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let ask = |client| {
            let together = &together;
            scope.spawn(move || {
                together.wait();
                charge(client, "key", "tok_visa")
            })
        };
        let asked: Vec<_> = clients.iter().map(ask).collect();
        asked.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    assert_eq!(answers.iter().filter(|answer| !answer.is_replayed).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().map(|answer| (answer.status, answer.body.as_str())).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(mock.stored("/v1/charges", "amount"), [1999]);
}

#[test]
fn a_chain_answers_each_request_that_executes_with_its_next_token() {
    let Some(mock) = Mock::open() else { return };
    // A 500 is stored, like at Stripe: its key never gets another answer, the next one does.
    let chain = "tok_500|tok_visa";
    check(&mock.charge("first", chain), 500, false);
    check(&mock.charge("first", chain), 500, true);
    check(&mock.charge("second", chain), 200, false);
    // A 429 comes before anything is stored: the same key executes.
    let chain = "tok_429|tok_visa";
    let throttled = mock.charge("third", chain);
    check(&throttled, 429, false);
    assert_eq!(throttled.json()["error"]["code"], "rate_limit");
    check(&mock.charge("third", chain), 200, false);
    check(&mock.charge("third", chain), 200, true);
    assert_eq!(mock.stored("/v1/charges", "paid"), [true, true]);
}

#[test]
fn what_is_forgotten_was_answered_as_a_success() {
    let Some(mock) = Mock::open() else { return };
    let answer = mock.charge("key", "tok_forget");
    check(&answer, 200, false);
    let charge = answer.json();
    assert_eq!(charge["status"], "succeeded", "{charge:#}");
    let (status, _) = mock.client.get(&format!("/v1/charges/{}", charge["id"].as_str().expect("an id")));
    assert_eq!(status, 404);
    assert!(mock.stored("/v1/charges", "id").is_empty());
    check(&mock.charge("key", "tok_forget"), 200, true);
}

#[test]
fn declines_have_codes_and_leave_a_failed_charge() {
    let Some(mock) = Mock::open() else { return };
    let cases = [
        ("tok_chargeDeclined", "card_declined", "generic_decline"),
        ("tok_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("tok_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
        ("tok_chargeDeclinedExpiredCard", "expired_card", ""),
    ];
    for (source, code, decline_code) in cases {
        let answer = mock.charge(source, source);
        check(&answer, 402, false);
        let error = &answer.json()["error"];
        assert_eq!((&error["type"], &error["code"]), (&"card_error".into(), &code.into()), "{error:#}");
        assert_eq!(error["decline_code"].as_str().unwrap_or_default(), decline_code, "{error:#}");
        check(&mock.charge(source, source), 402, true);
    }
    assert_eq!(mock.stored("/v1/charges", "status"), ["failed"; 4]);
}

#[test]
fn no_more_is_refunded_than_was_charged() {
    let Some(mock) = Mock::open() else { return };
    let charge = mock.charge("charge", "tok_visa").json();
    let refund = |key: &str, amount: u32| {
        let form = format!("charge={}&amount={amount}", charge["id"].as_str().expect("an id"));
        mock.client.post_form("/v1/refunds", key, &form)
    };
    check(&refund("refund-1", 1500), 200, false);
    check(&refund("refund-1", 1500), 200, true);
    check(&refund("refund-2", 500), 400, false);
    check(&refund("refund-3", 499), 200, false);
    let refused = refund("refund-4", 1);
    check(&refused, 400, false);
    assert_eq!(refused.json()["error"]["code"], "charge_already_refunded");
    let mut refunds = mock.stored("/v1/refunds", "amount");
    // Those of one second come in any order.
    refunds.sort_by_key(Value::as_u64);
    assert_eq!(refunds, [499, 1500]);
}

/// Stripe keeps to a time range, refuses a key that was used at another endpoint, and has payment intents and events.
#[test]
fn what_it_does_otherwise_than_stripe() {
    let Some(mock) = Mock::open() else { return };
    let charge = mock.charge("key", "tok_visa").json();
    assert_eq!(mock.stored("/v1/charges?created%5Bgte%5D=9999999999", "amount"), [1999]);
    let form = format!("charge={}", charge["id"].as_str().expect("an id"));
    check(&mock.client.post_form("/v1/refunds", "key", &form), 200, false);
    // In a chain the token that forgets does not.
    check(&mock.charge("chain", "tok_500|tok_forget"), 500, false);
    check(&mock.charge("chain-2", "tok_500|tok_forget"), 200, false);
    assert_eq!(mock.stored("/v1/charges", "amount"), [1999, 1999]);
    assert_eq!(mock.client.post_form("/v1/payment_intents", "intent", "amount=1999&currency=usd").status, 404);
    assert_eq!(mock.client.get("/v1/events").0, 404);
}
