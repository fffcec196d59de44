//! What goes wrong on the way, and what a provider may do wrong: read through where that is right, and never a part of a
//! list as if it were all of it.

use super::{account, check_same, ids, names, open, open_with, requests, side};
use crate::systems::provider::{Asked, Canned, Provider};
use crate::systems::{check_error, read_all};
use quittance_sandbox::{Config, FaultProfile, FaultRates};
use quittance_server::systems::{Blame, System, SystemError, Wanted};
use serde_json::{Value as Json, json};
use std::net::TcpListener;
use std::ops::ControlFlow;

/// A sandbox whose reads all meet this fault, with more customers than a page holds.
fn faulty(rates: FaultRates) -> Provider {
    let faults = FaultProfile::Custom(FaultRates { reads: 1_000, ..rates });
    let provider = Provider::sandbox(Config { faults, faults_per_key_max: u32::MAX, ..Config::default() });
    let customers: Vec<Json> =
        (0..250).map(|at| json!({"id": format!("cus_{at}"), "created": 1_600_000_000 + at})).collect();
    provider.control("POST", "seed", &json!({"customers": customers}));
    provider
}

fn read(provider: &Provider) -> Result<(), SystemError> {
    ids(&mut open(provider), "customer").map(drop)
}

#[test]
fn b30_a_repeated_cursor_is_an_error() {
    let provider = faulty(FaultRates { cursor_repeats: 1_000, ..FaultRates::default() });
    let words = ["GET /v1/customers of system `stripe` cannot be read to its end", "repeated a cursor"];
    check_error(read(&provider), Blame::Outside, &words);
}

#[test]
fn b17_what_is_no_list_is_not_an_empty_one() {
    let html = faulty(FaultRates { html_200: 1_000, ..FaultRates::default() });
    let words = ["GET /v1/customers of system `stripe` cannot be read, tried 6 times", "text/html", "not JSON"];
    check_error(read(&html), Blame::Outside, &words);
    let truncated = faulty(FaultRates { truncated_json: 1_000, ..FaultRates::default() });
    check_error(read(&truncated), Blame::Outside, &["tried 6 times"]);
    let bad_gateway = faulty(FaultRates { bad_gateway_502: 1_000, ..FaultRates::default() });
    check_error(read(&bad_gateway), Blame::Outside, &["it answers 502"]);
}

/// A third of all reads fail somehow, and everything is read once all the same.
#[test]
fn what_fails_in_passing_is_asked_again() {
    let faults = FaultRates {
        rate_limited_429: 40,
        unavailable_503: 60,
        truncated_json: 60,
        html_200: 60,
        connection_reset: 60,
        lost_answer: 60,
        ..FaultRates::default()
    };
    let provider = faulty(faults);
    let (found, reading) = ids(&mut open(&provider), "customer").unwrap();
    check_same(&found, &names("cus", 250));
    assert!(reading.requests > 3, "nothing failed");
}

#[test]
fn rates_are_kept_on_both_sides() {
    let provider = account(&(0..1_200).map(|at| 1_600_000_000 + at * 1_000).collect::<Vec<i64>>());
    provider.control("POST", "rate_limit", &json!({"requests_per_second": 10, "retry_after_s": 1}));
    provider.control("DELETE", "requests", &Json::Null);
    let (found, reading) = ids(&mut open_with(&provider.base, "sk_test_1", 8), "customer").unwrap();
    check_same(&found, &names("cus", 1_200));
    let counted = requests(&provider);
    assert_eq!(counted["requests"], reading.requests, "nothing was refused and asked again: {counted}");
    // Faster than is allowed: refused, and asked again when the provider says.
    let (found, _) = ids(&mut open_with(&provider.base, "sk_test_1", 1_000), "customer").unwrap();
    check_same(&found, &names("cus", 1_200));
}

#[test]
fn keys_that_may_not_are_mistakes_of_the_configuration() {
    let provider = account(&[1_700_000_000]);
    let read_with = |key| ids(&mut open_with(&provider.base, key, 100), "subscription");
    check_error(read_with("wrong"), Blame::Configuration, &["system `stripe` does not accept its api_key"]);
    let key = json!({"key": "rk_test_reader12", "may_write": false, "may_not_read": ["subscriptions"]});
    provider.control("POST", "keys", &key);
    let words = ["does not allow GET /v1/subscriptions", "permission `rak_subscription_read`"];
    check_error(read_with("rk_test_reader12"), Blame::Configuration, &words);
    assert_eq!(ids(&mut open_with(&provider.base, "rk_test_reader12", 100), "customer").unwrap().0, names("cus", 1));
}

#[test]
fn nobody_there_is_an_error_that_says_so() {
    let base = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let result = ids(&mut open_with(&base, "sk_test_1", 1_000), "customer");
    check_error(result, Blame::Outside, &["GET /v1/customers of system `stripe`", "tried 6 times", "can be reached"]);
}

