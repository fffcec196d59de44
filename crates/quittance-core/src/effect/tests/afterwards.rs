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

/// What each sighting is to a refund that counts as failed, by an object that was or was not known.
#[test]
fn only_its_own_object_all_of_it_and_no_older_answer_shows_that_a_failed_refund_was_paid() {
    let failed = |state, object: Option<&str>| Effect {
        subject: Subject::Refund(RefundId::from_bytes([1; 16])),
        class: Class::A,
        object_id: object.map(str::to_owned),
        ..effect(state, Step::Execute)
    };
    let shows = |status| match refund(status, None) {
        Stimulus::Observed(sighting) => sighting,
        other => panic!("a sighting, not {other:?}"),
    };
    let paid = || shows(ObjectStatus::Succeeded);
    let named = |id| Sighting { effect_id: Some(id), ..paid() };
    let (known, ours) = (failed(State::Failed, Some("re_1")), failed(State::Failed, None));
    let half = Money { amount: money().amount / 2, ..money() };
    let returned = Some(Returned { movement: "txn_1".into(), amount: money().amount });
    let elsewhere = Effect { subject: Subject::Payment, ..known.clone() };
    let charge = Sighting { kind: ObjectKind::Charge, ..paid() };
    for (effect, stimulus, expected) in [
        (&known, Stimulus::Observed(paid()), Advance::Paid),
        (&known, Stimulus::Read(Fact::Seen(paid())), Advance::Paid),
        (&known, Stimulus::Found(Some(paid())), Advance::Paid),
        (&failed(State::Canceled, Some("re_1")), Stimulus::Observed(paid()), Advance::Paid),
        (&ours, Stimulus::Observed(named(ours.id)), Advance::Paid),
        (&known, Stimulus::Answered(Fact::Seen(paid())), Advance::Contradicted),
        (&failed(State::Review, Some("re_1")), Stimulus::Observed(paid()), Advance::Contradicted),
        (&elsewhere, Stimulus::Observed(paid()), Advance::Contradicted),
        (&known, Stimulus::Observed(Sighting { money: half, ..paid() }), Advance::Contradicted),
        (&known, Stimulus::Observed(Sighting { received_amount: 1, ..paid() }), Advance::Contradicted),
        (&known, Stimulus::Observed(Sighting { returned, ..paid() }), Advance::Contradicted),
        (&known, Stimulus::Observed(charge), Advance::Contradicted),
        (&ours, Stimulus::Observed(named(EffectId::from_bytes([9; 16]))), Advance::Contradicted),
        (&known, Stimulus::Observed(Sighting { object_id: "re_2".into(), ..paid() }), Advance::Unchanged),
        (&known, Stimulus::Observed(shows(ObjectStatus::Failed)), Advance::Unchanged),
        (&known, Stimulus::Observed(shows(ObjectStatus::Processing)), Advance::Unchanged),
    ] {
        let mut effect = effect.clone();
        let state = effect.state;
        assert_eq!(judge_afterwards(&mut effect, &stimulus), expected, "{} {stimulus:?}", state.name());
        assert_eq!((effect.state, effect.is_paid), (state, expected == Advance::Paid));
        if expected == Advance::Paid {
            assert_eq!(effect.object_id.as_deref(), Some("re_1"));
            assert_eq!(judge_afterwards(&mut effect, &stimulus), Advance::Unchanged, "once");
        }
    }
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
