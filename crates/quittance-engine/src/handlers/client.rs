//! A client's command: its idempotency key first, then what it asks.

use super::begin::begin;
use super::effect_rows::{self, EffectRows};
use super::learned::adopt_object;
use super::{Context, Handled, Wanted};
use crate::ports::Answer;
use crate::submission::{Action, ClientCommand, CustomerRef, NewCustomer, Outcome};
use crate::working_set::{Miss, WorkingSet};
use quittance_core::currency::{stripe_rule, to_wire};
use quittance_core::customer::Customer;
use quittance_core::decide::{Accepted, CreatePayment, NewIds, Previous, create_payment};
use quittance_core::effect::Effect;
use quittance_core::id::{CommandId, CustomerId, EffectId, PaymentId, TenantId};
use quittance_core::idempotency::{Command, FINGERPRINT_VERSION, Progress, Verdict, verdict};
use quittance_core::journal::Record;
use quittance_core::payment::Payment;
use quittance_core::rejection::Rejection;
use quittance_core::tenant::Tenant;
use quittance_store::records::{Book, IntentEntry, KeyEntry};
use quittance_store::tables::CUSTOMERS;
use quittance_store::value::{Key, Value};

fn key_place(tenant: TenantId, digest: [u8; 16]) -> Key {
    vec![tenant.bytes().into(), digest.into()]
}

fn external_place(tenant: TenantId, external_id: &str) -> Vec<Value> {
    vec![tenant.bytes().into(), external_id.into()]
}

pub(super) fn reads(command: &ClientCommand, wanted: &mut Wanted<'_>) {
    wanted.row::<Tenant>(vec![command.tenant.bytes().into()]);
    if let Some(entry) = wanted.row::<KeyEntry>(key_place(command.tenant, command.key.digest())) {
        wanted.row::<Command>(vec![entry.command.bytes().into()]);
        return;
    }
    match &command.action {
        Action::CreateCustomer(new) => {
            if let Some(id) = new.id {
                wanted.row::<Customer>(vec![id.bytes().into()]);
                wanted.row::<Book>(vec![id.bytes().into()]);
            }
            if let Some(external_id) = &new.external_id {
                wanted.unique::<Customer>(&CUSTOMERS.indexes[0], external_place(command.tenant, external_id));
            }
        }
        Action::CreatePayment { customer, asked } => reads_payment(command.tenant, customer, asked, wanted),
    }
}

fn reads_payment(tenant: TenantId, customer: &CustomerRef, asked: &CreatePayment, wanted: &mut Wanted<'_>) {
    let book = match customer {
        CustomerRef::Id(id) => {
            wanted.row::<Customer>(vec![id.bytes().into()]);
            *id
        }
        CustomerRef::External(external_id) => {
            match wanted.unique::<Customer>(&CUSTOMERS.indexes[0], external_place(tenant, external_id)) {
                Some(customer) => customer.id,
                None => return,
            }
        }
    };
    wanted.row::<Book>(vec![book.bytes().into()]);
    let intent = IntentEntry::of_reference(&asked.reference);
    if let Some(entry) = wanted.row::<IntentEntry>(vec![book.bytes().into(), intent.into()]) {
        let place = vec![book.bytes().into(), entry.payment.bytes().into()];
        if let Some(payment) = wanted.row::<Payment>(place) {
            wanted.row::<Effect>(vec![book.bytes().into(), payment.effect.bytes().into()]);
        }
    }
}

pub(super) fn handle(
    asked: &ClientCommand,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let stored = match rows.get::<KeyEntry>(&key_place(asked.tenant, asked.key.digest()))? {
        Some(entry) => Some(rows.expect::<Command>(&vec![entry.command.bytes().into()])?),
        None => None,
    };
    match verdict(stored.as_ref(), &asked.key, asked.operation, &asked.fingerprint) {
        Verdict::Fresh => fresh(asked, rows, context),
        Verdict::Replay(command) => Ok(Outcome::Replayed(Box::new(command.clone())).into()),
        Verdict::InProgress(command) => {
            Ok(Outcome::Joined { command: command.id, subject: command.subject.clone() }.into())
        }
        Verdict::Expired(command) => {
            let rejection = Rejection::KeyExpired { command: command.id, subject: command.subject.clone() };
            Ok(Outcome::Refused(rejection).into())
        }
        Verdict::Reused => Ok(Outcome::Refused(Rejection::KeyReused).into()),
    }
}

fn fresh(asked: &ClientCommand, rows: &mut WorkingSet<'_>, context: &mut Context<'_>) -> Result<Handled, Miss> {
    let mut command = Command {
        id: CommandId::from_uuid(context.ids.uuid(context.now)),
        tenant: asked.tenant,
        key: asked.key.as_str().to_owned(),
        operation: asked.operation.to_owned(),
        fingerprint: asked.fingerprint,
        fingerprint_version: FINGERPRINT_VERSION,
        progress: Progress::InProgress,
        subject: None,
        credential: asked.credential,
        api_version: asked.api_version.clone(),
        received_at: context.now,
    };
    let handled = match &asked.action {
        Action::CreateCustomer(new) => create_customer(new, &mut command, rows, context)?,
        Action::CreatePayment { customer, asked } => payment(customer, asked, &mut command, rows, context)?,
    };
    rows.put(&KeyEntry { tenant: asked.tenant, key_digest: asked.key.digest(), command: command.id });
    rows.put(&command);
    Ok(handled)
}

