//! What an effect's step says to its gateway, and where an object that a lost request may have made is looked for.

use super::Context;
use super::effect_rows::{EffectRows, ticket_place};
use crate::gateways::Gateway;
use crate::submission::Find;
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::connector::{Ask, PaymentParameters, RefundParameters};
use quittance_connectors::key::gateway_key;
use quittance_connectors::message::Request;
use quittance_core::effect::Step;
use quittance_core::fact::ObjectKind;
use quittance_core::money::Money;
use quittance_core::mutation::{self, Mutation};
use quittance_core::refund::Refund;
use quittance_store::records::Ticket;
use std::collections::BTreeMap;

/// Objects made this long before the first send are looked at when a lost request is searched for: wide enough for a
/// gateway whose clock is an hour off. There is no other end: what a gateway rolls forward it may make a day later.
const FIND_MARGIN_S: i64 = 2 * 3_600;

/// Name of the metadata field that carries the customer, and so the book, of an object at a gateway.
pub(crate) const CUSTOMER_FIELD: &str = "customer_id";

/// The request of a step, and the key of ours that the gateway sees in it: the persisted ones where this generation was
/// sent before, so that a replay is one.
pub(super) fn request(
    around: &EffectRows,
    step: Step,
    gateway: &Gateway,
    rows: &WorkingSet<'_>,
) -> Result<(Request, String), Miss> {
    let effect = &around.effect;
    if effect.sends > 0 {
        let earlier: Ticket = rows.expect(&ticket_place(effect, step))?;
        let request = Request::decode(&earlier.request).map_err(|error| Miss::Corrupt(error.to_string()))?;
        if mutation::is(Mutation::KeyRecomputed) && request.idempotency_key.is_some() {
            let key = format!("{}{}", earlier.gateway_key, effect.sends);
            return Ok((request.with_key(key.clone()), key));
        }
        return Ok((request, earlier.gateway_key));
    }
    let key = key_of(around, step);
    let request = write(around, step, gateway, &key)?;
    // Where there are no keys it travels as our reference alone.
    let request = match gateway.connector.headers().key {
        Some(_) => request.with_key(key.clone()),
        None => request,
    };
    Ok((request, key))
}

/// The key of a step's generation at the gateway.
fn key_of(around: &EffectRows, step: Step) -> String {
    let (tenant, effect) = (&around.tenant, &around.effect);
    gateway_key(&tenant.gateway_key_secret, tenant.id, effect.id, step.name(), effect.generation)
}

/// What the step says, in the gateway's dialect.
fn write(around: &EffectRows, step: Step, gateway: &Gateway, key: &str) -> Result<Request, Miss> {
    let (effect, payment) = (&around.effect, &around.payment);
    let object_id = effect.object_id.as_deref();
    let object = || object_of(around).map(|_| (effect.object_kind(), object_id.unwrap_or_default()));
    let metadata = metadata(around);
    let ask = match step {
        Step::Create | Step::Execute => match &around.refund {
            Some(refund) => Ask::Refund(refund_parameters(around, refund, key, &metadata)?),
            None => Ask::Payment(payment_parameters(around, key, &metadata)),
        },
        Step::Confirm => Ask::Confirm {
            object_id: object()?.1,
            payment_method: effect.names_method.then_some(payment.payment_method.as_str()),
            return_url: payment.return_url.as_deref(),
        },
        Step::Capture => {
            let amount = effect.capture_amount.unwrap_or(payment.money.amount);
            let money = Money { amount, ..payment.money };
            Ask::Capture { object: object()?, money, is_whole: amount == payment.money.amount }
        }
        Step::Cancel => Ask::Cancel { object: object()? },
        Step::Submit => {
            let lacks = || Miss::Corrupt(format!("{} submits nothing", effect.id));
            let evidence = &around.evidence.as_ref().ok_or_else(lacks)?.texts;
            Ask::Evidence { object_id: object()?.1, evidence }
        }
    };
    gateway.connector.write(&ask).map_err(|error| {
        Miss::Corrupt(format!("{} was accepted with what its gateway cannot be told: {error}", effect.id))
    })
}

