//! When an object of a gateway is looked at again, though nobody asked: spans as data, and what follows from them.
//!
//! No list of a gateway tells what changed since. So whatever may still change after its end has a tail of looks: money
//! that had come may go back for days, a refund may be returned by the bank for weeks, a lost dispute may be won after all.

use quittance_core::fact::ObjectKind;
use quittance_core::time::Timestamp;
use quittance_store::records::{GatewayObject, ObjectState};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// The longest wait between two looks: a later time was written by a clock that ran ahead.
pub(crate) const WAIT_MS_MAX: u64 = 8 * DAY_MS;

/// Spans of the looks at objects; configuration, with defaults for Stripe.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    /// From the moment an object is known until it is first looked at.
    pub settle_ms: u64,
    /// Between two looks at what may still change.
    pub again_ms: u64,
    /// How long a payment that has ended may still change.
    pub payment_tail_ms: u64,
    /// How long a refund that has ended may still change.
    pub refund_tail_ms: u64,
    /// Between two looks at a lost dispute.
    pub lost_dispute_again_ms: u64,
    /// How long a lost dispute may still be won.
    pub lost_dispute_tail_ms: u64,
    /// How long an object waits for another one before that is looked for.
    pub parent_ms: u64,
    /// How long an object waits for another one at all.
    pub parked_ms_max: u64,
    /// Answers in a row that cannot be read after which an object is given to a person.
    pub unreadable_tries: u32,
    /// The least time that those tries have to span.
    pub unreadable_ms: u64,
}

impl Default for Looks {
    /// A refund may come back from the bank for 30 days; a dispute that was lost may be won for most of a year.
    fn default() -> Self {
        Self {
            settle_ms: 15 * MINUTE_MS,
            again_ms: DAY_MS,
            payment_tail_ms: 3 * DAY_MS,
            refund_tail_ms: 35 * DAY_MS,
            lost_dispute_again_ms: 7 * DAY_MS,
            lost_dispute_tail_ms: 365 * DAY_MS,
            parent_ms: 15 * MINUTE_MS,
            parked_ms_max: 72 * HOUR_MS,
            unreadable_tries: 12,
            unreadable_ms: DAY_MS,
        }
    }
}

impl Looks {
    /// The same by a clock that was set ahead by so many milliseconds: what may still happen for days does so for that much
    /// longer by it.
    pub(crate) const fn by_clock_ahead(self, ahead_ms: u64) -> Self {
        Self {
            payment_tail_ms: self.payment_tail_ms.saturating_add(ahead_ms),
            refund_tail_ms: self.refund_tail_ms.saturating_add(ahead_ms),
            lost_dispute_tail_ms: self.lost_dispute_tail_ms.saturating_add(ahead_ms),
            ..self
        }
    }

    /// When an object that was just seen is looked at again; none when nothing more is expected of it.
    pub(crate) fn next(&self, object: &GatewayObject, now: Timestamp) -> Option<Timestamp> {
        let since = object.status_since.unwrap_or(now);
        let status = object.status.as_deref().unwrap_or_default();
        match object.state {
            ObjectState::Ours => match (object.kind, status) {
                // What takes money back later is shown by the charge behind it, which has looks of its own.
                (ObjectKind::Payment, "succeeded" | "canceled") | (ObjectKind::Charge, "failed" | "canceled") => None,
                (ObjectKind::Payment | ObjectKind::Charge, _) => self.tail(since, self.payment_tail_ms, now),
                (ObjectKind::Refund, _) => self.tail(since, self.refund_tail_ms, now),
                (ObjectKind::Dispute, "lost") => self.lost_dispute(since, now),
                (ObjectKind::Dispute, "won" | "warning_closed" | "prevented") => None,
                (ObjectKind::Dispute, _) => Some(now.plus_ms(self.again_ms)),
            },
            ObjectState::Stray | ObjectState::Orphan => self.tail(since, self.payment_tail_ms, now),
            ObjectState::Missing => self.tail(object.troubled_since.unwrap_or(now), self.payment_tail_ms, now),
            ObjectState::Unread => Some(now.plus_ms(self.again_ms)),
            ObjectState::External | ObjectState::Parked | ObjectState::Quarantined => None,
        }
    }

    /// Once more, as long as the span since is not over.
    fn tail(&self, since: Timestamp, span_ms: u64, now: Timestamp) -> Option<Timestamp> {
        Some(now.plus_ms(self.again_ms)).filter(|next| *next <= since.plus_ms(span_ms))
    }

    fn lost_dispute(&self, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let next = now.plus_ms(self.lost_dispute_again_ms);
        Some(next).filter(|next| *next <= since.plus_ms(self.lost_dispute_tail_ms))
    }

    /// Wait before another try to read what could not be read so often: a second at first, for it may be a single answer
    /// that was spoiled on its way, and hours before the end of the time after which a person has to look.
    pub(crate) fn unreadable_wait_ms(&self, tries: u32) -> u64 {
        let first = self.unreadable_ms / 131_072;
        first.saturating_mul(1 << tries.min(20)).min(self.unreadable_ms / 6).max(1)
    }

    /// Wait before it is looked up again whether the object that another one waits for is known: no request is needed.
    pub(crate) fn parked_wait_ms(&self, parked_since: Timestamp, now: Timestamp) -> u64 {
        now.ms_since(parked_since).clamp(1_000, self.parent_ms.max(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: ObjectKind, status: &str) -> GatewayObject {
        let now = Timestamp::from_seconds(1_800_000_000);
        GatewayObject {
            state: ObjectState::Ours,
            status: Some(status.to_owned()),
            status_since: Some(now),
            ..GatewayObject::new("stripe".into(), "x_1".into(), kind, now)
        }
    }

    /// How often an object is looked at after it was first seen so, and for how many days.
    fn tail(object: &GatewayObject) -> (usize, u64) {
        let looks = Looks::default();
        let first = object.first_seen_at;
        let mut at = first;
        let mut count = 0;
        while let Some(next) = looks.next(object, at) {
            (at, count) = (next, count + 1);
            if count == 1_000 {
                return (count, 0);
            }
        }
        (count, at.ms_since(first) / DAY_MS)
    }

    #[test]
    fn every_end_has_its_tail() {
        for (kind, status, expected) in [
            (ObjectKind::Payment, "succeeded", (0, 0)),
            (ObjectKind::Payment, "requires_payment_method", (3, 3)),
            (ObjectKind::Charge, "succeeded", (3, 3)),
            (ObjectKind::Charge, "failed", (0, 0)),
            (ObjectKind::Refund, "succeeded", (35, 35)),
            (ObjectKind::Refund, "failed", (35, 35)),
            (ObjectKind::Dispute, "lost", (52, 364)),
            (ObjectKind::Dispute, "won", (0, 0)),
            (ObjectKind::Dispute, "needs_response", (1_000, 0)),
        ] {
            assert_eq!(tail(&object(kind, status)), expected, "{kind:?} {status}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_tried_at_once_and_then_for_a_day() {
        let looks = Looks::default();
        let (mut tries, mut spanned_ms) = (1, 0);
        while spanned_ms < looks.unreadable_ms {
            spanned_ms += looks.unreadable_wait_ms(tries);
            tries += 1;
        }
        assert!((looks.unreadable_tries..2 * looks.unreadable_tries).contains(&tries), "{tries}");
        assert!(looks.unreadable_wait_ms(1) < 2_000);
        assert!(looks.unreadable_wait_ms(u32::MAX) < WAIT_MS_MAX);
    }
}
