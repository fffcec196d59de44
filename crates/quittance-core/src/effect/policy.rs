//! Limits and spans of the effect machine, with defaults for Stripe.

use super::{Capability, KeyMemory, Readback, Replay, Subject};

/// Limits and spans of the effect machine; configuration, with defaults for Stripe.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Shortest wait before another try.
    pub backoff_base_ms: u64,
    /// Longest wait before another try.
    pub backoff_max_ms: u64,
    /// Answers without sense after which a person has to look. Outages, limits and bad credentials never count.
    pub tries_max: u32,
    /// What the gateway offers for payments.
    pub payments: Capability,
    /// What the gateway offers for refunds.
    pub refunds: Capability,
    /// How long a customer may take to authenticate before the payment is given up.
    pub action_expiry_ms: u64,
    /// How long an authorisation may wait for its capture before it is given up.
    pub capture_expiry_ms: u64,
    /// Wait before the first read of an object that is pending; it doubles up to [`PENDING_POLLS_MAX`] times as much.
    pub pending_poll_ms: u64,
}

/// Longest wait between reads of a pending object, in first waits: an hour by default, for events usually tell sooner.
pub const PENDING_POLLS_MAX: u64 = 60;

const HOUR_MS: u64 = 3_600_000;

/// Stripe, API v1: keys are forgotten after "at least 24 hours" (API reference, idempotent requests), so 23 h are used;
/// an answer lost to time may still take effect for ten minutes, one lost to a 500 for a day.
const STRIPE: Capability = Capability {
    is_two_phase: false,
    key: Some(KeyMemory { length_max: 255, window_ms: 23 * HOUR_MS, replay: Replay::Frozen }),
    readback: Readback::List,
    do_events_carry_reference: true,
    quiescence_ms: HOUR_MS / 6,
    quiescence_after_error_ms: 24 * HOUR_MS,
};

impl Default for Policy {
    /// Stripe's payment intents, with a back-off from 0.5 s to 60 s.
    fn default() -> Self {
        Self {
            backoff_base_ms: 500,
            backoff_max_ms: 60_000,
            tries_max: 200,
            payments: Capability { is_two_phase: true, ..STRIPE },
            refunds: STRIPE,
            action_expiry_ms: 24 * HOUR_MS,
            // Stripe itself cancels an uncaptured authorisation after 7 days; we are first.
            capture_expiry_ms: 7 * 24 * HOUR_MS - HOUR_MS,
            pending_poll_ms: 60_000,
        }
    }
}

impl Policy {
    /// What the gateway offers for what an effect does.
    #[must_use]
    pub const fn capability(&self, subject: Subject) -> &Capability {
        match subject {
            Subject::Payment | Subject::Dispute(_) => &self.payments,
            Subject::Refund(_) => &self.refunds,
        }
    }

    /// Full-jitter back-off: somewhere between half a base and `base × 2^tries`, capped. `dice` is a random number.
    #[must_use]
    pub fn backoff_ms(&self, tries: u32, dice: u64) -> u64 {
        let ceiling = self.backoff_base_ms.saturating_mul(1 << tries.min(20)).min(self.backoff_max_ms).max(1);
        let floor = (self.backoff_base_ms / 2).min(ceiling - 1);
        floor + dice % (ceiling - floor)
    }

    /// Wait before the next read of a pending object that was read so often without a change.
    #[must_use]
    pub fn pending_ms(&self, tries: u32) -> u64 {
        self.pending_poll_ms.saturating_mul((1 << tries.min(20)).min(PENDING_POLLS_MAX))
    }
}
