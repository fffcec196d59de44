//! Changing fields of Stripe's objects, against the sandbox: what came of each, and each once.

mod hostile;

use super::super::provider::Provider;
use super::{IMPATIENT, account};
use crate::systems::{check_error, read_all, side};
use quittance_core::pair::Side;
use quittance_core::record::value::Value;
use quittance_sandbox::{Config, FaultProfile, FaultRates};
use quittance_server::config::Secret;
use quittance_server::systems::stripe::{Account, StripeWriter};
use quittance_server::systems::write::{Stand, Write, Writer, Written};
use quittance_server::systems::{Blame, Patience, SystemError};
use serde_json::{Value as Json, json};
use std::time::Duration;

fn writer(provider: &Provider) -> StripeWriter {
    writer_with(provider, "sk_test_1")
}

fn writer_with(provider: &Provider, key: &str) -> StripeWriter {
    writer_at(&provider.base, key)
}

pub(super) fn writer_at(base: &str, key: &str) -> StripeWriter {
    writer_like(base, key, IMPATIENT)
}

fn writer_like(base: &str, key: &str, patience: Patience) -> StripeWriter {
    let account = Account {
        name: "stripe",
        api_base: base,
        api_key: &Secret::new(key.to_owned()),
        requests_per_second_max: 1_000,
        timeout: Duration::from_secs(20),
        patience,
    };
    StripeWriter::open(&account).unwrap()
}

/// A side of objects with these columns beside their id.
fn of(columns: &[&str]) -> Side {
    Side { identity: vec![0], ..side(&[&["id"], columns].concat()) }
}

