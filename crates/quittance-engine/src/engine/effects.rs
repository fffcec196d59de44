//! Claiming effects that are due: what is chosen of which lane, and what follows.

use super::{Engine, Step, is_final};
use crate::due;
use crate::pause::Paused;
use crate::room::{Permits, Room};
use crate::submission::{EffectRef, Submission};
use quittance_core::effect::Effect;
use quittance_core::time::Timestamp;
use quittance_store::records::{Entity, Lane};
use quittance_store::store::{Claim, Share, StoreError};
use quittance_store::tables::EFFECTS;
use std::collections::BTreeMap;

/// How often it is looked whether another process is gone, in milliseconds.
const RELEASE_MS: u64 = 1_000;

impl Engine {
    /// Claims effects that are due, as many as the permits allow, and begins their next moves.
    ///
    /// # Errors
    ///
    /// As [`Engine::step`].
    pub fn poll(&mut self, now: Timestamp, permits: &mut Permits) -> Result<Step, StoreError> {
        if self.is_shared() {
            // Somebody else may have pulled a brake, or let it go.
            self.paused = Paused::load(self.store.as_mut())?;
            self.release_gone(now)?;
        }
        self.end_recoveries(now)?;
        let mut shares = Vec::new();
        for (gateway, room) in self.paused.permitted(permits).0 {
            shares.extend(self.choose(&gateway, now, room)?);
        }
        let (owner, leased_until) = (self.store.writer_epoch(), now.plus_ms(self.leases.lease_ms).0);
        let rows = match shares.is_empty() {
            true => Vec::new(),
            false => self.store.claim(&EFFECTS, &Claim { shares, now: now.0, owner, leased_until })?,
        };
        let mut begins = Vec::with_capacity(rows.len());
        for row in &rows {
            match Effect::from_row(row) {
                Ok(effect) => begins.push(Submission::Begin(EffectRef {
                    book: effect.book,
                    effect: effect.id,
                    payment: effect.payment,
                    epoch: effect.lease_epoch,
                })),
                Err(corrupt) => tracing::error!(%corrupt, "an effect cannot be read and is left alone"),
            }
        }
        let mut step = self.step(now, begins, permits)?;
        match self.poll_objects(now, permits) {
            Ok(looks) => step.looks.extend(looks),
            Err(error) if is_final(&error) => return Err(error),
            // The tickets of the jobs are committed: one that does not leave now is one whose answer was lost.
            Err(error) => tracing::error!(%error, "no objects could be looked at; what was begun goes on"),
        }
        Ok(step)
    }

    /// Ends the leases of processes that are known to be gone, so that what they had begun is found out about at once.
    fn release_gone(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.released_at.is_some_and(|at| at <= now && now.ms_since(at) < RELEASE_MS) {
            return Ok(());
        }
        self.released_at = Some(now);
        let released = self.store.release_gone(now.0)?;
        if released > 0 {
            tracing::info!(released, "taking up what a process that is gone had begun");
        }
        Ok(())
    }

    /// What is claimed of a gateway's lanes.
    fn choose(&mut self, gateway: &str, now: Timestamp, mut room: Room) -> Result<Vec<Share>, StoreError> {
        // Of a lane that nothing may be taken of, nothing is learned either.
        let open = Lane::all().iter().filter(|lane| room.left(**lane) > 0);
        let mut due: BTreeMap<Lane, Vec<Timestamp>> = open.map(|lane| (*lane, Vec::new())).collect();
        for (lane, first) in due::lanes(self.store.as_mut(), gateway)? {
            if let Some(times) = due.get_mut(&lane).filter(|_| first <= now) {
                // One more than there is room for tells whether any has to wait.
                let limit = room.left(lane).saturating_add(1);
                *times = due::times(self.store.as_mut(), gateway, lane, now, limit)?;
            }
        }
        let chosen = due::choose(&due, |lane| room.take(lane));
        self.waiting.note(gateway, &due, &chosen);
        Ok(due::shares(gateway, &chosen).collect())
    }
}
