//! The rows around one effect: what every command about it needs.

use super::{Context, Wanted, orphans};
use crate::submission::EffectRef;
use crate::working_set::{Miss, WorkingSet};
use quittance_core::customer::Customer;
use quittance_core::dispute::{Dispute, Evidence};
use quittance_core::effect::{Effect, Step, Subject, enter};
use quittance_core::id::{CustomerId, DisputeId, EffectId, PaymentId, RefundId};
use quittance_core::idempotency::Command;
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_core::tenant::Tenant;
use quittance_store::records::{Book, Ticket};
use quittance_store::value::Key;

/// An effect with its surroundings.
pub(super) struct EffectRows {
    pub(super) effect: Effect,
    pub(super) payment: Payment,
    pub(super) customer: Customer,
    pub(super) tenant: Tenant,
    pub(super) book: Book,
    /// The refund that the effect carries out, if it does.
    pub(super) refund: Option<Refund>,
    /// The dispute that the effect answers, if it does.
    pub(super) dispute: Option<Dispute>,
    /// What it answers it with.
    pub(super) evidence: Option<Evidence>,
}

pub(super) fn effect_place(book: CustomerId, effect: EffectId) -> Key {
    vec![book.bytes().into(), effect.bytes().into()]
}

pub(super) fn payment_place(book: CustomerId, payment: PaymentId) -> Key {
    vec![book.bytes().into(), payment.bytes().into()]
}

pub(super) fn refund_place(book: CustomerId, refund: RefundId) -> Key {
    vec![book.bytes().into(), refund.bytes().into()]
}

pub(super) fn dispute_place(book: CustomerId, dispute: DisputeId) -> Key {
    vec![book.bytes().into(), dispute.bytes().into()]
}

/// Place of the newest ticket of an effect's step and generation.
pub(super) fn ticket_place(effect: &Effect, step: Step) -> Key {
    vec![
        effect.book.bytes().into(),
        effect.id.bytes().into(),
        step.name().into(),
        i64::from(effect.generation).into(),
        i64::from(effect.sends).into(),
    ]
}

pub(super) fn reads(named: &EffectRef, wanted: &mut Wanted<'_>) {
    wanted.row::<Book>(vec![named.book.bytes().into()]);
    let customer = wanted.get::<Customer>(vec![named.book.bytes().into()]);
    let payment = wanted.get::<Payment>(payment_place(named.book, named.payment));
    if let Some(payment) = &payment {
        wanted.row::<Command>(vec![payment.command.bytes().into()]);
    }
    if let Some(effect) = wanted.get::<Effect>(effect_place(named.book, named.effect)) {
        wanted.row::<Tenant>(vec![effect.tenant.bytes().into()]);
        for joined in &effect.joined {
            wanted.row::<Command>(vec![joined.command.bytes().into()]);
        }
        match effect.subject {
            Subject::Payment => {}
            Subject::Refund(id) => {
                if let Some(refund) = wanted.get::<Refund>(refund_place(named.book, id)) {
                    wanted.row::<Command>(vec![refund.command.bytes().into()]);
                }
            }
            Subject::Dispute(id) => {
                wanted.row::<Dispute>(dispute_place(named.book, id));
                if let Some(evidence) = wanted.get::<Evidence>(effect_place(named.book, named.effect)) {
                    wanted.row::<Command>(vec![evidence.command.bytes().into()]);
                }
            }
        }
        if let Some(payment) = &payment {
            orphans::reads_of_effect(&effect, &payment.reference, customer.as_ref(), wanted);
        }
        if effect.sends > 0 {
            wanted.row::<Ticket>(ticket_place(&effect, effect.step));
        }
    }
}

pub(super) fn get(book: CustomerId, effect: EffectId, rows: &WorkingSet<'_>) -> Result<EffectRows, Miss> {
    let effect: Effect = rows.expect(&effect_place(book, effect))?;
    let payment: Payment = rows.expect(&payment_place(book, effect.payment))?;
    let tenant: Tenant = rows.expect(&vec![effect.tenant.bytes().into()])?;
    let (mut refund, mut dispute, mut evidence) = (None, None, None);
    match effect.subject {
        Subject::Payment => {}
        Subject::Refund(id) => refund = Some(rows.expect(&refund_place(book, id))?),
        Subject::Dispute(id) => {
            dispute = Some(rows.expect(&dispute_place(book, id))?);
            evidence = Some(rows.expect(&effect_place(book, effect.id))?);
        }
    }
    Ok(EffectRows {
        effect,
        payment,
        tenant,
        refund,
        dispute,
        evidence,
        customer: rows.expect(&vec![book.bytes().into()])?,
        book: rows.expect(&vec![book.bytes().into()])?,
    })
}

/// Brings an effect into the era in which is decided. One that is further on was written by somebody whose era began after
/// this transaction looked: its times are of a clock that is not known here yet.
pub(super) fn enter_era(effect: &mut Effect, context: &Context<'_>) -> Result<(), Miss> {
    if context.is_era_shared && effect.era > context.era.number {
        return Err(Miss::NotLoaded);
    }
    enter(effect, &context.era);
    Ok(())
}

pub(super) fn put(around: &EffectRows, rows: &mut WorkingSet<'_>) {
    rows.put(&around.effect);
    rows.put(&around.payment);
    rows.put(&around.book);
    if let Some(refund) = &around.refund {
        rows.put(refund);
    }
    if let Some(dispute) = &around.dispute {
        rows.put(dispute);
    }
}
