//! Stripe's dialect as a system, read from the sandbox: all of every list, whatever it hides, and nothing twice.

mod faults;
mod localstripe;
mod writing;

use super::provider::Provider;
use super::{check_error, find, read_all, side};
use quittance_core::record::value::Value;
use quittance_sandbox::Config;
use quittance_server::config::Secret;
use quittance_server::systems::stripe::{Account, Stripe};
use quittance_server::systems::{Blame, Patience, Reading, System, SystemError, Wanted};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

/// Fails soon where it fails.
const IMPATIENT: Patience =
    Patience { tries_max: 6, pause: Duration::from_millis(1), pause_max: Duration::from_millis(1_500) };

fn open(provider: &Provider) -> Stripe {
    open_with(&provider.base, "sk_test_1", 1_000)
}

fn open_with(base: &str, key: &str, requests_per_second_max: u32) -> Stripe {
    let account = Account {
        name: "stripe",
        api_base: base,
        api_key: &Secret::new(key.to_owned()),
        requests_per_second_max,
        timeout: Duration::from_secs(20),
        patience: IMPATIENT,
    };
    Stripe::open(&account).unwrap()
}

/// The ids of all, and what it took.
fn ids(system: &mut Stripe, object: &str) -> Result<(BTreeSet<String>, Reading), SystemError> {
    let mut ids = BTreeSet::new();
    let reading = system.read(object, &side(&["id"]), &Wanted::All, &mut |row| {
        assert!(ids.insert(row[0].to_string()), "{} comes twice", row[0]);
        ControlFlow::Continue(())
    })?;
    assert_eq!(reading.rows, ids.len() as u64);
    Ok((ids, reading))
}

/// An account with one price, and this many customers and subscriptions created at these times.
fn account(created: &[i64]) -> Provider {
    let provider = Provider::sandbox(Config::default());
    let customers =
        created.iter().enumerate().map(|(at, created)| json!({"id": format!("cus_{at}"), "created": created}));
    let subscriptions = created.iter().enumerate().map(|(at, created)| {
        json!({"id": format!("sub_{at}"), "customer": format!("cus_{at}"), "price": "price_1", "created": created})
    });
    provider.control(
        "POST",
        "seed",
        &json!({
            "products": [{"id": "prod_1"}],
            "prices": [{"id": "price_1", "product": "prod_1", "currency": "usd", "unit_amount": 999}],
            "customers": customers.collect::<Vec<_>>(),
            "subscriptions": subscriptions.collect::<Vec<_>>(),
        }),
    );
    provider
}

/// Tells how sets differ without telling all of them.
fn check_same(found: &BTreeSet<String>, expected: &BTreeSet<String>) {
    let first = |set: BTreeSet<String>| set.into_iter().take(5).collect::<Vec<_>>();
    let (lacks, adds) = (first(expected - found), first(found - expected));
    assert!(lacks.is_empty() && adds.is_empty(), "{} found, it lacks {lacks:?}… and adds {adds:?}…", found.len());
}

fn names(prefix: &str, count: usize) -> BTreeSet<String> {
    (0..count).map(|at| format!("{prefix}_{at}")).collect()
}

/// Requests that came for a list, as the provider counts them.
fn requests(provider: &Provider) -> Json {
    provider.control("GET", "requests", &Json::Null)
}

#[test]
fn b14_what_was_created_long_ago_is_read_as_it_is_now() {
    let provider = account(&[1_500_000_000]);
    provider.control("POST", "subscriptions/sub_0", &json!({"status": "past_due"}));
    let rows = read_all(&mut open(&provider), "subscription", &["id", "status", "created"]);
    assert_eq!(rows, ["Text sub_0 | Text past_due | Number 1500000000"]);
}

#[test]
fn b15_canceled_subscriptions_are_listed() {
    let provider = account(&[1_700_000_000, 1_700_000_001, 1_700_000_002]);
    provider.control("POST", "subscriptions/sub_1", &json!({"status": "canceled"}));
    let mut rows = read_all(&mut open(&provider), "subscription", &["id", "status"]);
    rows.sort();
    assert_eq!(rows, ["Text sub_0 | Text active", "Text sub_1 | Text canceled", "Text sub_2 | Text active"]);
}

#[test]
fn inactive_prices_are_listed() {
    let provider = account(&[]);
    provider.post("/v1/prices/price_1", "active=false");
    assert_eq!(read_all(&mut open(&provider), "price", &["id", "active"]), ["Text price_1 | Boolean false"]);
}