fn text(text: &'static str) -> Value<'static> {
    Value::text(text)
}

/// An object's first column, from one value to another.
fn change(id: &'static str, from: Value<'static>, to: Value<'static>) -> Write {
    Write { id: format!("run-1-{id}"), identity: vec![text(id)], expected: vec![(1, from)], set: vec![(1, to)] }
}

/// A customer whose address is to be changed.
const ADDRESS: &str = "email";

fn to_new(id: &'static str) -> Write {
    change(id, text("old@shop.example"), text("new@shop.example"))
}

fn try_write(provider: &Provider, column: &str, writes: &[Write]) -> Result<Vec<Written>, SystemError> {
    writer(provider).write("customer", &of(&[column]), writes)
}

/// Three customers, with the address that is to be changed.
fn shop() -> Provider {
    let provider = account(&[1_700_000_000, 1_700_000_001, 1_700_000_002]);
    for at in 0..3 {
        provider.post(&format!("/v1/customers/cus_{at}"), "email=old%40shop.example");
    }
    provider
}

/// How often customers were changed.
fn updates(provider: &Provider) -> usize {
    provider.get("/v1/events?type=customer.updated&limit=100")["data"].as_array().unwrap().len()
}

/// A shop in which this happens to the first writes under every key.
fn faulty(rates: FaultRates, faults_per_key_max: u32) -> Provider {
    let faults = FaultProfile::Custom(rates);
    let provider = Provider::sandbox(Config { faults, faults_per_key_max, ..Config::default() });
    let customers: Vec<Json> = (0..3)
        .map(|at| json!({"id": format!("cus_{at}"), "created": 1_700_000_000, "email": "old@shop.example"}))
        .collect();
    provider.control("POST", "seed", &json!({"customers": customers}));
    provider
}

#[test]
fn each_object_is_done_moved_or_gone() {
    let provider = shop();
    provider.post("/v1/customers/cus_1", "email=other%40shop.example");
    provider.post("/v1/customers/cus_2", "email=new%40shop.example");
    let before = updates(&provider);
    let writes = [to_new("cus_0"), to_new("cus_1"), to_new("cus_2"), to_new("cus_none")];
    let moved = vec![text("other@shop.example")];
    let stands = writer(&provider).stand("customer", &of(&[ADDRESS]), &writes).unwrap();
    let expected = [Stand::AsExpected, Stand::Moved { now: moved.clone() }, Stand::Already, Stand::Gone];
    assert_eq!((stands.as_slice(), updates(&provider)), (&expected[..], before), "a look changes nothing");
    let written = try_write(&provider, ADDRESS, &writes).unwrap();
    assert_eq!(written, [Written::Done, Written::Moved { now: moved.clone() }, Written::Already, Written::Gone]);
    let again = try_write(&provider, ADDRESS, &writes).unwrap();
    assert_eq!(again, [Written::Already, Written::Moved { now: moved }, Written::Already, Written::Gone]);
    assert_eq!(updates(&provider), before + 1);
    provider.control("POST", "keys", &json!({"key": "rk_test_writer12", "may_write": true, "may_not_read": []}));
    let mut restricted = writer_with(&provider, "rk_test_writer12");
    let back = Write { id: "run-2-0".to_owned(), ..change("cus_0", text("new@shop.example"), Value::Null) };
    assert_eq!(restricted.write("customer", &of(&[ADDRESS]), &[back]).unwrap(), [Written::Done]);
    assert_eq!(provider.get("/v1/customers/cus_0")["email"], Json::Null);
}

#[test]
fn keys_of_metadata_are_set_and_removed() {
    let provider = shop();
    let plan = |from, to| [Write { id: format!("run-{from:?}-{to:?}"), ..change("cus_0", from, to) }];
    let column = "/metadata/plan";
    assert_eq!(read_all(&mut super::open(&provider), "customer", &[column])[0], "NULL");
    assert_eq!(try_write(&provider, column, &plan(Value::Null, text("a&b"))).unwrap(), [Written::Done]);
    assert_eq!(provider.get("/v1/customers/cus_0")["metadata"], json!({"plan": "a&b"}));
    assert_eq!(try_write(&provider, column, &plan(text("a&b"), Value::Null)).unwrap(), [Written::Done]);
    assert_eq!(provider.get("/v1/customers/cus_0")["metadata"], json!({}));
    let mut subscriptions = writer(&provider);
    let set = Write {
        expected: vec![(1, Value::Boolean(false)), (2, Value::Null), (3, text("price_1"))],
        set: vec![(1, Value::Boolean(true)), (2, Value::integer(7))],
        ..change("sub_1", Value::Null, Value::Null)
    };
    let columns = of(&["cancel_at_period_end", "/metadata/seats", "/items/data/0/price/id"]);
    assert_eq!(subscriptions.write("subscription", &columns, &[set]).unwrap(), [Written::Done]);
    let shown = provider.get("/v1/subscriptions/sub_1");
    assert_eq!((&shown["cancel_at_period_end"], &shown["metadata"]), (&json!(true), &json!({"seats": "7"})));
}

#[test]
fn what_is_not_on_the_list_is_refused_by_name_and_what_stripe_refuses_is_told() {
    let provider = shop();
    let before = updates(&provider);
    for (object, column, words) in [
        (
            "subscription",
            "status",
            &["`stripe`", "`status` of a `subscription`", "computes it", "cancel_at_period_end"][..],
        ),
        ("charge", "amount", &["`amount` of a `charge`", "moves money"]),
        ("payment_intent", "/metadata/effect_id", &["`effect_id`", "stays"]),
        ("dispute", "/metadata/x", &["changes nothing of a `dispute`"]),
        ("customers", "email", &["no object `customers`", "did you mean `customer`"]),
        ("customer", "id", &["`id` tells the records of `customer`"]),
    ] {
        let write = [change("cus_0", Value::Null, text("x"))];
        check_error(writer(&provider).stand(object, &of(&[column]), &write), Blame::Configuration, words);
        check_error(writer(&provider).write(object, &of(&[column]), &write), Blame::Configuration, words);
    }
    let write = [change("cus_0", text("old@shop.example"), text(""))];
    let [Written::Refused { why }] = &try_write(&provider, ADDRESS, &write).unwrap()[..] else {
        panic!("an empty text")
    };
    assert!(why.contains("cannot hold an empty text"), "{why}");
    let long = Value::Text("x".repeat(600).into());
    let writes = [change("cus_0", Value::Null, long), change("cus_1", Value::Null, text("fine"))];
    let written = try_write(&provider, "/metadata/note", &writes).unwrap();
    assert!(matches!(&written[..], [Written::Refused { .. }, Written::Done]), "{written:?}");
    assert_eq!(updates(&provider), before + 1);
}

/// Whatever becomes of the answers, every customer is changed once, and what is said of it is so.
#[test]
fn lost_answers_change_nothing_twice() {
    let rates = FaultRates::default();
    for (name, rates) in [
        ("lost", FaultRates { lost_answer: 1_000, ..rates }),
        ("reset", FaultRates { connection_reset: 1_000, ..rates }),
        ("500 after it", FaultRates { error_500_charged: 1_000, ..rates }),
        ("502", FaultRates { bad_gateway_502: 1_000, ..rates }),
        ("html", FaultRates { html_200: 1_000, ..rates }),
        ("cut", FaultRates { truncated_json: 1_000, ..rates }),
        ("429", FaultRates { rate_limited_429: 1_000, ..rates }),
        ("503", FaultRates { unavailable_503: 1_000, ..rates }),
    ] {
        let provider = faulty(rates, 2);
        let written = try_write(&provider, ADDRESS, &[to_new("cus_0"), to_new("cus_1"), to_new("cus_2")]);
        assert_eq!(written.unwrap(), [Written::Done, Written::Done, Written::Done], "{name}");
        assert_eq!(updates(&provider), 3, "{name}");
        assert_eq!(provider.get("/v1/customers/cus_1")["email"], "new@shop.example", "{name}");
    }
}

/// Stripe keeps a 500 under its key, so that no further try changes anything; the next run has another key.
#[test]
fn a_stored_500_is_told_as_what_it_is() {
    let provider = faulty(FaultRates { error_500_not_charged: 1_000, ..FaultRates::default() }, 1);
    let written = try_write(&provider, ADDRESS, &[to_new("cus_0")]).unwrap();
    let [Written::Refused { why }] = &written[..] else { panic!("{written:?}") };
    assert!(why.contains("it answers 500") && why.contains("holds what it held"), "{why}");
    assert_eq!(provider.get("/v1/customers/cus_0")["email"], "old@shop.example");
    provider.control("POST", "faults", &json!({"profile": "none"}));
    let next = Write { id: "run-2-0".to_owned(), ..to_new("cus_0") };
    assert_eq!(try_write(&provider, ADDRESS, &[next]).unwrap(), [Written::Done]);
}

#[test]
fn a_key_that_may_not_write_is_a_mistake_of_the_configuration() {
    let provider = shop();
    let key = json!({"key": "rk_test_reader12", "may_write": false, "may_not_read": []});
    provider.control("POST", "keys", &key);
    let mut reader = writer_with(&provider, "rk_test_reader12");
    let words = ["does not allow POST /v1/customers/cus_0 to its write_api_key", "permission `rak_customer_write`"];
    check_error(reader.write("customer", &of(&[ADDRESS]), &[to_new("cus_0")]), Blame::Configuration, &words);
    let unknown = writer_with(&provider, "wrong").write("customer", &of(&[ADDRESS]), &[to_new("cus_0")]);
    check_error(unknown, Blame::Configuration, &["does not accept its write_api_key"]);
    assert_eq!(provider.get("/v1/customers/cus_0")["email"], "old@shop.example");
}
