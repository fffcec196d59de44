//! What Stripe offers for finding out about a lost request: one row for each operation.

use quittance_core::effect::{Capability, KeyMemory, Readback, Replay, Subject};

use super::Flow;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Keys may have 255 characters and are forgotten after "at least 24 hours" (API reference, idempotent requests), of
/// which 23 are used. The first answer is stored, a 500 too.
const KEY: KeyMemory = KeyMemory { length_max: 255, window_ms: 23 * HOUR_MS, replay: Replay::Frozen };

/// One request does it all. Lists are strongly consistent, other than searches; an answer lost to time may still take
/// effect for ten minutes, one lost to a 500 for a day, since Stripe may roll it forward.
const CHARGES: Capability = Capability {
    is_two_phase: false,
    key: Some(KEY),
    readback: Readback::List,
    do_events_carry_reference: true,
    quiescence_ms: 10 * MINUTE_MS,
    quiescence_after_error_ms: 24 * HOUR_MS,
};

/// An intent succeeds at most once, and does nothing until it is confirmed.
const PAYMENT_INTENTS: Capability = Capability { is_two_phase: true, ..CHARGES };

/// As charges: a partial refund may be made twice.
const REFUNDS: Capability = CHARGES;

/// Evidence has no object of its own: the dispute, read by its id, counts what was submitted. Only the key's window and
/// the quiescence are looked at.
const EVIDENCE: Capability = CHARGES;

/// The row for what an effect does.
pub(super) const fn row(flow: Flow, subject: Subject) -> Capability {
    match (subject, flow) {
        (Subject::Payment, Flow::PaymentIntents) => PAYMENT_INTENTS,
        (Subject::Payment, Flow::Charges) => CHARGES,
        (Subject::Refund(_), _) => REFUNDS,
        (Subject::Dispute(_), _) => EVIDENCE,
    }
}
