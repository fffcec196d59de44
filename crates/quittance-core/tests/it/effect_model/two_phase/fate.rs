//! What can happen to a request to a two-phase gateway, and between two of them.

use proptest::prelude::*;

use super::gateway::Attempt;
use crate::effect_model::money;

/// What happens to one request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Answered,
    RunAndLost,
    NeverRun,
    RunsLater,
    Throttled,
    Refused,
    StoredErrorRun,
    StoredErrorNotRun,
    StoredErrorRunsLater,
    NotSent,
    CrashBefore,
    CrashAfter,
}

/// What happens between two things that the machine does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Nothing,
    /// A request that was delayed arrives; which one.
    LateArrival(usize),
    /// An event comes; which one of those that were not delivered.
    Event(usize),
    CustomerActs,
    CustomerActsForAnotherConfirm,
    CustomerFails {
        has_error: bool,
    },
    ProcessingEnds {
        succeeds: bool,
    },
    ClientCaptures {
        amount: i64,
    },
    ClientCancels,
    GatewayExpires,
    Outage {
        ms: u64,
    },
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        8 => Just(Fate::Answered),
        2 => Just(Fate::RunAndLost),
        1 => Just(Fate::NeverRun),
        3 => Just(Fate::RunsLater),
        1 => Just(Fate::Throttled),
        1 => Just(Fate::Refused),
        1 => Just(Fate::StoredErrorRun),
        1 => Just(Fate::StoredErrorNotRun),
        1 => Just(Fate::StoredErrorRunsLater),
        1 => Just(Fate::NotSent),
        1 => Just(Fate::CrashBefore),
        2 => Just(Fate::CrashAfter),
    ]
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Nothing),
        3 => (0_usize..3).prop_map(Act::LateArrival),
        2 => (0_usize..3).prop_map(Act::Event),
        2 => Just(Act::CustomerActs),
        1 => Just(Act::CustomerActsForAnotherConfirm),
        1 => any::<bool>().prop_map(|has_error| Act::CustomerFails { has_error }),
        2 => any::<bool>().prop_map(|succeeds| Act::ProcessingEnds { succeeds }),
        3 => (1..=money().amount).prop_map(|amount| Act::ClientCaptures { amount }),
        1 => Just(Act::ClientCancels),
        1 => Just(Act::GatewayExpires),
        1 => (0..8 * 24 * 3_600_000_u64).prop_map(|ms| Act::Outage { ms }),
    ]
}

pub(super) fn attempt() -> impl Strategy<Value = Attempt> {
    prop_oneof![
        3 => Just(Attempt::Accepted),
        2 => Just(Attempt::Declined),
        2 => Just(Attempt::NeedsAction),
        1 => Just(Attempt::TakesTime),
    ]
}
