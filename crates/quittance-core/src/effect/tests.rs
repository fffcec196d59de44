//! The effect machine, cell by cell: what each state and step makes of each answer.

use super::*;
use crate::currency::Currency;
use crate::fact::{Fact, Loss, ObjectKind, ObjectStatus};
use uuid::Uuid;

pub(crate) fn money() -> Money {
    Money::new(1999, Currency::from_code("USD").expect("known currency"))
}

pub(crate) fn effect(state: State, step: Step) -> Effect {
    let object = (step != Step::Create).then(|| "pi_1".to_owned());
    let identity = Identity {
        id: EffectId::from_uuid(Uuid::from_u128(1)),
        book: CustomerId::from_uuid(Uuid::from_u128(2)),
        tenant: TenantId::from_uuid(Uuid::from_u128(3)),
        payment: PaymentId::from_uuid(Uuid::from_u128(4)),
        subject: Subject::Payment,
    };
    Effect {
        state,
        step,
        sends: u32::from(state != State::Intended),
        is_unresolved: state == State::Unknown,
        fence: object.is_some().then_some(Fence { latest_charge: None, error_digest: None }),
        object_id: object,
        after_cancel: (step == Step::Cancel).then(|| AfterCancel::Fail(decline())),
        lease_epoch: 1,
        lease_owner: 1,
        ..Effect::new(identity, Class::P, "stripe".into(), money(), Timestamp(0))
    }
}

fn decline() -> Decline {
    Decline { code: "expired_card".into(), is_retryable: false }
}

pub(crate) fn seen(status: ObjectStatus) -> Sighting {
    let is_over = status == ObjectStatus::Succeeded;
    Sighting {
        kind: ObjectKind::Payment,
        object_id: "pi_1".into(),
        received_amount: if is_over { money().amount } else { 0 },
        latest_charge: is_over.then(|| "ch_1".to_owned()),
        status,
        money: money(),
        error_digest: None,
        decline: None,
        payment_method: Some("pm_1".into()),
        effect_id: None,
        next_action: None,
        parent: None,
        reference: None,
        returned: None,
    }
}

fn answer(fact: Fact) -> Stimulus {
    Stimulus::Answered(fact)
}

fn throttled() -> Fact {
    Fact::Throttled { retry_after_ms: None }
}

fn refused(is_replayed: bool) -> Fact {
    Fact::Refused { code: "resource_missing".into(), is_replayed, sighting: None }
}

/// Applies a stimulus and prints where the effect is then: `state step generation: outcome`.
fn check(mut effect: Effect, stimulus: Stimulus, expected: &str) {
    let described = format!("{} {} + {stimulus:?}", effect.state.name(), effect.step.name());
    let outcome = match advance(&mut effect, stimulus, &Policy::default(), Timestamp(1), 7) {
        Advance::Moved => "moved",
        Advance::Pending { .. } => "pending",
        Advance::Succeeded { .. } => "succeeded",
        Advance::Canceled => "canceled",
        Advance::StepRefused { .. } => "refused",
        Advance::Returned(_) => "returned",
        Advance::Failed(_) => "failed",
        Advance::Review(_) => "review",
        Advance::Unchanged => "unchanged",
        Advance::Contradicted => "contradicted",
    };
    let found = format!("{} {} {}: {outcome}", effect.state.name(), effect.step.name(), effect.generation);
    assert_eq!(found, expected, "{described}");
}

fn sending(step: Step) -> Effect {
    effect(State::Sending, step)
}

/// Sending again after an answer was lost, or a confirm after an earlier one was.
fn resending(step: Step) -> Effect {
    let mut effect = sending(step);
    effect.is_unresolved = step == Step::Create;
    effect.lost_confirms = u32::from(step == Step::Confirm);
    effect
}

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

#[test]
fn events_are_hints_except_success() {
    let event = |status| Stimulus::Observed(seen(status));
    for state in [State::Intended, State::Sending, State::Unknown, State::Pending] {
        check(effect(state, Step::Confirm), event(ObjectStatus::Succeeded), "succeeded confirm 0: succeeded");
    }
    check(sending(Step::Confirm), event(ObjectStatus::Canceled), "sending confirm 0: unchanged");
    let mut waiting = effect(State::Unknown, Step::Confirm);
    waiting.lease_owner = 0;
    check(waiting, event(ObjectStatus::RequiresPaymentMethod), "unknown confirm 0: moved");
    check(sending(Step::Create), event(ObjectStatus::Succeeded), "sending create 0: unchanged");
}

#[test]
fn what_is_terminal_stays_and_contradictions_are_told() {
    let event = |status| Stimulus::Observed(seen(status));
    let ended = |state| effect(state, Step::Confirm);
    check(ended(State::Succeeded), event(ObjectStatus::RequiresPaymentMethod), "succeeded confirm 0: unchanged");
    check(ended(State::Succeeded), event(ObjectStatus::Canceled), "succeeded confirm 0: contradicted");
    check(ended(State::Failed), event(ObjectStatus::Succeeded), "failed confirm 0: contradicted");
    check(ended(State::Review), event(ObjectStatus::Succeeded), "review confirm 0: contradicted");
}

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
fn a_create_whose_replay_is_refused_is_searched_for() {
    let mut lost = resending(Step::Create);
    advance(&mut lost, answer(refused(false)), &Policy::default(), Timestamp(1), 7);
    assert_eq!(next_move(&lost, &Policy::default(), Timestamp(2)), Move::Find);
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