/// Some of a second, some of a minute, some of years: about one request for each page.
#[test]
fn b16_all_pages_are_read() {
    let created: Vec<i64> = (0..1_500_i64)
        .map(|at| match at % 3 {
            0 => 1_600_000_000,
            1 => 1_650_000_000 + at % 60,
            _ => 1_500_000_000 + at * 90_000,
        })
        .collect();
    let provider = account(&created);
    let (found, reading) = ids(&mut open(&provider), "customer").unwrap();
    check_same(&found, &names("cus", 1_500));
    assert!((15..=35).contains(&reading.requests), "{} requests for 15 pages", reading.requests);
    assert_eq!(requests(&provider)["requests"], reading.requests);
    assert!(reading.as_of.is_some());
}

#[test]
fn b17_an_empty_list_is_a_list() {
    let (found, reading) = ids(&mut open(&account(&[])), "customer").unwrap();
    assert_eq!((found.len(), reading.requests), (0, 1));
}

#[test]
fn b27_more_records_than_a_page_in_one_second() {
    let provider = account(&[1_700_000_000; 350]);
    check_same(&ids(&mut open(&provider), "subscription").unwrap().0, &names("sub", 350));
}

/// A list may be behind; what it does not show is not gone.
#[test]
fn b28_what_a_list_does_not_show_yet_is_found_by_its_id() {
    let provider = account(&[1_700_000_000]);
    provider.control("POST", "visibility", &json!({"requests": 1_000, "lists": ["customers"]}));
    let new = provider.post("/v1/customers", "name=New")["id"].as_str().unwrap().to_owned();
    let mut system = open(&provider);
    assert_eq!(read_all(&mut system, "customer", &["id"]), ["Text cus_0"]);
    let found = find(&mut system, "customer", &["id"], &[0], &[&[Value::Text(new.clone().into())]]);
    assert_eq!(found, [format!("Text {new}")]);
}

#[test]
fn b31_reading_again_reads_the_same_and_ends() {
    let provider = account(&[1_700_000_000; 120]);
    let mut system = open(&provider);
    let first = ids(&mut system, "customer").unwrap();
    system.refresh().unwrap();
    let again = ids(&mut system, "customer").unwrap();
    assert_eq!((first.0, first.1.requests), (again.0, again.1.requests));
}

/// What is created while a list is read is after the time of which it is told.
#[test]
fn what_is_created_meanwhile_is_left_out() {
    let created: Vec<i64> = (0..600).map(|at| 1_600_000_000 + at * 1_000).collect();
    let provider = account(&created);
    let (mut found, mut created) = (BTreeSet::new(), 0);
    let reading = open(&provider).read("customer", &side(&["id"]), &Wanted::All, &mut |row| {
        if found.len() % 100 == 0 {
            // Further than the second of the first answer.
            provider.control("POST", "clock", &json!({"advance_s": 10}));
            provider.control("POST", "seed", &json!({"customers": [{"id": format!("cus_new_{created}")}]}));
            created += 1;
        }
        assert!(found.insert(row[0].to_string()), "{} comes twice", row[0]);
        ControlFlow::Continue(())
    });
    assert_eq!(reading.unwrap().rows, 600);
    check_same(&found, &names("cus", 600));
    assert!(created > 3, "{created}");
}

