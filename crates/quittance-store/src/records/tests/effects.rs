//! Effects with every word that their fields can have.

use super::*;
use quittance_core::effect::{AfterCancel, Asked, Class, Effect, Expiry, Fence, Joined, State, Step, Subject, Waiting};

pub(super) fn effect() -> Effect {
    Effect {
        id: EffectId::from_bytes(bytes(3)),
        book: CustomerId::from_bytes(bytes(4)),
        tenant: TenantId::from_bytes(bytes(9)),
        payment: payment_id(),
        subject: Subject::Refund(refund_id()),
        class: Class::A,
        gateway: "stripe".into(),
        money: Money::new(1999, usd()),
        state: State::Unknown,
        step: Step::Cancel,
        generation: 2,
        sends: 1,
        lost_confirms: 3,
        is_unresolved: true,
        needs_find: false,
        object_id: Some("pi_1".into()),
        fence: Some(Fence { latest_charge: Some("ch_1".into()), error_digest: Some([9; 32]) }),
        names_method: true,
        refusal: Some("resource_missing".into()),
        after_cancel: Some(AfterCancel::Fail(decline())),
        is_fenced: true,
        tries: 4,
        puzzles: 1,
        joined: vec![joined(6, Asked::Existing), joined(7, Asked::Capture), joined(8, Asked::Cancel)],
        submissions_before: Some(2),
        capture_amount: Some(700),
        received_amount: Some(600),
        wants_cancel: true,
        expiry: Some(Expiry { waiting: Waiting::Capture, at: Timestamp(9_000_000) }),
        had_server_error: true,
        searched_at: Some(Timestamp(4_000_000)),
        absent_at: Some(Timestamp(5_000_000)),
        parked_by: Some(Limit::RetryShare),
        returned: Some("txn_1".into()),
        is_paid: true,
        first_sent_at: Some(Timestamp(1_000_000)),
        last_sent_at: Some(Timestamp(2_000_000)),
        era: 3,
        doubted_at: Some(Timestamp(1_500_000)),
        due_at: Some(Timestamp(3_000_000)),
        lease_epoch: 6,
        lease_owner: 7,
        created_at: Timestamp(500_000),
    }
}

/// Effects that differ from [`effect`] wherever a field has other words.
pub(super) fn effects() -> Vec<(&'static str, Effect)> {
    let dispute = Effect {
        subject: Subject::Dispute(dispute_id()),
        class: Class::D,
        after_cancel: Some(AfterCancel::GiveUp),
        expiry: Some(Expiry { waiting: Waiting::Action, at: Timestamp(9_000_000) }),
        ..effect()
    };
    let payment =
        Effect { subject: Subject::Payment, class: Class::P, after_cancel: Some(AfterCancel::Expire), ..effect() };
    let replacing = Effect { after_cancel: Some(AfterCancel::Replace), ..payment.clone() };
    vec![
        ("effect", effect()),
        ("effect.dispute", dispute),
        ("effect.payment", payment),
        ("effect.payment.replacing", replacing),
    ]
}

fn joined(last: u8, asked: Asked) -> Joined {
    Joined { command: CommandId::from_bytes(bytes(last)), asked }
}
