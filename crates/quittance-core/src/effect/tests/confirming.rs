//! Confirming, and canceling what a lost confirm may still charge.

use super::*;

#[test]
fn a_confirm_that_is_answered() {
    let confirm = || sending(Step::Confirm);
    let of = |status| answer(Fact::Seen(seen(status)));
    check(confirm(), of(ObjectStatus::Succeeded), "succeeded confirm 0: succeeded");
    check(confirm(), of(ObjectStatus::Processing), "pending confirm 0: pending");
    check(confirm(), of(ObjectStatus::RequiresAction), "pending confirm 0: pending");
    check(confirm(), of(ObjectStatus::RequiresCapture), "pending confirm 0: pending");
    check(confirm(), of(ObjectStatus::Canceled), "failed confirm 0: failed");
    check(confirm(), of(ObjectStatus::Unrecognised("new".into())), "unknown confirm 0: moved");
    check(confirm(), answer(Fact::Declined { decline: decline(), sighting: None }), "failed confirm 0: failed");
    check(confirm(), answer(refused(false)), "failed confirm 0: failed");
    check(confirm(), answer(throttled()), "intended confirm 0: moved");
    check(confirm(), answer(Fact::Lost(Loss::Timeout)), "unknown confirm 0: moved");
    check(confirm(), answer(Fact::InUse), "unknown confirm 0: moved");
    check(confirm(), answer(Fact::KeyMismatch), "review confirm 0: review");
}

#[test]
fn a_failure_after_a_lost_confirm_is_fenced_before_it_is_reported() {
    let decline = Fact::Declined { decline: decline(), sighting: None };
    check(resending(Step::Confirm), answer(decline), "intended cancel 1: moved");
    check(resending(Step::Confirm), answer(refused(false)), "unknown confirm 0: moved");
}

#[test]
fn a_lost_confirm_is_read_back() {
    let lost = || {
        let mut effect = effect(State::Unknown, Step::Confirm);
        effect.lost_confirms = 1;
        effect
    };
    let read = |status| Stimulus::Read(Fact::Seen(seen(status)));
    check(lost(), read(ObjectStatus::Succeeded), "succeeded confirm 0: succeeded");
    check(lost(), read(ObjectStatus::RequiresConfirmation), "intended confirm 1: moved");
    check(lost(), read(ObjectStatus::RequiresPaymentMethod), "intended confirm 1: moved");
    check(lost(), read(ObjectStatus::Processing), "pending confirm 0: pending");
    check(lost(), read(ObjectStatus::Canceled), "failed confirm 0: failed");
    check(lost(), Stimulus::Read(Fact::Lost(Loss::Timeout)), "unknown confirm 0: moved");
    check(lost(), Stimulus::Read(Fact::Absent), "unknown confirm 0: moved");
    let mut declined = seen(ObjectStatus::RequiresPaymentMethod);
    declined.latest_charge = Some("ch_declined".into());
    check(lost(), Stimulus::Read(Fact::Seen(declined)), "intended cancel 1: moved");
}

#[test]
fn a_cancel_proves_which_way_it_went() {
    let read = |status| Stimulus::Read(Fact::Seen(seen(status)));
    let of = |status| answer(Fact::Seen(seen(status)));
    check(sending(Step::Cancel), of(ObjectStatus::Canceled), "failed cancel 0: failed");
    check(sending(Step::Cancel), answer(refused(false)), "unknown cancel 0: moved");
    let unknown = || effect(State::Unknown, Step::Cancel);
    check(unknown(), read(ObjectStatus::Succeeded), "succeeded cancel 0: succeeded");
    check(unknown(), read(ObjectStatus::Canceled), "failed cancel 0: failed");
    check(unknown(), read(ObjectStatus::RequiresConfirmation), "intended cancel 1: moved");
    check(unknown(), read(ObjectStatus::Processing), "pending cancel 0: pending");
}

#[test]
fn a_decline_whose_object_says_otherwise_is_not_believed() {
    let declined = |sighting| answer(Fact::Declined { decline: decline(), sighting: Some(sighting) });
    check(sending(Step::Confirm), declined(seen(ObjectStatus::RequiresPaymentMethod)), "failed confirm 0: failed");
    for status in [ObjectStatus::Processing, ObjectStatus::Succeeded] {
        check(sending(Step::Confirm), declined(seen(status)), "unknown confirm 0: moved");
    }
    let mut other = seen(ObjectStatus::RequiresPaymentMethod);
    other.object_id = "pi_2".into();
    check(sending(Step::Confirm), declined(other), "unknown confirm 0: moved");
}

#[test]
fn a_refusal_without_an_object_is_read_where_it_may_be_about_an_earlier_send() {
    let mut second = sending(Step::Confirm);
    second.sends = 2;
    check(second, answer(refused(false)), "unknown confirm 0: moved");
}

#[test]
fn an_object_taken_over_is_looked_at_before_it_is_confirmed() {
    let policy = Policy::default();
    let mut taken_over = Effect { fence: None, ..effect(State::Intended, Step::Confirm) };
    assert_eq!(next_move(&taken_over, &policy, Timestamp(0)), Move::Read);
    let declined_before =
        Sighting { latest_charge: Some("ch_old".into()), ..seen(ObjectStatus::RequiresPaymentMethod) };
    advance(&mut taken_over, Stimulus::Read(Fact::Seen(declined_before.clone())), &policy, Timestamp(1), 7);
    assert_eq!(next_move(&taken_over, &policy, Timestamp(1)), Move::Send(Step::Confirm));
    ticket(&mut taken_over, Timestamp(2));
    advance(&mut taken_over, answer(Fact::Lost(Loss::Timeout)), &policy, Timestamp(3), 7);
    check(taken_over, Stimulus::Read(Fact::Seen(declined_before)), "intended confirm 1: moved");
}
