//! Objects that lost records made: taken where they are certainly the payment's own, and a person's everywhere else.

use super::*;

fn orphan(object: &str, is_inert: bool) -> Orphan {
    Orphan { object: object.into(), is_inert }
}

fn orphans(found: Vec<Orphan>) -> Orphans {
    Orphans { found, is_same_book: true, is_more: false }
}

/// A payment's effect of which nothing was sent.
fn fresh(class: Class) -> Effect {
    let mut effect = charge(class, State::Intended);
    if class == Class::P {
        (effect.step, effect.class) = (Step::Create, Class::P);
    }
    effect
}

fn take(effect: &mut Effect, found: Orphans) -> Advance {
    advance(effect, Stimulus::Orphaned(found), &Policy::default(), Timestamp(1), 7)
}

fn read(effect: &mut Effect, sighting: Sighting) -> Advance {
    advance(effect, Stimulus::Read(Fact::Seen(sighting)), &Policy::default(), Timestamp(2), 7)
}

/// What the gateway shows of an object that another effect made.
fn of_another(kind: ObjectKind, object_id: &str, status: ObjectStatus) -> Sighting {
    let effect_id = Some(EffectId::from_uuid(Uuid::from_u128(99)));
    Sighting { kind, object_id: object_id.into(), effect_id, ..seen(status) }
}

#[test]
fn what_was_paid_is_the_outcome_in_every_class_that_can_be_read() {
    for (class, kind, id) in [
        (Class::P, ObjectKind::Payment, "pi_9"),
        (Class::A, ObjectKind::Charge, "ch_9"),
        (Class::B, ObjectKind::Charge, "ch_9"),
    ] {
        let mut effect = fresh(class);
        assert_eq!(take(&mut effect, orphans(vec![orphan(id, false)])), Advance::Moved);
        assert_eq!((effect.state, effect.object_id.as_deref()), (State::Unknown, Some(id)));
        assert_eq!(next_move(&effect, &Policy::default(), Timestamp(1)), Move::Read, "it is read, and nothing sent");
        let outcome = read(&mut effect, of_another(kind, id, ObjectStatus::Succeeded));
        assert_eq!(outcome, Advance::Succeeded { amount: 1999 }, "{class:?}");
    }
}

#[test]
fn another_amount_is_for_a_person() {
    for (class, kind, id) in [(Class::P, ObjectKind::Payment, "pi_9"), (Class::A, ObjectKind::Charge, "ch_9")] {
        let mut effect = fresh(class);
        take(&mut effect, orphans(vec![orphan(id, false)]));
        let dearer = Money { amount: 2500, ..money() };
        let shown = Sighting { money: dearer, ..of_another(kind, id, ObjectStatus::Succeeded) };
        assert!(matches!(read(&mut effect, shown), Advance::Review(_)), "{class:?}");
        assert_eq!(effect.object_id.as_deref(), Some(id), "whoever decides sees which it is");
    }
}

#[test]
fn what_is_not_certain_is_for_a_person_and_is_never_sent() {
    let one = || vec![orphan("pi_9", false)];
    let several = orphans(vec![orphan("pi_8", true), orphan("pi_9", true)]);
    let elsewhere = Orphans { is_same_book: false, ..orphans(one()) };
    let more = Orphans { is_more: true, ..orphans(one()) };
    let left_over = Orphans { is_more: true, ..orphans(Vec::new()) };
    for found in [several, elsewhere, more, left_over] {
        let mut effect = fresh(Class::P);
        assert!(matches!(take(&mut effect, found.clone()), Advance::Review(_)), "{found:?}");
        assert_eq!((effect.object_id, effect.due_at), (None, None));
    }
    for class in [Class::C, Class::D] {
        let mut effect = fresh(class);
        assert!(matches!(take(&mut effect, orphans(one())), Advance::Review(_)));
        assert_eq!(effect.object_id.as_deref(), Some("pi_9"));
    }
    let mut continued = Effect { step: Step::Confirm, object_id: Some("pi_1".into()), ..fresh(Class::P) };
    assert!(matches!(take(&mut continued, orphans(one())), Advance::Review(_)), "it has an object already");
    assert_eq!(continued.object_id.as_deref(), Some("pi_1"));
}

#[test]
fn one_that_nobody_confirmed_is_confirmed_and_a_lost_confirm_of_it_is_reckoned_with() {
    let mut effect = fresh(Class::P);
    take(&mut effect, orphans(vec![orphan("pi_9", true)]));
    read(&mut effect, of_another(ObjectKind::Payment, "pi_9", ObjectStatus::RequiresConfirmation));
    assert_eq!(next_move(&effect, &Policy::default(), Timestamp(2)), Move::Send(Step::Confirm));
    ticket(&mut effect, Timestamp(2));
    let declined = Fact::Declined { decline: decline(), sighting: None };
    assert_eq!(advance(&mut effect, answer(declined), &Policy::default(), Timestamp(3), 7), Advance::Moved);
    assert_eq!((effect.step, effect.after_cancel), (Step::Cancel, Some(AfterCancel::Fail(decline()))));
}

#[test]
fn it_is_looked_before_each_request_that_can_charge_first_and_before_no_other() {
    for (class, step) in [(Class::P, Step::Create), (Class::A, Step::Execute)] {
        let effect = fresh(class);
        assert!(is_before_charge(&effect, Move::Send(step)));
        assert!(is_before_charge(&effect, Move::SendAfresh(step)), "searched for before it was ever sent");
        assert!(!is_before_charge(&Effect { sends: 1, ..effect.clone() }, Move::Send(step)), "a replay");
        assert!(!is_before_charge(&effect, Move::Find));
    }
    let continued = Effect { step: Step::Confirm, object_id: Some("pi_1".into()), ..fresh(Class::P) };
    assert!(is_before_charge(&continued, Move::Send(Step::Confirm)), "the object of an earlier attempt");
    let own = Effect { last_sent_at: Some(Timestamp(0)), ..continued };
    assert!(!is_before_charge(&own, Move::Send(Step::Confirm)), "it was looked before its create");
    let refund = Effect { subject: Subject::Refund(RefundId::from_bytes([5; 16])), ..fresh(Class::A) };
    assert!(!is_before_charge(&refund, Move::Send(Step::Execute)));
}

#[test]
fn what_was_found_is_told_by_name() {
    let found = orphans(vec![orphan("pi_8", true), orphan("pi_9", true)]);
    assert_eq!(found.word(), "orphaned:pi_8,pi_9");
    assert_eq!(Orphans { is_more: true, ..found }.word(), "orphaned:pi_8,pi_9,…");
}
