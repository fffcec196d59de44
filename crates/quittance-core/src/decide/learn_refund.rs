//! Learning something about a refund's effect: the refund follows, its hold is closed, its payment counts what is gone.
//! What becomes of the money after that is in `refund_correction`.

use super::create_refund::{refund_hold_of, refund_postings};
use super::learn::{Learned, Lesson, unknown_word, unmoving, word};
use super::postings::close;
use super::refund_correction::{pay, take_in};
use crate::effect::{Advance, Effect, Policy, Source, State, advance, recover};
use crate::fact::ObjectStatus;
use crate::journal::{Closing, Record, RefundAdvanced};
use crate::ledger::{Balances, LedgerError, Posting};
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
    let is_found = known_object != effect.object_id;
    match outcome {
        Advance::Returned(returned) => {
            let record = take_in(effect, refund, payment, balances, returned, (source, saw))?;
            let alarm = Some("money that was given back has come back");
            return Ok(Learned { records: vec![record], alarm, ..Learned::default() });
        }
        Advance::Paid => return paid(effect, refund, payment, balances, is_found, (source, saw)),
        _ => {}
    }
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
        | Advance::Returned(_)
        | Advance::Paid => {}
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

/// What had failed gave the money back after all. Whose object shows that is said first, where it was not known.
fn paid(
    effect: &Effect,
    refund: &mut Refund,
    payment: &mut Payment,
    balances: &mut Balances,
    is_found: bool,
    (source, saw): (Source, String),
) -> Result<Learned, LedgerError> {
    refund.gateway_object.clone_from(&effect.object_id);
    let found = advanced(effect, refund, source.clone(), saw.clone());
    let mut records: Vec<Record> = is_found.then_some(Record::RefundAdvanced(found)).into_iter().collect();
    records.push(pay(effect, refund, payment, balances, (source, saw))?);
    let alarm = match payment.is_overrefunded() {
        true => "a refund that had failed gave money back after all, and more was given back than came",
        false => "a refund that had failed gave money back after all",
    };
    Ok(Learned { records, alarm: Some(alarm), ..Learned::default() })
}
