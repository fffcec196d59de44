//! A new refund: its reference first, then the sum that may be given back, then the effect.

use super::begin::{begin, has_room_for_new};
use super::client::answered;
use super::effect_rows::{self, EffectRows, refund_place};
use super::{Context, Handled, Wanted, brakes};
use crate::ports::Answer;
use crate::submission::{EffectRef, Outcome, Parked};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::brake::Over;
use quittance_core::decide::{Ask, AskRefund, Braking, NewRefund, NewRefundIds, create_refund, park_refund};
use quittance_core::effect::Subject;
use quittance_core::id::{EffectId, RefundId};
use quittance_core::idempotency::Command;
use quittance_core::payment::Payment;
use quittance_core::refund::Refund;
use quittance_core::rejection::Rejection;
use quittance_core::tenant::Tenant;
use quittance_store::records::{Holder, IntentEntry};
use quittance_store::value::Key;

fn intent_place(named: &EffectRef, reference: &str) -> Key {
    vec![named.book.bytes().into(), IntentEntry::of_refund(named.payment, reference).into()]
}

pub(super) fn reads(tenant: Option<&Tenant>, named: &EffectRef, asked: &AskRefund, wanted: &mut Wanted<'_>) {
    effect_rows::reads(named, wanted);
    if let Some(tenant) = tenant
        && let Some(payment) = wanted.get::<Payment>(effect_rows::payment_place(named.book, named.payment))
    {
        brakes::reads(tenant, &Ask::Refund { money: payment.money }, wanted);
    }
    if let Some(reference) = &asked.reference
        && let Some(entry) = wanted.get::<IntentEntry>(intent_place(named, reference))
        && let Some(refund) = entry.holder.refund()
    {
        wanted.row::<Refund>(refund_place(named.book, refund));
    }
}

pub(super) fn handle(
    named: &EffectRef,
    asked: &AskRefund,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let mut around = effect_rows::get(named.book, named.effect, rows)?;
    if around.effect.tenant != command.tenant || around.effect.subject != Subject::Payment {
        return Ok(answered(command, &Answer::Rejected(&Rejection::PaymentNotFound), context));
    }
    let ids = NewRefundIds {
        command: command.id,
        refund: RefundId::from_uuid(context.ids.uuid(context.now)),
        effect: EffectId::from_uuid(context.ids.uuid(context.now)),
    };
    let holder = holder(named, asked, rows)?;
    let made = match accept(&mut around, asked, holder.as_ref(), ids, context) {
        Ok(made) => made,
        Err(rejection) => return Ok(answered(command, &Answer::Rejected(&rejection), context)),
    };
    let over = match brakes::check(&around.tenant, &Ask::Refund { money: made.refund.money }, rows, context)? {
        Braking::Pass => None,
        Braking::Refuse(over) => return Ok(brakes::refused(&around.tenant, over)),
        Braking::Park(over) => Some(over),
    };
    if let Some(reference) = &made.refund.reference {
        let intent = IntentEntry::of_refund(named.payment, reference);
        rows.put(&IntentEntry { book: named.book, intent, holder: Holder::Refund(made.refund.id) });
    }
    command.subject = Some(made.refund.id.to_string());
    start(made, around, over, rows, context)
}

/// The refund that holds the reference, if one does.
fn holder(named: &EffectRef, asked: &AskRefund, rows: &WorkingSet<'_>) -> Result<Option<Refund>, Miss> {
    let Some(reference) = &asked.reference else { return Ok(None) };
    let entry = rows.get::<IntentEntry>(&intent_place(named, reference))?;
    match entry.and_then(|entry| entry.holder.refund()) {
        Some(refund) => rows.expect(&refund_place(named.book, refund)).map(Some),
        None => Ok(None),
    }
}

fn accept(
    around: &mut EffectRows,
    asked: &AskRefund,
    holder: Option<&Refund>,
    ids: NewRefundIds,
    context: &Context<'_>,
) -> Result<NewRefund, Rejection> {
    let gateway = context.gateways.0.get(&around.payment.gateway).ok_or(Rejection::GatewayNotFound)?;
    let offered = gateway.class(Subject::Refund(ids.refund));
    let class = offered.ok_or(Rejection::NotOffered { operation: "refunds" })?;
    let EffectRows { payment, book, .. } = around;
    let made = create_refund(asked.clone(), payment, holder, &mut book.balances, class, ids, context.now)?;
    Ok(made)
}

/// Writes the new rows, and begins at once where the gateway has room and no brake holds it back.
fn start(
    mut made: NewRefund,
    around: EffectRows,
    over: Option<Over>,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    // From here on the rows are about the refund's effect; the payment's own is as it was.
    let EffectRows { payment, customer, tenant, mut book, .. } = around;
    rows.append(&mut book, &made.record, context.now);
    if let Some(over) = &over {
        let record = park_refund(&mut made, over.limit);
        rows.append(&mut book, &record, context.now);
    }
    let NewRefund { refund, effect, .. } = made;
    let (command, subject) = (refund.command, refund.id.to_string());
    let (refund, dispute, evidence) = (Some(refund), None, None);
    let mut around = EffectRows { effect, payment, customer, tenant, book, refund, dispute, evidence };
    // Whoever accepts a refund holds its first lease, so that the usual answer needs no polling.
    around.effect.lease_epoch = 1;
    around.effect.era = context.era.number;
    let job = match over.is_none() && has_room_for_new(&around.effect, context) {
        true => begin(&mut around, rows, context)?,
        false => None,
    };
    effect_rows::put(&around, rows);
    Ok(match over {
        Some(over) => brakes::parked(&around.tenant, over, Parked { command, subject }),
        None => Handled { outcome: Outcome::Accepted { command, subject, payment: None }, job },
    })
}