fn customers(from: usize, count: usize) -> Vec<Json> {
    (from..from + count)
        .map(|at| json!({"id": format!("cus_{at}"), "object": "customer", "created": 1_700_000_000 - at}))
        .collect()
}

fn list(data: &[Json], has_more: bool) -> Canned {
    Canned::json(&json!({"object": "list", "has_more": has_more, "url": "/v1/customers", "data": data}))
}

fn refusal(status: u16, error: &Json) -> Canned {
    Canned::text(status, "application/json", &json!({"error": error}).to_string())
}

/// What follows after a cursor in a list of so many.
fn page_after(target: &str, count: usize) -> Canned {
    let after = target.split("starting_after=cus_").nth(1);
    let from = after.map_or(0, |after| 1 + after.split('&').next().unwrap().parse::<usize>().unwrap());
    let page = (count - from).min(100);
    list(&customers(from, page), from + page < count)
}

#[test]
fn a_list_that_never_ends_is_an_error() {
    let endless = Provider::canned(|_, _| list(&customers(0, 100), true));
    check_error(read(&endless), Blame::Outside, &["repeated a cursor"]);
    let empty = Provider::canned(|_, _| list(&[], true));
    check_error(read(&empty), Blame::Outside, &["an empty page that says that more follow"]);
}

#[test]
fn a_provider_that_ignores_times_is_read_once() {
    let asked = Asked::default();
    let noted = asked.clone();
    let provider = Provider::canned(move |target, _| {
        noted.note(target);
        page_after(target, 1_000)
    });
    let (found, _) = ids(&mut open(&provider), "customer").unwrap();
    check_same(&found, &names("cus", 1_000));
    let asked = asked.targets();
    assert!(asked.len() <= 12, "{asked:#?}");
}

#[test]
fn a_provider_that_refuses_times_is_read_page_by_page() {
    let provider = Provider::canned(|target, _| match target.contains("created") {
        true => refusal(400, &json!({"message": "Unexpected created"})),
        false => page_after(target, 450),
    });
    let (found, reading) = ids(&mut open(&provider), "customer").unwrap();
    check_same(&found, &names("cus", 450));
    assert_eq!(reading.requests, 7);
}

/// The object after which the list goes on is deleted meanwhile.
#[test]
fn a_cursor_that_is_gone_does_not_end_the_reading() {
    let provider =
        Provider::canned(|target, _| match target.contains("starting_after=cus_99&") || target.ends_with("cus_99") {
            true => refusal(
                404,
                &json!({"code": "resource_missing", "param": "starting_after", "message": "No such customer"}),
            ),
            false if target.contains("created") => refusal(400, &json!({"message": "Unexpected created"})),
            false => page_after(target, 250),
        });
    check_same(&ids(&mut open(&provider), "customer").unwrap().0, &names("cus", 250));
}

#[test]
fn a_list_inside_an_object_that_repeats_itself_is_an_error() {
    let lines =
        |has_more, url: &str| json!({"object": "list", "has_more": has_more, "url": url, "data": [{"id": "il_1"}]});
    for (url, says) in [
        ("/v1/invoices/in_1/lines", "the list at /lines of in_1 in system `stripe` repeated a cursor"),
        ("https://example.org/v1/lines", "has more elements and does not say where"),
    ] {
        let nested = lines(true, url);
        let provider = Provider::canned(move |target, _| match target.starts_with("/v1/invoices?") {
            true => list(&[json!({"id": "in_1", "object": "invoice", "created": 1, "lines": nested})], false),
            false => Canned::json(&nested),
        });
        let result =
            open(&provider).read("invoice", &side(&["id", "lines"]), &Wanted::All, &mut |_| ControlFlow::Continue(()));
        check_error(result, Blame::Outside, &[says]);
    }
}

#[test]
fn requests_name_the_version_of_the_api_and_the_key_and_never_write() {
    let (asked, headers) = (Asked::default(), Asked::default());
    let (noted, kept) = (asked.clone(), headers.clone());
    let provider = Provider::canned(move |target, headers| {
        noted.note(target);
        kept.note(headers);
        list(&customers(0, 2), false)
    });
    read_all(&mut open(&provider), "customer", &["id"]);
    assert_eq!(asked.targets(), ["/v1/customers?limit=100"]);
    let headers = headers.targets().concat();
    let version = format!("stripe-version: {}\n", quittance_connectors::stripe::API_VERSION);
    assert!(headers.contains(&version) && headers.contains("authorization: Bearer sk_test_1\n"), "{headers}");
}

/// Its key is in nothing that is said, even when the provider repeats it.
#[test]
fn the_key_is_never_repeated() {
    let provider = Provider::canned(|_, headers| {
        let key = headers.lines().find_map(|line| line.strip_prefix("authorization: Bearer ")).unwrap();
        refusal(401, &json!({"message": format!("Invalid API Key provided: {key}")}))
    });
    let error = read(&provider).unwrap_err();
    assert_eq!(error.what, "system `stripe` does not accept its api_key: Invalid API Key provided: …");
    assert!(!format!("{error:?}").contains("sk_test_1"));
}
