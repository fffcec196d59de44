//! What an endpoint wants, and what signs it.

use crate::event::{EndedBy, Endpoint, EndpointState, Kind, Kinds, OVERLAP_MS, Secret};
use crate::id::EndpointId;
use crate::time::Timestamp;
use std::collections::BTreeSet;

pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        id: EndpointId::from_bytes([1; 16]),
        url: "https://example.com/hooks".into(),
        description: None,
        kinds: Kinds::All,
        secrets: vec![Secret { bytes: [1; 32], until: None }],
        state: EndpointState::Enabled,
        failing_since: None,
        created_at: Timestamp(0),
    }
}

fn keys(endpoint: &Endpoint, now: Timestamp) -> Vec<u8> {
    endpoint.keys(now).map(|key| key[0]).collect()
}

#[test]
fn two_secrets_sign_while_one_takes_over() {
    let (mut endpoint, now) = (endpoint(), Timestamp::from_seconds(1_000));
    assert_eq!(keys(&endpoint, now), [1]);
    endpoint.rotate([2; 32], OVERLAP_MS, now);
    assert_eq!(keys(&endpoint, now), [2, 1]);
    assert_eq!(keys(&endpoint, now.plus_ms(OVERLAP_MS - 1)), [2, 1]);
    assert_eq!(keys(&endpoint, now.plus_ms(OVERLAP_MS)), [2]);
    endpoint.rotate([3; 32], OVERLAP_MS, now);
    assert_eq!(keys(&endpoint, now), [3, 2], "two at most");
    endpoint.rotate([4; 32], 0, now);
    assert_eq!(keys(&endpoint, now), [4], "a secret that is known to others signs nothing more");
    assert!(!format!("{endpoint:?}").contains("4, 4"), "no secret is printed");
}

#[test]
fn an_endpoint_wants_its_kinds_while_it_is_enabled() {
    let [created, succeeded] =
        ["payment.created", "payment.succeeded"].map(|name| Kind::from_name(name).expect("kind"));
    let mut endpoint = endpoint();
    assert!(endpoint.wants(created));
    endpoint.kinds = Kinds::These(BTreeSet::from([succeeded]));
    assert!(!endpoint.wants(created) && endpoint.wants(succeeded));
    endpoint.disable(EndedBy::Gone, Timestamp(1));
    assert!(!endpoint.wants(succeeded));
    endpoint.disable(EndedBy::Failing, Timestamp(2));
    assert_eq!(
        endpoint.state,
        EndpointState::Disabled { at: Timestamp(1), why: EndedBy::Gone },
        "the first word stands"
    );
    endpoint.enable();
    assert!(endpoint.wants(succeeded));
}