/// Freezes a command's answer.
pub(super) fn complete(command: &mut Command, answer: &Answer<'_>, context: &Context<'_>) -> (u16, Vec<u8>) {
    let (status, body) = context.render.render(answer, &command.api_version);
    command.progress = Progress::Completed { status, body: body.clone(), at: context.now };
    (status, body)
}

fn answered(command: &mut Command, answer: &Answer<'_>, context: &Context<'_>) -> Handled {
    let (status, body) = complete(command, answer, context);
    Outcome::Answered { command: command.id, status, body }.into()
}

fn create_customer(
    new: &NewCustomer,
    command: &mut Command,
    rows: &mut WorkingSet<'_>,
    context: &mut Context<'_>,
) -> Result<Handled, Miss> {
    let tenant = command.tenant;
    if let Some(field) = taken(new, tenant, rows)? {
        return Ok(answered(command, &Answer::Rejected(&Rejection::CustomerExists { field }), context));
    }
    let id = new.id.unwrap_or_else(|| CustomerId::from_uuid(context.ids.uuid(context.now)));
    let customer = Customer {
        id,
        tenant,
        external_id: new.external_id.clone(),
        name: new.name.clone(),
        email: new.email.clone(),
        currency: new.currency,
        timezone: new.timezone.clone(),
        gateway_ids: new.gateway_ids.clone(),
        metadata: new.metadata.clone(),
        created_at: context.now,
    };
    let mut book = Book::new(id, tenant);
    rows.append(&mut book, &Record::BookOpened { tenant }, context.now);
    rows.put(&customer);
    rows.put(&book);
    command.subject = Some(id.to_string());
    Ok(answered(command, &Answer::CustomerCreated(&customer), context))
}

fn taken(new: &NewCustomer, tenant: TenantId, rows: &WorkingSet<'_>) -> Result<Option<&'static str>, Miss> {
    if let Some(id) = new.id
        && rows.get::<Customer>(&vec![id.bytes().into()])?.is_some()
    {
        return Ok(Some("id"));
    }
    if let Some(external_id) = &new.external_id {
        let place = external_place(tenant, external_id);
        if rows.unique::<Customer>(&CUSTOMERS.indexes[0], &place)?.is_some() {
            return Ok(Some("external_id"));
        }
    }
    Ok(None)
}

fn payment(
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
    if let Err(rejection) = check_gateway(asked, context) {
        return Ok(answered(command, &Answer::Rejected(&rejection), context));
    }
    let mut book: Book = rows.expect(&vec![customer.id.bytes().into()])?;
    let mut intent = intent_of(&customer, asked, rows)?;
    let previous = match &intent {
        Some(entry) => Some(previous(entry, rows)?),
        None => None,
    };
    let ids = NewIds {
        command: command.id,
        payment: PaymentId::from_uuid(context.ids.uuid(context.now)),
        effect: EffectId::from_uuid(context.ids.uuid(context.now)),
    };
    let decided = create_payment(asked.clone(), &customer, previous.as_ref(), &mut book.balances, ids, context.now);
    match decided {
        Err(rejection) => Ok(answered(command, &Answer::Rejected(&rejection), context)),
        Ok(Accepted::Existing(existing)) => {
            command.subject = Some(existing.id.to_string());
            Ok(answered(command, &Answer::ExistingPayment(&existing), context))
        }
        Ok(Accepted::New { payment, mut effect, record }) => {
            rows.append(&mut book, &record, context.now);
            let entry = intent.get_or_insert_with(|| IntentEntry {
                book: customer.id,
                intent: IntentEntry::of_reference(&asked.reference),
                payment: payment.id,
            });
            entry.payment = payment.id;
            rows.put(entry);
            // Whoever accepts a payment holds its first lease, so that the usual answer needs no polling.
            effect.lease_epoch = 1;
            let (payment, effect) = (*payment, *effect);
            let subject = payment.id.to_string();
            let mut around = EffectRows { effect, payment, customer, book };
            // The object of a failed attempt is this one's now, and so are the events about it.
            adopt_object(&around, rows);
            let job = begin(&mut around, rows, context)?;
            effect_rows::put(&around, rows);
            command.subject = Some(subject.clone());
            let outcome = Outcome::Accepted { command: command.id, subject };
            Ok(Handled { outcome, job })
        }
    }
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

fn check_gateway(asked: &CreatePayment, context: &Context<'_>) -> Result<(), Rejection> {
    if !context.gateways.0.contains_key(&asked.gateway) {
        return Err(Rejection::GatewayNotFound);
    }
    to_wire(asked.money, stripe_rule(asked.money.currency))
        .map(|_| ())
        .map_err(|error| Rejection::AmountNotRepresentable { reason: error.to_string() })
}

fn intent_of(customer: &Customer, asked: &CreatePayment, rows: &WorkingSet<'_>) -> Result<Option<IntentEntry>, Miss> {
    let intent = IntentEntry::of_reference(&asked.reference);
    rows.get::<IntentEntry>(&vec![customer.id.bytes().into(), intent.into()])
}

fn previous(entry: &IntentEntry, rows: &WorkingSet<'_>) -> Result<Previous, Miss> {
    let payment: Payment = rows.expect(&vec![entry.book.bytes().into(), entry.payment.bytes().into()])?;
    let effect: Effect = rows.expect(&vec![entry.book.bytes().into(), payment.effect.bytes().into()])?;
    Ok(Previous { payment, effect })
}
