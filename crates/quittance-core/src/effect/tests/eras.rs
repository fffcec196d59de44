//! Eras of the clock: what an effect of an earlier one is still known to be.

use super::*;

const HOUR_MS: u64 = 3_600_000;

fn at(hours: u64) -> Timestamp {
    Timestamp(0).plus_ms(hours * HOUR_MS)
}

fn era(number: u32, began_at: Timestamp, dated_since: u32) -> Era {
    Era { number, began_at, dated_since, ahead_ms: 0 }
}

/// A charge of class A that was lost in era 1, an hour ago by its clock.
fn lost(state: State) -> Effect {
    let times = (Some(at(10)), Some(at(11)));
    Effect { era: 1, first_sent_at: times.0, last_sent_at: times.1, ..charge(Class::A, state) }
}

#[test]
fn within_an_era_nothing_is_doubted() {
    for same in [era(1, at(20), 1), era(0, at(20), 0)] {
        let mut effect = lost(State::Unknown);
        enter(&mut effect, &same);
        assert_eq!(effect, lost(State::Unknown));
    }
    let mut ended = lost(State::Succeeded);
    enter(&mut ended, &era(2, at(20), 2));
    assert_eq!(ended, lost(State::Succeeded), "what has ended is not asked about");
}

#[test]
fn after_a_clock_that_went_forward_keys_are_known_and_rest_begins_anew() {
    let mut effect = Effect { absent_at: Some(at(12)), searched_at: Some(at(99)), ..lost(State::Unknown) };
    enter(&mut effect, &era(2, at(20), 1));
    let policy = Policy::default();
    assert_eq!(next_move(&effect, &policy, at(32)), Move::Send(Step::Execute));
    assert_eq!(next_move(&effect, &policy, at(33)), Move::Find, "23 hours after the first send");
    assert_eq!((effect.absent_at, effect.searched_at), (None, Some(at(20))));
    effect.searched_at = Some(at(20).plus_ms(safe_wait_ms(policy.payments.quiescence_ms) - 1));
    advance(&mut effect, Stimulus::Found(None), &policy, at(21), 7);
    assert_eq!(effect.state, State::Unknown, "it was sent when the era began, for all we know");
    effect.searched_at = Some(at(20).plus_ms(safe_wait_ms(policy.payments.quiescence_ms)));
    advance(&mut effect, Stimulus::Found(None), &policy, at(21), 7);
    assert_eq!(effect.state, State::NotExecuted);
}

#[test]
fn after_a_clock_that_went_back_no_key_is_known() {
    for state in [State::Sending, State::Unknown] {
        let mut effect = lost(state);
        // Eras in between count, too.
        enter(&mut effect, &era(4, at(2), 3));
        assert_eq!((effect.first_sent_at, effect.last_sent_at), (None, Some(at(2))), "never later than now");
        if state == State::Sending {
            recover(&mut effect, at(2));
        }
        assert_eq!(next_move(&effect, &Policy::default(), at(2)), Move::Find);
        let mut alone = Effect { class: Class::C, ..effect };
        alone.state = State::Unknown;
        assert_eq!(next_move(&alone, &Policy::default(), at(2)), Move::AskPerson, "what cannot be searched for");
    }
}

#[test]
fn what_was_not_carried_out_has_no_key_to_forget() {
    let mut refused = lost(State::Intended);
    enter(&mut refused, &era(2, at(2), 2));
    assert!(!refused.needs_find);
    assert_eq!(next_move(&refused, &Policy::default(), at(2)), Move::Send(Step::Execute));
    ticket(&mut refused, at(3));
    assert_eq!(refused.first_sent_at, Some(at(3)), "the window begins with the next send");
}

#[test]
fn what_a_backup_may_lack_is_looked_for_where_its_key_may_be_forgotten() {
    let fresh = |class| Effect { era: 1, sends: 0, ..charge(class, State::Intended) };
    let policy = Policy::default();
    for (class, hours, expected) in [
        (Class::A, 22, Move::Send(Step::Execute)),
        (Class::A, 23, Move::Find),
        (Class::C, 23, Move::Send(Step::Execute)),
        (Class::D, 23, Move::Send(Step::Execute)),
    ] {
        let mut effect = fresh(class);
        assert_eq!(next_move(&effect, &policy, at(hours)), Move::Send(Step::Execute), "nobody was away");
        enter(&mut effect, &era(2, at(20), 1));
        assert_eq!(next_move(&effect, &policy, at(hours)), expected, "{class:?} after {hours} h");
    }
    let mut inert = Effect { class: Class::P, ..effect(State::Intended, Step::Create) };
    enter(&mut inert, &era(2, at(20), 1));
    assert_eq!(next_move(&inert, &policy, at(23)), Move::Find);
    advance(&mut inert, Stimulus::Found(None), &policy, at(23), 7);
    assert_eq!(next_move(&inert, &policy, at(23)), Move::Send(Step::Create), "looked for once");
}

#[test]
fn what_a_backup_may_lack_is_absent_only_a_day_after_it_was_restored() {
    let mut effect = Effect { era: 1, sends: 0, ..charge(Class::A, State::Intended) };
    let policy = Policy::default();
    enter(&mut effect, &era(2, at(30), 1));
    effect.searched_at = Some(at(54));
    advance(&mut effect, Stimulus::Found(None), &policy, at(54), 7);
    assert_eq!(effect.state, State::Intended);
    effect.searched_at = Some(at(55));
    advance(&mut effect, Stimulus::Found(None), &policy, at(55), 7);
    assert_eq!(next_move(&effect, &policy, at(55)), Move::SendAfresh(Step::Execute));
}
