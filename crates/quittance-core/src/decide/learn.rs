//! Learning something about an effect: the effect moves, its payment follows, the hold is closed, the journal says so.

use super::create_payment::{hold_of, payment_postings};
use crate::effect::{Advance, Effect, Policy, Source, State, Stimulus, advance, recover};
use crate::fact::{Fact, ObjectStatus};
use crate::journal::{Advanced, Closing, Record};
use crate::ledger::{Balances, LedgerError, Movement, Posting};
use crate::payment::{Payment, Status};
use crate::time::Timestamp;

/// Something learned, and where.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// Where from.
    pub source: Source,
    /// What.
    pub stimulus: Stimulus,
    /// When.
    pub now: Timestamp,
    /// A random number, for jitter.
    pub dice: u64,
}

/// What follows from it.
#[derive(Clone, Debug)]
pub struct Learned {
    /// What the journal says of it; nothing where a pending object was looked at again and nothing had changed.
    pub record: Option<Record>,
    /// How the hold was closed, if it was.
    pub closing: Option<Closing>,
    /// Whether the client's question has its answer now.
    pub is_answered: bool,
    /// A person should look, for this reason.
    pub alarm: Option<&'static str>,
}

/// Applies a lesson to an effect, its payment and the book's balances.
///
/// # Errors
///
/// [`LedgerError`] when the hold cannot be closed: the book contradicts itself, and nothing may be written.
pub fn learn(
    effect: &mut Effect,
    payment: &mut Payment,
    balances: &mut Balances,
    lesson: Lesson,
    policy: &Policy,
) -> Result<Learned, LedgerError> {
    assert!(effect.payment == payment.id, "effect {} belongs to {}, not to {}", effect.id, effect.payment, payment.id);
    let saw = word(&lesson.stimulus);
    let puzzle = unknown_word(&lesson.stimulus);
    let before = (effect.state, payment.status, payment.next_action.clone());
    let outcome = advance(effect, lesson.stimulus, policy, lesson.now, lesson.dice);
    if let Some((because, alarm)) = unmoving(&outcome, effect) {
        let (effect, source) = (effect.id, lesson.source);
        let record = Record::ObservationKept { effect, source, saw, because: because.into() };
        return Ok(Learned { record: Some(record), closing: None, is_answered: false, alarm });
    }
    let (closing, alarm) = follow(payment, effect, &outcome);
    let postings = close(payment, balances, closing)?;
    let is_pending_still = matches!(outcome, Advance::Pending { .. })
        && before == (effect.state, payment.status, payment.next_action.clone());
    let closing_of_hold = closing.map(|closing| (hold_of(payment.id), closing));
    let record = Record::EffectAdvanced(Advanced {
        closing: closing_of_hold,
        postings,
        ..advanced(effect, payment, lesson.source, saw)
    });
    let is_answered = payment.status.is_answerable() && !before.1.is_answerable();
    let record = (!is_pending_still).then_some(record);
    Ok(Learned { record, closing, is_answered, alarm: alarm.or(puzzle) })
}

/// Treats a send as lost whose lease ended: whether its bytes left is not known, and has to be found out.
pub fn learn_of_lost_lease(effect: &mut Effect, payment: &mut Payment, now: Timestamp) -> Record {
    recover(effect, now);
    payment.gateway_object.clone_from(&effect.object_id);
    payment.status = Status::of_effect(effect, None);
    Record::EffectAdvanced(advanced(effect, payment, Source::Recovery, "lease_lost".into()))
}

/// What the journal says of an effect and its payment as they are now, with no hold closed.
pub(super) fn advanced(effect: &Effect, payment: &Payment, source: Source, saw: String) -> Advanced {
    Advanced {
        effect: effect.id,
        payment: payment.id,
        source,
        saw,
        state: effect.state,
        step: effect.step,
        generation: effect.generation,
        object: effect.object_id.clone(),
        status: payment.status,
        decline: payment.decline.clone(),
        closing: None,
        postings: Vec::new(),
    }
}

