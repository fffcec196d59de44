//! Taking what is authorised, giving it up in time, and money that goes back afterwards.

use super::*;

fn authorised() -> Effect {
    let mut effect = effect(State::Unknown, Step::Confirm);
    let read = Stimulus::Read(Fact::Seen(seen(ObjectStatus::RequiresCapture)));
    advance(&mut effect, read, &Policy::default(), Timestamp(0), 7);
    effect
}

/// A capture of so much that is under way.
fn capturing(amount: i64) -> Effect {
    let mut effect = authorised();
    capture(&mut effect, amount, &Policy::default(), Timestamp(0));
    ticket(&mut effect, Timestamp(0));
    effect
}

fn received(amount: i64) -> Sighting {
    Sighting { received_amount: amount, ..seen(ObjectStatus::Succeeded) }
}

#[test]
fn a_part_is_taken_and_nothing_else_is_believed() {
    check(capturing(300), answer(Fact::Seen(received(300))), "succeeded capture 1: succeeded");
    check(capturing(300), answer(Fact::Seen(received(1999))), "review capture 1: review");
    check(capturing(300), answer(Fact::Seen(seen(ObjectStatus::Processing))), "pending capture 1: pending");
    check(capturing(300), answer(Fact::Seen(seen(ObjectStatus::Canceled))), "canceled capture 1: canceled");
    check(capturing(300), answer(Fact::Seen(seen(ObjectStatus::RequiresCapture))), "unknown capture 1: moved");
}

#[test]
fn a_capture_that_comes_to_nothing_fails_the_payment() {
    let over = || answer(Fact::Seen(seen(ObjectStatus::RequiresPaymentMethod)));
    check(capturing(300), over(), "failed capture 1: failed");
    let doubtful = Effect { lost_confirms: 1, ..capturing(300) };
    check(doubtful, over(), "intended cancel 2: moved");
}

#[test]
fn a_refused_capture_steps_back_unless_an_earlier_one_may_still_arrive() {
    let policy = Policy::default();
    let read = || Stimulus::Read(Fact::Seen(seen(ObjectStatus::RequiresCapture)));
    let mut refused_once = capturing(300);
    advance(&mut refused_once, answer(refused(false)), &policy, Timestamp(1), 7);
    check(refused_once, read(), "pending confirm 2: refused");
    let mut lost = capturing(300);
    advance(&mut lost, answer(Fact::Lost(Loss::ServerError)), &policy, Timestamp(1), 7);
    advance(&mut lost, read(), &policy, Timestamp(2), 7);
    ticket(&mut lost, Timestamp(3));
    advance(&mut lost, answer(refused(false)), &policy, Timestamp(4), 7);
    advance(&mut lost, read(), &policy, Timestamp(5), 7);
    assert_eq!((lost.state, lost.step), (State::Unknown, Step::Capture), "the first may still be rolled forward");
    let settled_at = Timestamp(3).plus_ms(safe_wait_ms(policy.payments.quiescence_after_error_ms));
    assert!(matches!(advance(&mut lost, read(), &policy, settled_at, 7), Advance::StepRefused { .. }));
}

#[test]
fn what_nobody_captures_is_given_up_and_what_is_being_captured_is_not() {
    let policy = Policy::default();
    let over = Timestamp(0).plus_ms(policy.capture_expiry_ms);
    let mut waits = authorised();
    assert!(!expire(&mut waits, &policy, Timestamp(over.0 - 1)));
    assert!(expire(&mut waits, &policy, over));
    assert_eq!((waits.state, waits.step), (State::Intended, Step::Cancel));
    let mut taken = capturing(300);
    advance(&mut taken, answer(Fact::Seen(seen(ObjectStatus::Processing))), &policy, Timestamp(1), 7);
    assert!(!expire(&mut taken, &policy, over.plus_ms(1)));
}

#[test]
fn a_refund_is_owed_however_long_its_customer_takes() {
    let policy = Policy::default();
    let subject = Subject::Refund(RefundId::from_bytes([5; 16]));
    let mut refund = Effect { subject, ..charge(Class::A, State::Unknown) };
    let shows = Sighting { kind: ObjectKind::Refund, ..charged(ObjectStatus::RequiresAction) };
    advance(&mut refund, Stimulus::Found(Some(shows)), &policy, Timestamp(0), 7);
    assert_eq!((refund.state, refund.expiry), (State::Pending, None));
    assert!(!expire(&mut refund, &policy, Timestamp(i64::MAX)));
}

#[test]
fn what_went_back_is_booked_once_whatever_it_is_called() {
    let back = |movement: &str| Returned { movement: movement.into(), amount: 1999 };
    let failed = |returned| Sighting { returned, ..charged(ObjectStatus::Failed) };
    for (first, second) in [(None, Some(back("txn_1"))), (Some(back("txn_1")), None)] {
        let mut effect = Effect { object_id: Some("ch_1".into()), ..charge(Class::A, State::Succeeded) };
        let learned = judge_afterwards(&mut effect, &Stimulus::Observed(failed(first)));
        assert!(matches!(learned, Advance::Returned(_)), "{learned:?}");
        assert_eq!(judge_afterwards(&mut effect, &Stimulus::Observed(failed(second))), Advance::Unchanged);
    }
}

#[test]
fn only_what_was_taken_goes_back() {
    let mut taken = charge(Class::A, State::Succeeded);
    (taken.object_id, taken.capture_amount) = (Some("ch_1".into()), Some(300));
    let learned = judge_afterwards(&mut taken, &Stimulus::Observed(charged(ObjectStatus::Failed)));
    assert_eq!(learned, Advance::Returned(Returned { movement: "ch_1".into(), amount: 300 }));
}

#[test]
fn a_confirm_answered_with_nonsense_counts_as_lost() {
    let mut puzzled = sending(Step::Confirm);
    let nonsense = answer(Fact::Seen(seen(ObjectStatus::RequiresConfirmation)));
    advance(&mut puzzled, nonsense, &Policy::default(), Timestamp(1), 7);
    assert_eq!((puzzled.state, puzzled.lost_confirms), (State::Unknown, 1));
}
