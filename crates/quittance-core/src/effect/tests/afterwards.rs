//! Captures that are refused, and money that goes back after its story was over.

use super::*;
use crate::effect::{Move, capture, next_move, ticket};
use crate::fact::Returned;
use crate::id::RefundId;

fn authorised(now: Timestamp) -> Effect {
    let mut effect = effect(State::Sending, Step::Confirm);
    effect.expiry = None;
    let outcome =
        advance(&mut effect, answer(Fact::Seen(seen(ObjectStatus::RequiresCapture))), &Policy::default(), now, 7);
    assert!(matches!(outcome, Advance::Pending { .. }), "{outcome:?}");
    effect
}

#[test]
fn a_refused_capture_does_not_prolong_the_authorisation() {
    let (policy, begun) = (Policy::default(), Timestamp(1));
    let mut effect = authorised(begun);
    let expiry = effect.expiry.expect("it waits for its capture");
    let later = begun.plus_ms(policy.capture_expiry_ms - 1_000);
    capture(&mut effect, 1, &policy, later);
    ticket(&mut effect, later);
    advance(&mut effect, answer(refused(false)), &policy, later, 7);
    let look = Stimulus::Read(Fact::Seen(seen(ObjectStatus::RequiresCapture)));
    let outcome = advance(&mut effect, look, &policy, later, 7);
    assert!(matches!(outcome, Advance::StepRefused { .. }), "{outcome:?}");
    assert_eq!((effect.state, effect.step, effect.capture_amount), (State::Pending, Step::Confirm, None));
    assert_eq!(effect.expiry, Some(expiry));
    assert_eq!(effect.due_at, Some(expiry.at));
}

fn refund(status: ObjectStatus, movement: Option<&str>) -> Stimulus {
    let amount = money().amount;
    let returned = movement.map(|movement| Returned { movement: movement.into(), amount });
    Stimulus::Observed(Sighting {
        kind: ObjectKind::Refund,
        object_id: "re_1".into(),
        parent: Some("pi_1".into()),
        returned,
        ..seen(status)
    })
}

#[test]
fn a_refund_comes_back_once_whatever_the_gateway_calls_it() {
    let mut effect = effect(State::Succeeded, Step::Execute);
    effect.subject = Subject::Refund(RefundId::from_bytes([1; 16]));
    effect.class = Class::A;
    effect.object_id = Some("re_1".into());
    let mut learn = |stimulus| advance(&mut effect, stimulus, &Policy::default(), Timestamp(1), 7);
    let Advance::Returned(first) = learn(refund(ObjectStatus::Failed, None)) else { panic!("it came back") };
    assert_eq!((first.movement.as_str(), first.amount), ("re_1", money().amount));
    assert_eq!(learn(refund(ObjectStatus::Failed, Some("txn_1"))), Advance::Unchanged);
    assert_eq!(learn(refund(ObjectStatus::Failed, None)), Advance::Unchanged);
}

#[test]
fn a_stored_answer_is_not_the_last_word_where_the_object_can_be_read() {
    for (class, expected) in [(Class::A, State::Unknown), (Class::B, State::Unknown), (Class::C, State::Succeeded)] {
        let mut effect = effect(State::Sending, Step::Execute);
        (effect.class, effect.object_id, effect.is_unresolved) = (class, None, true);
        let stored = Sighting { kind: ObjectKind::Charge, object_id: "ch_1".into(), ..seen(ObjectStatus::Succeeded) };
        advance(&mut effect, answer(Fact::Seen(stored.clone())), &Policy::default(), Timestamp(1), 7);
        assert_eq!((effect.state, effect.object_id.as_deref()), (expected, Some("ch_1")));
        if expected == State::Unknown {
            assert_eq!(next_move(&effect, &Policy::default(), Timestamp(1)), Move::Read);
            let look = Stimulus::Read(Fact::Seen(stored));
            advance(&mut effect, look, &Policy::default(), Timestamp(2), 7);
            assert_eq!(effect.state, State::Succeeded);
        }
    }
}
