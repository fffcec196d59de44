//! The end of recoveries: looked for whenever what is due is.

use super::Engine;
use crate::recovery;
use crate::room::Permits;
use crate::submission::Submission;
use quittance_core::time::Timestamp;
use quittance_store::store::StoreError;

impl Engine {
    /// Holds back every gateway, since the database lost commits that it had acknowledged: those after `since`, as a change to
    /// a replica that was behind loses them. What they had sent is found by sweeps, as after a restore. A new era tells
    /// all processes that share the books, before they decide anything more. This engine is not to be used any more: what it
    /// knows is of books that are gone.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nobody is told then.
    ///
    /// # Panics
    ///
    /// Without a clock, as [`Engine::time`].
    pub fn recover_from_loss(&mut self, since: Timestamp) -> Result<(), StoreError> {
        self.store.begin_anew()?;
        let reading = self.ask()?;
        recovery::begin_after_loss(self.store.as_mut(), &self.gateways, (since, reading.wall))?;
        self.end_era_of_loss(since, &reading)
    }

    /// Lets gateways go on whose sweeps since a restore are complete.
    pub(super) fn end_recoveries(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let recovering: Vec<String> = self.paused.recovering().map(str::to_owned).collect();
        for name in recovering {
            let Some(gateway) = self.gateways.0.get(&name) else { continue };
            if let Some(switch) = recovery::ended(self.store.as_mut(), (&name, gateway), now)? {
                self.step(now, vec![Submission::SetSwitch(Box::new(switch))], &mut Permits::default())?;
                tracing::warn!(gateway = name, "the gateway was swept since the backup: sends go on");
            }
        }
        Ok(())
    }
}
