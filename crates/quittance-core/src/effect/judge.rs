//! What a fact means, given what was sent before it. One exhaustive table, no wildcard.

use crate::dispute::DisputeSighting;
use crate::fact::{Decline, Fact, Loss, Sighting};

/// Whether an earlier send under the same key is unresolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// No request with this key can have had an effect before.
    First,
    /// An earlier one may have.
    Replay,
}

/// What a fact says about our request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It ran, and this is the object.
    Executed(Sighting),
    /// It ran, and this is the dispute.
    ExecutedDispute(Box<DisputeSighting>),
    /// It ran and the payment method was declined; the object as the decline showed it.
    Declined {
        /// Why.
        decline: Decline,
        /// The object, where the error carried it.
        sighting: Option<Sighting>,
    },
    /// It did not run, and nothing did before: it may be sent again.
    NotExecuted {
        /// The gateway's wish for how long to wait.
        retry_after_ms: Option<u64>,
    },
    /// It was refused for good, with this code; the object as the refusal showed it.
    Refused {
        /// The gateway's code.
        code: String,
        /// The object, where the error carried it.
        sighting: Option<Sighting>,
    },
    /// Says nothing about the earlier send.
    NoInformation {
        /// The gateway's wish for how long to wait.
        retry_after_ms: Option<u64>,
    },
    /// It may have run.
    Ambiguous(Loss),
    /// Another send with this key is running.
    InProgress,
    /// The key was used with other parameters: our own bug.
    Bug,
}

/// Judges the answer to a write.
#[must_use]
pub fn judge(fact: Fact, sending: Sending) -> Verdict {
    match (fact, sending) {
        (Fact::Seen(sighting), _) => Verdict::Executed(sighting),
        (Fact::SeenDispute(dispute), _) => Verdict::ExecutedDispute(dispute),
        (Fact::Declined { decline, sighting }, _) => Verdict::Declined { decline, sighting },
        (Fact::Refused { code, sighting, is_replayed: true }, _)
        | (Fact::Refused { code, sighting, is_replayed: false }, Sending::First) => Verdict::Refused { code, sighting },
        (Fact::Absent, Sending::First) => Verdict::Refused { code: "resource_missing".into(), sighting: None },
        (Fact::Throttled { retry_after_ms }, Sending::First) => Verdict::NotExecuted { retry_after_ms },
        (Fact::NotSent | Fact::Unauthorised, Sending::First) => Verdict::NotExecuted { retry_after_ms: None },
        // On a replay the rate limiter, authentication and validation run before the key is looked up.
        (Fact::Throttled { retry_after_ms }, Sending::Replay) => Verdict::NoInformation { retry_after_ms },
        (
            Fact::NotSent | Fact::Unauthorised | Fact::Absent | Fact::Refused { is_replayed: false, .. },
            Sending::Replay,
        ) => Verdict::NoInformation { retry_after_ms: None },
        (Fact::InUse, _) => Verdict::InProgress,
        (Fact::KeyMismatch, _) => Verdict::Bug,
        (Fact::Lost(loss), _) => Verdict::Ambiguous(loss),
    }
}