#[test]
fn b36_deleted_at_the_provider() {
    let provider = account(&[1_700_000_000, 1_700_000_001]);
    let deleted = json!({"customers": [{"id": "cus_gone", "created": 1_700_000_002, "deleted": true}]});
    provider.control("POST", "seed", &deleted);
    let mut system = open(&provider);
    assert_eq!(ids(&mut system, "customer").unwrap().0, names("cus", 2));
    let wanted = ["cus_1", "cus_gone", "cus_never", "..", "a/b?c"].map(|id| [Value::text(id)]);
    let wanted: Vec<&[Value<'static>]> = wanted.iter().map(|tuple| tuple.as_slice()).collect();
    assert_eq!(find(&mut system, "customer", &["id"], &[0], &wanted), ["Text cus_1"]);
    assert_eq!(system.take_deleted(), [[Value::text("cus_gone")]]);
    assert!(system.take_deleted().is_empty());
}

#[test]
fn b38_nested_lists_are_read_to_the_end() {
    let provider = account(&[1_700_000_000]);
    let lines = (0..25).map(|line| json!({"id": format!("il_{line}"), "amount": 100 + line, "description": "a"}));
    let invoices = [
        json!({"id": "in_long", "customer": "cus_0", "currency": "usd", "lines": lines.collect::<Vec<_>>()}),
        json!({"id": "in_short", "customer": "cus_0", "currency": "usd", "lines": [{"id": "il_x", "amount": 7}]}),
    ];
    provider.control("POST", "seed", &json!({"invoices": invoices}));
    let mut rows = read_all(&mut open(&provider), "invoice", &["id", "lines|/*/amount", "/lines/data/*/id"]);
    rows.sort();
    let amounts = (100..125).map(|amount| amount.to_string()).collect::<Vec<_>>().join(",");
    let names = (0..25).map(|line| format!("\"il_{line}\"")).collect::<Vec<_>>().join(",");
    assert_eq!(rows[0], format!("Text in_long | Json [{amounts}] | Json [{names}]"));
    assert_eq!(rows[1], "Text in_short | Json [7] | Json [\"il_x\"]");
    let count = || requests(&provider)["requests"].as_u64().unwrap_or_default();
    let before = count();
    read_all(&mut open(&provider), "invoice", &["id", "/lines/total_count", "status"]);
    assert_eq!(count(), before + 1, "what no column needs is not read");
}

#[test]
fn b39_absent_is_not_null() {
    let provider = account(&[1_700_000_000, 1_700_000_001]);
    provider.post("/v1/customers/cus_1", "metadata[plan]=pro");
    let mut system = open(&provider);
    // A key that a map of texts has not got is how Stripe says that there is nothing.
    let mut rows = read_all(&mut system, "customer", &["id", "email", "/metadata/plan", "/metadata/plan/deeper"]);
    rows.sort();
    assert_eq!(rows, ["Text cus_0 | NULL | NULL | (absent)", "Text cus_1 | NULL | Text pro | (absent)"]);
    let misspelt = system.read("customer", &side(&["id", "emial"]), &Wanted::All, &mut |_| ControlFlow::Continue(()));
    let words = ["field `emial` of `customer` is in none of 2 records of system `stripe`", "did you mean `email`?"];
    check_error(misspelt, Blame::Configuration, &words);
}

#[test]
fn objects_are_known_by_their_names() {
    let provider = account(&[]);
    let mut system = open(&provider);
    let description = system.describe("subscription").unwrap();
    assert_eq!((description.columns.len(), description.identity), (0, vec!["id".to_owned()]));
    let words = ["no object `subscriptions` in system `stripe`", "did you mean `subscription`?"];
    check_error(system.describe("subscriptions"), Blame::Configuration, &words);
    assert_eq!(system.estimate("customer").unwrap(), None);
}

#[test]
fn records_are_found_by_what_lists_filter_by() {
    let provider = account(&[1_700_000_000; 4]);
    provider.control(
        "POST",
        "seed",
        &json!({"subscriptions": [
            {"id": "sub_old", "customer": "cus_2", "price": "price_1", "status": "canceled", "created": 1_600_000_000},
        ]}),
    );
    let mut system = open(&provider);
    let columns = side(&["id", "customer", "status", "/customer", "items|/*/id"]);
    let can_find = |searched: &[usize]| system.can_find("subscription", &columns, searched);
    assert_eq!([&[0][..], &[1], &[1, 2], &[2], &[3], &[4]].map(can_find), [true, true, true, false, true, false]);
    assert!(!system.can_find("no such", &columns, &[0]));
    let by = |system: &mut Stripe, searched: &[usize], values: &[&[Value<'static>]]| {
        let mut rows = find(system, "subscription", &["id", "customer", "status"], searched, values);
        rows.sort();
        rows
    };
    let (one, two, nobody) = (Value::text("cus_1"), Value::text("cus_2"), Value::text("cus_none"));
    let rows = by(&mut system, &[1], &[std::slice::from_ref(&one), std::slice::from_ref(&two), &[nobody]]);
    let expected = [
        "Text sub_1 | Text cus_1 | Text active",
        "Text sub_2 | Text cus_2 | Text active",
        "Text sub_old | Text cus_2 | Text canceled",
    ];
    assert_eq!(rows, expected);
    let rows = by(&mut system, &[1, 2], &[&[two, Value::text("canceled")], &[one, Value::text("canceled")]]);
    assert_eq!(rows, ["Text sub_old | Text cus_2 | Text canceled"]);
    let untyped = Value::Untyped("sub_3".into());
    assert_eq!(by(&mut system, &[0], &[&[untyped]]), ["Text sub_3 | Text cus_3 | Text active"]);
}

#[test]
fn no_more_is_read_than_is_wanted() {
    let provider = account(&[1_700_000_000; 500]);
    let mut rows = 0;
    let reading = open(&provider).read("customer", &side(&["id"]), &Wanted::All, &mut |_| {
        rows += 1;
        ControlFlow::Break(())
    });
    assert_eq!((reading.unwrap().requests, rows), (1, 1));
}
