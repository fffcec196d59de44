//! What can happen to a request to a gateway of one request, and around it.

use proptest::prelude::*;
use quittance_core::effect::Class;

use super::HOUR_MS;
use super::gateway::Outcome;

/// What happens to one request; parts are thousandths of the span within which it can happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Answered,
    RunAndLost,
    NeverRun,
    RunsLater {
        part: u64,
    },
    ErrorAndRun,
    ErrorNotRun,
    ErrorRolledForward {
        part: u64,
    },
    /// The gateway answers with an error and rolls forward; we crash before we know.
    ErrorRolledForwardUnheard {
        part: u64,
    },
    Throttled,
    Unauthorised,
    Refused,
    InUse,
    NotSent,
    CrashBefore,
    CrashAfter,
}

/// What else happens in a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    /// How long nobody works on the effect.
    pub(super) outage_ms: u64,
    /// Which of the undelivered events comes before the move, and which while a request is under way.
    pub(super) event: Option<usize>,
    pub(super) event_midway: Option<usize>,
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    let part = || 0..=1_000_u64;
    prop_oneof![
        3 => Just(Fate::Answered),
        2 => Just(Fate::RunAndLost),
        1 => Just(Fate::NeverRun),
        3 => part().prop_map(|part| Fate::RunsLater { part }),
        1 => Just(Fate::ErrorAndRun),
        1 => Just(Fate::ErrorNotRun),
        2 => part().prop_map(|part| Fate::ErrorRolledForward { part }),
        1 => part().prop_map(|part| Fate::ErrorRolledForwardUnheard { part }),
        1 => Just(Fate::Throttled),
        1 => Just(Fate::Unauthorised),
        1 => Just(Fate::Refused),
        1 => Just(Fate::InUse),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::CrashBefore),
        1 => Just(Fate::CrashAfter),
    ]
}

pub(super) fn chance() -> impl Strategy<Value = Chance> {
    let event = || prop_oneof![3 => Just(None), 1 => (0_usize..3).prop_map(Some)];
    let outage = prop_oneof![6 => Just(0), 2 => 0..HOUR_MS, 1 => 20 * HOUR_MS..30 * HOUR_MS];
    (outage, event(), event()).prop_map(|(outage_ms, event, event_midway)| Chance { outage_ms, event, event_midway })
}

pub(super) fn outcome() -> impl Strategy<Value = Outcome> {
    let pends = (0..48 * HOUR_MS, any::<bool>());
    prop_oneof![
        3 => Just(Outcome::Succeeds),
        2 => pends.prop_map(|(ends_after_ms, succeeds)| Outcome::Pends { ends_after_ms, succeeds }),
        1 => Just(Outcome::Declined),
    ]
}

pub(super) fn classes() -> impl Strategy<Value = Class> {
    prop_oneof![Just(Class::A), Just(Class::B), Just(Class::C), Just(Class::D)]
}
