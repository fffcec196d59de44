//! Accepting a payment and learning about it.

use super::*;

#[test]
fn a_payment_is_held_then_posted_once_and_the_journal_says_the_same() {
    let mut book = book(500);
    assert_eq!(book.balance(), (0, 500));
    assert!(!book.learn(created(500)).is_answered);
    let done = book.learn(Stimulus::Answered(Fact::Seen(seen(ObjectStatus::Succeeded, 500))));
    assert!(done.is_answered);
    assert_eq!(done.closing, Some(Closing::Posted));
    assert_eq!(book.balance(), (500, 0));
    let again = book.learn(Stimulus::Observed(seen(ObjectStatus::Succeeded, 500)));
    assert_eq!((again.closing, again.is_answered), (None, false));
    let replay = book.replayed().expect("a possible history");
    assert_eq!(replay.balances, book.balances);
    assert_eq!(replay.payments[&book.newest.payment.id].captured_amount, 500);
}

#[test]
fn a_decline_lets_the_hold_go_and_the_next_attempt_uses_the_same_object() {
    let mut book = book(500);
    book.learn(created(500));
    let failed = book.learn(declined());
    assert_eq!(failed.closing, Some(Closing::Voided));
    assert_eq!((book.balance(), book.newest.payment.status), ((0, 0), Status::Failed));
    let next = create_payment(
        asked(500),
        &customer(),
        Some(&book.newest),
        &mut book.balances,
        Class::P,
        ids(20),
        Timestamp(3),
    );
    let Ok(Accepted::New(next)) = next else { panic!("{next:?}") };
    let effect = next.effect;
    assert_eq!((effect.step, effect.object_id.as_deref(), effect.fence), (Step::Confirm, Some("pi_1"), None));
    let dearer = create_payment(
        asked(900),
        &customer(),
        Some(&book.newest),
        &mut book.balances,
        Class::P,
        ids(30),
        Timestamp(3),
    );
    let Ok(Accepted::New(dearer)) = dearer else { panic!("{dearer:?}") };
    assert_eq!(dearer.effect.step, Step::Cancel, "an object for another amount is fenced first");
}

#[test]
fn while_an_outcome_is_unknown_the_reference_is_taken() {
    let mut book = book(500);
    book.learn(created(500));
    book.learn(Stimulus::Answered(Fact::Lost(Loss::Timeout)));
    assert_eq!(book.newest.payment.status, Status::Unknown);
    let before = book.balances.clone();
    let second = create_payment(
        asked(500),
        &customer(),
        Some(&book.newest),
        &mut book.balances,
        Class::P,
        ids(20),
        Timestamp(3),
    );
    assert!(matches!(second, Err(Rejection::DuplicateIntent { .. })), "{second:?}");
    assert_eq!(book.balances, before);
}

#[test]
fn a_payment_of_another_amount_is_never_returned_as_the_existing_one() {
    let mut book = book(500);
    let mut ask = |amount| {
        let asked = CreatePayment { on_duplicate: OnDuplicate::ReturnExisting, ..asked(amount) };
        create_payment(asked, &customer(), Some(&book.newest), &mut book.balances, Class::P, ids(20), Timestamp(3))
    };
    assert!(matches!(ask(500), Ok(Accepted::Existing)));
    assert!(matches!(ask(501), Err(Rejection::DuplicateIntent { .. })));
}

#[test]
fn a_hold_that_could_not_be_posted_later_is_refused_now() {
    let mut book = book(i64::MAX);
    let mut other = asked(1);
    other.reference = "order-2".into();
    let refused = create_payment(other, &customer(), None, &mut book.balances, Class::P, ids(20), Timestamp(3));
    assert!(matches!(refused, Err(Rejection::BookFull)), "{refused:?}");
}

#[test]
fn a_lost_lease_makes_a_confirm_unknown() {
    let mut book = book(500);
    book.learn(created(500));
    let Previous { payment, effect } = &mut book.newest;
    ticket(effect, Timestamp(2));
    let record = learn_of_lost_lease(effect, payment, Timestamp(3));
    assert!(matches!(record, Record::EffectAdvanced(_)));
    assert_eq!((effect.state, payment.status), (State::Unknown, Status::Unknown));
}

#[test]
fn impossible_histories_are_refused() {
    let mut sound = book(500);
    sound.learn(created(500));
    sound.learn(Stimulus::Answered(Fact::Seen(seen(ObjectStatus::Succeeded, 500))));
    let check = |change: &dyn Fn(&mut Vec<Record>)| {
        let mut journal = sound.journal.clone();
        change(&mut journal);
        let mut replay = Replay::default();
        journal.iter().try_for_each(|record| replay.apply(record)).expect_err("impossible")
    };
    assert_eq!(check(&|journal| drop(journal.remove(0))), ReplayError::Opening);
    let twice = check(&|journal| journal.push(journal[journal.len() - 1].clone()));
    assert!(matches!(twice, ReplayError::NotOpen(_)), "{twice:?}");
    let accepted_twice = check(&|journal| journal.insert(2, journal[1].clone()));
    assert!(matches!(accepted_twice, ReplayError::Twice(_)), "{accepted_twice:?}");
    let unheard = check(&|journal| drop(journal.remove(1)));
    assert!(matches!(unheard, ReplayError::Unheard(_)), "{unheard:?}");
}
