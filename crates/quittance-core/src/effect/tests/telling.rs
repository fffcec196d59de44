//! Where reading back is not relied on, events are believed, and what has a name is read as well.

use super::*;

fn told(mut effect: Effect, words: &[ObjectStatus]) -> Effect {
    for word in words {
        advance(&mut effect, Stimulus::Observed(charged(word.clone())), &Policy::default(), Timestamp(1), 7);
    }
    effect
}

fn waiting(effect: &Effect) -> Option<Waiting> {
    effect.expiry.map(|expiry| expiry.waiting)
}

#[test]
fn a_pending_payment_follows_its_events_to_its_end() {
    for class in [Class::C, Class::D] {
        let asks = told(charge(class, State::Pending), &[ObjectStatus::RequiresAction]);
        assert_eq!((asks.state, waiting(&asks)), (State::Pending, None), "that wait was over when it became pending");
        let asks = told(charge(class, State::Unknown), &[ObjectStatus::RequiresAction]);
        assert_eq!((asks.state, waiting(&asks)), (State::Pending, Some(Waiting::Action)));
        let authorised = told(asks, &[ObjectStatus::RequiresCapture]);
        assert_eq!((authorised.state, waiting(&authorised)), (State::Pending, Some(Waiting::Capture)));
        let ends = [
            (ObjectStatus::Succeeded, State::Succeeded),
            (ObjectStatus::Failed, State::Failed),
            (ObjectStatus::Canceled, State::Canceled),
        ];
        for (word, state) in ends {
            assert_eq!(told(authorised.clone(), &[word]).state, state);
        }
    }
}

#[test]
fn an_event_that_comes_late_does_not_take_it_back() {
    let authorised = told(charge(Class::D, State::Unknown), &[ObjectStatus::RequiresCapture]);
    for late in [ObjectStatus::RequiresAction, ObjectStatus::Processing] {
        assert_eq!(told(authorised.clone(), &[late]), authorised);
    }
}

#[test]
fn what_is_known_by_its_id_is_read_however_little_is_offered() {
    let policy = Policy::default();
    for class in [Class::C, Class::D] {
        let pending = told(charge(class, State::Unknown), &[ObjectStatus::Processing]);
        assert_eq!(pending.due_at, Some(Timestamp(1).plus_ms(policy.pending_poll_ms)));
        assert_eq!(next_move(&pending, &policy, Timestamp(1)), Move::Read);
        let free = Effect { lease_owner: 0, ..pending };
        assert_eq!(told(free, &[ObjectStatus::Unrecognised("new".into())]).due_at, Some(Timestamp(1)), "it is read");
        for step in [Step::Capture, Step::Cancel, Step::Execute] {
            let lost = Effect { step, object_id: Some("ch_1".into()), ..charge(class, State::Unknown) };
            assert_eq!(next_move(&lost, &policy, Timestamp(1)), Move::Read, "{step:?}");
        }
        let lost = Effect { needs_find: true, ..charge(class, State::Unknown) };
        assert_eq!(next_move(&lost, &policy, Timestamp(1)), Move::AskPerson, "it has no name to be read by");
    }
}

#[test]
fn a_gateway_that_shows_nothing_has_days_to_tell_by_its_events() {
    let policy = Policy::default();
    for class in [Class::C, Class::D] {
        let (mut pending, mut now) = (charge(class, State::Pending), Timestamp(0));
        while pending.state == State::Pending {
            advance(&mut pending, Stimulus::Read(Fact::Absent), &policy, now, 7);
            now = pending.due_at.unwrap_or(now);
        }
        let days = now.ms_since(Timestamp(0)) / (24 * 3_600_000);
        assert_eq!((pending.state, days), (State::Review, 8), "{class:?}");
        let expiry = Some(Expiry { waiting: Waiting::Capture, at: Timestamp(5) });
        let mut waiting = Effect { expiry, ..charge(class, State::Pending) };
        advance(&mut waiting, Stimulus::Read(Fact::Absent), &policy, Timestamp(1), 7);
        assert_eq!(waiting.due_at, Some(Timestamp(5)), "it is given up when its time is up");
    }
}

#[test]
fn the_end_of_a_step_is_told_too() {
    let at = |step, after_cancel| Effect { step, after_cancel, ..charge(Class::D, State::Pending) };
    let word = [ObjectStatus::Canceled];
    assert_eq!(told(at(Step::Cancel, Some(AfterCancel::GiveUp)), &word).state, State::Canceled);
    assert_eq!(told(at(Step::Capture, None), &word).state, State::Canceled);
    assert_eq!(told(at(Step::Capture, None), &[ObjectStatus::Failed]).state, State::Failed);
}
