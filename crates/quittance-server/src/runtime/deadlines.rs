//! Deadlines of disputes: how near the next ones are, said once for each that is near.
//!
//! Does not own what is done about a dispute: that is a person's answer.

use crate::{clock, metrics};
use quittance_core::dispute::Dispute;
use quittance_core::id::DisputeId;
use quittance_core::time::Timestamp;
use quittance_engine::Engine;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How often they are looked at.
const LOOK: Duration = Duration::from_secs(60);

/// Disputes looked at, at most: those whose deadlines are next.
const DISPUTES_MAX: usize = 1_000;

/// A deadline nearer than this is urgent.
const WARNING_S: i64 = 3 * 24 * 3_600;

/// The disputes whose deadlines were said to be near. A process says it again after its start.
pub(super) struct Deadlines {
    next_look: Instant,
    said: BTreeSet<DisputeId>,
}

impl Deadlines {
    pub(super) fn new() -> Self {
        Self { next_look: clock::monotonic(), said: BTreeSet::new() }
    }

    /// Looks, if it is time to. What cannot be looked at is no reason to stop.
    pub(super) fn look(&mut self, engine: &mut Engine) {
        if clock::monotonic() < self.next_look {
            return;
        }
        self.next_look = clock::monotonic() + LOOK;
        let now = clock::now();
        let waiting = match engine.deadlines(now, DISPUTES_MAX) {
            Ok(waiting) => waiting,
            Err(error) => return tracing::error!(%error, "the deadlines of disputes cannot be looked at"),
        };
        for dispute in self.newly_urgent(&waiting, now) {
            let hours = seconds_left(dispute, now) / 3_600;
            let (id, payment, gateway) = (dispute.id, dispute.payment, &dispute.gateway);
            tracing::error!(dispute = %id, %payment, gateway, hours, "a dispute is not answered and its deadline is near");
        }
        let nearest_s = waiting.first().map(|dispute| seconds_left(dispute, now));
        metrics::disputes(waiting.len(), self.said.len(), nearest_s);
    }

    /// Those that became urgent since the last look. Those that are not any more are forgotten.
    fn newly_urgent<'a>(&mut self, waiting: &'a [Dispute], now: Timestamp) -> Vec<&'a Dispute> {
        let is_urgent = |dispute: &&Dispute| (0..WARNING_S).contains(&seconds_left(dispute, now));
        let urgent: Vec<&Dispute> = waiting.iter().filter(is_urgent).collect();
        let said = std::mem::replace(&mut self.said, urgent.iter().map(|dispute| dispute.id).collect());
        urgent.into_iter().filter(|dispute| !said.contains(&dispute.id)).collect()
    }
}

/// Below zero once the deadline has passed.
fn seconds_left(dispute: &Dispute, now: Timestamp) -> i64 {
    let until = dispute.answerable_until().unwrap_or(now);
    until.seconds().saturating_sub(now.seconds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use quittance_core::currency::Currency;
    use quittance_core::dispute::DisputeStatus;
    use quittance_core::id::{CustomerId, PaymentId, TenantId};
    use quittance_core::money::Money;

    const DAY_S: i64 = 24 * 3_600;

    fn dispute(number: u8, due_by_s: i64) -> Dispute {
        Dispute {
            id: DisputeId::from_bytes([number; 16]),
            book: CustomerId::from_bytes([1; 16]),
            tenant: TenantId::from_bytes([2; 16]),
            payment: PaymentId::from_bytes([3; 16]),
            gateway: "stripe".into(),
            object_id: format!("dp_{number}"),
            status: DisputeStatus::NeedsResponse,
            money: Money::new(500, Currency::from_code("USD").expect("known currency")),
            reason: "fraudulent".into(),
            evidence_due_by: Some(Timestamp::from_seconds(due_by_s)),
            submissions: 0,
            withdrawn_amount: 500,
            is_written_off: false,
            created_at: Timestamp(0),
        }
    }

    #[test]
    fn a_deadline_is_said_to_be_near_once_and_not_when_it_has_passed() {
        let mut deadlines = Deadlines::new();
        let waiting = [dispute(1, DAY_S), dispute(2, 5 * DAY_S), dispute(3, 30 * DAY_S)];
        let mut said = |waiting: &[Dispute], day: i64| -> Vec<u8> {
            let urgent = deadlines.newly_urgent(waiting, Timestamp::from_seconds(day * DAY_S));
            urgent.iter().map(|dispute| dispute.id.bytes()[0]).collect()
        };
        assert_eq!(said(&waiting, 0), [1]);
        assert_eq!(said(&waiting, 1), [0; 0]);
        assert_eq!(said(&waiting, 3), [2]);
        assert_eq!(said(&waiting[2..], 26), [0; 0], "answered meanwhile");
        assert_eq!(said(&waiting[2..], 28), [3]);
        assert_eq!(deadlines.said.len(), 1);
    }
}
