//! A client creates a payment: its customer, its reference, the decision, and the first ticket.

use super::begin::{begin, has_room_for_new};
use super::client::{answered, external_place};
use super::effect_rows::{self, EffectRows};
use super::learned::adopt_object;
use super::object::object_place;
use super::{Context, Handled, Wanted, brakes, orphans};
use crate::ports::Answer;
use crate::submission::{CustomerRef, Outcome, Parked};
use crate::working_set::{Miss, WorkingSet};
use quittance_connectors::connector::Unsayable;
use quittance_core::brake::Over;
use quittance_core::customer::Customer;
use quittance_core::decide::{
    Accepted, Ask, Braking, CreatePayment, JOINED_MAX, NewIds, NewPayment, Previous, create_payment, park_payment,
};
use quittance_core::effect::{Asked, Class, Effect, Joined, Subject};
use quittance_core::id::{EffectId, PaymentId, TenantId};
use quittance_core::idempotency::Command;
use quittance_core::payment::{CaptureMethod, Payment, Status};
use quittance_core::rejection::Rejection;
use quittance_core::tenant::Tenant;
use quittance_store::records::{Book, GatewayObject, Holder, IntentEntry};
use quittance_store::tables::CUSTOMERS;

pub(super) fn reads(tenant: TenantId, customer: &CustomerRef, asked: &CreatePayment, wanted: &mut Wanted<'_>) {
    let (book, customer) = match customer {
        CustomerRef::Id(id) => (*id, wanted.get::<Customer>(vec![id.bytes().into()])),
        CustomerRef::External(external_id) => {
            match wanted.unique::<Customer>(&CUSTOMERS.indexes[0], external_place(tenant, external_id)) {
                Some(customer) => (customer.id, Some(customer)),
                None => return,
            }
        }
    };
    orphans::reads_of_payment(book, (&asked.gateway, &asked.reference), customer.as_ref(), wanted);
    wanted.row::<Book>(vec![book.bytes().into()]);
    let intent = IntentEntry::of_reference(&asked.reference);
    if let Some(entry) = wanted.get::<IntentEntry>(vec![book.bytes().into(), intent.into()]) {
        let place = entry.holder.payment().map(|payment| vec![book.bytes().into(), payment.bytes().into()]);
        if let Some(payment) = place.and_then(|place| wanted.get::<Payment>(place)) {
            wanted.row::<Effect>(vec![book.bytes().into(), payment.effect.bytes().into()]);
            if let Some(object) = &payment.gateway_object {
                wanted.row::<GatewayObject>(object_place(&payment.gateway, object));
            }
        }
    }
}

pub(super) fn handle(
    named: &CustomerRef,
    asked: &CreatePayment,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let customer = match find_customer(named, command.tenant, rows)? {
        Some(customer) => customer,
        None => return Ok(answered(command, &Answer::Rejected(&Rejection::CustomerNotFound), context)),
    };
    let tenant: Tenant = rows.expect(&vec![command.tenant.bytes().into()])?;
    let class = match check_gateway(asked, &tenant, context) {
        Ok(class) => class,
        Err(rejection) => return Ok(answered(command, &Answer::Rejected(&rejection), context)),
    };
    let mut book: Book = rows.expect(&vec![customer.id.bytes().into()])?;
    let intent = intent_of(&customer, asked, rows)?;
    let previous = match &intent {
        Some(entry) => Some(previous(entry, rows)?),
        None => None,
    };
    let ids = NewIds {
        command: command.id,
        payment: PaymentId::from_uuid(context.ids.uuid(context.now)),
        effect: EffectId::from_uuid(context.ids.uuid(context.now)),
    };
    let made = create_payment(asked.clone(), &customer, previous.as_ref(), &mut book.balances, class, ids, context.now);
    match made {
        Err(rejection) => Ok(answered(command, &Answer::Rejected(&rejection), context)),
        Ok(Accepted::Existing) => return_existing(previous, command, rows, context),
        Ok(Accepted::New(new)) => {
            if let Some(refused) = context.backlogged(&new.payment.gateway) {
                return Ok(refused.into());
            }
            let is_retry = previous.is_some_and(|previous| previous.payment.status == Status::Failed);
            let ask = Ask::Payment { money: asked.money, is_retry };
            let over = match brakes::check(&tenant, &ask, rows, context)? {
                Braking::Pass => None,
                Braking::Refuse(over) => return Ok(brakes::refused(&tenant, over)),
                Braking::Park(over) => Some(over),
            };
            take_reference(intent, &new.payment, rows);
            command.subject = Some(new.payment.id.to_string());
            accept(*new, (customer, tenant, book), over, rows, context)
        }
    }
}