/// What every object of ours carries at a gateway.
fn metadata(around: &EffectRows) -> BTreeMap<String, String> {
    let payment = &around.payment;
    let mut metadata = match around.refund {
        Some(_) => BTreeMap::new(),
        None => payment.metadata.clone(),
    };
    metadata.insert(CUSTOMER_FIELD.into(), payment.book.to_string());
    metadata
}

fn payment_parameters<'a>(
    around: &'a EffectRows,
    key: &'a str,
    metadata: &'a BTreeMap<String, String>,
) -> PaymentParameters<'a> {
    let payment = &around.payment;
    PaymentParameters {
        effect_id: around.effect.id,
        payment_id: payment.id,
        money: payment.money,
        payment_method: &payment.payment_method,
        customer: around.customer.gateway_ids.get(&payment.gateway).map(String::as_str),
        capture_method: payment.capture_method,
        return_url: payment.return_url.as_deref(),
        description: payment.description.as_deref(),
        payment_reference: &payment.reference,
        metadata,
        reference: key,
    }
}

fn refund_parameters<'a>(
    around: &'a EffectRows,
    refund: &'a Refund,
    key: &'a str,
    metadata: &'a BTreeMap<String, String>,
) -> Result<RefundParameters<'a>, Miss> {
    Ok(RefundParameters {
        effect_id: around.effect.id,
        object: refunded_object(around)?,
        money: refund.money,
        reason: refund.reason.as_deref(),
        metadata,
        reference: key,
    })
}

/// The gateway's object that a refund gives back.
fn refunded_object(around: &EffectRows) -> Result<(ObjectKind, &str), Miss> {
    let payment = &around.payment;
    let lacks = || Miss::Corrupt(format!("{} is refunded and has no object", payment.id));
    let object = payment.gateway_object.as_deref().ok_or_else(lacks)?;
    Ok((payment.object_kind, object))
}

pub(super) fn object_of(around: &EffectRows) -> Result<String, Miss> {
    let effect = &around.effect;
    let lacks = || Miss::Corrupt(format!("{} is at {} without an object", effect.id, effect.step.name()));
    effect.object_id.clone().ok_or_else(lacks)
}

/// How far ahead of the gateway's clock ours may be because it was set, in whole seconds: else what a request made would be
/// older than what is looked at, and would be sent again.
fn ahead_s(context: &Context<'_>) -> i64 {
    if mutation::is(Mutation::SearchByOwnClock) {
        return 0;
    }
    i64::try_from(context.ahead_ms.div_ceil(1_000)).unwrap_or(i64::MAX / 2)
}

pub(super) fn find(around: &EffectRows, rows: &WorkingSet<'_>, context: &Context<'_>) -> Result<Find, Miss> {
    let effect = &around.effect;
    let parent = match around.refund {
        Some(_) => refunded_object(around).map(|(kind, id)| Some((kind, id.to_owned())))?,
        None => None,
    };
    // Another generation's object would be as bad as two: what a search by reference finds is this one's alone.
    let reference = match effect.sends {
        // Whoever sent it without our knowing did so under the key that it would have here.
        0 => key_of(around, effect.step),
        _ => rows.expect::<Ticket>(&ticket_place(effect, effect.step))?.gateway_key,
    };
    // Where the clock was set, nobody knows how long ago that is.
    let since = match effect.first_sent_at {
        // What was refused is looked for among what every generation may have made, by a clock that nobody has doubted.
        Some(_) if effect.refusal.is_some() => effect.doubted_at.is_none().then_some(effect.created_at),
        Some(first) => Some(first),
        None => (effect.sends == 0).then_some(effect.created_at),
    };
    Ok(Find {
        parent,
        customer: around.customer.gateway_ids.get(&effect.gateway).cloned(),
        reference: Some(reference),
        created_from: since.map(|since| since.seconds() - FIND_MARGIN_S - ahead_s(context)),
    })
}
