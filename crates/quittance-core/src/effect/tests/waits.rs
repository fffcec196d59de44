//! Answers that do not agree or make no sense, and how long is waited.

use super::*;

#[test]
fn an_outage_never_ends_in_review_and_nonsense_does() {
    let tired = || {
        let mut effect = effect(State::Unknown, Step::Confirm);
        effect.lost_confirms = 1;
        effect.tries = 10 * Policy::default().tries_max;
        effect.puzzles = Policy::default().tries_max;
        effect
    };
    let outages = [Loss::Timeout, Loss::Reset, Loss::ServerError, Loss::Unavailable, Loss::Unclear].map(Fact::Lost);
    for fact in outages.into_iter().chain([Fact::NotSent, Fact::Unauthorised, throttled()]) {
        check(tired(), Stimulus::Read(fact), "unknown confirm 0: moved");
    }
    let after = Stimulus::Read(Fact::Seen(seen(ObjectStatus::RequiresConfirmation)));
    check(tired(), after, "intended confirm 1: moved");
    for fact in [Fact::Absent, Fact::Lost(Loss::Unreadable)] {
        check(tired(), Stimulus::Read(fact), "review confirm 0: review");
    }
}

#[test]
fn an_answer_that_is_none_is_read_after_a_wait_and_ends_with_a_person() {
    let policy = Policy::default();
    for (step, status) in [
        (Step::Confirm, ObjectStatus::RequiresConfirmation),
        (Step::Confirm, ObjectStatus::RequiresPaymentMethod),
        (Step::Confirm, ObjectStatus::Unrecognised("new".into())),
        (Step::Cancel, ObjectStatus::RequiresConfirmation),
        (Step::Cancel, ObjectStatus::Unrecognised("new".into())),
    ] {
        let mut effect = sending(step);
        let mut rounds = 0;
        while !effect.state.is_terminal() {
            let outcome = advance(&mut effect, answer(Fact::Seen(seen(status.clone()))), &policy, Timestamp(0), 7);
            assert!(effect.state.is_terminal() || effect.due_at > Some(Timestamp(0)), "no hot loop: {outcome:?}");
            effect.state = if effect.state.is_terminal() { effect.state } else { State::Sending };
            rounds += 1;
            assert!(rounds <= policy.tries_max + 1, "{step:?} {status:?} never ends");
        }
        assert_eq!(effect.state, State::Review, "{step:?} {status:?}");
    }
}

#[test]
fn a_pending_object_is_read_less_and_less_often() {
    let policy = Policy::default();
    let mut waiting = effect(State::Unknown, Step::Confirm);
    let mut waits = Vec::new();
    for _ in 0..12 {
        let read = Stimulus::Read(Fact::Seen(seen(ObjectStatus::RequiresAction)));
        advance(&mut waiting, read, &policy, Timestamp(0), 7);
        waits.push(waiting.due_at.expect("it stays due").ms_since(Timestamp(0)));
    }
    assert_eq!(waits[..3], [60_000, 120_000, 240_000]);
    assert_eq!(waits[11], 3_600_000);
}

#[test]
fn backoff_stays_between_its_bounds() {
    let policy = Policy::default();
    for tries in 0..40 {
        for dice in [0, 1, u64::MAX / 2, u64::MAX] {
            let wait = policy.backoff_ms(tries, dice);
            assert!((250..=60_000).contains(&wait), "{tries} {dice} {wait}");
        }
    }
}

#[test]
fn money_that_does_not_agree_is_for_a_person() {
    let mut other = seen(ObjectStatus::Succeeded);
    other.received_amount = 1;
    check(sending(Step::Confirm), answer(Fact::Seen(other)), "review confirm 0: review");
    let mut foreign = seen(ObjectStatus::RequiresConfirmation);
    foreign.effect_id = Some(EffectId::from_uuid(Uuid::from_u128(99)));
    check(sending(Step::Create), answer(Fact::Seen(foreign)), "review create 0: review");
}

#[test]
fn an_object_of_another_name_is_no_answer() {
    let mut other = seen(ObjectStatus::Succeeded);
    other.object_id = "pi_2".into();
    check(sending(Step::Confirm), answer(Fact::Seen(other.clone())), "unknown confirm 0: moved");
    check(effect(State::Unknown, Step::Confirm), Stimulus::Read(Fact::Seen(other)), "unknown confirm 0: moved");
}
