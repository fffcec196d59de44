//! The answer to a dispute: whether its stage is answered already first, then the effect that submits it.

use super::begin::{begin, has_room_for_new};
use super::client::answered;
use super::disputed::intent_place;
use super::effect_rows::{self, EffectRows, dispute_place, effect_place};
use super::{Context, Handled, Wanted};
use crate::ports::Answer;
use crate::submission::{DisputeRef, Job, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::customer::Customer;
use quittance_core::decide::{NewEvidence, NewEvidenceIds, PreviousEvidence, submit_evidence};
use quittance_core::dispute::{Dispute, Evidence};
use quittance_core::effect::{Effect, Subject};
use quittance_core::id::EffectId;
use quittance_core::idempotency::Command;
use quittance_core::payment::Payment;
use quittance_core::rejection::Rejection;
use quittance_core::tenant::Tenant;
use quittance_store::records::{Book, Holder, IntentEntry};
use quittance_store::value::Key;
use std::collections::BTreeMap;

fn payment_place(dispute: &Dispute) -> Key {
    vec![dispute.book.bytes().into(), dispute.payment.bytes().into()]
}

pub(super) fn reads(named: &DisputeRef, wanted: &mut Wanted<'_>) {
    wanted.row::<Book>(vec![named.book.bytes().into()]);
    wanted.row::<Customer>(vec![named.book.bytes().into()]);
    let Some(dispute) = wanted.get::<Dispute>(dispute_place(named.book, named.dispute)) else { return };
    wanted.row::<Payment>(payment_place(&dispute));
    let Some(stage) = dispute.status.stage() else { return };
    let intent = wanted.get::<IntentEntry>(intent_place(named.book, named.dispute, stage));
    if let Some(effect) = intent.and_then(|intent| intent.holder.evidence()) {
        wanted.row::<Effect>(effect_place(named.book, effect));
        wanted.row::<Evidence>(effect_place(named.book, effect));
    }
}

pub(super) fn handle(
    named: &DisputeRef,
    texts: &BTreeMap<String, String>,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let dispute: Dispute = rows.expect(&dispute_place(named.book, named.dispute))?;
    if dispute.tenant != command.tenant {
        return Err(Miss::Corrupt(format!("{} is not of the tenant that answers it", dispute.id)));
    }
    let ids = NewEvidenceIds { command: command.id, effect: EffectId::from_uuid(context.ids.uuid(context.now)) };
    let previous = previous(&dispute, rows)?;
    let new = match accept(texts, &dispute, previous.as_ref(), ids, context) {
        Ok(new) => new,
        Err(rejection) => return Ok(answered(command, &Answer::Rejected(&rejection), context)),
    };
    let NewEvidence { evidence, effect, record } = new;
    let mut book: Book = rows.expect(&vec![named.book.bytes().into()])?;
    rows.append(&mut book, &record, context.now);
    let intent = IntentEntry::of_evidence(dispute.id, evidence.stage);
    rows.put(&IntentEntry { book: named.book, intent, holder: Holder::Evidence(effect.id) });
    rows.put(&evidence);
    let subject = dispute.id.to_string();
    command.subject = Some(subject.clone());
    let around = EffectRows {
        payment: rows.expect(&payment_place(&dispute))?,
        customer: rows.expect(&vec![named.book.bytes().into()])?,
        tenant: rows.expect::<Tenant>(&vec![command.tenant.bytes().into()])?,
        effect,
        book,
        refund: None,
        dispute: Some(dispute),
        evidence: Some(evidence),
    };
    let job = start(around, rows, context)?;
    Ok(Handled { outcome: Outcome::Accepted { command: command.id, subject, payment: None }, job })
}

/// The newest answer to the stage in which the dispute is.
fn previous(dispute: &Dispute, rows: &WorkingSet<'_>) -> Result<Option<PreviousEvidence>, Miss> {
    let Some(stage) = dispute.status.stage() else { return Ok(None) };
    let intent = rows.get::<IntentEntry>(&intent_place(dispute.book, dispute.id, stage))?;
    let Some(effect) = intent.and_then(|intent| intent.holder.evidence()) else { return Ok(None) };
    let evidence: Evidence = rows.expect(&effect_place(dispute.book, effect))?;
    let effect: Effect = rows.expect(&effect_place(dispute.book, effect))?;
    Ok(Some(PreviousEvidence { effect, command: evidence.command }))
}

fn accept(
    texts: &BTreeMap<String, String>,
    dispute: &Dispute,
    previous: Option<&PreviousEvidence>,
    ids: NewEvidenceIds,
    context: &Context<'_>,
) -> Result<NewEvidence, Rejection> {
    let gateway = context.gateways.0.get(&dispute.gateway).ok_or(Rejection::GatewayNotFound)?;
    let class = gateway.class(Subject::Dispute(dispute.id));
    let class = class.ok_or(Rejection::NotOffered { operation: "answers to disputes" })?;
    submit_evidence(texts.clone(), dispute, previous, class, ids, context.now)
}

/// Writes the new rows, and begins at once where the gateway has room.
fn start(mut around: EffectRows, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Option<Job>, Miss> {
    // Whoever accepts an effect holds its first lease, so that the usual answer needs no polling.
    around.effect.lease_epoch = 1;
    around.effect.era = context.era.number;
    let job = match has_room_for_new(&around.effect, context) {
        true => begin(&mut around, rows, context)?,
        false => None,
    };
    effect_rows::put(&around, rows);
    Ok(job)
}
