//! A person decides what automation may not: an effect in review comes to its end, with evidence and a reason.

use super::create_payment::hold_of;
use super::learn::{advanced, close};
use crate::effect::{Effect, PersonsWord, Source, State};
use crate::fact::Decline;
use crate::journal::{Advanced, Closing, Record};
use crate::ledger::Balances;
use crate::payment::{Payment, Status};
use crate::rejection::Rejection;

/// What a person says has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The money moved.
    Succeeded,
    /// No money moved, or it was given back at the gateway.
    Failed,
}

/// Brings an effect in review to its end. `closed` says how its hold was closed before, if it was.
///
/// # Errors
///
/// [`Rejection::NotInReview`] for any other effect; [`Rejection::HoldIsGone`] where the money is said to have moved for a
/// payment whose hold was let go. Nothing is changed then.
pub fn resolve(
    effect: &mut Effect,
    payment: &mut Payment,
    balances: &mut Balances,
    closed: Option<Closing>,
    resolution: Resolution,
    word: PersonsWord,
) -> Result<(Record, Option<Closing>), Rejection> {
    if effect.state != State::Review {
        return Err(Rejection::NotInReview);
    }
    let closing = match (resolution, closed) {
        (Resolution::Succeeded, None) => Some(Closing::Posted),
        (Resolution::Failed, None) => Some(Closing::Voided),
        (Resolution::Succeeded, Some(Closing::Posted)) | (Resolution::Failed, Some(Closing::Voided)) => None,
        (Resolution::Succeeded, Some(Closing::Voided)) | (Resolution::Failed, Some(Closing::Posted)) => {
            return Err(Rejection::HoldIsGone);
        }
    };
    let postings = close(payment, balances, closing).map_err(|_| Rejection::BookFull)?;
    let saw = follow(effect, payment, resolution);
    let closing_of_hold = closing.map(|closing| (hold_of(payment.id), closing));
    let record = Record::EffectAdvanced(Advanced {
        closing: closing_of_hold,
        postings,
        ..advanced(effect, payment, Source::Person(word), saw.to_owned())
    });
    Ok((record, closing))
}

fn follow(effect: &mut Effect, payment: &mut Payment, resolution: Resolution) -> &'static str {
    effect.due_at = None;
    effect.lease_owner = 0;
    match resolution {
        Resolution::Succeeded => {
            (effect.state, payment.status) = (State::Succeeded, Status::Succeeded);
            payment.captured_amount = payment.money.amount;
            payment.decline = None;
            "resolved:succeeded"
        }
        Resolution::Failed => {
            (effect.state, payment.status) = (State::Failed, Status::Failed);
            let by_a_person = || Decline { code: "resolved_as_failed".into(), is_retryable: true };
            payment.decline.get_or_insert_with(by_a_person);
            "resolved:failed"
        }
    }
}
