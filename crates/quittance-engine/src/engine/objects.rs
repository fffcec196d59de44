//! Claiming objects of gateways that are to be looked at.

use super::Engine;
use crate::looks::WAIT_MS_MAX;
use crate::room::Permits;
use crate::submission::{Look, ObjectRef, Submission};
use quittance_core::time::Timestamp;
use quittance_store::records::{Entity, GatewayObject, Lane};
use quittance_store::store::{Claim, Share, StoreError, TakeOver};
use quittance_store::tables::GATEWAY_OBJECTS;

impl Engine {
    /// Takes over the looks that earlier processes left.
    pub(super) fn take_over_objects(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let (owner, due_at_max) = (self.store.writer_epoch(), now.plus_ms(WAIT_MS_MAX).0);
        self.store.take_over(&GATEWAY_OBJECTS, &TakeOver { owner, now: now.0, due_at_max })
    }

    /// Claims objects that are due and begins to look at them. Looks are reads: where nothing may be read, none begins.
    /// Effects choose first, and looks never take more than a quarter of what is left, so that they hold no payment up.
    pub(super) fn poll_objects(&mut self, now: Timestamp, permits: &mut Permits) -> Result<Vec<Look>, StoreError> {
        let (owner, leased_until) = (self.store.writer_epoch(), now.plus_ms(self.leases.lease_ms).0);
        let mut begins = Vec::new();
        for (gateway, room) in self.paused.permitted(permits).0 {
            let left = room.left(Lane::Read);
            if left == 0 {
                continue;
            }
            let limit = (left / 4).max(1);
            let shares = vec![Share { lane: vec![gateway.as_str().into()], limit }];
            let claim = Claim { shares, now: now.0, owner, leased_until };
            for row in self.store.claim(&GATEWAY_OBJECTS, &claim)? {
                match GatewayObject::from_row(&row) {
                    Ok(GatewayObject { gateway, object, lease_epoch: epoch, .. }) => {
                        begins.push(Submission::Look(Box::new(ObjectRef { gateway, object, epoch })));
                    }
                    Err(corrupt) => tracing::error!(%corrupt, "an object cannot be read and is left alone"),
                }
            }
        }
        if begins.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.step(now, begins, permits)?.looks)
    }
}
