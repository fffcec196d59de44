//! Making the inert object: its answers, its replays, and looking for what a lost one made.

use super::*;

#[test]
fn a_create_that_is_answered() {
    let create = || sending(Step::Create);
    check(create(), answer(Fact::Seen(seen(ObjectStatus::RequiresConfirmation))), "intended confirm 1: moved");
    check(create(), answer(Fact::Declined { decline: decline(), sighting: None }), "failed create 0: failed");
    check(create(), answer(refused(false)), "failed create 0: failed");
    check(create(), answer(throttled()), "intended create 0: moved");
    check(create(), answer(Fact::Unauthorised), "intended create 0: moved");
    check(create(), answer(Fact::NotSent), "intended create 0: moved");
    check(create(), answer(Fact::InUse), "unknown create 0: moved");
    check(create(), answer(Fact::KeyMismatch), "review create 0: review");
    for loss in [Loss::Timeout, Loss::Reset, Loss::ServerError, Loss::Unavailable, Loss::Unclear, Loss::Unreadable] {
        check(create(), answer(Fact::Lost(loss)), "unknown create 0: moved");
    }
}

#[test]
fn a_replayed_create_learns_nothing_from_what_runs_before_the_key_is_looked_up() {
    for fact in [refused(false), throttled(), Fact::Unauthorised, Fact::NotSent] {
        check(resending(Step::Create), answer(fact), "unknown create 0: moved");
    }
    check(resending(Step::Create), answer(refused(true)), "failed create 0: failed");
}

#[test]
fn a_search_for_a_lost_create_adopts_or_makes_another() {
    let mut lost = effect(State::Unknown, Step::Create);
    lost.needs_find = true;
    assert_eq!(next_move(&lost, &Policy::default(), Timestamp(0)), Move::Find);
    let found = Stimulus::Found(Some(seen(ObjectStatus::RequiresConfirmation)));
    check(lost.clone(), found, "intended confirm 1: moved");
    check(lost.clone(), Stimulus::Found(None), "intended create 1: moved");
    check(lost.clone(), Stimulus::FindFailed(throttled()), "unknown create 0: moved");
    check(lost, Stimulus::FindFailed(Fact::Lost(Loss::Unclear)), "intended create 1: moved");
}

#[test]
fn a_key_that_may_be_forgotten_is_not_replayed() {
    let policy = Policy::default();
    let mut lost = effect(State::Unknown, Step::Create);
    lost.first_sent_at = Some(Timestamp(0));
    let later = Timestamp(0).plus_ms(policy.payments.key_window_ms());
    assert_eq!(next_move(&lost, &policy, Timestamp(1)), Move::Send(Step::Create));
    assert_eq!(next_move(&lost, &policy, later), Move::Find);
}

#[test]
fn a_create_whose_replay_is_refused_is_searched_for() {
    let mut lost = resending(Step::Create);
    advance(&mut lost, answer(refused(false)), &Policy::default(), Timestamp(1), 7);
    assert_eq!(next_move(&lost, &Policy::default(), Timestamp(2)), Move::Find);
}
