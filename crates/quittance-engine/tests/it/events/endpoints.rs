//! Endpoints: made under a key, changed, given new secrets, disabled, deleted.

use super::create;
use crate::world::{World, command, pay, tenant};
use quittance_core::event::{
    DeliveryState, ENDPOINTS_MAX, EndedBy, EndpointState, FAILING_MS_MAX, Kind, Kinds, OVERLAP_MS,
};
use quittance_core::id::EndpointId;
use quittance_engine::submission::{Action, EndpointChange, EndpointTurn, NewSecret, Outcome, Submission};
use std::collections::BTreeSet;

fn change(endpoint: EndpointId, turn: EndpointTurn) -> Submission {
    Submission::ChangeEndpoint(Box::new(EndpointChange { tenant: tenant(), endpoint, turn }))
}

fn rotate(key: &str, endpoint: EndpointId) -> Submission {
    let action = Action::RotateSecret(NewSecret { endpoint, secret: [9; 32], overlap_ms: OVERLAP_MS });
    command(key, 0, "POST /v1/webhook_endpoints/{id}/rotate-secret", action)
}

#[test]
fn an_endpoint_is_made_once_for_a_key_and_there_are_only_so_many() {
    let mut world = World::new();
    let first = world.listen("e0", Kinds::All);
    let Outcome::Replayed(replayed) = world.submit(create("e0", Kinds::All)) else { panic!("a replay") };
    assert_eq!(replayed.subject, Some(first.to_string()));
    for number in 1..ENDPOINTS_MAX {
        world.listen(&format!("e{number}"), Kinds::All);
    }
    let outcome = world.submit(create("one-more", Kinds::All));
    assert!(matches!(&outcome, Outcome::Answered { status: 409, body, .. } if body == b"too-many-endpoints"));
    assert!(matches!(world.submit(change(first, EndpointTurn::Delete)), Outcome::Done));
    world.listen("and-again", Kinds::All);
}

#[test]
fn an_endpoint_is_sent_the_kinds_that_it_wants() {
    let mut world = World::new();
    let kinds = |name| Kinds::These(BTreeSet::from([Kind::from_name(name).expect("a kind")]));
    let one = world.listen("e1", kinds("payment.succeeded"));
    let other = world.listen("e2", kinds("payment.failed"));
    world.submit(pay("k1", "o1").into());
    world.settle();
    let to: Vec<EndpointId> = world.deliveries().iter().map(|one| one.endpoint).collect();
    assert_eq!(to, [one]);
    let update = EndpointTurn::Update { url: None, description: Some("all".into()), kinds: Some(Kinds::All) };
    assert!(matches!(world.submit(change(other, update)), Outcome::Done));
    assert_eq!(world.endpoint(other).description.as_deref(), Some("all"));
    world.submit(pay("k2", "o2").into());
    world.settle();
    let to_other = world.deliveries().iter().filter(|one| one.endpoint == other).count();
    assert_eq!(to_other, 2);
}

#[test]
fn what_waits_for_a_disabled_endpoint_goes_on_when_it_is_enabled() {
    let mut world = World::new();
    let endpoint = world.listen("e", Kinds::All);
    world.submit(pay("k1", "o1").into());
    let disable = || EndpointTurn::Disable { by: "key_1".into(), reason: "moving".into() };
    assert!(matches!(world.submit(change(endpoint, disable())), Outcome::Done));
    let waiting = world.deliveries().len();
    assert_eq!(waiting, 1);
    assert!(world.sending().dispatches.is_empty());
    world.settle();
    assert_eq!(world.deliveries().len(), waiting, "what happens meanwhile is not written down for it");
    assert!(matches!(world.submit(change(endpoint, EndpointTurn::Enable)), Outcome::Done));
    assert_eq!(world.sending().dispatches.len(), waiting);
}

