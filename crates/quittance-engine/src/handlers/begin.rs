//! Beginning an effect's next move: the ticket is committed here, before anybody can send a byte.

use super::effect_rows::{self, EffectRows};
use super::learned::apply;
use super::requests::{find, object_of, request};
use super::{Context, Handled, orphans};
use crate::gateways::Gateway;
use crate::submission::{EffectRef, Job, Outcome, Plan};
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::message::Request;
use quittance_core::decide::{learn_of_lost_evidence, learn_of_lost_lease, learn_of_lost_refund};
use quittance_core::effect::{
    Class, Effect, Move, Orphans, Source, State, Step, Stimulus, Subject, expire, next_move, renew, ticket,
};
use quittance_core::journal::Record;
use quittance_core::mutation::{self, Mutation};
use quittance_core::time::Timestamp;
use quittance_store::records::{Lane, Ticket};

/// How long a claimed effect whose gateway takes nothing at the moment is left alone.
pub(super) const STANDSTILL_MS: u64 = 250;

/// How long an effect is left alone whose gateway was given credentials of the other mode after it was accepted.
pub(super) const OTHER_MODE_MS: u64 = 60_000;

pub(super) fn handle(named: &EffectRef, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Handled, Miss> {
    let mut around = effect_rows::get(named.book, named.effect, rows)?;
    if around.effect.lease_epoch != named.epoch {
        return Ok(Outcome::Fenced.into());
    }
    let job = begin(&mut around, rows, context)?;
    let is_due = around.effect.due_at.is_some_and(|due_at| due_at <= context.now);
    if job.is_none() && is_due {
        // There was room when it was claimed and none now; left due, each poll would claim and release it again.
        release(&mut around, context.now.plus_ms(STANDSTILL_MS));
    }
    effect_rows::put(&around, rows);
    Ok(Handled { outcome: Outcome::Done, job })
}

/// Begins the next move of an effect that is due and ours, if its gateway takes anything now. The caller puts the rows.
pub(super) fn begin(
    around: &mut EffectRows,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Option<Job>, Miss> {
    let now = context.now;
    effect_rows::enter_era(&mut around.effect, context)?;
    let Some(gateway) = permitted(&around.effect.gateway, context) else {
        release(around, now);
        return Ok(None);
    };
    if gateway.mode.is_some_and(|mode| mode != around.tenant.mode) {
        tracing::error!(effect = %around.effect.id, "the gateway's credentials are of the other mode; nothing is sent");
        release(around, now.plus_ms(OTHER_MODE_MS));
        return Ok(None);
    }
    if speaks_otherwise(&around.effect, &gateway) {
        tracing::error!(effect = %around.effect.id, "the gateway's flow was changed under it; nothing is sent");
        release(around, now.plus_ms(OTHER_MODE_MS));
        return Ok(None);
    }
    let next = decide(around, &gateway, rows, context)?;
    let Some(lane) = lane_of(next, &around.effect) else { return Ok(None) };
    if !has_room(&around.effect.gateway, lane, context) {
        release(around, now);
        return Ok(None);
    }
    let deadline = gateway.deadline(now, context.leases);
    let Some(plan) = plan(around, next, &gateway, deadline, rows, context)? else { return Ok(None) };
    around.effect.lease_owner = context.owner;
    around.effect.due_at = Some(now.plus_ms(context.leases.lease_ms));
    Ok(Some(Job {
        effect: EffectRef {
            book: around.effect.book,
            effect: around.effect.id,
            payment: around.effect.payment,
            epoch: around.effect.lease_epoch,
        },
        tenant: around.effect.tenant,
        gateway: around.effect.gateway.clone(),
        kind: around.effect.object_kind(),
        lane,
        plan,
        deadline,
    }))
}

/// Whether the gateway was configured to make payments in another number of phases since the effect was accepted. What
/// it would send now is no replay of what it may have sent then.
fn speaks_otherwise(effect: &Effect, gateway: &Gateway) -> bool {
    let makes_object = matches!(effect.step, Step::Create | Step::Execute);
    let is_two_phase = effect.class == Class::P;
    let offers = gateway.class(effect.subject).is_some_and(|class| (class == Class::P) == is_two_phase);
    effect.subject == Subject::Payment && makes_object && !offers
}

/// What is done next. What needs no gateway is done here.
fn decide(
    around: &mut EffectRows,
    gateway: &Gateway,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Move, Miss> {
    let now = context.now;
    expire(&mut around.effect, &gateway.policy, now);
    let mut next = next_move(&around.effect, &gateway.policy, now);
    if next == Move::Recover {
        let record = lose_lease(around, now);
        rows.append(&mut around.book, &record, now);
        next = next_move(&around.effect, &gateway.policy, now);
    }
    // Whoever still waits for what ends here finds the answer in the row.
    if next == Move::AskPerson {
        apply(around, Source::Recovery, Stimulus::OutOfMeans, rows, context)?;
    }
    match orphans::before(around, next, rows, context) {
        Ok(None) => {}
        Ok(Some(found)) => next = take_orphans(around, found, gateway, rows, context)?,
        // It has only just come to this step: with its rows, in the next transaction.
        Err(Miss::NotLoaded) => {
            release(around, now);
            return Ok(Move::Rest);
        }
        Err(miss) => return Err(miss),
    }
    if is_uncovered(around, next) {
        tracing::warn!(effect = %around.effect.id, "a refund is not sent: its money was withdrawn meanwhile");
        apply(around, Source::Recovery, Stimulus::TooLittleLeft, rows, context)?;
        next = Move::Rest;
    }
    Ok(next)
}

/// The gateway has what a lost record of this payment may have made: nothing is sent before that is found out.
fn take_orphans(
    around: &mut EffectRows,
    found: Orphans,
    gateway: &Gateway,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Move, Miss> {
    let (payment, effect, objects) = (around.payment.id, around.effect.id, found.word());
    tracing::warn!(%payment, %effect, objects, "a payment may have been made before its records were lost");
    apply(around, Source::Sweep, Stimulus::Orphaned(found), rows, context)?;
    orphans::taken(around, rows, context)?;
    Ok(next_move(&around.effect, &gateway.policy, context.now))
}

/// Whether a refund would be begun whose money was withdrawn while it waited. One that may have been carried out is found
/// out about, and sent again if it has to be.
fn is_uncovered(around: &EffectRows, next: Move) -> bool {
    let begins = match next {
        Move::Send(_) => around.effect.state == State::Intended,
        Move::SendAfresh(_) => true,
        Move::Read | Move::Find | Move::Rest | Move::Recover | Move::AskPerson => false,
    };
    begins && around.refund.is_some() && around.payment.left_amount() < 0
}

/// The requests of a move. Only now, when there is room for it, is a generation opened.
fn plan(
    around: &mut EffectRows,
    next: Move,
    gateway: &Gateway,
    deadline: Timestamp,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Option<Plan>, Miss> {
    if let Move::SendAfresh(_) = next {
        renew(&mut around.effect);
    }
    Ok(Some(match next {
        Move::Send(step) | Move::SendAfresh(step) => {
            Plan::Send(issue_ticket(around, step, gateway, deadline, rows, context)?)
        }
        Move::Read => Plan::Read(gateway.connector.read(around.effect.object_kind(), &object_of(around)?)),
        Move::Find => {
            around.effect.searched_at = Some(context.now);
            Plan::Find(find(around, rows, context)?)
        }
        Move::Rest | Move::Recover | Move::AskPerson => return Ok(None),
    }))
}

fn lose_lease(around: &mut EffectRows, now: Timestamp) -> Record {
    match (&mut around.refund, &around.dispute) {
        (Some(refund), _) => learn_of_lost_refund(&mut around.effect, refund, now),
        (None, Some(dispute)) => learn_of_lost_evidence(&mut around.effect, dispute.id, now),
        (None, None) => learn_of_lost_lease(&mut around.effect, &mut around.payment, now),
    }
}

pub(super) fn permitted(name: &str, context: &Context<'_>) -> Option<Gateway> {
    context.gateways.0.get(name).filter(|_| context.permits.0.contains_key(name)).cloned()
}

pub(super) fn has_room(name: &str, lane: Lane, context: &Context<'_>) -> bool {
    context.permits.0.get(name).is_some_and(|room| room.left(lane) > 0)
}

/// The lane of a move: whose room it takes. None where nothing is asked.
fn lane_of(next: Move, effect: &Effect) -> Option<Lane> {
    match next {
        Move::Send(step) | Move::SendAfresh(step) => Some(Lane::sending(effect, step)),
        Move::Read if effect.state == State::Pending => Some(Lane::Pending),
        Move::Read | Move::Find => Some(Lane::Read),
        Move::Rest | Move::Recover | Move::AskPerson => None,
    }
}

/// Whether an effect that was not claimed may begin at once: what is older may wait for the next of a rate.
pub(super) fn may_overtake(effect: &Effect, context: &Context<'_>) -> bool {
    let (Some(lane), Some(room)) = (Lane::of(effect), context.permits.0.get(&effect.gateway)) else { return true };
    !(room.is_metered(lane) && context.waiting.is_before(&effect.gateway, lane))
}

/// Whether what is just being accepted may begin at once. A quarter of the places is kept for what is older, so that a
/// flood of new work never starves it.
pub(super) fn has_room_for_new(effect: &Effect, context: &Context<'_>) -> bool {
    let places = context.permits.0.get(&effect.gateway).map_or(0, |room| room.places);
    let gateway = context.gateways.0.get(&effect.gateway);
    gateway.is_some_and(|gateway| places > gateway.in_flight_max / 4) && may_overtake(effect, context)
}

/// Gives the lease back: whoever has room next takes it.
pub(super) fn release(around: &mut EffectRows, due_at: Timestamp) {
    around.effect.lease_owner = 0;
    around.effect.due_at = Some(due_at);
}

fn issue_ticket(
    around: &mut EffectRows,
    step: Step,
    gateway: &Gateway,
    deadline: Timestamp,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Request, Miss> {
    let (request, key) = request(around, step, gateway, rows)?;
    ticket(&mut around.effect, context.now);
    let effect = &around.effect;
    let issued = Ticket {
        book: effect.book,
        effect: effect.id,
        step,
        generation: effect.generation,
        send_no: effect.sends,
        gateway_key: key.clone(),
        reference: (effect.sends == 1 && request.idempotency_key.is_none()).then(|| key.clone()),
        request_digest: request.digest(),
        request: request.encode(),
        lease_epoch: effect.lease_epoch,
        issued_at: context.now,
        deadline,
    };
    let record = Record::TicketIssued {
        effect: effect.id,
        step,
        generation: effect.generation,
        send_no: effect.sends,
        gateway_key: key,
        request_digest: issued.request_digest,
        lease_epoch: effect.lease_epoch,
    };
    if mutation::is(Mutation::NoTicket) {
        return Ok(request);
    }
    rows.put(&issued);
    rows.append(&mut around.book, &record, context.now);
    Ok(request)
}
