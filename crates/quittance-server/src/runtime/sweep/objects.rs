//! Lists of objects: what is at the gateway and in no row of ours is to be looked at.

use super::{AGAIN_MAX, Interrupted, PAGES_MAX, Sweeper, is_over};
use crate::clock;
use quittance_connectors::connector::{ListFact, Search, Unreadable};
use quittance_connectors::key::is_gateway_key;
use quittance_core::effect::{Class, Subject};
use quittance_core::fact::{Fact, ObjectKind};
use quittance_engine::submission::{Listed, Swept};
use quittance_engine::sweeps::{begin_objects, follow_objects};
use std::time::Duration;

/// What is listed. Payments are charges where the gateway makes them in one request.
pub(super) const KINDS: [ObjectKind; 4] = ObjectKind::ALL;

impl Sweeper<'_> {
    /// Follows a list of objects where the last time is long enough ago, or one is under way.
    pub(super) async fn objects_if_due(&self, sweep_kind: ObjectKind, every: Duration) -> Result<(), Interrupted> {
        let Some(kind) = self.listed_kind(sweep_kind) else { return Ok(()) };
        let mut sweep = self.state(sweep_kind.name()).await?;
        let goes_on = sweep.resume_after.is_some() || sweep.is_full;
        // What belongs to payments is known through them, and is listed where everything is to be seen.
        let is_regular = matches!(sweep_kind, ObjectKind::Payment | ObjectKind::Refund);
        if !goes_on && !is_regular {
            return Ok(());
        }
        if !goes_on && !is_over(sweep.completed_at, every, clock::now()) {
            return Ok(());
        }
        self.warn_of_clock(sweep_kind.name(), &begin_objects(&mut sweep, clock::now()));
        let mut again = AGAIN_MAX;
        for _ in 0..PAGES_MAX {
            let search =
                Search { kind, parent: None, customer: None, reference: None, created_from: sweep.created_from };
            let request = self.gateway.connector.page(&search, sweep.resume_after.as_deref());
            let delivery = self.ask(&request).await?;
            let (objects, next) = match self.gateway.connector.decode_page(kind, &delivery) {
                ListFact::Page { sightings, disputes, unreadable, next } => {
                    let ours = unreadable.into_iter().filter(|object| may_be_ours(kind, object));
                    let unreadable = ours.map(|object| object.id);
                    let readable = sightings.into_iter().map(|seen| seen.object_id);
                    let disputes = disputes.into_iter().map(|seen| seen.object_id);
                    (readable.chain(disputes).chain(unreadable).collect(), next)
                }
                ListFact::Failed(fact) if self.asks_again(&delivery, &fact, &mut again) => continue,
                ListFact::Failed(fact) => return Err(self.no_page(&mut sweep, &delivery, fact).await),
            };
            self.note(&delivery, &Fact::Absent);
            again = AGAIN_MAX;
            let listed = Listed { gateway: self.gateway.name.clone(), kind, objects, is_full: sweep.is_full };
            let followed = follow_objects(&mut sweep, next, clock::now());
            self.store(Swept { upon: None, sweep: sweep.clone(), listed: Some(listed), gap: None, log: None }).await?;
            if followed? {
                self.report(sweep_kind.name(), Ok(()));
                return Ok(());
            }
        }
        Ok(())
    }

    /// The kind of the objects that are listed for it; none where the gateway offers nothing of the kind.
    pub(super) fn listed_kind(&self, kind: ObjectKind) -> Option<ObjectKind> {
        let is_two_phase = self.gateway.connector.capability(Subject::Payment)?.class() == Class::P;
        match kind {
            ObjectKind::Payment if is_two_phase => Some(ObjectKind::Payment),
            ObjectKind::Payment => Some(ObjectKind::Charge),
            ObjectKind::Charge => is_two_phase.then_some(ObjectKind::Charge),
            ObjectKind::Refund => {
                let refund = quittance_core::id::RefundId::from_bytes([0; 16]);
                self.gateway.connector.capability(Subject::Refund(refund)).map(|_| kind)
            }
            ObjectKind::Dispute => {
                let dispute = quittance_core::id::DisputeId::from_bytes([0; 16]);
                self.gateway.connector.capability(Subject::Dispute(dispute)).map(|_| kind)
            }
        }
    }
}

/// Whether what cannot be read is to be known all the same. A payment that carries nothing of ours is somebody else's;
/// refunds and disputes are made by others about payments of ours, and carry nothing.
fn may_be_ours(kind: ObjectKind, object: &Unreadable) -> bool {
    let carries_ours = object.effect_id.is_some() || object.reference.as_deref().is_some_and(is_gateway_key);
    match kind {
        ObjectKind::Payment | ObjectKind::Charge => carries_ours,
        ObjectKind::Refund | ObjectKind::Dispute => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_and_may_be_ours_is_not_passed_over() {
        let reference = |text: &str| Unreadable { id: "x_1".into(), effect_id: None, reference: Some(text.into()) };
        let bare = Unreadable { id: "x_1".into(), effect_id: None, reference: None };
        let named = Unreadable { effect_id: Some("eff_00000000000000000000000001".parse().unwrap()), ..bare.clone() };
        for kind in [ObjectKind::Payment, ObjectKind::Charge] {
            assert!(may_be_ours(kind, &named) && may_be_ours(kind, &reference("b1abcdefghijklmnopqrstuvwxyz")));
            assert!(!may_be_ours(kind, &bare) && !may_be_ours(kind, &reference("invoice 7")));
        }
        for kind in [ObjectKind::Refund, ObjectKind::Dispute] {
            assert!(may_be_ours(kind, &bare), "a dispute carries nothing of ours");
        }
    }
}
