//! What becomes of a delivery, attempt by attempt.

use super::endpoints::endpoint;
use crate::event::{
    ATTEMPTS_KEPT, Attempt, Delivery, DeliveryState, EndedBy, EndpointState, FAILING_MS_MAX, Learned, Replayed,
    SCHEDULE_MS, WAIT_MS_MAX, learn,
};
use crate::id::{EndpointId, EventId, TenantId};
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

fn delivery() -> Delivery {
    let (endpoint, event) = (EndpointId::from_bytes([1; 16]), EventId::from_bytes([2; 16]));
    Delivery::new(TenantId::from_bytes([3; 16]), endpoint, event, NOW)
}

fn answered(status: u16) -> Attempt {
    Attempt { at: NOW, took_ms: 5, status: Some(status), error: None }
}

fn lost() -> Attempt {
    Attempt { status: None, error: Some("refused".into()), ..answered(0) }
}

#[test]
fn only_a_2xx_is_delivered() {
    for (attempt, is_taken) in [
        (answered(200), true),
        (answered(204), true),
        (answered(299), true),
        (answered(199), false),
        (answered(301), false),
        (answered(400), false),
        (answered(410), false),
        (answered(500), false),
        (lost(), false),
    ] {
        let (mut delivery, mut endpoint) = (delivery(), endpoint());
        learn(&mut delivery, &mut endpoint, attempt.clone(), NOW, 0);
        assert_eq!(delivery.state == DeliveryState::Delivered, is_taken, "{attempt:?}");
        assert_eq!(delivery.due_at.is_none(), is_taken, "{attempt:?}");
        assert_eq!(endpoint.failing_since.is_none(), is_taken, "{attempt:?}");
    }
}

#[test]
fn attempts_follow_the_schedule_and_then_it_has_failed() {
    for dice in [0, 7, u64::MAX] {
        let (mut delivery, mut endpoint) = (delivery(), endpoint());
        for wait_ms in &SCHEDULE_MS[1..] {
            learn(&mut delivery, &mut endpoint, answered(500), NOW, dice);
            let waits_ms = delivery.due_at.expect("it is tried again").ms_since(NOW);
            assert!((wait_ms * 9 / 10..=wait_ms * 11 / 10).contains(&waits_ms), "{waits_ms} of {wait_ms}");
            assert!(waits_ms <= WAIT_MS_MAX);
            assert_eq!(delivery.state, DeliveryState::Pending);
        }
        learn(&mut delivery, &mut endpoint, answered(500), NOW, dice);
        assert_eq!((delivery.state, delivery.due_at), (DeliveryState::Failed, None));
        assert_eq!(delivery.attempts.len(), SCHEDULE_MS.len());
    }
}

#[test]
fn a_replay_begins_anew_and_keeps_the_newest_attempts() {
    let (mut delivery, mut endpoint) = (delivery(), endpoint());
    for round in 0..3 {
        for _ in 0..SCHEDULE_MS.len() {
            learn(&mut delivery, &mut endpoint, lost(), NOW, 0);
        }
        assert_eq!(delivery.state, DeliveryState::Failed, "round {round}");
        let epoch = delivery.lease_epoch;
        delivery.replay(Replayed { by: "key_1".into(), reason: "it was down".into(), at: NOW });
        assert_eq!((delivery.state, delivery.due_at), (DeliveryState::Pending, Some(NOW)));
        assert!(delivery.lease_epoch > epoch, "what was under way counts no more");
    }
    assert_eq!(delivery.attempts.len(), ATTEMPTS_KEPT);
    delivery.cancel();
    assert_eq!((delivery.state, delivery.due_at), (DeliveryState::Canceled, None));
}

#[test]
fn an_endpoint_that_is_gone_is_disabled_at_once() {
    let (mut delivery, mut endpoint) = (delivery(), endpoint());
    assert_eq!(learn(&mut delivery, &mut endpoint, answered(410), NOW, 0), Learned::Disabled);
    assert_eq!(endpoint.state, EndpointState::Disabled { at: NOW, why: EndedBy::Gone });
    assert_eq!(delivery.state, DeliveryState::Pending, "it waits until the endpoint is enabled");
    assert_eq!(learn(&mut delivery, &mut endpoint, answered(410), NOW, 0), Learned::Same);
}

#[test]
fn an_endpoint_that_fails_for_five_days_is_disabled() {
    let (mut one, mut endpoint) = (delivery(), endpoint());
    assert_eq!(learn(&mut one, &mut endpoint, lost(), NOW, 0), Learned::Turned);
    let shortly = NOW.plus_ms(FAILING_MS_MAX - 1);
    assert_eq!(learn(&mut delivery(), &mut endpoint, lost(), shortly, 0), Learned::Same);
    let mut success = endpoint.clone();
    assert_eq!(learn(&mut delivery(), &mut success, answered(200), shortly, 0), Learned::Turned);
    assert_eq!(learn(&mut delivery(), &mut success, lost(), NOW.plus_ms(FAILING_MS_MAX), 0), Learned::Turned);
    assert!(success.is_enabled(), "it counts from the last success");
    assert_eq!(learn(&mut delivery(), &mut endpoint, lost(), NOW.plus_ms(FAILING_MS_MAX), 0), Learned::Disabled);
    endpoint.enable();
    assert_eq!(endpoint.failing_since, None);
}
