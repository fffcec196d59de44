//! Gateways in good health, in bad, and paused.

use super::*;

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
    GatewayStates::new(&config, &secrets, Limits { window: 1, failures_max: 1, cool_down_ms: 60_000 })
        .expect("a way to the gateway")
}

#[test]
fn an_open_breaker_is_no_crowd() {
    let states = states("http://127.0.0.1:1");
    let gateway = states.get("stripe").expect("a gateway");
    assert!(!states.is_any_saturated());
    let slot = gateway.slot();
    assert!(states.is_any_saturated());
    gateway.report(&Fact::Lost(Loss::Timeout));
    assert!(!states.is_any_saturated(), "nothing waits for a place at a gateway that is left alone");
    assert_eq!(states.permits().0["stripe"], 0);
    drop(slot);
}

#[test]
fn a_paused_gateway_is_left_alone() {
    let states = states("http://127.0.0.1:1");
    let gateway = states.get("stripe").expect("a gateway");
    gateway.report(&Fact::Lost(Loss::Timeout));
    gateway.set_paused(true);
    assert_eq!((states.permits().0["stripe"], gateway.complaint()), (0, Some("it is paused")));
    let probe_is_due = clock::now().plus_ms(120_000);
    assert!(states.take_probes(probe_is_due).is_empty());
    gateway.set_paused(false);
    assert_eq!(states.take_probes(probe_is_due).len(), 1);
}

#[test]
fn what_is_nobodys_word_says_nothing_about_credentials() {
    let states = states("http://127.0.0.1:1");
    let gateway = states.get("stripe").expect("a gateway");
    gateway.report(&Fact::Unauthorised);
    gateway.report(&Fact::Lost(Loss::Unclear));
    assert_eq!(gateway.complaint(), Some("it refuses our credentials"));
    gateway.report(&Fact::Absent);
    assert_eq!(gateway.complaint(), None);
}
