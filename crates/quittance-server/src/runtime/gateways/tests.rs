//! Gateways in good health, in bad, and paused.

use super::*;
use crate::clock;
use quittance_core::effect::Step;
use quittance_core::fact::{Fact, Loss};
use quittance_store::records::Operation;

/// States of a gateway `stripe` at this address, with one place.
pub(in crate::runtime) fn states(base: &str) -> GatewayStates {
    states_of("stripe", base)
}

/// The same for a gateway of this kind, which is its name as well.
pub(in crate::runtime) fn states_of(kind: &str, base: &str) -> GatewayStates {
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    std::fs::write(&key, "sk_test_1").expect("written");
    let text = format!(
        "[gateways.{kind}]\nkind = \"{kind}\"\napi_key = \"file:{}\"\napi_base = \"{base}\"\nin_flight_max = 1\n",
        key.display()
    );
    let config = Config::from_text(&text, &|_| None).expect("a configuration");
    let secrets = config.resolve_secrets().expect("a secret");
    let limits = breaker::Limits { window: 1, failures_max: 1, cool_down_ms: 60_000 };
    GatewayStates::new(&config, &secrets, limits).expect("a way to the gateway")
}

const CREATE: Lane = Lane::Send { operation: Operation::Payments, step: Step::Create, is_again: false };

/// How many creates and how many reads may begin.
fn left(states: &GatewayStates) -> Option<[usize; 2]> {
    states.permits().0.get("stripe").map(|room| [CREATE, Lane::Read].map(|lane| room.left(lane)))
}

fn codes(states: &GatewayStates) -> Vec<(&'static str, Vec<&'static str>)> {
    states.degraded().into_iter().map(|(_, complaint)| (complaint.code, complaint.operations)).collect()
}

#[test]
fn reads_have_a_place_that_no_send_takes() {
    let states = states("http://127.0.0.1:1");
    let gateway = states.get("stripe").expect("a gateway");
    assert_eq!(left(&states), Some([1, 2]));
    let send = gateway.begin(CREATE);
    assert_eq!(left(&states), Some([0, 1]));
    let read = gateway.begin(Lane::Read);
    assert_eq!(left(&states), Some([0, 0]));
    drop(send);
    assert_eq!(left(&states), Some([0, 1]), "as many are under way as there are places for sends");
    drop(read);
    assert_eq!(left(&states), Some([1, 2]));
}

#[test]
fn an_open_breaker_is_no_crowd_and_lets_reads_through() {
    let states = states("http://127.0.0.1:1");
    let gateway = states.get("stripe").expect("a gateway");
    assert!(!states.is_any_saturated());
    gateway.health.report(Lane::Read, &Fact::Lost(Loss::Timeout));
    gateway.health.report(CREATE, &Fact::Lost(Loss::Timeout));
    assert_eq!(codes(&states), [("unanswered", vec!["payments", "reads"])]);
    let refund = Lane::Send { operation: Operation::Refunds, step: Step::Create, is_again: false };
    assert_eq!(states.permits().0["stripe"].left(refund), 1);
    gateway.health.report(refund, &Fact::Lost(Loss::Timeout));
    let slot = gateway.begin(CREATE);
    assert!(!states.is_any_saturated(), "nothing waits for a place at a gateway that is left alone");
    drop(slot);
    assert_eq!(left(&states), Some([0, 0]));
}

#[test]
fn a_paused_gateway_is_left_alone() {
    let states = states("http://127.0.0.1:1");
    let gateway = states.get("stripe").expect("a gateway");
    gateway.health.report(CREATE, &Fact::Lost(Loss::Timeout));
    gateway.set_paused(true);
    assert_eq!((left(&states), codes(&states)), (None, vec![("paused", vec![])]));
    let probe_is_due = clock::now().plus_ms(120_000);
    assert!(states.take_probes(probe_is_due).is_empty());
    gateway.set_paused(false);
    assert_eq!(states.take_probes(probe_is_due).len(), 1);
}

#[test]
fn only_a_request_that_is_accepted_ends_a_refusal_of_our_credentials() {
    let states = states("http://127.0.0.1:1");
    let gateway = states.get("stripe").expect("a gateway");
    gateway.health.report(CREATE, &Fact::Unauthorised);
    gateway.health.report(CREATE, &Fact::Lost(Loss::Unclear));
    assert_eq!(codes(&states), [("unauthorised", vec!["payments", "refunds", "reads"])]);
    assert_eq!(left(&states), Some([0, 0]));
    assert_eq!(states.take_probes(clock::now()).len(), 1, "it is asked at once");
    gateway.health.probed(&Fact::Absent);
    assert_eq!(codes(&states), [("unauthorised", vec!["payments"])], "reads are proven by the probe");
    drop(gateway.begin(CREATE));
    gateway.health.report(CREATE, &Fact::InUse);
    assert_eq!(codes(&states), []);
}

#[test]
fn a_gateway_is_behind_when_payments_wait_too_long_unless_it_is_paused() {
    let states = states("http://127.0.0.1:1");
    let now = clock::now();
    let waiting = |ms: i64| {
        let unsent_since = Some(Timestamp(now.0 - ms * 1_000));
        BTreeMap::from([("stripe".to_owned(), Backlog { unsent_since, ..Backlog::default() })])
    };
    states.note_backlog(&waiting(600_000), now);
    assert_eq!(codes(&states), []);
    states.note_backlog(&waiting(600_001), now);
    assert_eq!(codes(&states), [("backlogged", vec![])]);
    states.get("stripe").expect("a gateway").set_paused(true);
    states.note_backlog(&waiting(600_001), now);
    states.get("stripe").expect("a gateway").set_paused(false);
    assert_eq!(codes(&states), []);
}
