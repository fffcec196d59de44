//! One request does it all: absence and its proof, and what an event shows before the answer does.

use super::*;

const ANY: [Class; 4] = [Class::A, Class::B, Class::C, Class::D];

fn search(effect: &mut Effect, policy: &Policy, at: u64) -> State {
    let now = Timestamp(0).plus_ms(at);
    effect.searched_at = Some(now);
    advance(effect, Stimulus::Found(None), policy, now.plus_ms(1), 7);
    effect.state
}

#[test]
fn absence_is_proven_by_a_search_that_began_after_the_quiescence() {
    let policy = Policy::default();
    let quiet_ms = safe_wait_ms(policy.payments.quiescence_ms);
    let mut lost = Effect { last_sent_at: Some(Timestamp(0)), ..charge(Class::A, State::Unknown) };
    assert_eq!(search(&mut lost, &policy, quiet_ms - 1), State::Unknown, "it ended late enough and began too early");
    assert_eq!(lost.due_at, Some(Timestamp(0).plus_ms(quiet_ms)));
    assert_eq!(search(&mut lost, &policy, quiet_ms), State::NotExecuted);
}

#[test]
fn an_error_of_the_gateways_own_is_waited_for_longer_and_so_is_an_answer_nobody_kept() {
    let policy = Policy::default();
    let error_ms = safe_wait_ms(policy.payments.quiescence_after_error_ms);
    let mut answered = Effect { last_sent_at: Some(Timestamp(0)), ..charge(Class::B, State::Sending) };
    advance(&mut answered, answer(Fact::Lost(Loss::ServerError)), &policy, Timestamp(1), 7);
    let mut crashed = Effect { last_sent_at: Some(Timestamp(0)), ..charge(Class::B, State::Sending) };
    recover(&mut crashed, Timestamp(1));
    for mut lost in [answered, crashed] {
        assert_eq!(search(&mut lost, &policy, error_ms - 1), State::Unknown);
        assert_eq!(search(&mut lost, &policy, error_ms), State::NotExecuted);
        renew(&mut lost);
        assert!(!lost.had_server_error, "what is sent next is another request");
    }
}

#[test]
fn money_that_leaves_is_looked_for_twice() {
    let policy = Policy::default();
    let quiet_ms = safe_wait_ms(policy.refunds.quiescence_ms);
    let subject = Subject::Refund(RefundId::from_bytes([5; 16]));
    let mut lost = Effect { subject, last_sent_at: Some(Timestamp(0)), ..charge(Class::A, State::Unknown) };
    assert_eq!(search(&mut lost, &policy, quiet_ms), State::Unknown);
    assert_eq!(search(&mut lost, &policy, 2 * quiet_ms - 1), State::Unknown);
    assert_eq!(search(&mut lost, &policy, 2 * quiet_ms), State::NotExecuted);
}

#[test]
fn what_an_event_shows_is_there_whatever_the_answer_says() {
    let event = || Stimulus::Observed(charged(ObjectStatus::Processing));
    for class in ANY {
        let mut sent = charge(class, State::Sending);
        advance(&mut sent, event(), &Policy::default(), Timestamp(1), 7);
        assert_eq!((sent.state, sent.object_id.as_deref()), (State::Sending, Some("ch_1")));
        let declined = Fact::Declined { decline: decline(), sighting: None };
        for fact in [throttled(), Fact::NotSent, refused(false), declined] {
            check(sent.clone(), answer(fact), "unknown execute 0: moved");
        }
    }
}

#[test]
fn what_counts_as_not_executed_is_not_sent_again_once_an_event_shows_it() {
    for class in [Class::A, Class::B] {
        for state in [State::Intended, State::NotExecuted] {
            let mut absent = charge(class, state);
            let event = Stimulus::Observed(charged(ObjectStatus::Processing));
            advance(&mut absent, event, &Policy::default(), Timestamp(1), 7);
            assert_eq!(next_move(&absent, &Policy::default(), Timestamp(1)), Move::Read, "{class:?} {state:?}");
        }
    }
}

#[test]
fn an_object_of_somebody_else_is_not_adopted() {
    let mut foreign = charged(ObjectStatus::Processing);
    foreign.effect_id = Some(EffectId::from_bytes([9; 16]));
    let unnamed = Sighting { effect_id: None, ..charged(ObjectStatus::Succeeded) };
    for sighting in [foreign, unnamed] {
        check(charge(Class::A, State::Unknown), Stimulus::Observed(sighting), "unknown execute 0: unchanged");
    }
}

/// Sent again under a new key, since nothing of the first was found.
fn second(class: Class, subject: Subject) -> Effect {
    Effect { subject, generation: 1, last_sent_at: Some(Timestamp(0)), ..charge(class, State::Sending) }
}

#[test]
fn a_refusal_of_what_was_sent_before_is_looked_into() {
    let policy = Policy::default();
    let refund = Subject::Refund(RefundId::from_bytes([5; 16]));
    for (class, subject) in [(Class::A, Subject::Payment), (Class::B, Subject::Payment), (Class::A, refund)] {
        for is_replayed in [false, true] {
            let mut refused_second = second(class, subject);
            advance(&mut refused_second, answer(refused(is_replayed)), &policy, Timestamp(1), 7);
            assert_eq!(refused_second.state, State::Unknown, "it may be refused because the first came after all");
            assert_eq!(next_move(&refused_second, &policy, Timestamp(1)), Move::Find);
        }
    }
    check(charge(Class::A, State::Sending), answer(refused(false)), "failed execute 0: failed");
}

#[test]
fn a_refusal_is_believed_once_a_late_search_finds_nothing() {
    let policy = Policy::default();
    let quiet_ms = safe_wait_ms(policy.payments.quiescence_ms);
    let refund = Subject::Refund(RefundId::from_bytes([5; 16]));
    for (subject, proofs) in [(Subject::Payment, 1), (refund, 2)] {
        let mut refused_second = second(Class::A, subject);
        advance(&mut refused_second, answer(refused(false)), &policy, Timestamp(1), 7);
        assert_eq!(search(&mut refused_second, &policy, quiet_ms - 1), State::Unknown);
        for proof in 1..proofs {
            assert_eq!(search(&mut refused_second, &policy, quiet_ms * proof), State::Unknown);
        }
        refused_second.searched_at = Some(Timestamp(0).plus_ms(quiet_ms * proofs));
        let now = Timestamp(0).plus_ms(quiet_ms * proofs + 1);
        let end = advance(&mut refused_second, Stimulus::Found(None), &policy, now, 7);
        let Advance::Failed(decline) = end else { panic!("{end:?}") };
        assert_eq!((refused_second.state, decline.code.as_str()), (State::Failed, "resource_missing"));
    }
}

#[test]
fn a_refused_request_whose_earlier_one_is_found_was_carried_out() {
    let mut refused_second = second(Class::A, Subject::Payment);
    advance(&mut refused_second, answer(refused(false)), &Policy::default(), Timestamp(1), 7);
    let found = Stimulus::Found(Some(charged(ObjectStatus::Succeeded)));
    check(refused_second, found, "succeeded execute 1: succeeded");
}
