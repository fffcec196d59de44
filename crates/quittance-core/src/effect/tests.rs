//! The effect machine, cell by cell: what each state and step makes of each answer.

mod afterwards;
mod capturing;
mod confirming;
mod creating;
mod eras;
mod observing;
mod one_request;
mod orphans;
mod submitting;
mod telling;
mod waits;

use super::*;
use crate::currency::Currency;
use crate::fact::{Decline, Fact, Loss, ObjectKind, ObjectStatus, Returned, Sighting};
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

/// The same at a gateway that does it all in one request; its object is known when it waits.
fn charge(class: Class, state: State) -> Effect {
    let object_id = (state == State::Pending).then(|| "ch_1".to_owned());
    Effect { class, object_id, fence: None, ..effect(state, Step::Execute) }
}

/// What such a gateway shows, with our own id in it.
fn charged(status: ObjectStatus) -> Sighting {
    let effect_id = Some(effect(State::Intended, Step::Create).id);
    Sighting { kind: ObjectKind::Charge, object_id: "ch_1".into(), effect_id, ..seen(status) }
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
        book: None,
        next_action: None,
        parent: None,
        reference: None,
        payment_reference: None,
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
        Advance::Paid => "paid",
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
