//! What came of a run by schedule, and how the pair stands then.

use super::observe::Observed;
use quittance_core::pair::schedule::retry_ms;
use quittance_core::time::Timestamp;
use quittance_store::records::{PairMemory, PairState};

/// How long a run waits that a replica was too far behind for, in milliseconds.
const LAGGING_MS: u64 = 30_000;

/// Failures in a row that are alarmed.
pub(super) const FAILURES_ALARMED: u32 = 3;

/// Longest text that is kept of an error, in bytes.
const DETAIL_BYTES_MAX: usize = 1_024;

/// What came of a run.
pub(super) enum Ended {
    /// The pair was compared to its end.
    Compared(Box<Observed>),
    /// It was put off; that is nobody's failure.
    PutOff {
        /// Why.
        why: PutOff,
        /// What is said of it.
        detail: String,
    },
    /// It could not be compared, or repaired.
    Failed {
        /// Why.
        detail: String,
        /// What kind of failure.
        why: Failure,
    },
    /// It was compared to its end, and judged; what was to be repaired could not all be written.
    Unwritten {
        /// What ended it.
        ended: Box<Ended>,
        /// What detectors remember from now on.
        memory: Box<PairMemory>,
    },
}

/// Why a pair could not be compared, or repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Something is away, or makes no sense: it may be well the next time.
    Passing,
    /// The configuration is to be mended.
    Refused,
    /// A system refuses our credential.
    Unauthorised,
}

/// Why a run was put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PutOff {
    /// Somebody paused the pair.
    Paused,
    /// A replica is too far behind.
    Lagging,
    /// Somebody else works on the pair.
    Lost,
    /// This process ends.
    Ending,
}

impl Ended {
    /// As a stable word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Compared(observed) => observed.word,
            Self::Unwritten { ended, .. } => ended.word(),
            Self::PutOff { why: PutOff::Paused, .. } => "paused",
            Self::PutOff { why: PutOff::Lagging, .. } => "lagging",
            Self::PutOff { why: PutOff::Lost, .. } => "lost",
            Self::PutOff { why: PutOff::Ending, .. } => "ended",
            Self::Failed { why: Failure::Refused | Failure::Unauthorised, .. } => "refused",
            Self::Failed { why: Failure::Passing, .. } => "failed",
        }
    }

    fn detail(&self) -> &str {
        match self {
            Self::Compared(observed) => &observed.statement,
            Self::Unwritten { ended, .. } => ended.detail(),
            Self::PutOff { detail, .. } | Self::Failed { detail, .. } => detail,
        }
    }

    /// Says it to people.
    pub(super) fn log(&self, pair: &str) {
        let (outcome, detail) = (self.word(), self.detail());
        match self {
            Self::Unwritten { ended, .. } => ended.log(pair),
            Self::Failed { .. } => tracing::error!(pair, outcome, detail, "a pair cannot be compared"),
            Self::PutOff { .. } => tracing::info!(pair, outcome, detail, "a run was put off"),
            Self::Compared(_) => tracing::info!(pair, outcome, detail, "a pair was compared"),
        }
    }

    /// Keeps it in the row of the pair. What was paused is due as soon as it is resumed; so is what somebody has to take up.
    pub(super) fn settle(&self, state: &mut PairState, now: Timestamp, next: &dyn Fn(Timestamp) -> Timestamp) {
        let detail = self.detail();
        let end = detail.floor_char_boundary(DETAIL_BYTES_MAX);
        (state.outcome, state.detail) = (Some(self.word().to_owned()), Some(detail[..end].to_owned()));
        state.ended_at = Some(now);
        match self {
            Self::Compared(observed) => {
                (state.failures, state.failing_since, state.good_at) = (0, None, Some(now));
                state.memory = beside(&observed.memory, state);
                state.due_at = Some(next(now));
            }
            Self::Unwritten { ended, memory } => {
                ended.settle(state, now, next);
                state.memory = beside(memory, state);
            }
            Self::PutOff { why: PutOff::Lagging, .. } => state.due_at = Some(now.plus_ms(LAGGING_MS)),
            Self::PutOff { .. } => state.due_at = Some(now),
            Self::Failed { .. } => {
                state.failures = state.failures.saturating_add(1);
                state.failing_since.get_or_insert(now);
                state.due_at = Some(now.plus_ms(retry_ms(state.failures)));
            }
        }
    }
}

/// What is remembered from now on, beside the shapes of fields: whoever compared has kept these already.
fn beside(memory: &PairMemory, state: &mut PairState) -> PairMemory {
    PairMemory { shapes: std::mem::take(&mut state.memory.shapes), ..memory.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::pair::detect::silence::Before;

    #[test]
    fn failures_are_counted_and_put_off_further_and_what_is_paused_is_due_at_once() {
        let mut state = PairState { pair: "a".into(), ..PairState::default() };
        state.memory.shapes.bent.insert("right status".into(), Timestamp(1));
        let failed = Ended::Failed { detail: "é".repeat(2_000), why: Failure::Passing };
        for (turn, seconds) in [(1, 5), (2, 10), (3, 20)] {
            failed.settle(&mut state, Timestamp(turn), &|_| unreachable!("it failed"));
            assert_eq!(state.due_at, Some(Timestamp(turn).plus_ms(seconds * 1_000)));
        }
        assert_eq!((state.failures, state.failing_since), (FAILURES_ALARMED, Some(Timestamp(1))));
        assert_eq!(state.detail.as_ref().map(String::len), Some(DETAIL_BYTES_MAX));
        for (why, due) in [(PutOff::Lagging, Timestamp(9).plus_ms(LAGGING_MS)), (PutOff::Paused, Timestamp(9))] {
            let put_off = Ended::PutOff { why, detail: String::new() };
            put_off.settle(&mut state, Timestamp(9), &|_| unreachable!("it was put off"));
            assert_eq!((state.due_at, state.failures), (Some(due), 3), "{why:?}");
        }
        let judged = Some(Before { started_at: Timestamp(8), as_of: Timestamp(8) });
        let memory = Box::new(PairMemory { judged, ..PairMemory::default() });
        let unwritten = Ended::Unwritten { ended: Box::new(failed), memory };
        unwritten.settle(&mut state, Timestamp(9), &|_| unreachable!("it failed"));
        assert_eq!((unwritten.word(), state.failures, state.memory.judged), ("failed", 4, judged), "it was judged");
        let observed = Observed { word: "equal", ..Observed::default() };
        Ended::Compared(Box::new(observed)).settle(&mut state, Timestamp(20), &|now| now.plus_ms(7));
        assert_eq!((state.failures, state.failing_since, state.good_at), (0, None, Some(Timestamp(20))));
        assert_eq!(state.due_at, Some(Timestamp(20).plus_ms(7)));
        assert_eq!(state.memory.shapes.bent.len(), 1, "what was kept with the comparison stays");
    }
}