#[test]
fn an_endpoint_that_answers_410_is_disabled_and_one_that_fails_for_days() {
    let mut world = World::new();
    let gone = world.listen("e1", Kinds::All);
    let failing = world.listen("e2", Kinds::All);
    world.submit(pay("k1", "o1").into());
    for dispatch in world.sending().dispatches {
        let status = if dispatch.delivery.endpoint == gone { 410 } else { 500 };
        assert!(matches!(world.answered(&dispatch, status), Outcome::Done));
    }
    let state = world.endpoint(gone).state;
    assert!(matches!(state, EndpointState::Disabled { why: EndedBy::Gone, .. }), "{state:?}");
    world.now = world.now.plus_ms(FAILING_MS_MAX);
    let sending = world.sending();
    assert_eq!(sending.dispatches.len(), 1, "only to the one that is enabled");
    world.answered(&sending.dispatches[0], 500);
    let state = world.endpoint(failing).state;
    assert!(matches!(state, EndpointState::Disabled { why: EndedBy::Failing, .. }), "{state:?}");
}

/// What an address answers says nothing about the one that has taken its place meanwhile.
#[test]
fn an_endpoint_that_has_moved_begins_anew() {
    let mut world = World::new();
    let endpoint = world.listen("e", Kinds::All);
    for number in 0..3 {
        world.submit(pay(&format!("k{number}"), &format!("o{number}")).into());
    }
    let sent = world.sending().dispatches;
    world.answered(&sent[0], 500);
    assert!(world.endpoint(endpoint).failing_since.is_some());
    let moved = EndpointTurn::Update { url: Some("https://example.org/".into()), description: None, kinds: None };
    assert!(matches!(world.submit(change(endpoint, moved)), Outcome::Done));
    assert_eq!(world.endpoint(endpoint).failing_since, None, "it has not failed there");
    assert!(matches!(world.answered(&sent[1], 500), Outcome::Done));
    assert_eq!(world.endpoint(endpoint).failing_since, None, "that was the old address");
    assert!(matches!(world.answered(&sent[2], 410), Outcome::Done));
    assert_eq!(world.endpoint(endpoint).state, EndpointState::Enabled, "gone is the old address");
    assert!(world.deliveries().iter().all(|one| one.tries == 1 && one.state == DeliveryState::Pending));
    world.now = world.now.plus_ms(10_000);
    let again = world.sending().dispatches;
    assert!(again.len() == 3 && again.iter().all(|one| one.url == "https://example.org/"));
}

#[test]
fn no_secret_is_in_what_is_printed() {
    for submission in [create("e", Kinds::All), rotate("r", EndpointId::from_bytes([1; 16]))] {
        let printed = format!("{submission:?}");
        assert!(!printed.contains("7, 7") && !printed.contains("9, 9"), "{printed}");
    }
}

#[test]
fn what_was_to_be_sent_to_a_deleted_endpoint_is_given_up() {
    let mut world = World::new();
    let endpoint = world.listen("e", Kinds::All);
    world.submit(pay("k1", "o1").into());
    assert!(matches!(world.submit(change(endpoint, EndpointTurn::Delete)), Outcome::Done));
    assert!(matches!(world.submit(change(endpoint, EndpointTurn::Enable)), Outcome::Conflict(_)));
    assert!(world.sending().dispatches.is_empty());
    assert!(world.deliveries().iter().all(|one| one.state == DeliveryState::Canceled && one.due_at.is_none()));
}

#[test]
fn a_new_secret_signs_beside_the_old_one_for_a_day() {
    let mut world = World::new();
    let endpoint = world.listen("e", Kinds::All);
    assert!(matches!(world.submit(rotate("r", endpoint)), Outcome::Answered { status: 200, .. }));
    assert!(matches!(world.submit(rotate("r", endpoint)), Outcome::Replayed(_)));
    let unknown = world.submit(rotate("r2", EndpointId::from_bytes([1; 16])));
    assert!(matches!(&unknown, Outcome::Answered { status: 409, body, .. } if body == b"endpoint-not-found"));
    world.submit(pay("k1", "o1").into());
    let sending = world.sending();
    assert_eq!(sending.dispatches[0].keys, [[9; 32], [7; 32]]);
    world.answered(&sending.dispatches[0], 500);
    world.now = world.now.plus_ms(OVERLAP_MS);
    assert_eq!(world.sending().dispatches[0].keys, [[9; 32]]);
}
