//! Accepting a refund: never more than is there, never twice for one intent.

use super::postings::take_back;
use crate::account::Account;
use crate::currency::Currency;
use crate::effect::{Class, Effect, Identity, Subject};
use crate::id::{CommandId, EffectId, HoldId, RefundId};
use crate::journal::{Record, RefundAccepted};
use crate::ledger::{Balances, Movement, Posting, transfer};
use crate::money::Money;
use crate::mutation::{self, Mutation};
use crate::payment::{Payment, Status};
use crate::refund::{Refund, RefundStatus};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// What a client asks for. It names the refund, or what it expects to be refunded already: else two keys could ask for
/// the same money twice.
#[derive(Clone, Debug)]
pub struct AskRefund {
    /// How much, in minor units of the payment's currency; all that is left, where it is not said.
    pub amount: Option<i64>,
    /// The currency, where the client says it.
    pub currency: Option<Currency>,
    /// The client's own name for the refund.
    pub reference: Option<String>,
    /// What is refunded or being refunded already, as far as the client knows.
    pub expected_refunded_amount: Option<i64>,
    /// Why, in the gateway's words.
    pub reason: Option<String>,
}

/// Ids for what is about to be made; drawn by the caller.
#[derive(Clone, Copy, Debug)]
pub struct NewRefundIds {
    /// Of the command.
    pub command: CommandId,
    /// Of the refund.
    pub refund: RefundId,
    /// Of the effect.
    pub effect: EffectId,
}

/// A refund that was accepted.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// The refund.
    pub refund: Refund,
    /// Its effect, due at once.
    pub effect: Effect,
    /// What the journal says of it.
    pub record: Record,
}

/// The hold of a refund carries the refund's own number, so that there can be only one.
#[must_use]
pub const fn refund_hold_of(refund: RefundId) -> HoldId {
    HoldId::from_uuid(refund.uuid())
}

/// What a refund reserves: the payment's own postings, turned round.
pub(crate) fn refund_postings(gateway: &str, money: Money) -> Vec<Posting> {
    let clearing = Account::GatewayClearing(gateway.to_owned());
    take_back(transfer(clearing, Account::Unapplied, money.amount, money.currency))
}

/// Accepts or refuses a refund. `previous` is the refund that holds the reference, `class` what the gateway offers for
/// refunds.
///
/// # Errors
///
/// [`Rejection`]: the payment has no money, too little of it, of another currency; the reference is taken; the client
/// expected something else. Nothing is changed then.
pub fn create_refund(
    asked: AskRefund,
    payment: &mut Payment,
    previous: Option<&Refund>,
    balances: &mut Balances,
    class: Class,
    ids: NewRefundIds,
    now: Timestamp,
) -> Result<NewRefund, Rejection> {
    if let Some(holder) = previous.filter(|refund| !refund.status.is_void()) {
        return Err(Rejection::DuplicateRefund { command: holder.command, refund: holder.id });
    }
    let money = check(&asked, payment)?;
    let postings = refund_postings(&payment.gateway, money);
    balances.apply(Movement::Hold, &postings).map_err(|_| Rejection::BookFull)?;
    payment.refunding_amount += money.amount;
    let refund = new_refund(asked, payment, money, ids, now);
    let identity = Identity {
        id: ids.effect,
        book: payment.book,
        tenant: payment.tenant,
        payment: payment.id,
        subject: Subject::Refund(refund.id),
    };
    let record = Record::RefundAccepted(RefundAccepted {
        refund: refund.id,
        payment: payment.id,
        command: ids.command,
        effect: ids.effect,
        hold: refund_hold_of(refund.id),
        money,
        gateway: payment.gateway.clone(),
        reference: refund.reference.clone(),
        postings,
    });
    let effect = Effect::new(identity, class, payment.gateway.clone(), money, now);
    Ok(NewRefund { refund, effect, record })
}

/// How much is given back, if that much can be.
fn check(asked: &AskRefund, payment: &Payment) -> Result<Money, Rejection> {
    if payment.status != Status::Succeeded || payment.gateway_object.is_none() {
        return Err(Rejection::NotRefundable { status: payment.status });
    }
    let currency = payment.money.currency;
    if asked.currency.is_some_and(|asked| asked != currency) {
        return Err(Rejection::RefundCurrency { currency });
    }
    let refunded_amount = payment.refunded_amount + payment.refunding_amount;
    if asked.expected_refunded_amount.is_some_and(|expected| expected != refunded_amount) {
        return Err(Rejection::RefundedAmountDiffers { refunded_amount });
    }
    let refundable_amount = payment.refundable_amount();
    let amount = asked.amount.unwrap_or(refundable_amount);
    let is_too_much = amount > refundable_amount || refundable_amount == 0;
    if is_too_much && !(mutation::is(Mutation::RefundSumUnguarded) && amount > 0) {
        return Err(Rejection::RefundTooLarge { refundable_amount });
    }
    Ok(Money::new(amount, currency))
}

fn new_refund(asked: AskRefund, payment: &Payment, money: Money, ids: NewRefundIds, now: Timestamp) -> Refund {
    Refund {
        id: ids.refund,
        book: payment.book,
        tenant: payment.tenant,
        payment: payment.id,
        command: ids.command,
        effect: ids.effect,
        money,
        gateway: payment.gateway.clone(),
        reference: asked.reference,
        reason: asked.reason,
        status: RefundStatus::Pending,
        parked_by: None,
        gateway_object: None,
        failure_code: None,
        created_at: now,
    }
}
