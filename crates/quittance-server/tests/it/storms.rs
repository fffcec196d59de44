//! The engine against the real sandbox in bad weather: floods of 429, credentials refused for a while, lost confirms.

use crate::lossy::Lossy;
use crate::runtime::{Shop, open, outcome_of, pay};
use quittance_engine::breaker;
use quittance_engine::submission::Outcome;
use quittance_sandbox::{Config, FaultProfile, FaultRates};
use quittance_server::runtime::{Handle, Submitted};
use quittance_store::store::{Reader, Scan};
use quittance_store::tables::TICKETS;
use serde_json::json;

const PAYMENTS: usize = 40;

fn limits(cool_down_ms: u64) -> breaker::Limits {
    breaker::Limits { window: 4, failures_max: 3, cool_down_ms }
}

async fn accept(handle: &Handle, numbers: std::ops::Range<usize>) -> Vec<Submitted> {
    let mut accepted = Vec::new();
    for number in numbers {
        let submitted = pay(handle, &format!("order-{number}")).await;
        assert!(matches!(submitted.outcome, Outcome::Accepted { .. }), "{:?}", submitted.outcome);
        accepted.push(submitted);
    }
    accepted
}

async fn all_succeed(accepted: Vec<Submitted>) {
    for submitted in accepted {
        assert_eq!(outcome_of(submitted).await, (201, true));
    }
}

/// Requests that were committed to.
fn tickets(shop: &Shop) -> usize {
    shop.database.reader().scan(&Scan::forward(&TICKETS, Vec::new(), 10_000)).unwrap().len()
}

/// Every payment was charged once, and nothing else.
async fn check_books(weather: &Lossy, payments: usize) {
    let books = weather.look("books").await;
    assert_eq!(books["currencies"]["usd"]["charges_succeeded"], payments, "{books}");
    assert_eq!(books["payment_intents"], json!({"succeeded": payments}), "{books}");
}

fn complaints(handle: &Handle) -> Vec<(&'static str, Vec<&'static str>)> {
    let degraded = handle.readiness().degraded;
    degraded.into_iter().map(|(_, complaint)| (complaint.code, complaint.operations)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_429_meets_few_retries_and_ends_well() {
    const MIN: u64 = 5;
    let rates = FaultRates { rate_limited_429: 1_000, ..FaultRates::default() };
    let faults = FaultProfile::Custom(rates);
    let weather = Lossy::start(Config { faults, faults_per_key_max: u32::MAX, ..Config::default() }).await;
    let settings = format!("retry_budget_percent = 100\nretries_per_second_min = {MIN}\n");
    let shop = open(weather.sandbox(), &settings, limits(50)).await;
    let handle = shop.runtime.handle();
    let began_at = handle.now();
    let accepted = accept(&handle, 0..PAYMENTS).await;
    // Each once, what was saved up, and then some, one by one: nothing succeeds that could earn more.
    let (first, saved) = (PAYMENTS as u64, 10 * MIN);
    while weather.faults("rate_limited_429").await < first + saved + 2 * MIN {
        tokio::task::yield_now().await;
    }
    let refused = weather.faults("rate_limited_429").await;
    let elapsed_ms = handle.now().ms_since(began_at);
    let allowed = first + saved + MIN * elapsed_ms.div_ceil(1_000);
    assert!(refused <= allowed, "{refused} requests in {elapsed_ms} ms, {allowed} at most");
    assert_eq!(complaints(&handle), [], "a limit is an answer");
    weather.calm().await;
    all_succeed(accepted).await;
    check_books(&weather, PAYMENTS).await;
    shop.runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_refused_for_a_while_hold_everything_back_and_cost_nothing() {
    let weather = Lossy::start(Config::default()).await;
    let settings = "in_flight_max = 4\nretry_budget_percent = 0\nretries_per_second_min = 1\n";
    let shop = open(weather.sandbox(), settings, limits(20)).await;
    let handle = shop.runtime.handle();
    weather.control("unauthorised", json!({"requests": 6})).await;
    let accepted = accept(&handle, 0..PAYMENTS).await;
    all_succeed(accepted).await;
    check_books(&weather, PAYMENTS).await;
    assert_eq!(weather.faults("unauthorised_401").await, 6, "the rest were probes");
    let again = tickets(&shop) - 2 * PAYMENTS;
    assert!((1..=4).contains(&again), "{again} sends were refused: those under way before anybody knew");
    assert_eq!(complaints(&handle), []);
    shop.runtime.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_is_read_back_while_payments_are_held_back() {
    let weather = Lossy::start(Config::default()).await;
    let base = weather.serve().await;
    // Nothing is probed before the test is over.
    let shop = open(&base, "", limits(3_600_000)).await;
    let handle = shop.runtime.handle();
    // All objects are made before the first confirm is lost.
    weather.lose_confirms(3);
    let accepted = accept(&handle, 0..3).await;
    all_succeed(accepted).await;
    assert_eq!(complaints(&handle), [("unanswered", vec!["payments"])], "the breaker is open all the while");
    check_books(&weather, 3).await;
    let sent = tickets(&shop);
    let held_back = accept(&handle, 3..4).await;
    // What leaves at once has its ticket in the commit that accepts it.
    assert_eq!((tickets(&shop), held_back.len()), (sent, 1), "and nothing new is sent");
    shop.runtime.stop().await.unwrap();
}
