//! Where nothing can be read, events are the only word there is.

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
fn nothing_is_looked_at_where_nothing_can_be_read() {
    for class in [Class::C, Class::D] {
        let pending = told(charge(class, State::Unknown), &[ObjectStatus::Processing]);
        assert_eq!((pending.due_at, pending.lease_owner), (None, 0), "it waits for an event");
        let puzzled = told(pending, &[ObjectStatus::Unrecognised("new".into())]);
        assert_eq!((puzzled.state, puzzled.due_at), (State::Pending, None));
        let capturing = Effect { step: Step::Capture, due_at: None, lease_owner: 0, ..charge(class, State::Pending) };
        assert_eq!(told(capturing, &[ObjectStatus::Processing]).due_at, None);
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
