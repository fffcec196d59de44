//! Learning something about the effect that answers a dispute. It holds no money: only the effect moves.

use super::learn::{Learned, Lesson, unmoving, word};
use crate::effect::{Advance, Effect, Policy, Source, State, advance, recover};
use crate::id::DisputeId;
use crate::journal::{EvidenceAdvanced, Record};
use crate::time::Timestamp;

/// Applies a lesson to an effect that answers a dispute. What the lesson shows of the dispute itself is learned by
/// itself (`learn_dispute`).
pub fn learn_evidence(effect: &mut Effect, dispute: DisputeId, lesson: Lesson, policy: &Policy) -> Learned {
    let Lesson { source, stimulus, now, dice } = lesson;
    let saw = word(&stimulus);
    let outcome = advance(effect, stimulus, policy, now, dice);
    if let Some((because, alarm)) = unmoving(&outcome, effect) {
        let record = Record::ObservationKept { effect: effect.id, source, saw, because: because.into() };
        return Learned { records: vec![record], alarm, ..Learned::default() };
    }
    let (step_refused, alarm) = match outcome {
        Advance::Failed(decline) => (Some(decline.code), None),
        Advance::Review(reason) => (None, Some(reason)),
        _ => (None, None),
    };
    Learned {
        records: vec![Record::EvidenceAdvanced(advanced(effect, dispute, source, saw))],
        is_answered: matches!(effect.state, State::Succeeded | State::Failed),
        step_refused,
        alarm,
        ..Learned::default()
    }
}

/// Treats a submission as lost whose lease ended: whether its bytes left is not known, and has to be found out.
pub fn learn_of_lost_evidence(effect: &mut Effect, dispute: DisputeId, now: Timestamp) -> Record {
    recover(effect, now);
    Record::EvidenceAdvanced(advanced(effect, dispute, Source::Recovery, "lease_lost".into()))
}

/// What the journal says of an effect that answers a dispute, as it is now.
pub(super) fn advanced(effect: &Effect, dispute: DisputeId, source: Source, saw: String) -> EvidenceAdvanced {
    EvidenceAdvanced { effect: effect.id, dispute, source, saw, state: effect.state, generation: effect.generation }
}
