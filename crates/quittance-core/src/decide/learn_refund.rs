//! Learning something about a refund's effect: the refund follows, its hold is closed, its payment counts what is gone.

use super::create_refund::{refund_hold_of, refund_postings};
use super::learn::{Learned, Lesson, unknown_word, unmoving, word};
use super::postings::{close, take_back};
use crate::effect::{Advance, Effect, Policy, Source, State, advance, recover};
use crate::fact::{ObjectStatus, Returned};
use crate::journal::{Closing, Corrected, Correction, Record, RefundAdvanced};
use crate::ledger::{Balances, LedgerError, Movement, Posting};
use crate::money::Money;
use crate::payment::Payment;
use crate::refund::{Refund, RefundStatus};
use crate::time::Timestamp;

/// Applies a lesson to an effect, its refund, the payment and the book's balances.
///
/// # Errors
///
/// [`LedgerError`] when the hold cannot be closed: the book contradicts itself, and nothing may be written.
pub fn learn_refund(
    effect: &mut Effect,
    refund: &mut Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    lesson: Lesson,
    policy: &Policy,
) -> Result<Learned, LedgerError> {
    assert!(effect.id == refund.effect, "effect {} does not carry {} out", effect.id, refund.id);
    let Lesson { source, stimulus, now, dice } = lesson;
    let (saw, puzzle) = (word(&stimulus), unknown_word(&stimulus));
    let before = (effect.state, refund.status);
    let known_object = effect.object_id.clone();
    let outcome = advance(effect, stimulus, policy, now, dice);
    if let Advance::Returned(returned) = outcome {
        return correct(effect, refund, payment, balances, returned, (source, saw));
    }
    let is_found = known_object != effect.object_id;
    if let Some((because, alarm)) = unmoving(&outcome, effect).filter(|_| !is_found) {
        let record = Record::ObservationKept { effect: effect.id, source, saw, because: because.into() };
        return Ok(Learned { records: vec![record], alarm: alarm.or(puzzle), ..Learned::default() });
    }
    let (closing, alarm) = follow(refund, effect, &outcome);
    let postings = settle(refund, payment, balances, closing)?;
    let is_pending_still = matches!(outcome, Advance::Pending { .. }) && before == (effect.state, refund.status);
    let closing_of_hold = closing.map(|closing| (refund_hold_of(refund.id), closing));
    let record = advanced(effect, refund, source, saw);
    let record = Record::RefundAdvanced(RefundAdvanced { closing: closing_of_hold, postings, ..record });
    Ok(Learned {
        records: if is_pending_still { Vec::new() } else { vec![record] },
        closing,
        is_answered: refund.status.is_answerable(effect.state) && !before.1.is_answerable(before.0),
        alarm: alarm.or(puzzle),
        ..Learned::default()
    })
}

/// Treats a send as lost whose lease ended: whether its bytes left is not known, and has to be found out.
pub fn learn_of_lost_refund(effect: &mut Effect, refund: &mut Refund, now: Timestamp) -> Record {
    recover(effect, now);
    refund.status = RefundStatus::of_effect(effect, None);
    Record::RefundAdvanced(advanced(effect, refund, Source::Recovery, "lease_lost".into()))
}

/// What the journal says of an effect and its refund as they are now, with no hold closed.
pub(super) fn advanced(effect: &Effect, refund: &Refund, source: Source, saw: String) -> RefundAdvanced {
    RefundAdvanced {
        effect: effect.id,
        refund: refund.id,
        source,
        saw,
        state: effect.state,
        generation: effect.generation,
        object: effect.object_id.clone(),
        status: refund.status,
        failure_code: refund.failure_code.clone(),
        closing: None,
        postings: Vec::new(),
    }
}

/// Moves the refund after its effect, and says how its hold ends.
fn follow(refund: &mut Refund, effect: &mut Effect, outcome: &Advance) -> (Option<Closing>, Option<&'static str>) {
    refund.gateway_object.clone_from(&effect.object_id);
    let mut ends = (None, None);
    let pending = match outcome {
        Advance::Pending { status, .. } => Some(status),
        _ => None,
    };
    match outcome {
        Advance::Succeeded { .. } => ends = (Some(Closing::Posted), None),
        Advance::Failed(decline) => {
            refund.failure_code = Some(decline.code.clone());
            ends = (Some(Closing::Voided), None);
        }
        Advance::Canceled => ends = (Some(Closing::Voided), None),
        Advance::Review(reason) => ends = (None, Some(*reason)),
        Advance::Contradicted => {
            effect.state = State::Review;
            ends = (None, Some("the gateway gave back money of a refund that had failed"));
        }
        Advance::Moved
        | Advance::Pending { .. }
        | Advance::Unchanged
        | Advance::StepRefused { .. }
        | Advance::Returned(_) => {}
    }
    let was = (refund.status == RefundStatus::RequiresAction).then_some(ObjectStatus::RequiresAction);
    refund.status = RefundStatus::of_effect(effect, pending.or(was.as_ref()));
    ends
}

/// Closes the refund's hold, and counts its amount where it belongs now.
pub(super) fn settle(
    refund: &Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    closing: Option<Closing>,
) -> Result<Vec<Posting>, LedgerError> {
    let held = refund_postings(&refund.gateway, refund.money);
    let postings = close(balances, closing, held.clone(), held)?;
    if closing.is_some() {
        payment.refunding_amount -= refund.money.amount;
    }
    if closing == Some(Closing::Posted) {
        payment.refunded_amount += refund.money.amount;
    }
    Ok(postings)
}

/// The money came back: booked by itself, and the refund counts as failed from now on, for nothing was given back.
fn correct(
    effect: &Effect,
    refund: &mut Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    returned: Returned,
    (source, saw): (Source, String),
) -> Result<Learned, LedgerError> {
    // What a gateway says of a fee or a rate is not ours to guess at: all of the refund came back.
    let money = Money { amount: refund.money.amount, ..refund.money };
    let postings = take_back(refund_postings(&refund.gateway, money));
    balances.apply(Movement::Post, &postings)?;
    payment.refunded_amount -= money.amount;
    refund.status = RefundStatus::Failed;
    refund.failure_code.get_or_insert_with(|| "returned".into());
    let record = Record::Corrected(Corrected {
        effect: effect.id,
        payment: payment.id,
        correction: Correction::RefundReturned,
        movement: returned.movement,
        source,
        saw,
        postings,
    });
    Ok(Learned { records: vec![record], alarm: Some("money that was given back has come back"), ..Learned::default() })
}
