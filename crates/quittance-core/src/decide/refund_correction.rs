//! What becomes of a refund's money after its story was over: it came back, or it went although the refund had failed.
//! Each is booked by itself, and once; the effect's outcome stands.

use super::create_refund::refund_postings;
use super::postings::take_back;
use crate::effect::{Effect, Source};
use crate::fact::Returned;
use crate::journal::{Corrected, Correction, Record};
use crate::ledger::{Balances, LedgerError, Movement, Posting};
use crate::payment::Payment;
use crate::refund::{Refund, RefundStatus};

/// The money came back: the refund counts as failed from now on, for nothing was given back.
pub(super) fn take_in(
    effect: &Effect,
    refund: &mut Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    returned: Returned,
    learned: (Source, String),
) -> Result<Record, LedgerError> {
    // What a gateway says of a fee or a rate is not ours to guess at: all of the refund came back.
    let postings = take_back(refund_postings(&refund.gateway, refund.money));
    balances.apply(Movement::Post, &postings)?;
    payment.refunded_amount -= refund.money.amount;
    refund.status = RefundStatus::Failed;
    refund.failure_code.get_or_insert_with(|| "returned".into());
    Ok(record(effect, payment, (Correction::RefundReturned, returned.movement), learned, postings))
}

/// The money went although the hold had been let go: what that held is posted, and the refund counts as succeeded from now
/// on. The sum may be more than came, for others may have been made in its place.
pub(super) fn pay(
    effect: &Effect,
    refund: &mut Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    learned: (Source, String),
) -> Result<Record, LedgerError> {
    let postings = refund_postings(&refund.gateway, refund.money);
    balances.apply(Movement::Post, &postings)?;
    payment.refunded_amount += refund.money.amount;
    refund.status = RefundStatus::Succeeded;
    refund.failure_code = None;
    // Not the object's own name: that is what a later return of the money may be booked under.
    let movement = format!("paid:{}", effect.id);
    Ok(record(effect, payment, (Correction::RefundPaid, movement), learned, postings))
}

fn record(
    effect: &Effect,
    payment: &Payment,
    (correction, movement): (Correction, String),
    (source, saw): (Source, String),
    postings: Vec<Posting>,
) -> Record {
    Record::Corrected(Corrected { effect: effect.id, payment: payment.id, correction, movement, source, saw, postings })
}