/// Why an outcome moves nothing, and whether somebody should know; none when it moves something.
fn unmoving(outcome: &Advance, effect: &Effect) -> Option<(&'static str, Option<&'static str>)> {
    match (outcome, effect.state) {
        (Advance::Unchanged, _) => Some(("nothing new", None)),
        (Advance::Contradicted, State::Succeeded) => {
            Some(("contradicts a proven success", Some("the gateway contradicts a proven success")))
        }
        (Advance::Contradicted, State::Review) => {
            Some(("a person decides", Some("the gateway charged a payment that is in review")))
        }
        _ => None,
    }
}

/// A word of the gateway that this version does not know is never passed over in silence.
fn unknown_word(stimulus: &Stimulus) -> Option<&'static str> {
    match stimulus {
        Stimulus::Answered(Fact::Seen(seen))
        | Stimulus::Read(Fact::Seen(seen))
        | Stimulus::Found(Some(seen))
        | Stimulus::Observed(seen) => matches!(seen.status, ObjectStatus::Unrecognised(_))
            .then_some("the gateway uses a status that this version does not know"),
        _ => None,
    }
}

/// Moves the payment after its effect, and says how its hold ends.
fn follow(payment: &mut Payment, effect: &mut Effect, outcome: &Advance) -> (Option<Closing>, Option<&'static str>) {
    payment.gateway_object = effect.object_id.clone();
    let mut ends = (None, None);
    match outcome {
        Advance::Moved => payment.status = Status::of_effect(effect, pending_word(payment.status).as_ref()),
        Advance::Pending { status, next_action } => {
            payment.status = Status::of_effect(effect, Some(status));
            payment.next_action = next_action.clone();
        }
        Advance::Succeeded => {
            payment.status = Status::Succeeded;
            payment.captured_amount = payment.money.amount;
            ends = (Some(Closing::Posted), None);
        }
        Advance::Failed(decline) => {
            payment.status = Status::Failed;
            payment.decline = Some(decline.clone());
            ends = (Some(Closing::Voided), None);
        }
        Advance::Review(reason) => {
            payment.status = Status::Review;
            ends = (None, Some(*reason));
        }
        Advance::Contradicted => {
            effect.state = State::Review;
            payment.status = Status::Review;
            ends = (None, Some("the gateway charged an attempt that had failed"));
        }
        Advance::Unchanged => {}
    }
    if payment.status != Status::RequiresAction {
        payment.next_action = None;
    }
    ends
}

/// The object's word that a pending payment's status stands for, so that waking it does not change what clients see.
fn pending_word(status: Status) -> Option<ObjectStatus> {
    match status {
        Status::RequiresAction => Some(ObjectStatus::RequiresAction),
        Status::RequiresCapture => Some(ObjectStatus::RequiresCapture),
        Status::Processing
        | Status::Succeeded
        | Status::Failed
        | Status::Canceled
        | Status::Unknown
        | Status::Review => None,
    }
}

pub(super) fn close(
    payment: &Payment,
    balances: &mut Balances,
    closing: Option<Closing>,
) -> Result<Vec<Posting>, LedgerError> {
    let movement = match closing {
        None => return Ok(Vec::new()),
        Some(Closing::Posted) => Movement::PostHeld,
        Some(Closing::Voided) => Movement::Void,
    };
    let postings = payment_postings(&payment.gateway, payment.money);
    balances.apply(movement, &postings)?;
    Ok(postings)
}

fn word(stimulus: &Stimulus) -> String {
    match stimulus {
        Stimulus::Answered(fact) | Stimulus::Read(fact) | Stimulus::FindFailed(fact) => fact.word(),
        Stimulus::Found(Some(sighting)) | Stimulus::Observed(sighting) => sighting.word(),
        Stimulus::Found(None) => Fact::Absent.word(),
    }
}