/// Writes the new rows, and begins at once where the gateway has room and no brake holds it back.
fn accept(
    mut new: NewPayment,
    (customer, tenant, mut book): (Customer, Tenant, Book),
    over: Option<Over>,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    rows.append(&mut book, &new.record, context.now);
    if let Some(over) = &over {
        let record = park_payment(&mut new, over.limit);
        rows.append(&mut book, &record, context.now);
    }
    let NewPayment { payment, effect, .. } = new;
    let (command, subject) = (payment.command, payment.id.to_string());
    let (refund, dispute, evidence) = (None, None, None);
    let mut around = EffectRows { effect, payment, customer, tenant, book, refund, dispute, evidence };
    // Whoever accepts a payment holds its first lease, so that the usual answer needs no polling.
    around.effect.lease_epoch = 1;
    around.effect.era = context.era.number;
    // The object of a failed attempt is this one's now, and so are the events about it.
    adopt_object(&around, rows, context);
    let job = match over.is_none() && has_room_for_new(&around.effect, context) {
        true => begin(&mut around, rows, context)?,
        false => None,
    };
    effect_rows::put(&around, rows);
    Ok(match over {
        Some(over) => brakes::parked(&around.tenant, over, Parked { command, subject }),
        None => {
            let payment = Some(Box::new(around.payment));
            Handled { outcome: Outcome::Accepted { command, subject, payment }, job }
        }
    })
}

fn take_reference(intent: Option<IntentEntry>, payment: &Payment, rows: &mut WorkingSet<'_>) {
    let entry = IntentEntry {
        book: payment.book,
        intent: intent.map_or_else(|| IntentEntry::of_reference(&payment.reference), |entry| entry.intent),
        holder: Holder::Payment(payment.id),
    };
    rows.put(&entry);
}

/// The payment that holds the reference: as it is, where its question is answered; else the command waits with it.
fn return_existing(
    previous: Option<Previous>,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &Context<'_>,
) -> Result<Handled, Miss> {
    let Some(Previous { payment, mut effect }) = previous else {
        return Err(Miss::Corrupt("a reference is held by no payment".into()));
    };
    command.subject = Some(payment.id.to_string());
    if payment.status.is_answerable() {
        return Ok(answered(command, &Answer::ExistingPayment(&payment), context));
    }
    if effect.joined.len() >= JOINED_MAX {
        let rejection = Rejection::DuplicateIntent { command: payment.command, payment: payment.id };
        return Ok(answered(command, &Answer::Rejected(&rejection), context));
    }
    effect.joined.push(Joined { command: command.id, asked: Asked::Existing });
    rows.put(&effect);
    Ok(Outcome::Accepted { command: command.id, subject: payment.id.to_string(), payment: None }.into())
}

fn find_customer(named: &CustomerRef, tenant: TenantId, rows: &WorkingSet<'_>) -> Result<Option<Customer>, Miss> {
    let found = match named {
        CustomerRef::Id(id) => rows.get::<Customer>(&vec![id.bytes().into()])?,
        CustomerRef::External(external_id) => {
            rows.unique::<Customer>(&CUSTOMERS.indexes[0], &external_place(tenant, external_id))?
        }
    };
    // Another tenant's customer is no customer here, whatever its id.
    Ok(found.filter(|customer| customer.tenant == tenant))
}

fn check_gateway(asked: &CreatePayment, tenant: &Tenant, context: &Context<'_>) -> Result<Class, Rejection> {
    let gateway = context.gateways.0.get(&asked.gateway).ok_or(Rejection::GatewayNotFound)?;
    // Play money never moves real money, nor the other way round.
    if gateway.mode.is_some_and(|mode| mode != tenant.mode) {
        return Err(Rejection::GatewayNotFound);
    }
    let class = gateway.class(Subject::Payment).ok_or(Rejection::NotOffered { operation: "payments" })?;
    if asked.capture_method == CaptureMethod::Manual && !gateway.connector.captures_later() {
        return Err(Rejection::NotOffered { operation: "manual capture" });
    }
    let unrepresentable = |error: Unsayable| Rejection::AmountNotRepresentable { reason: error.to_string() };
    gateway.connector.check_amount(asked.money).map_err(unrepresentable)?;
    Ok(class)
}

fn intent_of(customer: &Customer, asked: &CreatePayment, rows: &WorkingSet<'_>) -> Result<Option<IntentEntry>, Miss> {
    let intent = IntentEntry::of_reference(&asked.reference);
    rows.get::<IntentEntry>(&vec![customer.id.bytes().into(), intent.into()])
}

fn previous(entry: &IntentEntry, rows: &WorkingSet<'_>) -> Result<Previous, Miss> {
    let held_otherwise = || Miss::Corrupt(format!("intent {:?} is held by no payment", entry.intent));
    let payment = entry.holder.payment().ok_or_else(held_otherwise)?;
    let payment: Payment = rows.expect(&vec![entry.book.bytes().into(), payment.bytes().into()])?;
    let effect: Effect = rows.expect(&vec![entry.book.bytes().into(), payment.effect.bytes().into()])?;
    Ok(Previous { payment, effect })
}
