//! Learning something about a payment's effect: the effect moves, its payment follows, the hold is closed, the journal
//! says so.

use super::create_payment::{hold_of, payment_postings};
use super::postings::{close, take_back};
use crate::dispute::DisputeStatus;
use crate::effect::{
    Advance, Effect, Policy, Source, State, Step, Stimulus, advance, judge_afterwards, recover, sighting_of,
};
use crate::fact::{Fact, ObjectStatus, Returned};
use crate::journal::{Advanced, Closing, Corrected, Correction, Record};
use crate::ledger::{Balances, LedgerError, Movement};
use crate::money::Money;
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
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// What the journal says of it; nothing where a pending object was looked at again and nothing had changed.
    pub records: Vec<Record>,
    /// How the hold was closed, if it was.
    pub closing: Option<Closing>,
    /// Whether the client's question has its answer now.
    pub is_answered: bool,
    /// The gateway refused the step that a client asked for, with this code.
    pub step_refused: Option<String>,
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
    let Lesson { source, stimulus, now, dice } = lesson;
    let saw = word(&stimulus);
    let before = Before::of(effect, payment);
    let known_object = effect.object_id.clone();
    let outcome = advance(effect, stimulus.clone(), policy, now, dice);
    if let Advance::Returned(returned) = outcome {
        let record = correct(effect, payment, balances, &returned, source, saw)?;
        let alarm = Some("money that had come went back");
        return Ok(Learned { records: vec![record], alarm, ..Learned::default() });
    }
    // Whose object it is is news, even where nothing else moves.
    let is_found = known_object != effect.object_id;
    if let Some((because, alarm)) = unmoving(&outcome, effect).filter(|_| !is_found) {
        let record = Record::ObservationKept { effect: effect.id, source, saw, because: because.into() };
        let alarm = alarm.or_else(|| unknown_word(&stimulus));
        return Ok(Learned { records: vec![record], alarm, ..Learned::default() });
    }
    let mut learned = moved(effect, payment, balances, &before, &outcome, (source.clone(), saw.clone()))?;
    learned.alarm = learned.alarm.or_else(|| unknown_word(&stimulus));
    // A first look may show both: that it came, and that it went back.
    if let Advance::Succeeded { .. } = outcome
        && let Advance::Returned(returned) = judge_afterwards(effect, &stimulus)
    {
        learned.records.push(correct(effect, payment, balances, &returned, source, saw)?);
    }
    Ok(learned)
}

/// What a client saw before.
struct Before {
    state: State,
    step: Step,
    status: Status,
    next_action: Option<String>,
}

impl Before {
    fn of(effect: &Effect, payment: &Payment) -> Self {
        let next_action = payment.next_action.clone();
        Self { state: effect.state, step: effect.step, status: payment.status, next_action }
    }

    fn is_unchanged(&self, effect: &Effect, payment: &Payment) -> bool {
        (self.state, self.step, self.status) == (effect.state, effect.step, payment.status)
            && self.next_action == payment.next_action
    }
}

fn moved(
    effect: &mut Effect,
    payment: &mut Payment,
    balances: &mut Balances,
    before: &Before,
    outcome: &Advance,
    (source, saw): (Source, String),
) -> Result<Learned, LedgerError> {
    let (closing, alarm) = follow(payment, effect, outcome);
    let held = payment_postings(&payment.gateway, payment.money);
    let made = payment_postings(&payment.gateway, Money { amount: payment.captured_amount, ..payment.money });
    let postings = close(balances, closing, held, made)?;
    let is_pending_still = matches!(outcome, Advance::Pending { .. }) && before.is_unchanged(effect, payment);
    let closing_of_hold = closing.map(|closing| (hold_of(payment.id), closing));
    let record = advanced(effect, payment, source, saw);
    let record = Record::EffectAdvanced(Advanced { closing: closing_of_hold, postings, ..record });
    let step_refused = match outcome {
        Advance::StepRefused { code } => Some(code.clone()),
        _ => None,
    };
    Ok(Learned {
        records: if is_pending_still { Vec::new() } else { vec![record] },
        closing,
        is_answered: payment.status.is_answerable() && !before.status.is_answerable(),
        step_refused,
        alarm,
    })
}

/// Books what went back. What was proven stays as it is.
fn correct(
    effect: &Effect,
    payment: &mut Payment,
    balances: &mut Balances,
    returned: &Returned,
    source: Source,
    saw: String,
) -> Result<Record, LedgerError> {
    let money = Money { amount: returned.amount, ..payment.money };
    let postings = take_back(payment_postings(&payment.gateway, money));
    balances.apply(Movement::Post, &postings)?;
    payment.returned_amount = payment.returned_amount.saturating_add(returned.amount);
    Ok(Record::Corrected(Corrected {
        effect: effect.id,
        payment: payment.id,
        correction: Correction::PaymentReturned,
        movement: returned.movement.clone(),
        source,
        saw,
        postings,
    }))
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
pub(super) fn unmoving(outcome: &Advance, effect: &Effect) -> Option<(&'static str, Option<&'static str>)> {
    match (outcome, effect.state) {
        (Advance::Unchanged, _) => Some(("nothing new", None)),
        (Advance::Contradicted, State::Succeeded) => {
            Some(("contradicts a proven success", Some("the gateway contradicts a proven success")))
        }
        (Advance::Contradicted, State::Review) => {
            Some(("a person decides", Some("the gateway moved money of what is in review")))
        }
        _ => None,
    }
}

/// A word of the gateway that this version does not know is never passed over in silence.
pub(super) fn unknown_word(stimulus: &Stimulus) -> Option<&'static str> {
    let status = sighting_of(stimulus).map(|seen| &seen.status);
    let dispute = match stimulus {
        Stimulus::Answered(Fact::SeenDispute(dispute))
        | Stimulus::Read(Fact::SeenDispute(dispute))
        | Stimulus::ObservedDispute(dispute) => Some(&dispute.status),
        _ => None,
    };
    let is_unknown = matches!(status, Some(ObjectStatus::Unrecognised(_)))
        || matches!(dispute, Some(DisputeStatus::Unrecognised(_)));
    is_unknown.then_some("the gateway uses a status that this version does not know")
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
        Advance::StepRefused { .. } => payment.status = Status::RequiresCapture,
        Advance::Succeeded { amount } => {
            payment.status = Status::Succeeded;
            payment.captured_amount = *amount;
            ends = (Some(Closing::Posted), None);
        }
        Advance::Failed(decline) => {
            payment.status = Status::Failed;
            payment.decline = Some(decline.clone());
            ends = (Some(Closing::Voided), None);
        }
        Advance::Canceled => {
            payment.status = Status::Canceled;
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
        Advance::Unchanged | Advance::Returned(_) | Advance::Paid => {}
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

/// What a stimulus shows, in one word.
#[must_use]
pub fn word(stimulus: &Stimulus) -> String {
    match stimulus {
        Stimulus::Answered(fact) | Stimulus::Read(fact) | Stimulus::FindFailed(fact) => fact.word(),
        Stimulus::Found(Some(sighting)) | Stimulus::Observed(sighting) => sighting.word(),
        Stimulus::ObservedDispute(dispute) => dispute.word(),
        Stimulus::Found(None) => Fact::Absent.word(),
        Stimulus::OutOfMeans => "out_of_means".into(),
        Stimulus::TooLittleLeft => "too_little_left".into(),
        Stimulus::Orphaned(orphans) => orphans.word(),
    }
}
