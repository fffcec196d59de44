//! Beginning an effect's next move: the ticket is committed here, before anybody can send a byte.

use super::effect_rows::{self, EffectRows, ticket_place};
use super::{Context, Handled};
use crate::gateways::Gateway;
use crate::submission::{EffectRef, Job, Outcome, Plan};
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::key::gateway_key;
use quittance_connectors::message::Request;
use quittance_connectors::stripe::IntentParameters;
use quittance_core::decide::learn_of_lost_lease;
use quittance_core::effect::{Move, Step, next_move, ticket};
use quittance_core::journal::Record;
use quittance_core::time::Timestamp;
use quittance_store::records::Ticket;

/// How long a claimed effect whose gateway takes nothing at the moment is left alone.
const STANDSTILL_MS: u64 = 250;

/// How long an effect is left alone whose gateway was given credentials of the other mode after it was accepted.
const OTHER_MODE_MS: u64 = 60_000;

/// Objects made this long before the first send, or after the last, are looked at when a lost create is searched for:
/// wide enough for clocks that disagree.
const FIND_MARGIN_S: i64 = 300;

/// Name of the metadata field that carries the customer, and so the book, of an object at a gateway.
pub(crate) const CUSTOMER_FIELD: &str = "customer_id";

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
    let Some(gateway) = permitted(&around.effect.gateway, context) else {
        release(around, now);
        return Ok(None);
    };
    if gateway.mode.is_some_and(|mode| mode != around.tenant.mode) {
        tracing::error!(effect = %around.effect.id, "the gateway's credentials are of the other mode; nothing is sent");
        release(around, now.plus_ms(OTHER_MODE_MS));
        return Ok(None);
    }
    let mut next = next_move(&around.effect, &gateway.policy, now);
    if next == Move::Recover {
        let record = learn_of_lost_lease(&mut around.effect, &mut around.payment, now);
        rows.append(&mut around.book, &record, now);
        next = next_move(&around.effect, &gateway.policy, now);
    }
    let deadline = now.plus_ms(gateway.timeout_ms);
    let plan = match next {
        Move::Send(step) => Plan::Send(issue_ticket(around, step, &gateway, deadline, rows, context)?),
        Move::Read => Plan::Read(gateway.stripe.read_intent(&object_of(around)?)),
        Move::Find => find(around),
        Move::Rest | Move::Recover => return Ok(None),
    };
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
        plan,
        deadline,
    }))
}

fn permitted(name: &str, context: &Context<'_>) -> Option<Gateway> {
    let left = context.permits.get(name).copied().unwrap_or(0);
    context.gateways.0.get(name).filter(|_| left > 0).cloned()
}

/// Whether a payment that is just being accepted may begin at once. A quarter of the room is kept for what is older, so
/// that a flood of new work never starves reading back what is unknown.
pub(super) fn has_room_for_new(name: &str, context: &Context<'_>) -> bool {
    let left = context.permits.get(name).copied().unwrap_or(0);
    context.gateways.0.get(name).is_some_and(|gateway| left > gateway.in_flight_max / 4)
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
    let request = request(around, step, gateway, rows)?;
    ticket(&mut around.effect, context.now);
    let effect = &around.effect;
    let key = request.idempotency_key.clone().unwrap_or_default();
    let issued = Ticket {
        book: effect.book,
        effect: effect.id,
        step,
        generation: effect.generation,
        send_no: effect.sends,
        gateway_key: key.clone(),
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
    rows.put(&issued);
    rows.append(&mut around.book, &record, context.now);
    Ok(request)
}

/// The request of a step: the persisted bytes where this generation was sent before, so that a replay is one.
fn request(around: &EffectRows, step: Step, gateway: &Gateway, rows: &WorkingSet<'_>) -> Result<Request, Miss> {
    let effect = &around.effect;
    if effect.sends > 0 {
        let earlier: Ticket = rows.expect(&ticket_place(effect, step))?;
        return Request::decode(&earlier.request).map_err(|error| Miss::Corrupt(error.to_string()));
    }
    let request = match step {
        Step::Create => create_request(around, gateway)?,
        Step::Confirm => {
            let method = effect.names_method.then_some(around.payment.payment_method.as_str());
            gateway.stripe.confirm_intent(&object_of(around)?, method)
        }
        Step::Cancel => gateway.stripe.cancel_intent(&object_of(around)?),
    };
    let tenant = &around.tenant;
    let key = gateway_key(&tenant.gateway_key_secret, tenant.id, effect.id, step.name(), effect.generation);
    Ok(request.with_key(key))
}

fn create_request(around: &EffectRows, gateway: &Gateway) -> Result<Request, Miss> {
    let payment = &around.payment;
    let mut metadata = payment.metadata.clone();
    metadata.insert(CUSTOMER_FIELD.into(), payment.book.to_string());
    gateway
        .stripe
        .create_intent(&IntentParameters {
            effect_id: payment.effect,
            payment_id: payment.id,
            money: payment.money,
            payment_method: &payment.payment_method,
            customer: around.customer.gateway_ids.get(&payment.gateway).map(String::as_str),
            description: payment.description.as_deref(),
            metadata: &metadata,
        })
        .map_err(|error| {
            Miss::Corrupt(format!("{} was accepted with an amount the gateway refuses: {error}", payment.id))
        })
}

fn object_of(around: &EffectRows) -> Result<String, Miss> {
    let effect = &around.effect;
    let lacks = || Miss::Corrupt(format!("{} is at {} without an object", effect.id, effect.step.name()));
    effect.object_id.clone().ok_or_else(lacks)
}

fn find(around: &EffectRows) -> Plan {
    let effect = &around.effect;
    let first = effect.first_sent_at.unwrap_or(effect.created_at);
    let last = effect.last_sent_at.unwrap_or(first);
    Plan::Find {
        customer: around.customer.gateway_ids.get(&effect.gateway).cloned(),
        created_from: first.seconds() - FIND_MARGIN_S,
        created_to: last.seconds() + FIND_MARGIN_S,
    }
}
