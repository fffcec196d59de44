//! Accepting a payment: the intent, its hold, and the effect that will carry it out.

use crate::account::Account;
use crate::customer::Customer;
use crate::effect::{AfterCancel, Class, Effect, Identity, Step, Subject};
use crate::fact::ObjectKind;
use crate::id::{CommandId, EffectId, HoldId, PaymentId};
use crate::journal::Record;
use crate::ledger::{Balances, Movement, Posting, transfer};
use crate::money::Money;
use crate::payment::{CaptureMethod, Payment, Status};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// What a client asks for.
#[derive(Clone, Debug)]
pub struct CreatePayment {
    /// How much of what; between 1 and 2^53 − 1 minor units.
    pub money: Money,
    /// The configured gateway.
    pub gateway: String,
    /// The gateway's token for how it is paid.
    pub payment_method: String,
    /// When what is authorised is taken.
    pub capture_method: CaptureMethod,
    /// Where the customer comes back to after authenticating.
    pub return_url: Option<String>,
    /// The client's own name for what is being paid.
    pub reference: String,
    /// What to answer when the reference is taken.
    pub on_duplicate: OnDuplicate,
    /// Description, passed to the gateway.
    pub description: Option<String>,
    /// The client's own fields.
    pub metadata: BTreeMap<String, String>,
}

/// What to answer when a payment with the same reference exists and has not failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDuplicate {
    /// Refuse.
    #[default]
    Reject,
    /// Answer with the existing payment, if it is for the same amount at the same gateway.
    ReturnExisting,
}

/// Ids for what is about to be made; drawn by the caller.
#[derive(Clone, Copy, Debug)]
pub struct NewIds {
    /// Of the command.
    pub command: CommandId,
    /// Of the payment.
    pub payment: PaymentId,
    /// Of the effect.
    pub effect: EffectId,
}

/// The newest payment of the same reference, with its effect.
#[derive(Clone, Debug)]
pub struct Previous {
    /// The payment.
    pub payment: Payment,
    /// Its effect.
    pub effect: Effect,
}

/// What follows from accepting the command.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// A new payment.
    New(Box<NewPayment>),
    /// The previous payment holds the reference, and is what was asked for.
    Existing,
}

/// A payment that was accepted.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// The payment.
    pub payment: Payment,
    /// Its effect, due at once.
    pub effect: Effect,
    /// What the journal says of it.
    pub record: Record,
}

/// The hold of a payment carries the payment's own number, so that there can be only one.
#[must_use]
pub const fn hold_of(payment: PaymentId) -> HoldId {
    HoldId::from_uuid(payment.uuid())
}

/// What a payment reserves: money the gateway will hold for us, against the customer's money not yet applied.
#[must_use]
pub(crate) fn payment_postings(gateway: &str, money: Money) -> Vec<Posting> {
    transfer(Account::GatewayClearing(gateway.to_owned()), Account::Unapplied, money.amount, money.currency)
}

/// Accepts or refuses a payment. `balances` are the book's, and get the hold; `class` is what the gateway offers for
/// payments.
///
/// # Errors
///
/// [`Rejection::DuplicateIntent`] when the reference has a payment that has not definitively failed;
/// [`Rejection::BookFull`] when the hold does not fit. Nothing is changed then.
pub fn create_payment(
    asked: CreatePayment,
    customer: &Customer,
    previous: Option<&Previous>,
    balances: &mut Balances,
    class: Class,
    ids: NewIds,
    now: Timestamp,
) -> Result<Accepted, Rejection> {
    if let Some(holder) = previous.filter(|previous| !previous.payment.status.frees_reference()) {
        let is_same = holder.payment.money == asked.money && holder.payment.gateway == asked.gateway;
        return match asked.on_duplicate {
            OnDuplicate::ReturnExisting if is_same => Ok(Accepted::Existing),
            // A payment of another amount is not what was asked for, whatever its reference.
            OnDuplicate::ReturnExisting | OnDuplicate::Reject => {
                Err(Rejection::DuplicateIntent { command: holder.payment.command, payment: holder.payment.id })
            }
        };
    }
    let postings = payment_postings(&asked.gateway, asked.money);
    balances.apply(Movement::Hold, &postings).map_err(|_| Rejection::BookFull)?;
    let mut payment = new_payment(asked, customer, ids, now);
    let effect = new_effect(&payment, class, previous, now);
    payment.object_kind = effect.object_kind();
    let record = Record::PaymentAccepted {
        payment: payment.id,
        command: ids.command,
        effect: ids.effect,
        hold: hold_of(payment.id),
        money: payment.money,
        gateway: payment.gateway.clone(),
        reference: payment.reference.clone(),
        postings,
    };
    Ok(Accepted::New(Box::new(NewPayment { payment, effect, record })))
}

fn new_payment(asked: CreatePayment, customer: &Customer, ids: NewIds, now: Timestamp) -> Payment {
    Payment {
        id: ids.payment,
        book: customer.id,
        tenant: customer.tenant,
        command: ids.command,
        effect: ids.effect,
        money: asked.money,
        gateway: asked.gateway,
        payment_method: asked.payment_method,
        capture_method: asked.capture_method,
        return_url: asked.return_url,
        reference: asked.reference,
        status: Status::Processing,
        captured_amount: 0,
        refunded_amount: 0,
        refunding_amount: 0,
        disputed_amount: 0,
        returned_amount: 0,
        parked_by: None,
        gateway_object: None,
        object_kind: ObjectKind::Payment,
        decline: None,
        next_action: None,
        description: asked.description,
        metadata: asked.metadata,
        created_at: now,
    }
}

fn new_effect(payment: &Payment, class: Class, previous: Option<&Previous>, now: Timestamp) -> Effect {
    let identity = Identity {
        id: payment.effect,
        book: payment.book,
        tenant: payment.tenant,
        payment: payment.id,
        subject: Subject::Payment,
    };
    let mut effect = Effect::new(identity, class, payment.gateway.clone(), payment.money, now);
    // Only an object that can be confirmed again is worth taking over.
    if let Some(previous) = previous.filter(|previous| class == Class::P && previous.effect.class == Class::P) {
        continue_from(&mut effect, payment.capture_method, previous);
    }
    effect
}

/// Takes over the gateway object of a failed attempt, so that two attempts cannot both charge. One of another amount,
/// currency or way of capturing is fenced before a new one is made, and so is one that was to be fenced and was not seen
/// to be.
fn continue_from(effect: &mut Effect, capture_method: CaptureMethod, previous: &Previous) {
    let is_same_gateway = previous.effect.gateway == effect.gateway;
    let is_fenced = previous.effect.is_fenced;
    let Some(object) = previous.effect.object_id.clone().filter(|_| is_same_gateway && !is_fenced) else {
        return;
    };
    effect.object_id = Some(object);
    let is_same_kind = previous.effect.money == effect.money && previous.payment.capture_method == capture_method;
    if is_same_kind && previous.effect.step != Step::Cancel {
        effect.step = Step::Confirm;
        effect.names_method = true;
    } else {
        effect.step = Step::Cancel;
        effect.after_cancel = Some(AfterCancel::Replace);
    }
}
